"""The command `status`: what of an experiment is complete, at work, stopped, broken or out of step."""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from shared.runtime.observe.identity import Identity, identified
from shared.store.artifacts import Artifact
from shared.store.checkpoints import save
from shared.store.locking.owner import new_owner
from shared.store.locks import locked
from shared.store.staging import BuildKey, stage
from shared.store.volume.progress_notes import Note, note_file, write_note

Make = Callable[..., Artifact]


def status(volume: Path, *words: str, **environment: str) -> Result:
    """Return the result of `halfreal status` in this process."""
    variables = {"COLUMNS": "200", **environment}
    return CliRunner().invoke(halfreal, ["status", "--data-root", str(volume), *words], env=variables)


def artifacts(volume: Path, **environment: str) -> dict[str, dict[str, Any]]:
    """Return what `halfreal status --json` says of each artifact, by experiment and place."""
    result = status(volume, "--json", **environment)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["experiments"]
    return {f"{each['name']}/{made['place']}": made for each in found for made in each["artifacts"]}


def train(volume: Path, real: Artifact, steps: int = 0) -> Path:
    """Leave the training of a GAN of 40 epochs unfinished after `steps` iterations; return its staging folder."""
    key = BuildKey("train_gan", "model", {"epochs": 40}, {"real": real})
    with stage(volume / "small" / "gan" / "r00", key, resumable=True) as work:
        if steps:
            row = {"epoch": 12, "step": steps, "images_seen": 9 * steps, "losses": {}}
            header = {"state": {}, "steps": steps, "history": [row], "losses": [row]}
            save(work.folder / "checkpoint.safetensors", {"a": torch.ones(1)}, header)
        write_note(note_file(work.folder, 0), Note("train", 30, 120, "images", 0.5, time.time()))
    return work.folder


def test_a_complete_artifact_says_when_it_was_made(make_dataset: Make, tmp_path: Path) -> None:
    """By its run.json; the experiment is complete where all that is there of it is."""
    folder = make_dataset(tmp_path / "small" / "real", train=9).folder
    (folder / "run.json").write_text(json.dumps({"finished": "2026-11-27T19:00:00+00:00", "seconds": 75.2}))
    said = status(tmp_path).output
    assert said.splitlines()[0] == "small: complete"
    assert said.splitlines()[1].split() == [
        "real",
        "complete",
        "finished",
        "2026-11-27T19:00:00+00:00,",
        "took",
        "1:15",
    ]
    made = artifacts(tmp_path)["small/real"]
    assert (made["state"], made["job"], made["seconds"]) == ("complete", "preprocess", 75.2)


@pytest.mark.fault(11)
def test_stopped_work_says_how_far_it_is(make_dataset: Make, tmp_path: Path) -> None:
    """The epoch that a training goes on from, what its last note says, and what it takes; no time left is guessed."""
    staging = train(tmp_path, make_dataset(tmp_path / "small" / "real", train=9), steps=12)
    made = artifacts(tmp_path)["small/gan/r00"]
    assert (made["state"], made["holders"]) == ("stopped", [])
    (work,) = made["unfinished"]
    assert (work["folder"], work["far"]) == (str(staging), "epoch 12 of 40")
    said = status(tmp_path).output
    assert "train: 30 of 120 images (25 %)" in said
    assert "left" not in said
    assert staging.name in said
    assert "Not in use: 1 " in said


@pytest.mark.fault(11)
def test_running_work_says_who_does_it_and_how_long_it_takes(make_dataset: Make, tmp_path: Path) -> None:
    """The process, its host and since when, by the lock; the rest of the piece of work, by its note."""
    train(tmp_path, make_dataset(tmp_path / "small" / "real", train=9))
    before = time.time()
    with identified(Identity("train_gan", "small", 0, None)), locked(tmp_path / "small" / "gan" / "r00"):
        made = artifacts(tmp_path)["small/gan/r00"]
        said = status(tmp_path).output
    assert made["state"] == "running"
    ((holder, left),) = zip(made["holders"], made["unfinished"][0]["progress"], strict=True)
    assert (holder["alive"], holder["pid"], holder["job"]) == (True, os.getpid(), "train_gan")
    assert before <= holder["since"] <= time.time()
    assert left["left_s"] == pytest.approx(180, abs=20)
    assert f"train_gan, pid {os.getpid()} on host" in said
    assert " left" in said
    assert "Not in use" not in said


