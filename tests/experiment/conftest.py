"""The tiny experiment's artifacts, and the recorded inputs of its jobs."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.evaluate import images as scored
from jobs.pipeline import FITS, PIPELINE, TRAIN_MIXED
from jobs.train_mixed import fits as fitting
from jobs.train_mixed.arms import ARMS, OWN, chosen_arms
from shared.metrics import membership
from shared.models import fitting as classify
from shared.store.artifacts import Artifact, open_output
from tests.experiment.importing import ImportedExperiment, made_without_gan
from tests.experiment.tiny import OPTIONS, Fit, Spy, bars, call, fits, set_replicates

SEED = 3
REPLICATES = 2


@dataclass(frozen=True)
class Replicate:
    """The artifacts of a replicate by name; the fits of its annotator and of the membership test's classifier.

    `real`, which all replicates share, is among the artifacts. `latents` and `drawn` are those of the images that were
    scored; they have an entry for each snapshot on
    val, then one for the chosen snapshot on test: the seeds of the latents and the images.
    """

    made: dict[str, Artifact]
    annotator: Fit
    attacker: Fit
    latents: Spy
    drawn: Spy


@dataclass(frozen=True)
class Tiny:
    """The volume of the experiment up to its synthetic images, and its replicates."""

    root: Path
    replicates: list[Replicate]

    @property
    def made(self) -> dict[str, Artifact]:
        """The artifacts of the first replicate by name."""
        return self.replicates[0].made

    @property
    def latents(self) -> Spy:
        """The latents of the first replicate's scored images."""
        return self.replicates[0].latents

    @property
    def drawn(self) -> Spy:
        """The first replicate's scored images."""
        return self.replicates[0].drawn


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a recipe without any option but the seed."""
    path = tmp_path_factory.mktemp("recipe") / "plain.toml"
    path.write_text(f'about = "every default"\nseed = {SEED}\n', encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, recipe: Path) -> Tiny:
    """Run every job up to synthesize for two replicates; the volume is read only."""
    root = tmp_path_factory.mktemp("tiny")
    rows = [row for row in PIPELINE if row.name in OPTIONS and row.name != "train_mixed"]
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, REPLICATES)
        patch.setattr("shared.sources.published.sets.digits", bars)
        fit, attacker = Spy(classify.fit), Spy(classify.fit)
        latents, drawn = Spy(scored.latents_of), Spy(scored.draw_images)
        patch.setattr(classify, "fit", fit)
        patch.setattr(membership, "fit", attacker)
        patch.setattr(scored, "latents_of", latents)
        patch.setattr(scored, "draw_images", drawn)
        for row in rows:
            result = call(row.name, root, "--recipe", recipe)
            assert result.exit_code == 0, result.output
    made = [{row.writes: open_output(row, root / "tiny", number) for row in rows} for number in range(REPLICATES)]
    spies = (spy.parts(REPLICATES) for spy in (latents, drawn))
    return Tiny(root, [Replicate(*each) for each in zip(made, fits(fit), fits(attacker), *spies, strict=True)])


@dataclass(frozen=True)
class Mixed:
    """The results and the fits of each replicate; the inputs of the classifiers by arm and replicate.

    `annotators` are those of an arm's own.
    """

    artifact: Artifact
    fits: list[Artifact]
    arms: dict[tuple[str, int], Fit]
    annotators: dict[tuple[str, int], Fit]


@pytest.fixture(scope="session")
def mixed(tiny: Tiny, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    """Train every arm in two replicates and record the inputs of each classifier and each annotator."""
    root = sharing(tiny, tmp_path_factory.mktemp("mixed"))
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, REPLICATES)
        spy = Spy(fitting.fit)
        patch.setattr(fitting, "fit", spy)
        result = call("train_mixed", root, "--recipe", recipe, "--arms", "all")
    assert result.exit_code == 0, result.output
    found, arms, annotators = iter(fits(spy)), {}, {}
    for replicate in range(REPLICATES):
        # those with pseudo-labels have tests of their own, in splits/test_unlabelled.py
        for name in chosen_arms("all", conditional=True, unlabelled=False):
            if ARMS[name].labels == OWN:
                annotators[name, replicate] = next(found)
            arms[name, replicate] = next(found)
    assert next(found, None) is None
    answers = [open_output(FITS, root / "tiny", number) for number in range(REPLICATES)]
    return Mixed(open_output(TRAIN_MIXED, root / "tiny"), answers, arms, annotators)


def sharing(tiny: Tiny, root: Path) -> Path:
    """Return a data root of its own that shares the artifacts of the tiny experiment."""
    (root / "tiny").mkdir()
    for path in (tiny.root / "tiny").iterdir():
        if path.is_dir():
            (root / "tiny" / path.name).symlink_to(path)
    return root


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory, recipe: Path) -> ImportedExperiment:
    """Run every job up to evaluate for two sets of imported images; the volume is read only."""
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, REPLICATES)
        patch.setattr("shared.sources.published.sets.digits", bars)
        return made_without_gan(tmp_path_factory.mktemp("imported"), recipe)
