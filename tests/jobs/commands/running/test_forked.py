"""A job of a run is made by a process that was forked for it from the server that the run shares with its jobs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.pipeline import PREPROCESS, TRAIN_GAN
from shared.cli.calls import local, perform
from shared.runtime.forking.forked import sharing
from shared.runtime.pool import Pool


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Yield the words of a call that fails for want of images, in a run that shares a server."""
    (tmp_path / "pictures" / "cat").mkdir(parents=True)
    # preprocess needs no torch: by itself it would not be forked
    monkeypatch.setattr(Pool, "saves_imports", property(lambda pool: pool.shared))
    with sharing():
        yield ["--source", "folder", "--source-path", tmp_path / "pictures"]


def test_a_job_ends_as_the_process_that_made_its_artifact(
    run_job: Callable[..., Any], tmp_path: Path, empty: list[object], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its exit code is that of the process; the reason is said once, in the words of a job that works alone."""
    forked = run_job("preprocess", tmp_path, *empty)
    said = capfd.readouterr().err
    assert (forked.exit_code, forked.stderr.count("error: "), said.count("error: ")) == (2, 0, 1)
    assert f"error: {tmp_path / 'pictures'}" in said


def test_a_job_that_may_use_a_gpu_is_not_forked(
    run_job: Callable[..., Any], tmp_path: Path, empty: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made in the process of its command, as without a run."""
    monkeypatch.setattr(perform, "may_use_gpu", lambda row, device: True)
    alone = run_job("preprocess", tmp_path, *empty)
    assert (alone.exit_code, alone.stderr.count("error: ")) == (2, 1)


@pytest.mark.parametrize(
    ("device", "gpus", "may"),
    [("cpu", ["0"], False), ("auto", [], False), ("auto", ["0"], True), ("cuda:1", [], True), ("mps", [], True)],
)
def test_what_may_use_a_gpu(device: str, gpus: list[str], may: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told without torch: by the device that was asked for, and by the GPUs that there are."""
    monkeypatch.setattr(local, "named_gpus", lambda: gpus)
    assert local.may_use_gpu(TRAIN_GAN, device) is may
    assert not local.may_use_gpu(PREPROCESS, device)
