"""The parts of a search are its workers: a part ends where nothing is left to begin, the last one writes the result."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.pipeline import TRAIN_GAN
from jobs.tune import trial_runner, worker
from jobs.tune.trial_runner import TrialRunner
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.store.work_shards import WHOLE, Shard

RUNS = ("recipe-seed-1", "recipe-seed-2", "trial-seed-1")


class Runner:
    """A run of either side, which is done once it was trained."""

    def __init__(self, name: str, done: set[str]) -> None:
        self.name, self.all_done = name, done

    @property
    def done(self) -> bool:
        """Whether its scores are there."""
        return self.name in self.all_done

    def prepare(self) -> None:
        """Make no folder."""

    def train(self, watch: Callable[[], bool]) -> bool:
        """Train nothing."""
        return True

    def evaluate(self) -> None:
        """Leave the scores."""
        self.all_done.add(self.name)


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return `part(shard, held, done)`: a worker behind the last trial, while others hold some of the runs."""

    def make(shard: Shard, held: set[str], done: set[str]) -> Any:
        monkeypatch.setattr(worker, "comparison_runs", lambda *_: [SimpleNamespace(name=name) for name in RUNS])
        monkeypatch.setattr(worker, "runner_of", lambda study, config, run, *_: Runner(run.name, done))
        # behind its own runs it looks once more, and then waits for nobody
        pauses = iter((None,))
        monkeypatch.setattr(worker.Worker, "_pause", lambda _: next(pauses))
        made = worker.Worker.__new__(worker.Worker)
        made.run = Run({}, Path(), Path(), "cpu", Reporter("tune"), shard)
        made.config, made.words = None, []  # type: ignore[assignment]  # no run of these tests reads the options
        lock = SimpleNamespace(release=lambda: None)
        made.study = SimpleNamespace(lock=lambda name: None if name in held else lock)  # type: ignore[assignment]
        return made

    return make


def test_a_part_ends_where_others_do_the_rest(part: Callable[..., Any]) -> None:
    """It does the runs that nobody has begun, and leaves the result to whoever is at the last one."""
    done: set[str] = set()
    assert part(Shard(1, 2), {RUNS[0]}, done)._comparison() is False
    assert done == {RUNS[1], RUNS[2]}


@pytest.mark.parametrize("shard", [WHOLE, Shard(1, 2)], ids=["alone", "part"])
def test_the_last_part_finds_all_done(shard: Shard, part: Callable[..., Any]) -> None:
    """With every run done, by itself or by others, a part goes on to the result as a worker alone does."""
    done = {RUNS[0]}
    assert part(shard, set(), done)._comparison() is True
    assert done == set(RUNS)


def test_a_worker_that_is_no_part_waits(part: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --parts a worker waits for the runs of others, and takes those whose worker was lost."""
    held, done, waited = {RUNS[0]}, set[str](), []

    def lost() -> None:
        waited.append(True)
        held.clear()

    alone = part(WHOLE, held, done)
    monkeypatch.setattr(alone, "_pause", lost)
    assert alone._comparison() is True
    assert (len(waited), done) == (1, set(RUNS))


def test_the_jobs_of_a_trial_are_no_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search may be one of several parts by the environment; a trial that took that for its own would never end."""
    told: dict[str, str] = {}

    def start(job: str, words: list[str], changes: dict[str, str], **_: object) -> object:
        told.update(changes)
        return object()

    monkeypatch.setattr(trial_runner, "start", start)
    monkeypatch.setattr(trial_runner, "wait", lambda process: 0)
    monkeypatch.setattr(trial_runner, "end", lambda process: 0)
    TrialRunner(tmp_path, [], {"train_gan.seed": 1}, Reporter("tune"))._once(TRAIN_GAN.name, lambda: False)
    assert (told["HALFREAL_TRAIN_GAN_PARTS"], told["HALFREAL_TRAIN_GAN_SEED"]) == ("1", "1")
