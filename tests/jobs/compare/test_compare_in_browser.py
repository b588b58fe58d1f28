"""The page of a comparison in a real browser: no requests, no console messages, and it fits a phone."""

from pathlib import Path
from typing import Any

import pytest

from jobs.compare.page import render
from tests.jobs.browsing import open_quietly
from tests.jobs.compare.conftest import experiment
from tests.jobs.compare.test_compare_page import comparison

pytestmark = [pytest.mark.slow, pytest.mark.drawn]


@pytest.fixture(scope="module")
def address(volume: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the page of three experiments with long names; return its address."""
    folder = volume / "small"
    names = ("best", "cifar10_wgan_gp_of_a_very_long_name", "another")
    page = render(comparison(*(experiment(folder, name, 1.0, 1.1, 1.2) for name in names)))
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize(("width_px", "scheme"), [(1280, "light"), (400, "dark")])
def test_the_page_in_a_browser(width_px: int, scheme: Any, browser: Any, address: str) -> None:
    """Opened from disk: no console message, no request but the file, pictures drawn, nothing overflows."""
    page = open_quietly(browser, address, width_px, scheme)
    widths = "[...document.querySelectorAll('img, svg[role=img]')].map(each => each.getBoundingClientRect().width)"
    drawn = page.evaluate(widths)
    assert len(drawn) == 4
    assert all(width > 100 for width in drawn)
    assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    page.close()
