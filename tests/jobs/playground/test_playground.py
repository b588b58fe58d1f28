"""The playground as people use it: a click draws, nothing leaves this machine, problems are explained."""

import base64
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from jobs.__main__ import main as halfreal
from jobs.commands.drawing import Experiment, SampleRequest
from jobs.playground.cards import summary
from jobs.playground.strips import COMPARED
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from shared.runtime.seeding import Stream, derive_seed
from tests.conftest import ROOT

slow = pytest.mark.slow

QUICK = {
    "preprocess": ["--source", "digits", "--limit", "400"],
    "train_classifier": ["--steps", "200", "--measure-every", "50", "--width", "8"],
    "train_gan": ["--epochs", "2", "--width", "4", "--latent", "8", "--batch-images", "16"],
    "evaluate": ["--images", "40"],
}
"""Options that make ten classes quick."""


@pytest.fixture(scope="module")
def place(
    volume: Path, tmp_path_factory: pytest.TempPathFactory, plain_recipe: Path, run_job: Callable[..., Result]
) -> Path:
    """Return a data root: `digits`, `hostile` class names, a GAN `without_classes`, an `unfinished` experiment."""
    root = tmp_path_factory.mktemp("playground")
    for name, family in (("digits", []), ("without_classes", ["--family", "dcgan", "--unconditional"])):
        for job, words in QUICK.items():
            more = family if job == "train_gan" else []
            result = run_job(job, root, "--recipe", plain_recipe, *words, *more)
            assert result.exit_code == 0, result.output
        shutil.copytree(root / "small", root / name)
    shutil.rmtree(root / "small")
    shutil.copytree(volume / "small", root / "hostile")
    shutil.copytree(root / "digits" / "real", root / "unfinished" / "real")
    return root


@pytest.fixture(scope="module")
def served(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the playground in another process on a free port until SIGTERM; it ends with 0 and leaves no files."""
    scratch = tmp_path_factory.mktemp("scratch")
    words = [sys.executable, "-m", "jobs", "playground", "--data-root", str(place), "--port", "0"]
    environment = {"PYTHONPATH": str(ROOT), "TMPDIR": str(scratch), "HTTP_PROXY": "http://127.0.0.1:9"}
    process = subprocess.Popen(
        words, env=os.environ | environment, cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line + process.stdout.read()
    yield found[0]
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "stopped\n")
    assert [path.name for path in scratch.iterdir() if path.name.startswith(("halfreal", ".gradio"))] == []


@pytest.fixture(scope="module")
def window(browser: Any) -> Iterator[Any]:
    """Open a window whose tabs share a cache: to load the page's scripts takes longer than all that is done on it."""
    opened = browser.new_context()
    yield opened
    opened.close()


class Tab:
    """A page of the playground in a browser, with its console messages and requests."""

    def __init__(self, window: Any, address: str, width_px: int = 1280, scheme: Any = "light") -> None:
        self.address = address
        self.page = window.new_page()
        self.page.set_viewport_size({"width": width_px, "height": 900})
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_default_timeout(120_000)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)
        self.page.get_by_text("Choose a class, then draw.").wait_for()

    def choose(self, label: str, option: str) -> None:
        """Choose an option of a list."""
        self.page.get_by_label(label, exact=True).click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def draw(self, button: str = "Draw") -> None:
        """Click, and wait until everything is shown."""
        with self.page.expect_response(lambda response: "/queue/join" in response.url):
            self.page.get_by_role("button", name=button, exact=True).click()
        self.page.locator("#nearest img").first.wait_for()

    def pixels(self, place: str = "#drawn") -> list[np.ndarray]:
        """Return the pixels of each image that is shown in a place."""
        sources = self.page.locator(f"{place} img").evaluate_all("all => all.map(each => each.src)")
        decoded = [Image.open(io.BytesIO(base64.b64decode(source.split(",", 1)[1]))) for source in sources]
        return [np.asarray(picture) for picture in decoded]

    def close(self) -> None:
        """Close the page; assert that there was no console message and no request to another host."""
        assert self.said == []
        elsewhere = [url for url in self.asked if not url.startswith((f"{self.address}/", "data:", "blob:"))]
        assert (elsewhere, len(self.asked) > 5) == ([], True)
        self.page.close()


