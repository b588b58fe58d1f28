"""Recipes on CelebA, CIFAR10 and rock-paper-scissors, a few steps through every job, on images made in their layout.

With HALFREAL_FULL_WIDTH in the environment the networks are as wide as the recipes say: half an hour on 2 cores.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from jobs.commands.calls import command_of
from jobs.pipeline import PIPELINE, PREPROCESS
from shared.cli.options import merge
from shared.cli.recipes import load_recipe, recipe_names
from shared.store.artifacts import Artifact, open_output
from tests.conftest import quicken
from tests.jobs.preprocess.source_files import fill
from tests.jobs.preprocess.test_archives import write_celeba, write_cifar10

pytestmark = pytest.mark.long

ELSEWHERE = [name for name in recipe_names() if name.startswith(("celeba", "cifar10", "rps"))]

DRAWN = {next(name for name in ELSEWHERE if name.startswith(source)) for source in ("celeba", "cifar10", "rps")}
"""One recipe of each source, whose figures are drawn."""

STEPS = 4
LIMIT_TRAIN = 16
"""Train images for a recipe that wants 5,000: fewer than the 20 that are made."""
BATCH = 6

SMALL: dict[str, list[object]] = {
    "preprocess": ["--no-verify-md5", "--val-fraction", 0.3],
    "train_classifier": ["--steps", 20, "--measure-every", 10, "--width", 4],
    "train_gan": ["--batch-images", BATCH, "--width", 4, "--snapshot-every-epochs", 999],
    "evaluate": ["--images", 24],
    "train_mixed": ["--steps", 10, "--measure-every", 5, "--fits", 1, "--patience", 1, "--width", 4],
}
"""Overrides that make a recipe small: few steps and narrow networks; its layers and everything else stay."""

if "HALFREAL_FULL_WIDTH" in os.environ:
    for _words in SMALL.values():
        if "--width" in _words:
            _at = _words.index("--width")
            del _words[_at : _at + 2]


def recipe_table(name: str, job: str) -> dict[str, Any]:
    """Return what a recipe sets for a job, all its layers together."""
    return merge(command_of(job).options, [("", table) for table in load_recipe(name).tables(job)])[0]


def make_source(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make images in the layout of the recipe's source."""
    folder = root / "sources"
    if name.startswith("celeba"):
        write_celeba(folder / "celeba")
    elif name.startswith("cifar10"):
        write_cifar10(folder / "cifar10", monkeypatch)
    else:
        fill(folder / "rps", {"paper": 16, "rock": 16, "scissors": 16})


def walk(name: str, root: Path, run_job: Callable[..., Result], small: dict[str, list[Any]]) -> dict[str, Artifact]:
    """Run every job of a recipe; return the artifacts by name."""
    for row in PIPELINE:
        words = list(small.get(row.name, []))
        if row.name == "preprocess" and "limit_train" in recipe_table(name, row.name):
            words += ["--limit-train", LIMIT_TRAIN]
        if row.name == "train_gan":
            train = open_output(PREPROCESS, root / "small").dataset.splits["train"].count
            critic_steps = recipe_table(name, "train_gan").get("critic_steps", 1)
            batch = words[words.index("--batch-images") + 1]
            words += ["--epochs", -(-STEPS * batch * critic_steps // train)]
        result = run_job(row.name, root, "--recipe", name, *words)
        assert result.exit_code == 0, f"{row.name}: {result.output}"
    return {row.writes: open_output(row, root / "small") for row in PIPELINE}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_recipe_goes_through_every_job(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_job: Callable[..., Result]
) -> None:
    """A few generator steps, then scores, synthetic images, every arm and the report, under the recipe."""
    quicken(monkeypatch, drawn=name in DRAWN)
    make_source(tmp_path, name, monkeypatch)
    made = walk(name, tmp_path, run_job, SMALL)
    asked = {job: recipe_table(name, job) for job in ("preprocess", "train_classifier", "train_gan")}
    gan = made["gan"].facts
    assert gan["history"][-1]["step"] >= STEPS
    assert gan["family"] == asked["train_gan"]["family"]
    assert gan["conditional"] is asked["train_gan"].get("conditional", True)
    assert made["real"].dataset.size_px == asked["preprocess"]["size_px"]
    synthetic = made["synthetic"].dataset
    assert synthetic.splits["train"].count == made["real"].dataset.splits["train"].count
    assert synthetic.size_px == (asked["train_classifier"].get("size_px") or asked["preprocess"]["size_px"])
    page = (made["report"].folder / "index.html").read_text(encoding="utf-8")
    assert json.dumps(asked["train_gan"]["family"])[1:-1] in page
    assert ("asked for no class" in page) is not gan["conditional"]