@pytest.mark.parametrize("beats", [True, False])
def test_a_process_of_another_machine_is_known_by_its_beats(
    beats: bool, make_dataset: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is looked at again a little later: one that beats is at work, one that is silent may be."""
    train(tmp_path, make_dataset(tmp_path / "small" / "real", train=9))
    lock = tmp_path / "small" / "gan" / ".r00.lock"
    owner = replace(new_owner(), host="node7", boot_id="other", job="train_gan").to_line()
    lock.write_bytes(owner + b"1")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if beats:
            lock.write_bytes(owner + b"2")

    monkeypatch.setattr("jobs.status.command.time.sleep", sleep)
    made = artifacts(tmp_path)["small/gan/r00"]
    assert (made["state"], made["holders"][0]["host"], len(slept)) == ("running", "node7", 1)
    assert made["holders"][0]["alive"] is (True if beats else None)


def test_what_was_made_from_other_inputs_is_out_of_step(make_dataset: Make, tmp_path: Path) -> None:
    """The real images were made again since: the GAN of the old ones is named, with what it was made from."""
    real = make_dataset(tmp_path / "small" / "real", train=9)
    with stage(
        tmp_path / "small" / "gan" / "r00", BuildKey("train_gan", "model", {}, {"real": real}), resumable=False
    ) as w:
        w.commit()
    assert artifacts(tmp_path)["small/gan/r00"]["state"] == "complete"
    make_dataset(tmp_path / "small" / "real", train=9, seed=1)
    made = artifacts(tmp_path)
    assert made["small/gan/r00"]["made_from_others"] == ["real"]
    assert {name: each["state"] for name, each in made.items()} == {
        "small/real": "complete",
        "small/gan/r00": "out of step",
    }
    assert "small: out of step" in status(tmp_path).output


def test_what_cannot_be_opened_is_broken(make_dataset: Make, tmp_path: Path) -> None:
    """With the first line of the reason; other experiments are shown all the same."""
    for name in ("one", "two"):
        make_dataset(tmp_path / name / "real", train=9)
    (tmp_path / "one" / "real" / "train-00000.tar").unlink()
    made = artifacts(tmp_path)
    assert [each["state"] for each in made.values()] == ["broken", "complete"]
    assert "train-00000.tar: missing" in made["one/real"]["broken"]


def test_experiments_of_a_study_and_several_splits_are_there(make_dataset: Make, tmp_path: Path) -> None:
    """Points of a study are experiments; other folders of the volume, and hidden ones, are none."""
    for place in ("small/real", "small/study/images-5/real", "split/real/r00", "split/real/r01"):
        make_dataset(tmp_path / place, train=9)
    for place in ("weights/real", "sources/real", "compare/real", ".hidden/real"):
        make_dataset(tmp_path / place, train=9)
    (tmp_path / "small" / "samples").mkdir()
    assert list(artifacts(tmp_path)) == [
        "small/real",
        "small/study/images-5/real",
        "split/real/r00",
        "split/real/r01",
    ]


def test_some_experiments_can_be_named(make_dataset: Make, tmp_path: Path) -> None:
    """One that is not there is refused, with those that are."""
    for name in ("one", "two"):
        make_dataset(tmp_path / name / "real", train=9)
    assert status(tmp_path, "two").output.splitlines()[0] == "two: complete"
    refused = status(tmp_path, "three")
    assert refused.exit_code == 2
    assert "there are one, two" in refused.stderr
    assert status(tmp_path / "nowhere").exit_code == 2


def test_nothing_is_written(make_dataset: Make, tmp_path: Path) -> None:
    """A volume that is looked at is the same afterwards, to the names of its files and their times."""
    train(tmp_path, make_dataset(tmp_path / "small" / "real", train=9))

    def names() -> list[tuple[str, int]]:
        return sorted((str(path), path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))

    before = names()
    assert status(tmp_path).exit_code == 0
    assert names() == before


def test_it_imports_no_torch(python: Callable[..., Any], make_dataset: Make, tmp_path: Path) -> None:
    """Whoever looks has not the time."""
    make_dataset(tmp_path / "small" / "real", train=3)
    code = "import sys\nfrom jobs.status.command import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
    done = python(f"{code}    print(end.code, 'torch' in sys.modules)", "--data-root", tmp_path)
    assert done.stdout.splitlines()[-1] == "0 False", done


@pytest.mark.fault(9)
def test_a_pipe_in_place_of_a_run_record_is_not_read(make_dataset: Make, tmp_path: Path) -> None:
    """It says nothing, as a missing one does."""
    os.mkfifo(make_dataset(tmp_path / "small" / "real", train=9).folder / "run.json")
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(10)
    try:
        made = artifacts(tmp_path)["small/real"]
    finally:
        signal.alarm(0)
    assert (made["state"], made["seconds"]) == ("complete", None)


def left(real: Artifact, volume: Path, epochs: int, ago_s: float) -> Path:
    """Leave work on a GAN of some epochs, last written some time ago; return its folder."""
    key = BuildKey("train_gan", "model", {"epochs": epochs, "width": 8}, {"real": real})
    with stage(volume / "small" / "gan" / "r00", key, resumable=True) as work:
        write_note(note_file(work.folder, 0), Note("train", epochs, 120, "images", 0.5, time.time()))
    for path in work.folder.rglob("*"):
        os.utime(path, (time.time() - ago_s,) * 2)
    return work.folder


@pytest.mark.parametrize("running", [False, True])
def test_work_on_two_requests_is_shown_apart(running: bool, make_dataset: Make, tmp_path: Path) -> None:
    """What somebody is at, or was at last, and what is stale: by the option that differs, and its folder."""
    real = make_dataset(tmp_path / "small" / "real", train=9)
    stale, present = left(real, tmp_path, 20, 3600), left(real, tmp_path, 40, 0)
    with locked(tmp_path / "small" / "gan" / "r00") if running else nullcontext():
        if running:
            write_note(note_file(present, 0), Note("train", 40, 120, "images", 0.5, time.time()))
        made, said = artifacts(tmp_path)["small/gan/r00"], status(tmp_path).output
    assert made["state"] == ("running" if running else "stopped")
    works = {Path(each["folder"]): each for each in made["unfinished"]}
    assert works[present]["stale"] is None
    assert works[present]["differing_options"] == {"epochs": 40}
    assert works[stale]["stale"] == "work with other options came later"
    (line,) = [line for line in said.splitlines() if "stale" in line]
    assert f"last written 1:00:00 ago: {stale.name}, with epochs 20, train: 20 of 120 images (17 %)" in line
    assert "with epochs 40" in said
    assert said.count(" left") == running


def test_work_from_another_input_is_stale(make_dataset: Make, tmp_path: Path) -> None:
    """No command goes on with it, though it is the only one, and was just written."""
    left(make_dataset(tmp_path / "small" / "real", train=9), tmp_path, 20, 0)
    make_dataset(tmp_path / "small" / "real", train=9, seed=1)
    (work,) = artifacts(tmp_path)["small/gan/r00"]["unfinished"]
    assert work["stale"] == "made from another real than the one that is here"


def test_a_lock_that_names_nobody_is_no_artifact(make_dataset: Make, tmp_path: Path) -> None:
    """An earlier version left one for each that it made, and removed none."""
    make_dataset(tmp_path / "small" / "real", train=9)
    for name in ("gan/.r00.lock", ".mixed.lock"):
        (tmp_path / "small" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "small" / name).touch()
    assert list(artifacts(tmp_path)) == ["small/real"]


def test_an_artifact_without_its_manifest_is_broken(make_dataset: Make, tmp_path: Path) -> None:
    """It is in the way of its job, and so is no secret."""
    folder = make_dataset(tmp_path / "small" / "real", train=9).folder
    (folder / "manifest.json").rename(folder / "run.json")
    made = artifacts(tmp_path)["small/real"]
    assert made["state"] == "broken"
    assert "has no manifest.json" in made["broken"]


@pytest.mark.parametrize("seconds", ['"long"', "NaN", "1e400", "-1", "[]"])
def test_an_edited_run_record_says_nothing(seconds: str, make_dataset: Make, tmp_path: Path) -> None:
    """It is for people; what is on a volume is said all the same."""
    folder = make_dataset(tmp_path / "small" / "real", train=9).folder
    (folder / "run.json").write_text(f'{{"seconds": {seconds}, "finished": ["then"]}}')
    made = artifacts(tmp_path)["small/real"]
    assert (made["state"], made["seconds"], made["finished"]) == ("complete", None, "")
    assert "finished at an unknown time" in status(tmp_path).output


def test_a_lock_that_is_a_folder_is_named(make_dataset: Make, tmp_path: Path) -> None:
    """Somebody has put it there; it can be put away."""
    make_dataset(tmp_path / "small" / "real", train=9)
    (tmp_path / "small" / ".real.lock").mkdir()
    refused = status(tmp_path)
    assert refused.exit_code == 2
    assert f"{tmp_path}/small/.real.lock: Is a directory; put a file or folder there" in " ".join(
        refused.stderr.split()
    )