def drawn_by_hand(place: Path, label: int) -> np.ndarray:
    """Return the 16 images that the chosen snapshot draws of a class with the seed 0, (16, size, size)."""
    opened = Experiment(place / "digits")
    latents = latents_of(
        [derive_seed(0, Stream.SAMPLE_LATENTS, index) for index in range(16)], opened.gan.facts["latent"]
    )
    network = load_snapshot(opened.gan, opened.scores.facts["chosen"]["file"], torch.device("cpu"))
    return draw_images(network, latents, torch.full((16,), label))[:, 0].numpy()


@slow
def test_a_click_draws_sixteen_images_of_class_7(window: Any, served: str, place: Path, tmp_path: Path) -> None:
    """They are the generator's sevens, each labelled; the downloadable PNG and shard hold the same images."""
    tab = Tab(window, served)
    tab.choose("Class", "7")
    tab.page.get_by_label("number input for Count").fill("16")
    tab.draw()
    expected = drawn_by_hand(place, 7)
    shown = tab.pixels()
    assert len(shown) == 16
    assert np.array_equal([image[::8, ::8] for image in shown], expected)
    assert "16 images of class 7." in tab.page.locator("#about").inner_text()
    captions = tab.page.locator("#drawn figcaption").all_inner_texts()
    assert all(re.fullmatch(r"\d · \d+ %", caption) for caption in captions)
    assert "diversity" in tab.page.locator("table.qualities").inner_text()
    captions = tab.page.locator("#nearest figcaption").all_inner_texts()
    assert all(re.fullmatch(r"\d\.\d\d, nearer than \d+ of \d+ · train \d.*", caption) for caption in captions)
    distances = [float(caption.partition(",")[0]) for caption in captions]
    assert (len(distances), distances) == (16, sorted(distances))
    for name in ("PNG grid", "WebDataset shard"):
        with tab.page.expect_download() as found:
            tab.page.get_by_role("button", name=f"Download as {name}").click()
        found.value.save_as(tmp_path / found.value.suggested_filename)
    stem = f"digits-r00-class-7-epoch-{Experiment(place / 'digits').chosen:05d}-seed-0-count-16"
    with Image.open(tmp_path / f"{stem}.png") as picture:
        assert np.array_equal(np.asarray(picture)[: 16 * 3 : 3, : 16 * 3 : 3], expected[0])
    with tarfile.open(tmp_path / f"{stem}-00000.tar") as tar:
        files = [tar.extractfile(member) for member in tar if member.name.endswith("png")]
        images = [Image.open(io.BytesIO(file.read())) for file in files if file]
    assert np.array_equal([np.asarray(image) for image in images], expected)
    tab.close()


@slow
def test_another_seed_draws_others(window: Any, served: str, place: Path) -> None:
    """The second button takes a seed of its own, shows it, and draws other images with it."""
    tab = Tab(window, served)
    tab.draw("Draw with another seed")
    assert tab.page.get_by_label("Seed", exact=True).input_value() != "0"
    assert not np.array_equal([image[::8, ::8] for image in tab.pixels()], drawn_by_hand(place, 0))
    tab.close()


@slow
def test_an_invalid_seed_is_refused_on_the_page(window: Any, served: str) -> None:
    """The page says what is expected; the next valid seed draws."""
    tab = Tab(window, served)  # one for all of them: opening the page takes seconds
    for seed in ("-5", "99999999999", "1.7", ""):
        tab.page.get_by_label("Seed", exact=True).fill(seed)
        tab.page.get_by_role("button", name="Draw", exact=True).click()
        said = f"Seed {seed or 'is empty'}: want a whole number from 0 to 2147483647"
        alert = tab.page.locator("#about").get_by_role("alert").filter(has_text=said)
        alert.wait_for()
        assert alert.inner_text() == said
        assert tab.page.get_by_text("Error", exact=True).count() == 0
    tab.page.get_by_label("Seed", exact=True).fill("2147483647")
    tab.draw()
    assert len(tab.pixels()) == 16
    tab.close()


@slow
@pytest.mark.parametrize(("width_px", "scheme"), [(1280, "light"), (390, "dark")])
def test_hostile_names_are_only_names(
    width_px: int, scheme: str, window: Any, served: str, hostile_classes: tuple[str, ...]
) -> None:
    """Class names with markup are shown verbatim; nothing overflows the window; each image has a text alternative."""
    tab = Tab(window, served, width_px, scheme)
    tab.choose("Experiment", "hostile")
    tab.page.get_by_label("Class", exact=True).click()
    tab.page.get_by_role("option").nth(0).click()
    tab.draw()
    assert hostile_classes[0] in tab.page.locator("#about").inner_text()
    captions = " ".join(tab.page.locator("#drawn figcaption, #nearest figcaption").all_inner_texts())
    assert any(name in captions for name in hostile_classes)
    assert all(tab.page.locator("#drawn img, #nearest img").evaluate_all("all => all.map(each => each.alt)"))
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width_px
    tab.close()


