// Point at a chart: the nearest value of its lines is named, and marked.
(() => {
  const REACH_PX = 40, NAMESPACE = "http://www.w3.org/2000/svg";
  const said = Object.assign(document.createElement("p"), { className: "value", hidden: true });
  const mark = document.createElementNS(NAMESPACE, "circle");
  mark.setAttribute("class", "value-mark");
  said.setAttribute("aria-hidden", "true");
  document.body.append(said);

  const points = line => {
    const { name, of, x, y } = line.dataset, xs = x.split(" "), ys = y.split(" ");
    const numbers = line.querySelector("path").getAttribute("d").match(/-?[\d.]+(?:e-?\d+)?/g).map(Number);
    return xs.map((value, place) => ({ at: [numbers[2 * place], numbers[2 * place + 1]], text: `${name}: ${of} ${value}, ${ys[place]}` }));
  };
  const hide = () => { said.hidden = true; mark.remove(); };
  document.querySelectorAll("svg:has(.values)").forEach(chart => {
    const all = [...chart.querySelectorAll(".values")].flatMap(points);
    const show = event => {
      const toScreen = chart.getScreenCTM(), pixels = ([x, y]) => new DOMPoint(x, y).matrixTransform(toScreen);
      const distance = ({ at }) => Math.hypot(pixels(at).x - event.clientX, pixels(at).y - event.clientY);
      const nearest = all.reduce((best, point) => distance(point) < distance(best) ? point : best);
      if (distance(nearest) > REACH_PX) return hide();
      const place = pixels(nearest.at);
      mark.setAttribute("cx", nearest.at[0]);
      mark.setAttribute("cy", nearest.at[1]);
      mark.setAttribute("r", 5 / toScreen.a);
      chart.append(mark);
      said.textContent = nearest.text;
      said.hidden = false;
      const right = document.documentElement.clientWidth - said.offsetWidth - 4;
      said.style.left = `${Math.max(4, Math.min(place.x + 10, right)) + scrollX}px`;
      said.style.top = `${Math.max(place.y - said.offsetHeight - 10, 4) + scrollY}px`;
    };
    chart.addEventListener("pointermove", show);
    chart.addEventListener("pointerdown", show);
    chart.addEventListener("pointerleave", hide);
  });
})();
