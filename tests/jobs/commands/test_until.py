"""`halfreal run --until`: which looks are made, what ends them, where an interrupted call goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from jobs.commands.running import until as module
from jobs.commands.running.until import Looks, Until, check_more_can_be_made, until_of
from jobs.pipeline import IMPORT, PIPELINE, REPORT, TRAIN_MIXED
from shared.errors import BadConfig, Interrupted, MissingArtifact
from shared.stats.looks import BUDGETS, MINUTES, REPLICATES, TEST_IMAGES, WIDTH
from shared.store.job import Job
from tests.jobs.report.records import mixed_record

PAGE = "the page"


@dataclass
class Volume:
    """A volume on which a look costs nothing: the interval is as wide as `widths` says of its replicates.

    `looks` are the replicates of each look and what it was told to have ended it, `forced` which jobs were forced.
    """

    monkeypatch: pytest.MonkeyPatch
    widths: dict[int, float]
    lacks_images_at: int = 0
    looks: list[Any] = field(default_factory=list)
    forced: list[bool] = field(default_factory=list)
    there: Any = None
    changed: bool = False
    seconds_each: float = 0.0
    now: float = 0.0
    stops_at: int = 0

    def __post_init__(self) -> None:
        self.monkeypatch.setattr(module, "verdict", self.verdict)
        self.monkeypatch.setattr(module.time, "monotonic", lambda: self.now)

    def verdict(self, folder: Path) -> Any:
        """Return the artifact that is there."""
        if self.there is None:
            raise MissingArtifact("none")
        return self.there

    def run(self, jobs: Sequence[Job[Any]], words: list[str]) -> None:
        """Do what jobs do, as their variables say."""
        import os

        if TRAIN_MIXED not in jobs:
            self.looks.append(PAGE)
            return
        replicates = int(os.environ["HALFREAL_REPLICATES"])
        ended = os.environ["HALFREAL_TRAIN_MIXED_UNTIL_ENDED"]
        wanted = float(os.environ["HALFREAL_TRAIN_MIXED_UNTIL"]) / 100
        self.now += self.seconds_each
        if self.stops_at == replicates:
            raise Interrupted("stopped")
        width = self.widths[replicates]
        lacks = self.lacks_images_at == replicates
        reason = WIDTH if width <= wanted else TEST_IMAGES if lacks else None if ended == "no" else ended
        record = mixed_record(replicates=replicates)
        known = {"until": wanted, "half_width": width, "floor": width / 2, "stopped_for": reason}
        record = record.model_copy(update={"protocol": record.protocol.model_copy(update=known)})
        self.there = SimpleNamespace(record=record, manifest=SimpleNamespace(options={"until_ended": ended}))
        self.looks.append(replicates if ended == "no" else (replicates, ended))
        self.forced.append("--force" in words)

    def made(self, jobs: Sequence[Job[Any]], words: list[str]) -> list[str]:
        """Return what a dry run would make: nothing, but where an option has changed."""
        import os

        complete = os.environ["HALFREAL_TRAIN_MIXED_UNTIL_ENDED"] == self.there.manifest.options["until_ended"]
        complete &= os.environ["HALFREAL_REPLICATES"] == str(self.there.record.protocol.replicates)
        assert REPORT not in jobs
        return [] if complete and not self.changed else ["gan/r00"]

    def until(self, points: float, words: tuple[str, ...] = (), **asked: Any) -> list[Any]:
        """Return the looks of a call."""
        self.looks.clear()
        looks = Looks(Until(points, **asked), Path("volume"), list(words), self.run, self.made)
        looks.run_all(PIPELINE)
        return list(self.looks)


@pytest.fixture
def volume(monkeypatch: pytest.MonkeyPatch) -> Volume:
    """Return a volume whose interval is narrower with every look."""
    # what the loop sets goes away with the test
    for name in ("HALFREAL_TRAIN_MIXED_UNTIL", "HALFREAL_TRAIN_MIXED_UNTIL_ENDED"):
        monkeypatch.setenv(name, "")
    return Volume(monkeypatch, {5: 0.03, 7: 0.02, 9: 0.015, 11: 0.012, 12: 0.011, 15: 0.009, 19: 0.008, 24: 0.007})


def said(volume: Volume, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the loop has printed last."""
    return capsys.readouterr().err.splitlines()[-1]