@pytest.mark.long
def test_the_same_latents_side_by_side(window: Any, served: str, place: Path) -> None:
    """A row for each snapshot, class or replicate from the seed's latents; each image says what it is taken for."""
    tab = Tab(window, served)
    tab.choose("Class", "3")
    tab.page.get_by_role("tab", name="Side by side").click()
    opened = Experiment(place / "digits")
    rows = {"Snapshots": len(opened.snapshots), "Replicates": 1, "Classes": 10}
    for what, count in rows.items():
        tab.page.get_by_role("radio", name=what).click()
        tab.page.get_by_role("button", name="Compare").click()
        tab.page.locator("#compared p").get_by_text(COMPARED[what].about).wait_for()
        tab.page.locator("#compared h2").nth(count - 1).wait_for()
        shown = np.array(tab.pixels("#compared"))[:, ::8, ::8]
        assert len(shown) == 6 * count
        at = {"Snapshots": list(opened.snapshots).index(opened.chosen), "Classes": 3}.get(what, 0)
        assert np.array_equal(shown[6 * at : 6 * at + 6], drawn_by_hand(place, 3)[:6])
        captions = tab.page.locator("#compared figcaption").all_inner_texts()
        assert all(re.fullmatch(r"\d\n\d+ %", caption) for caption in captions)
    tab.close()


@pytest.mark.long
@pytest.mark.parametrize(("width_px", "scheme"), [(400, "dark"), (1280, "light")])
def test_a_strip_between_two_classes(width_px: int, scheme: str, window: Any, served: str, place: Path) -> None:
    """From the first image of a seed and class to that of another; on a phone nothing is wider than the screen."""
    tab = Tab(window, served, width_px, scheme)
    tab.page.get_by_role("tab", name="Interpolation").click()
    tab.choose("To class", "8")
    tab.page.get_by_label("To seed").fill("0")
    tab.page.get_by_role("button", name="Interpolate").click()
    tab.page.locator("#strip img").nth(7).wait_for()
    shown = [image[::8, ::8].astype(int) for image in tab.pixels("#strip")]
    for at, label in ((0, 0), (-1, 8)):
        assert np.abs(shown[at] - drawn_by_hand(place, label)[0]).max() <= 1
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width_px
    tab.page.get_by_label("To seed").fill("-1")
    tab.page.get_by_role("button", name="Interpolate").click()
    tab.page.locator("#strip").get_by_role("alert").get_by_text("To seed -1: want a whole number").wait_for()
    tab.close()


MANY = """
import sys
from pathlib import Path
from types import SimpleNamespace
from jobs.playground.page import Page, make_app, serve
from shared.runtime.sockets import address, listen
classes = [f"class {number:03d}" for number in range(1000)]
about = {"replicates": [0], "replicate": 0, "snapshots": {1: ""}, "chosen": 1, "synthetic": None, "latent_scale": 1.0}
opened = SimpleNamespace(classes=classes, conditional=True, **about)
index = SimpleNamespace(names=lambda: ["many"], open=lambda *_: opened, replicate=0)
with listen("127.0.0.1", 0) as listener:
    print(address(listener), flush=True)
    serve(make_app(Page(index, "many", Path(sys.argv[1]))), listener)
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the page of an experiment of 1,000 classes, which draws nothing."""
    words = [sys.executable, "-c", MANY, str(tmp_path_factory.mktemp("many"))]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.kill()
    process.communicate()


@pytest.mark.long
def test_a_class_of_1000_is_found_by_typing(window: Any, many: str) -> None:
    """Part of its name, then Enter; nothing is wider than a phone."""
    from playwright.sync_api import expect

    tab = Tab(window, many, 400)
    field = tab.page.get_by_label("Class", exact=True)
    field.click()
    tab.page.wait_for_function("document.activeElement.selectionEnd - document.activeElement.selectionStart === 9")
    field.press_sequentially("s 777")
    options = tab.page.get_by_role("option")
    options.nth(1).wait_for(state="detached")
    assert options.all_inner_texts() == ["class 777"]
    field.press("Enter")
    expect(field).to_have_value("class 777")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 400
    tab.close()


