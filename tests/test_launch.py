"""`halfreal launch`: several processes, and the job's own exit code."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
SMALL = {
    "HALFREAL_TRAIN_GAN_EPOCHS": "12",
    "HALFREAL_TRAIN_GAN_SNAPSHOT_EVERY_EPOCHS": "1",
    "HALFREAL_TRAIN_GAN_WIDTH": "2",
    "HALFREAL_DEVICE": "cpu",
}


def start(words: list[str], root: Path, **environment: str) -> subprocess.Popen[str]:
    """Start `halfreal words...` on the volume `root`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    surroundings = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HALFREAL_DATA_ROOT": str(root)}
    return subprocess.Popen(
        [sys.executable, "-m", "jobs", *words],
        env=os.environ | surroundings | SMALL | {"PET_MASTER_PORT": port} | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code and the standard error."""
    _, said = process.communicate(timeout=180)
    return process.returncode, said


def test_a_bad_input_keeps_its_exit_code(tmp_path: Path) -> None:
    """A job that ends with 2 in its processes ends `launch` with 2, not with torchrun's 1."""
    code, said = ended(start(["launch", "train_gan"], tmp_path, PET_NPROC_PER_NODE="2"))
    assert "real: does not exist; run first: halfreal preprocess" in said
    assert code == 2


def test_a_job_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    """A job that cannot share its work is no argument of `launch`."""
    code, said = ended(start(["launch", "preprocess"], tmp_path))
    assert code == 2
    assert "'preprocess' is not one of" in said


def test_a_signal_stops_every_process_and_the_same_command_resumes(tmp_path: Path) -> None:
    """SIGTERM to `launch` ends it with 75 and a checkpoint; the same command goes on from there to the end."""
    assert ended(start(["preprocess"], tmp_path))[0] == 0
    words = ["launch", "train_gan"]
    stopped = start(words, tmp_path, PET_NPROC_PER_NODE="2")
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("digits/.gan-*/snapshots/*")) and stopped.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stopped.send_signal(signal.SIGTERM)
    code, said = ended(stopped)
    assert code == 75, said
    assert not (tmp_path / "digits" / "gan").exists()
    code, said = ended(start(words, tmp_path, PET_NPROC_PER_NODE="2"))
    assert code == 0, said
    assert "resumed after" in said
    assert (tmp_path / "digits" / "gan" / "manifest.json").exists()