def test_looks_are_made_until_the_interval_is_narrow(volume: Volume, capsys: pytest.CaptureFixture[str]) -> None:
    """Five replicates at first, never fewer; the page is made once, at the end."""
    assert volume.until(1.5) == [5, 7, 9, PAGE]
    assert "reaches 1.5 points to each side after 9 replicates; 1.5 were wanted." in said(volume, capsys)
    volume.there = None
    assert volume.until(50.0) == [5, PAGE]


def test_what_only_test_images_can_narrow_ends_it(volume: Volume, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict decides, from its first look on."""
    volume.lacks_images_at = 5
    assert volume.until(0.5) == [5, PAGE]
    assert "needs about 0 test images" in said(volume, capsys)  # the record of this test has no number


def test_the_most_replicates_end_it_and_the_verdict_says_so(volume: Volume, capsys: pytest.CaptureFixture[str]) -> None:
    """The last look is told that it is the last; a later call with a higher number goes on."""
    assert volume.until(0.5, most=11) == [5, 7, 9, (11, REPLICATES), PAGE]
    assert "the most that were to be made" in said(volume, capsys)
    assert volume.until(0.5, most=11) == [PAGE]
    assert volume.until(0.5, most=15) == [12, (15, REPLICATES), PAGE]
    # fewer than there are: those that are there are judged
    assert volume.until(0.5, most=7) == [PAGE]


def test_time_ends_it_and_the_same_command_goes_on(volume: Volume, capsys: pytest.CaptureFixture[str]) -> None:
    """No look begins after the time; the verdict of the last one is made again, to say so."""
    volume.seconds_each = 40
    assert volume.until(0.5, minutes=1) == [5, 7, (7, MINUTES), PAGE]
    assert "when its time was over" in said(volume, capsys)
    assert volume.until(1.2, minutes=1, most=24)[0] == 5  # another width begins at the first look
    assert volume.until(0.9, minutes=0.01) == [5, (5, MINUTES), PAGE]
    assert volume.until(0.9) == [7, 9, 12, 15, PAGE]


def test_a_finished_one_says_so_at_once(volume: Volume, capsys: pytest.CaptureFixture[str]) -> None:
    """No job before the page is called again."""
    volume.until(1.5)
    assert volume.until(1.5) == [PAGE]
    assert "after 9 replicates; 1.5 were wanted." in said(volume, capsys)


def test_an_interrupted_one_goes_on_where_it_was(volume: Volume) -> None:
    """Before the first look is complete it begins there; after it, at the next."""
    volume.stops_at = 9
    with pytest.raises(Interrupted):
        volume.until(1.5)
    assert volume.looks == [5, 7]
    volume.stops_at = 0
    assert volume.until(1.5) == [9, PAGE]
    volume.there, volume.stops_at = None, 5
    with pytest.raises(Interrupted):
        volume.until(1.5)
    volume.stops_at = 0
    assert volume.until(1.5) == [5, 7, 9, PAGE]


def test_other_options_begin_at_the_first_look(volume: Volume) -> None:
    """What would be built again, and another width, have not been looked at."""
    volume.until(1.5)
    volume.changed = True
    assert volume.until(1.5) == [5, 7, 9, PAGE]
    volume.changed = False
    assert volume.until(2.0) == [5, 7, PAGE]


def test_a_dry_run_of_a_begun_one_shows_what_comes_next(volume: Volume, tmp_path: Path) -> None:
    """The next look's replicates, or the last ones where it has ended; the first look's where none was made."""

    def comes(points: float, *words: str, most: int = 100) -> str:
        looks = Looks(Until(points, most), tmp_path, [*words], volume.run, volume.made)
        return looks.next_sets(PIPELINE)["HALFREAL_REPLICATES"]

    assert comes(1.5) == "5"
    volume.stops_at = 9
    with pytest.raises(Interrupted):
        volume.until(1.5)
    assert comes(1.5) == "9"
    assert comes(1.5, "--force") == "5"
    volume.stops_at = 0
    volume.until(1.5)
    assert (comes(1.5), comes(1.5, most=7), comes(2.0)) == ("9", "9", "5")


def test_force_builds_everything_once(volume: Volume) -> None:
    """The first look is forced, the others keep what it built."""
    volume.until(1.5)
    volume.forced.clear()
    assert volume.until(1.5, words=("--force",)) == [5, 7, 9, PAGE]
    assert volume.forced == [True, False, False]


def asked(**given: Any) -> dict[str, Any]:
    """Return the options of the command."""
    return {"until": None, "max_replicates": None, "minutes": None, "replicates": None} | given


@pytest.mark.parametrize(
    ("given", "mention"),
    [
        ({"until": 0.5, "replicates": 8}, "--replicates 8 gives it"),
        ({"max_replicates": 8}, "--max-replicates: it ends what --until POINTS begins"),
    ],
)
def test_what_cannot_go_together_is_refused(given: dict[str, Any], mention: str) -> None:
    """One number of replicates: that which is given, or that which is found."""
    with pytest.raises(BadConfig) as refused:
        until_of(asked(**given))
    assert mention in str(refused.value)


def test_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look is at all replicates."""
    monkeypatch.setenv("HALFREAL_PARTS", "2")
    with pytest.raises(BadConfig, match="HALFREAL_PARTS=2"):
        until_of(asked(until=0.5))
    assert until_of(asked()) is None
    monkeypatch.setenv("HALFREAL_PARTS", "1")
    assert until_of(asked(until=0.5, max_replicates=9)) == Until(0.5, 9)


def test_imported_images_are_refused() -> None:
    """Nobody here can make another set of them."""
    check_more_can_be_made([PIPELINE, PIPELINE])
    with pytest.raises(BadConfig, match="no more can be made"):
        check_more_can_be_made([PIPELINE, (IMPORT, TRAIN_MIXED)])


@pytest.mark.parametrize(
    ("words", "mention"),
    [
        (["--until", "0"], "0"),
        (["--until", "nan"], "finite"),
        (["--until", "101"], "101"),
        (["--until", "1", "--max-replicates", "4"], "4"),
        (["--until", "1", "--minutes", "0"], "0"),
        (["--until", "1", "--replicates", "5"], "--replicates 5 gives it"),
        (["--until", "1", "--set", "train_mixed.arms=curve"], "lacks an arm"),
        (["--set", "train_mixed.until=1"], "by halfreal run alone, with --until POINTS"),
        (["--set", "train_mixed.until-ended=minutes"], "by halfreal run alone, with --until POINTS"),
        (["--until", "1", "--recipe", "judge"], "no more can be made"),
        (["--resplit", "--set", "preprocess.resplit=none"], "want one of them"),
    ],
)
def test_a_mistake_costs_no_hours(words: list[str], mention: str, tmp_path: Path) -> None:
    """Refused before the first job, with exit code 2."""
    done = CliRunner().invoke(halfreal, ["run", "--data-root", str(tmp_path / "volume"), *words])
    assert (done.exit_code, mention in done.output) == (2, True), done.output
    assert not (tmp_path / "volume").exists()


def test_a_dry_run_says_what_is_planned(tmp_path: Path) -> None:
    """The first look's jobs, and the looks."""
    words = ["run", "--dry-run", "--data-root", str(tmp_path), "--until", "0.5", "--max-replicates", "8"]
    done = CliRunner().invoke(halfreal, words)
    assert done.exit_code == 0, done.output
    assert "--until 0.5: 5, 7, 8 replicates, 8 at most, until the headline's interval reaches at most 0.5 points" in (
        done.output
    )
    assert "  until = 0.5\n" in done.output
    assert "gan r00, r01, r02, r03, r04: would be made" in done.output


def test_the_budgets_are_choices_of_the_job() -> None:
    """What the loop tells the job is what the job takes."""
    assert {REPLICATES, MINUTES} == set(BUDGETS)