@pytest.mark.long
@pytest.mark.parametrize(("width_px", "scheme"), [(1280, "light"), (400, "dark")])
def test_axe_finds_nothing_serious(width_px: int, scheme: str, axe: str, window: Any, many: str) -> None:
    """Neither serious nor critical, in any tab."""
    tab = Tab(window, many, width_px, scheme)
    tab.page.evaluate(axe)
    for name in ("Interpolation", "Side by side", "Images"):
        tab.page.get_by_role("tab", name=name).click()
        tab.page.wait_for_timeout(500)  # colours fade
        found = tab.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert len(found["passes"]) > 20
        serious = [rule for rule in found["violations"] if rule["impact"] in ("serious", "critical")]
        assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in serious] == []
    tab.close()


@slow
def test_an_unconditional_generator_offers_no_class(window: Any, served: str) -> None:
    """There is no class to choose; the classifier says what was drawn."""
    tab = Tab(window, served)
    tab.choose("Experiment", "without_classes")
    tab.page.get_by_text("This generator was trained without classes").wait_for()
    assert tab.page.get_by_label("Class", exact=True).is_hidden()
    tab.draw()
    assert len(tab.pixels()) == 16
    assert re.match(r"16 images\. The classifier takes \d+ as \d", tab.page.locator("#about").inner_text())
    assert tab.page.locator("#drawn figcaption.other").count() == 0
    tab.close()


INVALID = """
from jobs.playground.page import whole
from shared.errors import BadConfig
for count in (2.5, None, 101):
    try:
        print("taken", whole("Count", count, 1, 100))
    except BadConfig as error:
        print(error)
"""


@pytest.mark.fault(29)
def test_an_invalid_count_is_refused_on_the_page(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """The page says what is expected, in our words, where a field next to a slider holds no count."""
    # in a process of its own: gradio warns when it is imported
    said = python(INVALID).stdout.splitlines()
    assert said == [
        f"{what}: want a whole number from 1 to 100" for what in ("Count 2.5", "Count is empty", "Count 101")
    ]


def test_one_image_has_its_qualities_and_reasons(volume: Path) -> None:
    """Sharpness and contrast are in the table, a dash in place of the diversity, and below it why."""
    opened = Experiment(volume / "small")
    request = SampleRequest(label=0, count=1, seed=0, snapshot=opened.snapshot(None))
    drawing = opened.draw(request)
    shown = summary(drawing, 15)
    for name in ("sharpness", "contrast"):
        assert f"{name}</th><td>{drawing.figures.qualities[name]:.3f}</td>" in shown
    assert "diversity</th><td>\u2013</td>" in shown
    assert "No diversity: it is a distance between images, and there is one." in shown
    assert "No category: it needs 3 images, generated and real." in shown


@slow
def test_an_unfinished_experiment_says_what_to_run(window: Any, served: str) -> None:
    """Where an artifact is missing the page says so and draws nothing; another experiment can still be chosen."""
    tab = Tab(window, served)
    tab.choose("Experiment", "unfinished")
    alert = tab.page.get_by_role("alert")
    alert.wait_for()
    assert "classifier/r00: does not exist; run first: halfreal train_classifier" in alert.inner_text()
    assert tab.page.get_by_role("button", name="Draw", exact=True).is_disabled()
    tab.choose("Experiment", "digits")
    tab.page.get_by_text("Choose a class, then draw.").wait_for()
    tab.draw()
    assert len(tab.pixels()) == 16
    tab.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--data-root", "{empty}"], "no experiment there; run first: halfreal run"),
        (["--data-root", "{volume}", "--experiment", "mine"], "no such experiment there are small"),
        (["--data-root", "{volume}", "--experiment", "../small"], "letters"),
        (["--data-root", "{volume}", "--host", "203.0.113.1"], "cannot listen there"),
    ],
)
def test_what_cannot_be_served_is_refused(words: list[str], says: str, volume: Path, tmp_path: Path) -> None:
    """Exit code 2 and what to do, in at most three lines."""
    filled = [word.format(empty=tmp_path, volume=volume) for word in words]
    result = CliRunner().invoke(halfreal, ["playground", *filled])
    assert result.exit_code == 2, result.output
    assert says in " ".join(result.stderr.split())
    assert len(result.stderr.splitlines()) <= 3
