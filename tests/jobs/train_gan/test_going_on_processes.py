"""train_gan goes on with another number of processes than it was begun with."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from shared.store.artifacts import Artifact, open_artifact
from shared.store.checkpoints import load
from tests.jobs.train_gan.test_gan_processes import command, ends, together

STOPPED = """
import os, signal, sys
from jobs.train_gan import loop
from jobs.train_gan.__main__ import main
step, left = loop.train_step, [int(sys.argv.pop(1))]
def counted(*arguments):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGTERM)
    return step(*arguments)
loop.train_step = counted
main()
"""
"""Trains as the command does, until SIGTERM comes in the iteration whose number is the first argument."""


def weights(artifact: Artifact, epoch: int) -> dict[str, Tensor]:
    """Return the numbers of a snapshot."""
    return load(artifact.read(f"snapshots/epoch-{epoch:05d}.safetensors"), "")[0]


def distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """Return the mean absolute difference of two networks' numbers."""
    pairs = [(value.double(), other[name].double()) for name, value in one.items()]
    return sum(float((a - b).abs().sum()) for a, b in pairs) / sum(a.numel() for a, _ in pairs)


@pytest.mark.long
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_another_number_of_processes_goes_on(
    before: int, after: int, make_dataset: Callable[..., Artifact], tmp_path: Path
) -> None:
    """Stopped after four of six iterations, one process goes on where two were, and two where one was.

    The weights are those of an undisturbed run but for rounding: another order of images makes a difference of 3e-4.
    What is finished is complete for any number of processes, and more epochs extend it.
    """
    for name in ("whole", "cut"):
        make_dataset(tmp_path / name / "small" / "real", train=24, val=6, test=6)
    rate = ["--learning-rate", "1e-3"]
    found = ends(together([*command(tmp_path / "whole", epochs=2), *rate], world=1))
    assert [code for code, _ in found] == [0], found
    words = [*command(tmp_path / "cut", epochs=2), *rate]
    found = ends(together(["-c", STOPPED, "4", *words[2:]], before))
    assert [code for code, _ in found] == [75] * before, found
    found = ends(together(words, after))
    assert [code for code, _ in found] == [0] * after, found
    assert "resumed after 32 images" in found[0][1]
    whole, cut = (open_artifact(tmp_path / name / "small/gan/r00", "model", "train_gan") for name in ("whole", "cut"))
    assert distance(weights(whole, 2), weights(cut, 2)) < 1e-5
    assert json.loads((cut.folder / "run.json").read_text())["processes"] == after
    assert "already complete" in ends(together(words, before))[0][1]
    found = ends(together([*words, "--epochs", "4"], before))
    assert [code for code, _ in found] == [0] * before, found
    assert "going on from epoch 2 of 2 (epochs was 2, now 4)" in found[0][1]
