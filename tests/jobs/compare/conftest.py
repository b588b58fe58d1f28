"""Experiments to compare: the small one, a copy of it, and a counterpart at another size without a verdict."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.compare.experiments import Experiment, open_experiment
from shared.format.manifest import parse_manifest
from shared.store.artifacts import Artifact
from tests.conftest import quicken
from tests.jobs.conftest import SMALL, call, hostile_source
from tests.jobs.report.pages import with_facts

OTHER_SIZE = {
    "preprocess": ["--size-px", 32, "--channels", 1, "--resize-filter", "lanczos", "--test-fraction", 0.25],
    "train_gan": ["--family", "dcgan", "--unconditional", "--epochs", 1, "--width", 4, "--latent", 8],
}
"""The options in which the counterpart differs from the small experiment."""


@pytest.fixture(scope="session")
def shared_root(volume: Path, plain_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a volume with the experiments `small`, `twin` (its copy) and `tuned` (32 px, grey, unconditional)."""
    root = tmp_path_factory.mktemp("compared")
    shutil.copytree(volume, root, dirs_exist_ok=True)
    shutil.copytree(root / "small", root / "twin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALFREAL_REPLICATES", "1")
        patch.setattr("shared.sources.published.sets.digits", hostile_source)
        quicken(patch)
        for job in ("preprocess", "train_classifier", "train_gan", "evaluate"):
            words = [*SMALL[job], *OTHER_SIZE.get(job, [])] if job != "train_gan" else OTHER_SIZE[job]
            result = call(job, root, "--experiment", "tuned", "--recipe", plain_recipe, *words)
            assert result.exit_code == 0, result.output
    return root


@pytest.fixture
def root(shared_root: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a copy of that volume that a test may change."""
    copy = tmp_path / "v"
    shutil.copytree(shared_root, copy)
    return copy


def add_replicate(folder: Path) -> None:
    """Add replicate r01 to an experiment, a copy of r00: its GAN and its scores."""
    for name in ("gan", "scores"):
        shutil.copytree(folder / name / "r00", folder / name / "r01")
    path = folder / "scores" / "r01" / "manifest.json"
    manifest = parse_manifest(path.read_bytes(), path)
    inputs = {name.replace("gan/r00", "gan/r01"): digest for name, digest in manifest.inputs.items()}
    path.write_bytes(manifest.model_copy(update={"inputs": inputs}).to_bytes())


def scaled(scores: Artifact, factor: float) -> Artifact:
    """Return scores whose chosen distance, on val and test, is `factor` times as large."""
    facts: Any = dict(scores.facts)
    name = facts["chosen_score"]
    rows = [row | {name: row[name] * factor} for row in facts["rows"]]
    return with_facts(scores, facts | {"rows": rows, "test": facts["test"] | {name: facts["test"][name] * factor}})


def experiment(folder: Path, name: str, *factors: float, **changes: Any) -> Experiment:
    """Return the small experiment under another name, with a replicate for each factor of its distances."""
    found = open_experiment(folder)
    gan, scores = found.gans[0], found.scores[0]
    fields = vars(found) | {
        "name": name,
        "gans": dict.fromkeys(range(len(factors)), gan),
        "scores": {number: scaled(scores, factor) for number, factor in enumerate(factors)},
    }
    return Experiment(**(fields | changes))
