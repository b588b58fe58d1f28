"""axe-core, a checker of accessibility that npm fetches, finds nothing serious on the page."""

from pathlib import Path
from typing import Any

import pytest

from shared.store.artifacts import Artifact
from tests.jobs.browsing import open_quietly

pytestmark = [pytest.mark.long, pytest.mark.drawn]


@pytest.mark.parametrize(("width_px", "scheme"), [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")])
def test_axe_finds_nothing_serious(
    width_px: int, scheme: str, axe: str, browser: Any, made: dict[str, Artifact]
) -> None:
    """Neither serious nor critical, with every fold open."""
    page = open_quietly(browser, Path(made["report"].folder / "index.html").as_uri(), width_px, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert len(found["passes"]) > 20
    serious = [rule for rule in found["violations"] if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in serious] == []
    page.close()
