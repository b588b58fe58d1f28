"""Replicates as a user makes them: in any number of processes or parts, added later, stopped, failed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main
from shared.format.manifest import MANIFEST

ROOT = Path(__file__).resolve().parents[2]

SMALL = {
    "HALFREAL_TRAIN_CLASSIFIER_STEPS": "20",
    "HALFREAL_TRAIN_CLASSIFIER_MEASURE_EVERY": "10",
    "HALFREAL_TRAIN_CLASSIFIER_WIDTH": "4",
    "HALFREAL_TRAIN_GAN_EPOCHS": "2",
    "HALFREAL_TRAIN_GAN_SNAPSHOT_EVERY_EPOCHS": "1",
    "HALFREAL_TRAIN_GAN_WIDTH": "4",
    "HALFREAL_TRAIN_GAN_LATENT": "8",
    "HALFREAL_EVALUATE_IMAGES": "40",
    "HALFREAL_TRAIN_MIXED_STEPS": "4",
    "HALFREAL_TRAIN_MIXED_MEASURE_EVERY": "2",
    "HALFREAL_TRAIN_MIXED_PATIENCE": "1",
    "HALFREAL_TRAIN_MIXED_WIDTH": "4",
    "HALFREAL_TRAIN_MIXED_ARMS": "real_100,real_100_plus_synthetic_100,real_30",
    "HALFREAL_DEVICE": "cpu",
}
"""Options of the demo that make every job quick; small networks with one thread."""

REPLICATED = ("train_classifier", "train_gan", "evaluate", "synthesize", "train_mixed")


def halfreal(*words: object) -> subprocess.CompletedProcess[str]:
    """Run `halfreal words...` as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "jobs", *map(str, words)],
        env=os.environ | SMALL | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def ran(job: str, root: Path, *words: object) -> str:
    """Run a job that must succeed, in this process; return what it says."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        result = CliRunner().invoke(main, [job, "--data-root", str(root), *map(str, words)], env=SMALL)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert result.exit_code == 0, result.output
    return result.output


def hashes(root: Path) -> dict[str, str]:
    """Return the bytes of every manifest of the experiment, by its place: it has the hashes of all other files."""
    return {path.parent.relative_to(root).as_posix(): path.read_bytes().hex() for path in sorted(root.rglob(MANIFEST))}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a volume with two replicates, made by two processes at a time."""
    root = tmp_path_factory.mktemp("two")
    ran("preprocess", root)
    for job in REPLICATED:
        ran(job, root, "--replicates", 2, "--processes", 2)
    return root


def mixed(root: Path) -> dict[str, object]:
    """Return what `mixed` says."""
    facts: dict[str, object] = json.loads((root / "digits" / "mixed" / MANIFEST).read_text())["facts"]
    return facts


@pytest.mark.long
def test_the_number_of_processes_changes_no_byte(two: Path, tmp_path: Path) -> None:
    """One process at a time makes the artifacts that two made."""
    ran("preprocess", tmp_path)
    for job in REPLICATED:
        ran(job, tmp_path, "--replicates", 2, "--processes", 1)
    assert hashes(tmp_path) == hashes(two)
    assert len(hashes(two)) == 12  # real, five kinds for each of two replicates, mixed


@pytest.mark.long
def test_parts_make_the_same_and_the_last_one_gathers(two: Path, tmp_path: Path) -> None:
    """Part 1 of 2 makes replicate 1 alone; the verdict is made by the part that finds all fits."""
    ran("preprocess", tmp_path)
    for job in REPLICATED:
        for index in (1, 0):
            said = ran(job, tmp_path, "--replicates", 2, "--parts", 2, "--index", index)
            if index == 1:
                made = {path.parent.name for path in (tmp_path / "digits").rglob(MANIFEST)} - {"real", "mixed"}
                assert "r01" in made
                assert "part 1 of 2 is done; not yet: fits/r00" in said or job != "train_mixed"
    assert hashes(tmp_path) == hashes(two)


@pytest.mark.long
def test_a_replicate_is_added_without_making_the_others_again(two: Path, tmp_path: Path) -> None:
    """The first two are complete; the verdict says that the third came after an answer."""
    root = tmp_path / "volume"
    subprocess.run(["cp", "-r", two, root], check=True)
    before = hashes(root)
    assert mixed(root)["protocol"]["added"] == 0  # type: ignore[index]
    for job in REPLICATED:
        said = ran(job, root, "--replicates", 3)
        assert said.count("already complete") == 2
    after = hashes(root)
    assert {place: after[place] for place in before if place != "digits/mixed"} == {
        place: before[place] for place in before if place != "digits/mixed"
    }
    protocol = mixed(root)["protocol"]
    assert (protocol["replicates"], protocol["planned"], protocol["added"]) == (3, 2, 1)  # type: ignore[index]
    assert any("added after" in line for line in mixed(root)["headline"]["warnings"])  # type: ignore[index]
    # the generators were seen: other fits of them are no new plan, and to leave one out is a choice
    ran("train_mixed", root, "--replicates", 3, "--patience", 2, "--force")
    assert mixed(root)["protocol"]["added"] == 1  # type: ignore[index]
    ran("train_mixed", root, "--replicates", 1, "--patience", 2)
    assert any("left out" in line for line in mixed(root)["headline"]["warnings"])  # type: ignore[index]


