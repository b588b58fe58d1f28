"""The tiny experiment's artifacts, and the recorded inputs of its jobs."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.evaluate import selection
from jobs.pipeline import PIPELINE
from jobs.train_mixed import experiment
from jobs.train_mixed.arms import ARMS, OWN
from shared.models import fitting as classify
from shared.store.artifacts import Artifact, open_artifact
from tests.experiment.tiny import OPTIONS, Fit, Spy, bars, call, fits, without_environment

SEEDS = (3, 4)


@dataclass(frozen=True)
class Tiny:
    """The volume and its artifacts by name; the fit of the annotator, and what drew the images that were scored.

    `latents` and `drawn` have an entry for each snapshot on val, then one for the chosen snapshot on test: the seeds
    of the latents and the images.
    """

    root: Path
    made: dict[str, Artifact]
    annotator: Fit
    latents: Spy
    drawn: Spy


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a recipe without any option but the seed."""
    path = tmp_path_factory.mktemp("recipe") / "plain.toml"
    path.write_text(f'about = "every default"\nseed = {SEEDS[0]}\n', encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, recipe: Path) -> Tiny:
    """Run every job up to synthesize; the volume is read only."""
    root = tmp_path_factory.mktemp("tiny")
    rows = [row for row in PIPELINE if row.name in OPTIONS and row.name != "train_mixed"]
    with pytest.MonkeyPatch.context() as patch:
        without_environment(patch)
        patch.setattr("jobs.preprocess.sources.archives.digits", bars)
        patch.setenv("HALFREAL_REPLICATES", "1")
        fit, latents, drawn = Spy(classify.fit), Spy(selection.latents_of), Spy(selection.draw_images)
        patch.setattr(classify, "fit", fit)
        patch.setattr(selection, "latents_of", latents)
        patch.setattr(selection, "draw_images", drawn)
        for row in rows:
            result = call(row.name, root, "--recipe", recipe)
            assert result.exit_code == 0, result.output
    made = {
        row.writes: open_artifact(
            root / "tiny" / row.writes / "r00" if row.replicated else root / "tiny" / row.writes, row.kind, row.name
        )
        for row in rows
    }
    return Tiny(root, made, fits(fit)[0], latents, drawn)


@dataclass(frozen=True)
class Mixed:
    """The results of the experiment, and the fit of each arm and of each annotator of an arm's own, by arm and seed."""

    artifact: Artifact
    arms: dict[tuple[str, int], Fit]
    annotators: dict[tuple[str, int], Fit]


@pytest.fixture(scope="session")
def mixed(tiny: Tiny, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    """Train every arm from two seeds and record the inputs of each classifier and each annotator."""
    root = sharing(tiny, tmp_path_factory.mktemp("mixed"))
    with pytest.MonkeyPatch.context() as patch:
        without_environment(patch)
        spy = Spy(experiment.fit)
        patch.setattr(experiment, "fit", spy)
        result = call("train_mixed", root, "--recipe", recipe, "--arms", "all", "--seeds", len(SEEDS))
    assert result.exit_code == 0, result.output
    found, arms, annotators = iter(fits(spy)), {}, {}
    for name, arm in ARMS.items():
        for seed in SEEDS:
            if arm.labels == OWN:
                annotators[name, seed] = next(found)
            arms[name, seed] = next(found)
    assert next(found, None) is None
    return Mixed(open_artifact(root / "tiny" / "mixed", "results", "train_mixed"), arms, annotators)


def sharing(tiny: Tiny, root: Path) -> Path:
    """Return a data root of its own that shares the artifacts of the tiny experiment."""
    (root / "tiny").mkdir()
    for name, artifact in tiny.made.items():
        (root / "tiny" / name).symlink_to(artifact.folder)
    return root
