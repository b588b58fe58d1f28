"""The report page: self-contained, accessible, safe from its own data."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest
from click.testing import Result

from jobs.pipeline import PIPELINE
from shared.cli.recipes import load_recipe
from shared.store.artifacts import Artifact

pytestmark = pytest.mark.drawn

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Page(HTMLParser):
    """The elements of a page as (tag, attributes), and the text of each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data


@pytest.fixture(scope="module")
def text(made: dict[str, Artifact]) -> str:
    """Return the page of the experiment `small` from disk."""
    return (made["report"].folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    """Parse the page."""
    return Page(text)


def test_the_first_heading_is_the_verdict(page: Page, made: dict[str, Artifact]) -> None:
    """The first heading is the sentence of the headline's answer."""
    headings = [tag for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert page.texts["h1"][0].strip() == made["mixed"].facts["headline"]["sentence"]


def test_no_attribute_makes_a_browser_fetch(page: Page) -> None:
    """Everything that a browser would load by itself (src, href, data, poster) is inlined."""
    loads = ("src", "srcset", "href", "xlink:href", "data", "poster", "background", "action")
    found = [values[name] for _, values in page.elements for name in loads if values.get(name)]
    assert found
    assert [value[:60] for value in found if value and not value.startswith(("data:", "#"))] == []


def test_one_script_of_ours_and_no_frame(page: Page) -> None:
    """The one script is the files of the package to the last letter; no frame, object, base address or handler."""
    tags = [tag for tag, _ in page.elements]
    assert not set(tags) & {"iframe", "object", "embed", "base", "form"}
    assert tags.count("script") == 1
    folder = resources.files("jobs.report")
    ours = "".join(folder.joinpath(name).read_text("utf-8") for name in ("page.js", "values.js"))
    assert [script.strip() for script in page.texts["script"]] == [ours.strip()]
    assert not [name for _, values in page.elements for name in values if name.startswith("on")]


def test_no_style_fetches(page: Page) -> None:
    """No style sheet or style attribute imports another or names an address outside the page."""
    styles = page.texts["style"] + [values["style"] or "" for _, values in page.elements if "style" in values]
    assert any("--ink" in style for style in styles)
    for style in styles:
        assert "@import" not in style
        assert re.findall(r"url\(\s*['\"]?(?!#|data:)", style) == []


def test_every_picture_has_a_text_alternative(page: Page) -> None:
    """Every image and chart has a text that says what it shows, for readers who do not see it."""
    pictures = [values for tag, values in page.elements if tag in ("img", "svg")]
    assert len(pictures) >= 12
    assert [values for values in pictures if not (values.get("alt") or values.get("aria-label") or "").strip()] == []


def test_tables_can_be_heard(text: str) -> None:
    """Every table has a caption, and every heading cell says whether it is of a row or a column."""
    tables = re.findall(r"<table\b.*?</table>", text, re.DOTALL)
    assert len(tables) >= 15
    for table in tables:
        caption = re.search(r"<caption>(.*?)</caption>", table, re.DOTALL)
        assert caption, table[:200]
        assert caption[1].strip()
        assert re.findall(r"<th(?![^>]*scope=)[ >]", table) == [], caption[1]


def test_what_scrolls_is_reached_by_keyboard(page: Page) -> None:
    """A box that may be wider than the screen takes the focus and has a name."""
    boxes = [
        values for tag, values in page.elements if tag == "div" and "scroll" in (values.get("class") or "").split()
    ]
    assert len(boxes) >= 25
    assert [box for box in boxes if box.get("tabindex") != "0" or box.get("role") != "region"] == []
    assert all((box.get("aria-label") or box.get("aria-labelledby") or "").strip() for box in boxes)


def test_the_contents_name_every_section(page: Page) -> None:
    """In their order; each section has one question as its heading, and the answer is first."""
    links = [
        values["href"] for tag, values in page.elements if tag == "a" and (values.get("href") or "").startswith("#")
    ]
    sections = [f"#{values['id']}" for tag, values in page.elements if tag == "section" and values.get("id")]
    assert links[: len(sections) + 1] == ["#answer", *sections]
    assert len(sections) >= 12
    assert len(page.texts["h2"]) == len(sections)
    assert all(heading.strip().endswith("?") for heading in page.texts["h2"])


def test_the_page_is_small(text: str) -> None:
    """It can be sent by mail."""
    assert len(text.encode()) < 1_500_000


def test_class_names_are_text(page: Page, text: str, hostile_classes: tuple[str, ...]) -> None:
    """Hostile class names appear on the page verbatim, and none becomes an element."""
    shown = "".join(page.texts["td"] + page.texts["th"])
    for name in hostile_classes:
        assert name in shown
    assert text.count("<script") == 1
    assert "<b>bold" not in text


def test_lineage_names_every_artifact(text: str, made: dict[str, Artifact]) -> None:
    """The page lists each artifact that the numbers come from, with the sha256 of its manifest."""
    for name, artifact in made.items():
        assert (artifact.sha256 in text) == (name != "report")


def test_the_recipe_on_the_page_makes_it_again(
    page: Page, made: dict[str, Artifact], volume: Path, tmp_path: Path, run_job: Callable[..., Result]
) -> None:
    """The recipe on the page, saved to a file, is accepted, and every job is already complete."""
    recipe = tmp_path / "again.toml"
    recipe.write_text(page.texts["pre"][0], encoding="utf-8")
    loaded = load_recipe(str(recipe))
    assert loaded.tables("train_gan")[-1]["epochs"] == 3
    for row in PIPELINE[:-1]:
        assert loaded.tables(row.name)[-1] == {
            name: value for name, value in made[row.writes].manifest.options.items() if value is not None
        }
        result = run_job(row.name, volume, "--recipe", recipe)
        assert (result.exit_code, "already complete" in result.stderr) == (0, True), result.output


def test_equal_inputs_give_an_equal_page(
    volume: Path, tmp_path: Path, text: str, run_job: Callable[..., Result], plain_recipe: Path
) -> None:
    """The page depends on the artifacts alone: rebuilt, it has the same bytes."""
    (tmp_path / "small").mkdir()
    for row in PIPELINE[:-1]:
        (tmp_path / "small" / row.writes).symlink_to(volume / "small" / row.writes)
    assert run_job("report", tmp_path, "--recipe", plain_recipe).exit_code == 0
    assert (tmp_path / "small" / "report" / "index.html").read_text(encoding="utf-8") == text