@pytest.mark.long
def test_every_replicate_is_another_draw(two: Path) -> None:
    """Generator, annotator, latents and fits differ between replicates, and each has its own seed."""
    folders = {
        kind: [two / "digits" / kind / name for name in ("r00", "r01")] for kind in ("classifier", "gan", "fits")
    }
    for kind, (first, second) in folders.items():
        weights = [sorted(path for path in folder.rglob("*.safetensors")) for folder in (first, second)]
        assert [path.name for path in weights[0]] == [path.name for path in weights[1]]
        for one, other in zip(*weights, strict=True):
            assert one.read_bytes() != other.read_bytes(), kind
    seeds = {
        kind: [json.loads((folder / MANIFEST).read_text())["options"]["seed"] for folder in both]
        for kind, both in folders.items()
    }
    assert all(first == 0 and second not in (0, 1) for first, second in seeds.values())


@pytest.mark.long
def test_a_signal_stops_every_replicate_and_the_same_command_goes_on(two: Path, tmp_path: Path) -> None:
    """SIGTERM ends all with 75 after a checkpoint; the resumed run ends in the bytes of an undisturbed one."""
    ran("preprocess", tmp_path)
    ran("train_classifier", tmp_path, "--replicates", 2)
    words = ["train_gan", "--data-root", tmp_path, "--replicates", 2, "--processes", 2]
    environment = os.environ | SMALL | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "jobs", *map(str, words)], env=environment, stderr=subprocess.PIPE, text=True
    )
    folder = tmp_path / "digits" / "gan"
    until = time.monotonic() + 120
    while len(list(folder.glob(".r0?-*/snapshots/epoch-00001.safetensors"))) < 1:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    said = process.communicate()[1]
    assert process.returncode == 75, said
    assert not list(folder.glob(f"r*/{MANIFEST}"))
    assert "resumed after" in halfreal("train_gan", "--data-root", tmp_path, "--replicates", 2).stderr
    made = hashes(tmp_path)
    assert {place: made[place] for place in made if "/gan/" in place} == {
        place: value for place, value in hashes(two).items() if "/gan/" in place
    }


@pytest.mark.long
def test_a_replicate_that_fails_keeps_the_others_and_its_exit_code(two: Path, tmp_path: Path) -> None:
    """A damaged input of replicate 1 is bad input, named; replicate 0 is finished all the same."""
    root = tmp_path / "volume"
    subprocess.run(["cp", "-r", two, root], check=True)
    for place in ("scores/r00", "scores/r01"):
        subprocess.run(["rm", "-r", root / "digits" / place], check=True)
    snapshot = next((root / "digits" / "gan" / "r01").rglob("epoch-00002.safetensors"))
    snapshot.write_bytes(snapshot.read_bytes()[:-1] + b"\0")
    result = halfreal("evaluate", "--data-root", root, "--replicates", 2, "--processes", 2)
    assert result.returncode == 2, result.stderr
    assert "error: scores/r01: " in result.stderr
    assert "scores/r01 failed" in result.stderr.splitlines()[-1]
    assert (root / "digits" / "scores" / "r00" / MANIFEST).exists()


def test_more_parts_than_replicates_are_refused_where_a_replicate_is_not_shared(tmp_path: Path) -> None:
    """The number that is possible is named."""
    ran("preprocess", tmp_path)
    result = halfreal("train_classifier", "--data-root", tmp_path, "--replicates", 2, "--parts", 3, "--index", 2)
    assert result.returncode == 2
    assert "want --parts 2 at most" in result.stderr


def test_an_experiment_of_an_earlier_version_is_not_mixed_with_replicates(
    volume: Path, run_job: Callable[..., Result], tmp_path: Path
) -> None:
    """A folder that is an artifact itself is left as it is."""
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "real").symlink_to(volume / "small" / "real")
    gan = tmp_path / "small" / "gan"
    shutil.copytree(volume / "small" / "gan" / "r00", gan)
    result = run_job("train_gan", tmp_path, "--replicates", 2)
    assert result.exit_code == 2
    assert "an earlier version" in result.stderr
    assert not (gan / "r00").exists()
