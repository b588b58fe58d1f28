"""How long a GAN waits for images is measured around its batches, and is in the record of its run."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from torch import Tensor

from jobs.train_gan import loop
from tests.jobs.conftest import LateClock


def test_the_wait_of_a_gan_is_in_its_record(
    train: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, late: LateClock
) -> None:
    """Where each of nine batches takes 1,000 s to come, nearly all of the time is waiting."""
    read = loop.batches

    def slow(*arguments: Any, **named: Any) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in read(*arguments, **named):
            late.late_s += 1000
            yield batch

    monkeypatch.setattr(loop, "batches", slow)
    result = train("slow")
    assert result.exit_code == 0, result.output
    recorded = json.loads((tmp_path / "slow" / "small" / "gan" / "r00" / "run.json").read_text())
    assert 0.99 < recorded["data_wait_share"] <= 1


def test_the_steps_of_a_gan_are_no_wait(
    train: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, late: LateClock
) -> None:
    """Where each step takes 1,000 s, next to nothing is waiting."""
    step = loop.iterate

    def slow(*arguments: Any) -> Iterator[Any]:
        for losses in step(*arguments):
            late.late_s += 1000
            yield losses

    monkeypatch.setattr(loop, "iterate", slow)
    assert train("slow").exit_code == 0
    recorded = json.loads((tmp_path / "slow" / "small" / "gan" / "r00" / "run.json").read_text())
    assert 0 < recorded["data_wait_share"] < 0.01
