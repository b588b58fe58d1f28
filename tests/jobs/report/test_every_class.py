"""The table of every class: there where the page's other tables show some, with a field to search it."""

from typing import Any

import pytest

from shared.plots.formatting import metric_value
from shared.store.artifacts import Artifact
from tests.jobs.browsing import open_quietly
from tests.jobs.report.pages import experiment, renderer, with_facts
from tests.jobs.report.records import HOSTILE_CLASSES, TRAIN, mixed_record
from tests.jobs.report.test_verdict_page import table, words

MOST = "shared.stats.class_choice.MOST_CLASSES"


@pytest.fixture(scope="module")
def pages(made: dict[str, Artifact]) -> dict[int, str]:
    """Return the page of three classes where tables show up to three, and where they show up to two."""
    render, inputs, found = renderer(made), experiment(made, mixed_record()), {}
    for most in (3, 2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MOST, most)
            found[most] = render(inputs)
    return found


def test_few_classes_have_no_such_table(pages: dict[int, str]) -> None:
    """A page that shows every class anyway has no table of all and no field to search it."""
    assert "every-class" not in pages[3]
    assert "find-class" not in pages[3]
    assert len(table(pages[3], "class-f1")) == 3


def test_every_class_is_a_row(pages: dict[int, str], made: dict[str, Artifact]) -> None:
    """Class, images, F1 of the first answer's arms with their difference, the annotator's F1, scores, category."""
    record = mixed_record()
    assert record.headline is not None
    a, b = (record.arm(name).classes or [] for name in (record.headline.a, record.headline.b))
    rows = table(pages[2], "every-class")
    assert [row[0] for row in rows] == list(HOSTILE_CLASSES)
    assert [row[1] for row in rows] == [f"{count:,}" for count in TRAIN]
    for row, mine, other in zip(rows, a, b, strict=True):
        assert row[4].startswith(metric_value(mine.f1) + " ")
        assert row[5].startswith(metric_value(other.f1) + " ")
        difference = 100 * ((mine.f1.mean or 0) - (other.f1.mean or 0))
        assert row[6].replace("\N{MINUS SIGN}", "-") == f"{difference:+.1f}"
    annotated = [f"{100 * row['f1']:.1f}" for row in made["classifier"].facts["test"]["classes"]]
    assert [row[7] for row in rows] == annotated
    categories = [row["category"] or "too few images" for row in made["scores"].facts["test"]["classes"]]
    assert [row[-1] for row in rows] == categories


def test_other_tables_say_which_classes_they_show(pages: dict[int, str]) -> None:
    """Two of three rows in each, how they were chosen, and where the others are."""
    assert len(table(pages[2], "class-f1")) == 2
    assert len(table(pages[2], f"by-class {mixed_record().arms[0].arm}")) == 2
    text = words(pages[2])
    assert "2 of 3 classes: the largest, the worst by F1; all are in the table of every class" in text
    assert '<a href="#every-class">' in pages[2]


def test_classes_of_few_images_have_rows_all_the_same(made: dict[str, Artifact]) -> None:
    """None of many classes may have enough images for a distance or a quality: the page says so, row by row."""
    facts = dict(made["scores"].facts)
    name = f"{facts['chosen_score']}_by_class"
    few = [row | {"qualities": None, "ratios": None, "category": None} for row in facts["test"]["classes"]]
    scores = with_facts(made["scores"], facts | {"test": facts["test"] | {name: {}, "classes": few}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MOST, 2)
        page = renderer(made | {"scores": scores})(experiment(made | {"scores": scores}, mixed_record()))
    assert "No class has enough images for a distance of its own." in page
    assert "2 of 3 classes: the 2 first; all are in the table of every class" in words(page)
    assert [row[-1] for row in table(page, "every-class")] == ["too few images"] * 3


@pytest.mark.slow
def test_the_table_is_searched_in_a_browser(browser: Any, pages: dict[int, str], tmp_path: Any) -> None:
    """Rows whose class has the words stay, in any letter case; their number is said; nothing overflows a phone."""
    path = tmp_path / "page.html"
    path.write_text(pages[2], encoding="utf-8")
    page = open_quietly(browser, path.as_uri(), 390, "light")
    field = page.get_by_label("Find a class")
    assert field.is_visible()
    field.fill("BOLD")
    rows = page.locator("#class-rows tbody tr")
    assert [row.is_visible() for row in rows.all()] == [False, True, False]
    assert page.locator("#found-classes").inner_text() == "1 of 3 classes"
    field.fill("")
    assert all(row.is_visible() for row in rows.all())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


@pytest.mark.slow
def test_without_scripts_every_row_is_there(browser: Any, pages: dict[int, str], tmp_path: Any) -> None:
    """A field that would do nothing is not shown, the table is."""
    path = tmp_path / "page.html"
    path.write_text(pages[2], encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert not page.get_by_label("Find a class").is_visible()
    assert all(row.is_visible() for row in page.locator("#class-rows tbody tr").all())
    context.close()
