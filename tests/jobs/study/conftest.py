"""A study of two points with two replicates each, made in this process."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.commands import run
from jobs.study import children
from shared.cli.progress import StopFlag
from shared.store.job import Job
from tests.conftest import made_once, quicken
from tests.jobs.conftest import SMALL, hostile_source

PERCENT = "50,100"


def small_options() -> list[str]:
    """Return the options that make every job of a point quick, as `--set` takes them."""
    pairs = []
    for job, words in SMALL.items():
        for flag, value in zip(words[::2], words[1::2], strict=True):
            pairs += ["--set", f"{job}.{flag.removeprefix('--').replace('-', '_')}={value}"]
    arms = "real_100,real_100_plus_synthetic_100"
    return [*pairs, "--set", f"train_mixed.arms={arms}", "--set", "train_gan.snapshot_every_epochs=1"]


def study(root: Path, recipe: Path, *words: object, small: bool = True) -> Result:
    """Return the result of `halfreal study` on the volume, in this process."""
    place = ["--data-root", str(root), "--experiment", "small", "--recipe", str(recipe), "--device", "cpu"]
    before = dict(os.environ)
    try:
        return CliRunner().invoke(halfreal, ["study", *place, *map(str, words), *(small_options() if small else [])])
    finally:
        os.environ.clear()
        os.environ |= before


@contextmanager
def jobs_here(patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Run `halfreal run` and its jobs in this process in place of others; yield the experiments that were run."""
    done: list[str] = []

    def run_job(job: Job[Any], words: list[str], stop: StopFlag, *_: object) -> None:
        result = CliRunner().invoke(halfreal, [job.name, *words])
        assert result.exit_code == 0, f"{job.name}: {result.output}"

    def start(module: str, words: list[str], changes: dict[str, str]) -> SimpleNamespace:
        before = dict(os.environ)
        os.environ |= changes
        try:
            result = CliRunner().invoke(halfreal, words, catch_exceptions=False)
        finally:
            os.environ.clear()
            os.environ |= before
        done.append(words[words.index("--experiment") + 1])
        assert result.exit_code == 0, result.output
        return SimpleNamespace(code=result.exit_code)

    patch.setenv("HALFREAL_PROCESSES", "1")
    patch.setattr(run, "_run_job", run_job)
    patch.setattr(children, "start", start)
    patch.setattr(run, "wait", lambda process: process.code)
    patch.setattr("shared.sources.published.sets.digits", hostile_source)
    quicken(patch)
    yield done


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, plain_recipe: Path) -> Path:
    """Make a study of two points with two replicates each; return its volume, which is read only."""

    def make(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("HALFREAL_")]:
                patch.delenv(name)
            with jobs_here(patch) as done:
                words = ["--images", PERCENT, "--replicates", 2, "--json", root / "numbers.json"]
                result = study(root, plain_recipe, *words)
                assert result.exit_code == 0, result.output
                assert done == ["small/study/images-50", "small/study/images-100"]

    return made_once(tmp_path_factory, "studied", make)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Run the jobs of a study in this process; its value are the experiments that were run."""
    with jobs_here(monkeypatch) as done:
        yield done


Call = Callable[..., Result]


@pytest.fixture
def call(plain_recipe: Path) -> Call:
    """Return `call(root, *words)`: the result of `halfreal study` with two replicates."""
    return lambda root, *words, **more: study(root, plain_recipe, "--replicates", 2, *words, **more)
