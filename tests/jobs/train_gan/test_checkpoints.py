"""What a killed or damaged training of a GAN goes on from: two checkpoints, snapshots that are as they were written."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from jobs.train_gan import loop
from jobs.train_gan.plan import how_far, read_header
from jobs.train_gan.state import State
from shared.errors import FormatError
from shared.format import versions
from shared.format.versions import before
from shared.store.artifacts import Artifact, open_artifact
from shared.store.checkpoints import load

Train = Callable[..., Result]

WORDS = ["--family", "dcgan", "--epochs", 4]
"""An epoch is three iterations: what is stopped after 8 is in epoch 3, with a checkpoint of epoch 2 besides."""


class Killed(BaseException):
    """The end of a process that has no time to save anything."""


def gan(root: Path) -> Artifact:
    """Return the finished artifact of the volume `root`."""
    return open_artifact(root / "small" / "gan" / "r00", "model", "train_gan")


def checkpoint(root: Path) -> Path:
    """Return the newest checkpoint of the unfinished work."""
    (path,) = (root / "small" / "gan").glob(".r00-*/checkpoint.safetensors")
    return path


def cut(path: Path) -> None:
    """Lose the second half of a file."""
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    """Flip a bit of the last byte of a file, which belongs to a tensor."""
    payload = bytearray(path.read_bytes())
    payload[-1] ^= 1
    path.write_bytes(payload)


def scribble(path: Path) -> None:
    """Overwrite a file."""
    path.write_bytes(b"\0" * 100)


@pytest.fixture
def whole(train: Train, tmp_path: Path) -> Artifact:
    """Return what an undisturbed training leaves."""
    assert train("whole", *WORDS).exit_code == 0
    return gan(tmp_path / "whole")


@pytest.mark.fault(3)
@pytest.mark.parametrize("damage", [cut, flip, scribble, Path.unlink])
def test_a_damaged_checkpoint_costs_what_came_since_the_one_before(
    damage: Callable[[Path], None], whole: Artifact, train: Train, tmp_path: Path
) -> None:
    """Cut, altered, overwritten or gone: training goes on after epoch 2, and ends with the undisturbed manifest."""
    assert train("cut", *WORDS, stop_after=8).exit_code == 75
    damage(checkpoint(tmp_path / "cut"))
    resumed = train("cut", *WORDS)
    assert resumed.exit_code == 0, resumed.output
    assert "resumed after 48 images" in resumed.stderr
    warned = "checkpoint.safetensors is damaged; going on from the one before it" in resumed.stderr
    assert warned == (damage is not Path.unlink)
    assert gan(tmp_path / "cut").sha256 == whole.sha256


@pytest.mark.fault(3)
def test_after_a_fall_back_two_whole_checkpoints_are_kept(train: Train, tmp_path: Path) -> None:
    """Stopped again right after it: the damaged one is gone, and both that are there can be gone on from."""
    assert train("cut", *WORDS, stop_after=8).exit_code == 75
    newest = checkpoint(tmp_path / "cut")
    flip(newest)
    assert train("cut", *WORDS, stop_after=1).exit_code == 75
    for path in (newest, before(newest)):
        load(path.read_bytes(), str(path))


@pytest.mark.fault(3)
def test_without_any_whole_checkpoint_nothing_is_overwritten(train: Train, tmp_path: Path) -> None:
    """Both are damaged: exit code 2 with what is left and what to do, and all files stay."""
    assert train("cut", *WORDS, stop_after=8).exit_code == 75
    newest = checkpoint(tmp_path / "cut")
    flip(newest)
    cut(before(newest))
    there = {path: path.read_bytes() for path in newest.parent.rglob("*") if path.is_file()}
    assert newest.parent / "run.json" in there
    refused = train("cut", *WORDS)
    assert refused.exit_code == 2
    said = " ".join(refused.stderr.split())
    assert "no older checkpoint is whole" in said
    assert "the 2 snapshots next to it" in said
    assert "start over with --force" in said
    assert {path: path.read_bytes() for path in newest.parent.rglob("*") if path.is_file()} == there


@pytest.mark.fault(3)
def test_two_that_were_cut_off_are_said_as_two_with_a_flipped_bit(tmp_path: Path) -> None:
    """Their headers are read before the training is: that both are damaged is said there too."""
    for name in ("checkpoint.safetensors", "checkpoint-before.safetensors"):
        (tmp_path / name).write_bytes(b"cut off")
    with pytest.raises(FormatError, match="no older checkpoint is whole\nno training can go on from the 0 snapshots"):
        read_header(tmp_path)


@pytest.mark.fault(3)
def test_two_checkpoints_are_kept_until_the_end(whole: Artifact, train: Train, tmp_path: Path) -> None:
    """That of the last epoch and that of the stop; a finished artifact has the newest alone."""
    assert train("cut", *WORDS, stop_after=8).exit_code == 75
    newest = checkpoint(tmp_path / "cut")
    assert sorted(path.name for path in newest.parent.glob("*check*")) == [
        "checkpoint-before.safetensors",
        "checkpoint.safetensors",
    ]
    newest.unlink()
    progress = how_far(newest.parent, {"epochs": 4})
    assert progress is not None
    assert (progress.steps, progress.words) == (6, "epoch 2 of 4")
    assert [path.name for path in whole.folder.rglob("*check*")] == ["checkpoint.safetensors"]
    assert not list(whole.folder.rglob(".*"))


def test_a_checkpoint_that_reads_back_wrong_replaces_nothing(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that returns other bytes ends the run with 1: both older checkpoints are there, the wrong one is not."""
    assert train("cut", *WORDS, stop_after=8).exit_code == 75
    newest = checkpoint(tmp_path / "cut")
    kept = {path: path.read_bytes() for path in (newest, before(newest))}
    with monkeypatch.context() as patch:
        patch.setattr(versions, "_from_disk", lambda path: BytesIO(path.read_bytes()[:-1]))
        failed = train("cut", *WORDS)
    assert failed.exit_code == 1
    assert "the disk returns other bytes" in failed.stderr
    assert {path: path.read_bytes() for path in newest.parent.glob("*check*")} == kept
    assert not list(newest.parent.glob(".*.next"))


