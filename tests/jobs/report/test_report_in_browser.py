"""The page in a real browser: no requests, no console messages, and it fits a phone."""

import re
from typing import Any

import pytest

from shared.store.artifacts import Artifact
from tests.jobs.browsing import open_quietly

pytestmark = [pytest.mark.slow, pytest.mark.drawn]


@pytest.mark.parametrize(("width_px", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_in_a_browser(width_px: int, scheme: Any, browser: Any, made: dict[str, Artifact]) -> None:
    """Opened from disk: no console message, no request but the file, pictures drawn, nothing overflows."""
    address = (made["report"].folder / "index.html").as_uri()
    page = open_quietly(browser, address, width_px, scheme)
    heading = page.locator("h1, h2, h3, h4, h5, h6").first
    assert heading.inner_text() == made["mixed"].facts["headline"]["sentence"]
    pictures = page.evaluate(
        "[...document.querySelectorAll('img')].map(each => [each.complete && each.naturalWidth, each.alt])"
    )
    assert len(pictures) >= 1
    assert all(width and words for width, words in pictures)
    charts = page.evaluate(
        "[...document.querySelectorAll('svg[role=img]')]"
        ".map(each => [each.getBoundingClientRect().width, each.getAttribute('aria-label')])"
    )
    assert len(charts) >= 12
    assert all(width > 100 and words for width, words in charts)
    assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    page.close()


def test_the_slider_shows_one_epoch(browser: Any, made: dict[str, Artifact]) -> None:
    """At its end the last epoch, at its beginning the first; moved, the picture moves by one epoch's height."""
    page = open_quietly(browser, (made["report"].folder / "index.html").as_uri(), 1280, "light")
    slider, epoch = page.locator(".slider input"), page.locator(".slider output")
    top = "document.querySelector('.slider img').getBoundingClientRect().top"
    height = page.evaluate("document.querySelector('.slider .frames').getBoundingClientRect().height")
    epochs = [str(snapshot["epoch"]) for snapshot in made["gan"].facts["snapshots"]]
    assert epoch.inner_text() == epochs[-1]
    slider.focus()
    before = page.evaluate(top)
    page.keyboard.press("Home")
    assert epoch.inner_text() == epochs[0]
    assert page.evaluate(top) - before == pytest.approx(height * (len(epochs) - 1), abs=1)
    page.close()


def test_arms_are_switched_off(browser: Any, made: dict[str, Artifact]) -> None:
    """In the chart and in the tables; the others stay."""
    page = open_quietly(browser, (made["report"].folder / "index.html").as_uri(), 1280, "light")
    arms = page.locator(".accuracies li")
    count = arms.count()
    page.locator(".switches input").first.uncheck()
    assert [arm.is_visible() for arm in arms.all()] == [False, *[True] * (count - 1)]
    assert not page.locator(".arms tbody tr").first.is_visible()
    page.locator(".switches input").first.check()
    assert page.locator(".arms tbody tr").first.is_visible()
    page.close()


def test_the_gallery_is_searched(browser: Any, made: dict[str, Artifact]) -> None:
    """Images whose classes have the words stay; each has three pictures that are drawn."""
    page = open_quietly(browser, (made["report"].folder / "index.html").as_uri(), 1280, "dark")
    items = page.locator(".gallery li")
    page.get_by_label("Search the images").fill("BOLD")
    shown = [item for item in items.all() if item.is_visible()]
    assert 0 < len(shown) < items.count()
    assert all("bold" in item.inner_text() for item in shown)
    assert page.evaluate("getComputedStyle(document.querySelector('.cell')).backgroundImage").startswith('url("data:')
    page.close()


def test_the_contents_stay_and_say_where_one_is(browser: Any, made: dict[str, Artifact]) -> None:
    """On a wide screen and on a phone: a link leads to its section, is marked there, and is still in view."""
    for width_px in (1280, 400):
        page = open_quietly(browser, (made["report"].folder / "index.html").as_uri(), width_px, "light")
        page.locator(".contents a[href='#scores']").click()
        page.locator(".contents a[aria-current][href='#scores']").wait_for(timeout=5000)
        box = page.locator(".contents").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 10
        assert page.evaluate("document.querySelector('#scores-title').getBoundingClientRect().top") < 300
        page.close()


def test_no_label_is_small_on_a_phone(browser: Any, made: dict[str, Artifact]) -> None:
    """Text on the page and in figures is 11 px or more at 400 px; what is wider says that it scrolls."""
    page = open_quietly(browser, (made["report"].folder / "index.html").as_uri(), 400, "light")
    sizes = page.evaluate(
        "[...document.querySelectorAll('svg text')].map(text => {"
        "  const svg = text.ownerSVGElement, scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;"
        "  return scale * parseFloat(getComputedStyle(text).fontSize); }).filter(size => size > 0)"
    )
    sizes += page.evaluate(
        "[...document.querySelectorAll('main *, nav *')].filter(each => !each.closest('svg') && each.checkVisibility())"
        ".map(each => parseFloat(getComputedStyle(each).fontSize))"
    )
    assert len(sizes) > 500
    assert min(sizes) > 10.9
    wide = page.locator(".scroll:not(.fits)").first
    assert "Scroll sideways" in wide.evaluate("each => getComputedStyle(each, '::before').content")
    page.close()


def test_nothing_is_collapsed_in_print(browser: Any, made: dict[str, Artifact]) -> None:
    """Sections that are collapsed on a screen are open in print, and no table is cut off at A4's width."""
    page = browser.new_page(viewport={"width": 720, "height": 1000})
    page.goto((made["report"].folder / "index.html").as_uri())
    folded = "[...document.querySelectorAll('details > :not(summary)')].map(each => each.checkVisibility())"
    assert not any(page.evaluate(folded))
    page.emulate_media(media="print")
    assert all(page.evaluate(folded))
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    page.close()


def test_a_point_at_a_line_says_its_value(browser: Any, made: dict[str, Artifact]) -> None:
    """Its name, the epoch and the value of the record; away from all lines nothing is said."""
    page = open_quietly(browser, (made["report"].folder / "index.html").as_uri(), 1280, "light")
    line = page.locator("svg .values[data-name='generator']").first
    line.scroll_into_view_if_needed()
    last = line.evaluate(
        "line => { const path = line.querySelector('path'), end = path.getPointAtLength(path.getTotalLength()), "
        "at = end.matrixTransform(path.getScreenCTM()); return [at.x, at.y]; }"
    )
    page.mouse.move(last[0] + 3, last[1] + 3)
    said = page.locator("p.value")
    name, epochs, values = (line.get_attribute(f"data-{key}") for key in ("name", "x", "y"))
    assert said.inner_text() == f"{name}: epoch {epochs.split()[-1]}, {values.split()[-1]}"
    assert values.split()[-1] == f"{made['gan'].facts['history'][-1]['generator_loss']:.4g}"
    page.mouse.move(2, 2)
    assert not said.is_visible()
    page.close()


def test_it_prints_on_eight_pages(browser: Any, made: dict[str, Artifact]) -> None:
    """A4, at most, with all of its sections."""
    address = (made["report"].folder / "index.html").as_uri()
    page = open_quietly(browser, address, 1280, "light")
    pages = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", print_background=True))
    assert 3 <= len(pages) <= 8
    page.close()
