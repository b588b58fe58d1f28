"""Fixtures of all tests: one thread, no network, a clean environment, tiny datasets."""

import fcntl
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and torch: waiting threads slow each other down on shared cores
os.environ["WDS_SECURE"] = "1"  # before webdataset is imported: it otherwise unpickles and runs pipes
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["HALFREAL_REPLICATES"] = "1"  # a test that is about several says so

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from matplotlib.figure import Figure
from PIL import Image

from shared.format.manifest import Dataset
from shared.format.sample import Sample
from shared.format.shards import write_split
from shared.models.fitting import FitConfig
from shared.plots.gallery import Picture
from shared.runtime import job_processes
from shared.store.artifacts import Artifact
from shared.store.records.datasets import RealRecord
from shared.store.staging import BuildKey, stage

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parent.parent
CLASSES = ("cat", "dog", "owl")


def pytest_configure() -> None:
    """Leave it to the system when what was written reaches the disk: no test cuts the power, and each wait takes 5 ms.

    The step is counted, and fails where a test says so, all the same; a descriptor has to be one.
    """
    os.fsync = os.fstat  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Unset the environment variables of this machine that would change a job; one replicate is made.

    What a command that ran in this process set for the jobs after it goes with the test.
    """
    others = ["RANK", "WORLD_SIZE", "COLUMNS"]  # the last one is set where tests run in several processes
    for name in [name for name in os.environ if name.startswith("HALFREAL_")] + others:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HALFREAL_REPLICATES", "1")
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Restore pytest's signal handlers after a test in which a job replaced them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def no_moment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the time out of lines of a log, in this process; tests that are marked `timed` have it."""
    if "timed" not in request.keywords:
        monkeypatch.setattr("shared.runtime.observe.log.moment", lambda: "")
        monkeypatch.setattr("shared.cli.progress.moment", lambda: "")


