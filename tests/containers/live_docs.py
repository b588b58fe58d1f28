"""The lines that README and docs/containers.md show for Compose, run as written and in their order.

Not collected by `make test`: `make documented` runs it. Settings that make the recipe short are in .env, where a user
would have them, and the names of projects begin with another word, so that nothing of this machine is touched.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.files import ROOT
from tests.containers.settings import SHORT
from tests.documented import FENCED

ELSEWHERE = {
    "-f compose.gpu.yaml": "needs a GPU; `test_compose_accepts_every_profile` has Compose read it",
    "-f compose.imported.yaml": "`test_imported_images_are_judged_in_their_order` holds the order",
    "PREPROCESS_NETWORK=bridge": "downloads",
    "run --rm weights": "downloads",
    "TORCH_INDEX=": "downloads",
    "up playground": "serves until it is stopped: `test_pages_are_served_on_loopback`",
    "selfcheck verdict": "takes long: `test_the_verdict_is_checked_on_the_experiment_of_the_environment`",
}
"""What is not run here, and why."""


def lines(page: str) -> list[str]:
    """Return the lines of a page's shell blocks that call `docker compose`, but for those that run elsewhere."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = [block for _, language, block in FENCED.findall(text) if language == "sh"]
    shown = [re.sub(r"\s+#.*$", "", line) for block in blocks for line in block.splitlines()]
    return [line for line in shown if "docker compose" in line and not any(part in line for part in ELSEWHERE)]


@pytest.fixture
def clone(image: str, tmp_path: Path) -> Iterator[Path]:
    """Yield a clone of this repository with settings; remove its containers and its volume after."""
    folder, own = tmp_path / "clone", f"halfreal-docs-{os.getpid()}"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    for file in folder.glob("compose*.yaml"):
        file.write_text(file.read_text("utf-8").replace("name: halfreal-$", f"name: {own}-$"), encoding="utf-8")
    settings = SHORT | {"HALFREAL_IMAGE": image, "VOLUME": own}
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    try:
        yield folder
    finally:
        for experiment in ("first", "second", "digits"):
            words = ["docker", "compose", "--profile", "*", "down", "--volumes", "--timeout", "5"]
            subprocess.run(words, cwd=folder, env=os.environ | {"EXPERIMENT": experiment}, check=False)


@pytest.mark.parametrize(("page", "least"), [("README.md", 2), ("docs/containers.md", 11)])
def test_every_line_runs_as_it_is_written(clone: Path, page: str, least: int) -> None:
    """Each line ends with 0, in the order of the page, on a volume that is empty at first."""
    shown = lines(page)
    assert len(shown) >= least
    for line in shown:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=clone,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    assert (clone / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")