@pytest.mark.fault(5)
def test_a_killed_run_loses_the_minutes_since_its_checkpoint(
    whole: Artifact, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No snapshot yet, and no time to save: it goes on after the iteration before, and ends with the same weights."""
    step, done = loop.train_step, 0

    def killed(*arguments: Any) -> Any:
        nonlocal done
        done += 1
        if done == 3:
            raise Killed
        return step(*arguments)

    words = [*WORDS, "--checkpoint-minutes", 1e-9]
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", killed)
        with pytest.raises(Killed):
            train("killed", *words)
    resumed = train("killed", *words)
    assert resumed.exit_code == 0, resumed.output
    assert "resumed after 16 images" in resumed.stderr
    assert gan(tmp_path / "killed").sha256 == whole.sha256  # the option is no part of what was asked for


@pytest.mark.fault(5)
def test_a_checkpoint_falls_due_by_the_minutes_since_the_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After ten minutes by the monotonic clock, counted from the last one; never where 0 minutes are asked for."""
    from jobs.train_gan import state as module
    from tests.jobs.train_gan.test_gan_steps import make_config, make_state

    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    state: State = make_state(make_config("dcgan"))
    now += 599.0
    assert not state.is_unsaved_for(10)
    now += 1.0
    assert state.is_unsaved_for(10)
    assert not state.is_unsaved_for(0)
    state.save(tmp_path)
    assert not state.is_unsaved_for(10)


@pytest.mark.fault(4)
@pytest.mark.parametrize(
    ("family", "damage"),
    [*(("dcgan", damage) for damage in (cut, flip, scribble, Path.unlink)), ("per_class", cut)],
)
def test_a_damaged_snapshot_is_found_before_training(
    family: str, damage: Callable[[Path], None], train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier part of the run wrote it: exit code 2 names it before any step; with the file back it goes on."""
    words = ["--family", family, "--epochs", 4]
    # an epoch of a class is one iteration: the first class is complete, the second has two snapshots
    assert train("cut", *words, stop_after=7).exit_code == 75
    snapshot = min((tmp_path / "cut" / "small" / "gan").glob(".r00-*/**/epoch-00001.safetensors"))
    payload = snapshot.read_bytes()
    damage(snapshot)
    steps: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(State, "update_average", lambda *arguments: steps.append(arguments))
        refused = train("cut", *words)
    assert refused.exit_code == 2
    assert snapshot.name in refused.stderr
    assert steps == []
    snapshot.write_bytes(payload)
    assert train("cut", *words).exit_code == 0


@pytest.mark.fault(4)
def test_another_whole_snapshot_is_no_replacement(train: Train, tmp_path: Path) -> None:
    """One of another epoch is whole, and not the one that was written: the checkpoint has the hash of each."""
    assert train("cut", *WORDS, stop_after=8).exit_code == 75
    folder = checkpoint(tmp_path / "cut").parent / "snapshots"
    (folder / "epoch-00002.safetensors").write_bytes((folder / "epoch-00001.safetensors").read_bytes())
    refused = train("cut", *WORDS)
    assert refused.exit_code == 2
    said = " ".join(refused.stderr.split())
    assert "epoch-00002.safetensors: altered since this training wrote it" in said
