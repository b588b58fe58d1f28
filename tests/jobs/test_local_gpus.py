"""The GPUs of one machine as parts: a process for each, and the bytes of a machine without any."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from shared.cli.calls import local
from shared.format.manifest import MANIFEST
from shared.runtime.pool import Pool
from tests.jobs.conftest import SMALL
from tests.jobs.test_shared_replicates import manifest, without, without_attack
from tests.shared.noting import note

pytestmark = pytest.mark.long

RunJob = Callable[..., Result]


class Ran:
    """What the calls of a command ran: the GPUs that it had, how many processes at a time, and what each did."""

    def __init__(self) -> None:
        self.places: list[Mapping[str, str]] = []
        self.count = 0
        self.shards: list[tuple[int | None, int, int]] = []


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Ran]:
    """Return `gpus(count)`: pretend that this machine has that many, and note what runs on them, on the CPU."""

    def pretend(count: int) -> Ran:
        ran, run = Ran(), Pool.run

        def noted(
            pool: Pool, function: Any, calls: Sequence[Any], count: int, stop: Any, places: Sequence[Mapping[str, str]]
        ) -> list[int | None]:
            ran.places, ran.count = list(places), count
            ran.shards = [(call[-1].replicate, call[-1].shard.index, call[-1].shard.count) for call in calls]
            return run(pool, function, calls, count, stop, places)

        monkeypatch.setattr(local, "named_gpus", lambda: [str(number) for number in range(count)])
        monkeypatch.setattr(Pool, "ask", lambda pool, function, *words: [str(number) for number in range(count)])
        monkeypatch.setattr(Pool, "run", noted)
        return ran

    return pretend


def call(run_job: RunJob, job: str, root: Path, recipe: Path, *words: object) -> Result:
    """Run a job as the small experiment had it, on the device that there is."""
    result = run_job(job, root, "--recipe", recipe, *SMALL[job], "--device", "auto", *words)
    assert result.exit_code == 0, result.output
    return result


INPUTS = {
    "synthesize": ("real", "classifier", "gan", "scores"),
    "evaluate": ("real", "classifier", "gan"),
    "train_mixed": ("real", "classifier", "gan", "scores", "synthetic"),
}
"""What the jobs read whose artifacts the GPUs of a machine divide."""


@pytest.mark.slow
@pytest.mark.parametrize("made", ["synthetic/r00", "scores/r00", "fits/r00"])
def test_gpus_share_one_replicate(
    made: str, volume: Path, tmp_path: Path, run_job: RunJob, plain_recipe: Path, gpus: Callable[[int], Ran]
) -> None:
    """Three GPUs do a part each of shards, snapshots or fits; the artifact is that of one process."""
    job = {"synthetic": "synthesize", "scores": "evaluate", "fits": "train_mixed"}[made.partition("/")[0]]
    root, ran = without(volume, tmp_path, *INPUTS[job]), gpus(3)
    said = call(run_job, job, root, plain_recipe).stderr
    assert "1 replicates in 3 parts, 3 at a time" in said
    assert ran.shards == [(0, 0, 3), (0, 1, 3), (0, 2, 3)]
    assert [place["CUDA_VISIBLE_DEVICES"] for place in ran.places] == ["0", "1", "2"]
    # members are attacked with more steps in other processes
    assert without_attack(root / "small" / made) == without_attack(volume / "small" / made)


@pytest.mark.slow
def test_work_that_another_number_of_gpus_began_goes_on(
    volume: Path, tmp_path: Path, run_job: RunJob, plain_recipe: Path, gpus: Callable[[int], Ran]
) -> None:
    """Parts of an interrupted call are no reason to refuse another number, and what they finished is not repeated."""
    root = without(volume, tmp_path, "real", "classifier", "gan", "scores")
    words = ["--recipe", plain_recipe, *SMALL["synthesize"]]
    assert run_job("synthesize", root, *words, "--parts", 3, "--index", 1).exit_code == 0
    (staged,) = (root / "small" / "synthetic").glob(".r00-*/")
    there = {path.name: path.stat().st_mtime_ns for path in staged.glob("*.tar")}
    assert there
    gpus(2)
    call(run_job, "synthesize", root, plain_recipe)
    folder = root / "small" / "synthetic" / "r00"
    assert manifest(folder) == manifest(volume / "small" / "synthetic" / "r00")
    assert {name: (folder / name).stat().st_mtime_ns for name in there} == there


@pytest.mark.slow
def test_gpus_make_replicates(
    volume: Path, tmp_path: Path, run_job: RunJob, plain_recipe: Path, gpus: Callable[[int], Ran]
) -> None:
    """Annotators of three replicates are made on two GPUs, each whole, also with --threads 1."""
    root, ran = without(volume, tmp_path, "real"), gpus(2)
    said = call(run_job, "train_classifier", root, plain_recipe, "--replicates", 3, "--threads", 1).stderr
    assert "3 replicates, 2 at a time" in said
    assert ran.shards == [(0, 0, 1), (1, 0, 1), (2, 0, 1)]
    first = root / "small" / "classifier" / "r00" / MANIFEST
    assert first.read_bytes() == (volume / "small" / "classifier" / "r00" / MANIFEST).read_bytes()


@pytest.mark.parametrize("words", [["--device", "cpu"], ["--device", "auto", "--processes", "1"]])
def test_gpus_are_left_alone(
    words: list[str],
    volume: Path,
    tmp_path: Path,
    run_job: RunJob,
    plain_recipe: Path,
    gpus: Callable[[int], Ran],
) -> None:
    """On the CPU, and one at a time, nothing is divided."""
    root, ran = without(volume, tmp_path, "real", "classifier", "gan", "scores"), gpus(4)
    call(run_job, "synthesize", root, plain_recipe, *words)
    assert (ran.count, ran.shards) == (0, [])


def test_a_part_of_several_machines_is_not_divided(
    volume: Path, tmp_path: Path, run_job: RunJob, plain_recipe: Path, gpus: Callable[[int], Ran]
) -> None:
    """Every part of an artifact must know how many there are, and each machine knows its own GPUs alone."""
    root, ran = without(volume, tmp_path, "real", "classifier", "gan", "scores"), gpus(4)
    call(run_job, "synthesize", root, plain_recipe, "--parts", 2, "--index", 0)
    assert (ran.count, ran.shards) == (0, [])
    assert [path.name for path in root.glob("small/synthetic/.r00-*/.parts/begun-*")] == ["begun-00000.json"]


def test_the_gpus_that_a_process_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names in the environment are kept, as they may be UUIDs; without them numbers count."""
    monkeypatch.setenv(local.VISIBLE, "GPU-1a, MIG-2b")
    assert local.named_gpus() == ["GPU-1a", "MIG-2b"]
    monkeypatch.setenv(local.VISIBLE, "")
    assert local.named_gpus() == []
    monkeypatch.delenv(local.VISIBLE)
    monkeypatch.setattr(Path, "glob", lambda path, pattern: [path / f"nvidia{number}" for number in range(2)])
    assert local.named_gpus() == ["0", "1"]


def test_each_process_has_a_gpu_of_its_own(tmp_path: Path) -> None:
    """Two processes at a time see another GPU each; the next one gets the one that is free."""
    calls = [(tmp_path / str(number),) for number in range(4)]
    places = [{local.VISIBLE: "2"}, {local.VISIBLE: "5"}]
    assert Pool(()).run(note, calls, 1, lambda: "", places) == [0] * 4
    assert [path.read_text() for (path,) in calls] == ["2"] * 4
    assert Pool(()).run(note, calls[:2], 2, lambda: "", places) == [0] * 2
    assert [path.read_text() for (path,) in calls[:2]] == ["2", "5"]
