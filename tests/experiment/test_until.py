"""What `--until` changes of an experiment: the verdict, and nothing that it is made from."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.pipeline import FITS, TRAIN_MIXED
from shared.stats.looks import STRETCH
from shared.store.artifacts import Artifact, open_output
from shared.store.records.mixed import MixedRecord
from tests.experiment.conftest import REPLICATES, Tiny, sharing
from tests.experiment.tiny import call, set_replicates

ARMS = "real_100,real_100_plus_synthetic_100"


@dataclass(frozen=True)
class Judged:
    """The verdict without `--until` and the one that replaced it, and the fits of both."""

    plain: MixedRecord
    until: Artifact[MixedRecord]
    fits_before: list[Artifact]
    fits: list[Artifact]


@pytest.fixture(scope="module")
def judged(tiny: Tiny, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Judge the two replicates, then judge them again with a width that is wanted."""
    root = sharing(tiny, tmp_path_factory.mktemp("until"))
    made = []
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, REPLICATES)
        for words in ([], ["--until", "2.5"]):
            result = call("train_mixed", root, "--recipe", recipe, "--arms", ARMS, *words)
            assert result.exit_code == 0, result.output
            fits = [open_output(FITS, root / "tiny", number) for number in range(REPLICATES)]
            mixed = open_output(TRAIN_MIXED, root / "tiny")
            made.append((mixed, mixed.record, fits))
    (_, plain, before), (until, _, after) = made
    return Judged(plain, until, before, after)


def test_another_width_makes_no_fit_again(judged: Judged) -> None:
    """Fits know nothing of it: they are the same artifacts, to the byte."""
    assert [fits.sha256 for fits in judged.fits] == [fits.sha256 for fits in judged.fits_before]
    assert all("until" not in fits.manifest.options for fits in judged.fits)
    assert judged.until.manifest.options["until"] == 2.5


def test_every_interval_is_wider(judged: Judged) -> None:
    """The distance from the same centre to either end is that of the given number of replicates, times the stretch."""
    plain, until = judged.plain, judged.until.record
    assert plain.headline is not None
    assert until.headline is not None
    before, after = (answer.high - answer.low for answer in (plain.headline, until.headline))
    assert after == pytest.approx(min(STRETCH * before, 2.0)) or until.headline.high == 1.0
    assert after > before
    for old, new in zip(plain.arms, until.arms, strict=True):
        for name in ("accuracy", "f1"):
            assert new.metrics[name].high - new.metrics[name].low > old.metrics[name].high - old.metrics[name].low
            assert new.metrics[name].mean == old.metrics[name].mean


def test_the_protocol_has_the_width(judged: Judged) -> None:
    """What was wanted and what is there, in shares of 1; two replicates end nothing, and an answer was seen before."""
    used = judged.until.record.protocol
    assert used.until == 0.025
    assert used.half_width is not None
    assert used.floor is not None
    assert 0 < used.floor <= used.half_width
    assert (used.stopped_for, used.seen_replicates, used.planned) == (None, REPLICATES, REPLICATES)
    assert judged.plain.protocol.until is judged.plain.protocol.half_width is None
