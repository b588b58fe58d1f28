"""The page in a real browser: no requests, no console messages, and it fits a phone."""

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
    assert len(pictures) >= 4
    assert all(width and words for width, words in pictures)
    charts = page.evaluate(
        "[...document.querySelectorAll('svg[role=img]')]"
        ".map(each => [each.getBoundingClientRect().width, each.getAttribute('aria-label')])"
    )
    assert len(charts) >= 8
    assert all(width > 100 and words for width, words in charts)
    assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    page.close()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_who_asks_for_less_motion_gets_the_strip_alone(motion: Any, browser: Any, made: dict[str, Artifact]) -> None:
    """The animation is shown unless reduced motion is asked for, and can be closed; the strip is always there."""
    page = browser.new_page(viewport={"width": 390, "height": 900}, reduced_motion=motion)
    page.goto((made["report"].folder / "index.html").as_uri())
    moving, strip = (
        page.locator("img[src^='data:image/webp']"),
        page.locator("img[alt^='Images from the same latents']"),
    )
    assert strip.is_visible()
    assert moving.is_visible() == (motion == "no-preference")
    if motion == "no-preference":
        assert moving.evaluate("each => each.complete && each.naturalWidth > 100")
        page.locator("details.motion > summary").click()
        assert not moving.is_visible()
    page.emulate_media(media="print")
    assert not moving.is_visible()
    page.close()


def test_nothing_is_collapsed_in_print(browser: Any, made: dict[str, Artifact]) -> None:
    """Sections that are collapsed on a screen are open in print, and no table is cut off at A4's width."""
    page = browser.new_page(viewport={"width": 720, "height": 1000})
    page.goto((made["report"].folder / "index.html").as_uri())
    folded = (
        "[...document.querySelectorAll('details:not(.motion) > :not(summary)')].map(each => each.checkVisibility())"
    )
    assert not any(page.evaluate(folded))
    page.emulate_media(media="print")
    assert all(page.evaluate(folded))
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    page.close()
