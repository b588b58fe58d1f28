// What the page can do besides being read: nothing is hidden from readers without scripts but the switches themselves.
(() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

  // tables and figures that fit do not say that they scroll
  const measure = () => all(".scroll").forEach(box => box.classList.toggle("fits", box.scrollWidth <= box.clientWidth));
  addEventListener("resize", measure);
  all("details").forEach(fold => fold.addEventListener("toggle", measure));
  measure();

  // the contents mark the section that is read
  const links = new Map(all(".contents a").map(link => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(({ target }) => {
    links.forEach(link => link.removeAttribute("aria-current"));
    links.get(target.id).setAttribute("aria-current", "true");
  }), { rootMargin: "-10% 0px -80% 0px" });
  links.forEach((_, id) => seen.observe(document.getElementById(id)));

  // switches of arms
  all(".switches").forEach(group => {
    group.hidden = false;
    group.addEventListener("change", ({ target }) =>
      all("[data-arm]").filter(row => row.dataset.arm === target.value).forEach(row => { row.hidden = !target.checked; }));
  });

  // a slider over epochs: one tall picture, of which a window shows one epoch
  all(".slider").forEach(slider => {
    const epochs = slider.dataset.epochs.split(" "), image = slider.querySelector("img");
    const input = slider.querySelector("input"), output = slider.querySelector("output");
    const show = () => {
      image.style.transform = `translateY(${-100 * input.value / epochs.length}%)`;
      output.value = epochs[input.value];
      input.setAttribute("aria-valuetext", `epoch ${epochs[input.value]}`);
    };
    input.addEventListener("input", show);
    slider.hidden = false;
    show();
  });

  // a field that searches a list or the rows of a table
  all(".find").forEach(field => {
    const input = field.querySelector("input"), said = field.querySelector("[role=status]");
    const rows = all(field.dataset.rows).map(row => [row, (row.querySelector("[data-name]") ?? row.cells[0]).textContent.toLowerCase()]);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      rows.forEach(([row, name]) => { row.hidden = !name.includes(wanted); });
      said.textContent = `${rows.filter(([row]) => !row.hidden).length} of ${rows.length} ${field.dataset.what}`;
    });
    field.hidden = false;
  });
})();