@pytest.fixture(autouse=True)
def other_flags(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other flags than before replace what a fixture made, as --force would; not in tests of that rule."""
    if not any(mark.args == (18,) for mark in request.node.iter_markers("fault")):
        flags_replace(monkeypatch)


def flags_replace(patch: pytest.MonkeyPatch) -> None:
    """Let flags replace what is finished, in this process; `tests/shared/cli/test_typed.py` has the rule."""
    patch.setattr("shared.cli.calls.existing.check_typed", lambda *_: None)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` filled, a copy of what another process of pytest-xdist made if there is one.

    Whoever comes first makes it; others wait for that, which takes less than to make it again.
    """
    own, base = factory.mktemp(name), factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(own)
        return own
    kept = base.parent / f"{name}-of-all"
    with (base.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            make(own)
            shutil.copytree(own, base / "half")  # so that what has the name is whole
            (base / "half").rename(kept)
            return own
    return Path(shutil.copytree(kept, own, dirs_exist_ok=True))


def quicken(patch: pytest.MonkeyPatch, drawn: bool = False) -> None:
    """Let jobs in this process attack members with few steps, and save a dot in place of each figure unless `drawn`.

    Both together take most of a tiny job's time. For whole experiments: what was made without this has other figures
    for members.
    """
    if not drawn:
        dots(patch)
    patch.setattr("shared.metrics.membership.CLASSIFIER", FitConfig(steps=30, measure_every=15))


def dots(patch: pytest.MonkeyPatch) -> None:
    """Save a dot in place of each figure: all that composes it runs, matplotlib's own work is left out."""
    patch.setattr("shared.plots.figures._save", _dot)


def _dot(figure: Any, buffer: Any, **options: Any) -> None:
    if options["format"] == "svg":
        buffer.write('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1" viewBox="0 0 1 1"></svg>')
    else:
        Image.new("L", (1, 1)).save(buffer, options["format"])


@pytest.fixture
def as_if_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run preprocess's replicates and workers in this process, with items and results pickled as for other ones.

    Its only figure is an empty one: to compose those that it has takes half of the time of a tiny set.
    """

    @contextmanager
    def processes(count: int, preload: str, **others: Any) -> Iterator[Any]:
        def send(value: Any) -> Any:
            return pickle.loads(pickle.dumps(value))

        yield lambda function, items: (send(send(function)(send(item))) for item in items)

    monkeypatch.setattr("jobs.preprocess.writer.processes", processes)
    monkeypatch.setenv("HALFREAL_PROCESSES", "1")
    monkeypatch.setattr("shared.plots.gallery.real_pictures", lambda *_: {"empty": Picture(Figure(), "", True)})


@pytest.fixture
def make_samples() -> Callable[..., list[Sample]]:
    """Return `make(count, classes=3, size_px=16, channels=1, seed=0)`: distinct noise, labels 0, 1, 2, 0, ..."""
    return _samples


def _samples(
    count: int, classes: int = 3, size_px: int = 16, channels: int = 1, seed: int = 0, name: str = "s"
) -> list[Sample]:
    chance = np.random.default_rng(seed)
    return [
        Sample(
            key=f"{name}{index:04d}",
            image=chance.integers(0, 256, (size_px, size_px, channels), dtype=np.uint8),
            label=index % classes,
            meta={"origin": {"file": f"{name}-{index}.png"}},
        )
        for index in range(count)
    ]


SHARD_IMAGES = 4


@pytest.fixture
def make_dataset(tmp_path: Path) -> Callable[..., Artifact]:
    """Return `make(folder=None, **sizes)`: a committed dataset artifact with the given number of samples in each split.

    `classes`, `size_px`, `channels` describe the samples; `claims` overrides the manifest's description of them.
    """

    def make(
        folder: Path | None = None,
        *,
        classes: tuple[str, ...] = CLASSES,
        size_px: int = 16,
        channels: int = 1,
        seed: int = 0,
        claims: dict[str, Any] | None = None,
        facts: dict[str, Any] | None = None,
        **sizes: int,
    ) -> Artifact:
        folder = folder or tmp_path / "volume" / "real"
        with stage(folder, BuildKey("preprocess", "dataset", {"seed": seed}), resumable=False) as work:
            splits = {
                split: write_split(
                    work.folder,
                    split,
                    _samples(count, len(classes), size_px, channels, seed + place, split),
                    class_count=len(classes),
                    shard_images=SHARD_IMAGES,
                )
                for place, (split, count) in enumerate(sizes.items())
            }
            fields = {
                "classes": list(classes),
                "size_px": size_px,
                "channels": channels,
                "preparation": {"resize_filter": "bicubic"},
            }
            dataset = Dataset(**(fields | {"splits": splits} | (claims or {})))
            return work.commit(record=RealRecord(source="noise", **(facts or {})), dataset=dataset)

    return make


class JobHere:
    """A job that answers about its options in this process, in place of one that `ask` starts."""

    def __init__(self, job: str, words: list[str], **extra: Any) -> None:
        self.job, self.words, self.returncode = job, words, 0

    def communicate(self, request: str) -> tuple[str, str]:
        """Return what the job prints and what it says on standard error."""
        from jobs.commands.calls import command_of

        result = CliRunner().invoke(command_of(self.job), self.words, input=request)
        self.returncode = result.exit_code
        return result.stdout, result.stderr

    def poll(self) -> int:
        """Return the exit code."""
        return self.returncode


@pytest.fixture
def ask_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs answer about their options in this process: the same answers without seven starts for each of tune's.

    `tests/shared/runtime/test_job_processes.py` asks processes.
    """
    monkeypatch.setattr(job_processes, "start", JobHere)
    monkeypatch.setattr(job_processes, "end", JobHere.poll)


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return `run(script, *words, **environment)`: the script in a separate Python process."""

    def run(script: str, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script, *map(str, words)],
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
