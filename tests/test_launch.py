"""`halfreal launch`: several processes, and the job's own exit code."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.runtime.seeding import replicate_seed

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parent.parent
SMALL = {
    "HALFREAL_TRAIN_GAN_EPOCHS": "6",
    "HALFREAL_TRAIN_GAN_BATCH_IMAGES": "64",
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


def wait_for(folder: Path, pattern: str, process: subprocess.Popen[str]) -> None:
    """Wait until there is such a file below a folder, or the process that is to make it has ended."""
    deadline = time.monotonic() + 300
    while not list(folder.glob(pattern)) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_bad_input_keeps_its_exit_code(tmp_path: Path) -> None:
    """A job that ends with 2 in its processes ends `launch` with 2, not with torchrun's 1."""
    code, said = ended(start(["launch", "train_gan"], tmp_path, PET_NPROC_PER_NODE="2"))
    assert "real: does not exist; run first: halfreal preprocess" in " ".join(said.split())
    assert code == 2


def test_a_job_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    """A job that cannot share its work is no argument of `launch`."""
    code, said = ended(start(["launch", "preprocess"], tmp_path))
    assert code == 2
    assert "'preprocess' is not one of" in said


def test_a_process_that_is_killed_ends_all_with_75_and_is_named(tmp_path: Path) -> None:
    """SIGKILL to the second of two processes, as a machine short of memory sends it; the same command goes on."""
    assert ended(start(["preprocess"], tmp_path))[0] == 0
    words, both = ["launch", "train_gan"], {"PET_NPROC_PER_NODE": "2", "HALFREAL_REPLICATES": "1"}
    stopped, gan = start(words, tmp_path, **both), tmp_path / "digits" / "gan"
    wait_for(gan, ".r00-*/checkpoint.safetensors", stopped)
    environments = {path.parent.name: path for path in Path("/proc").glob("[0-9]*/environ")}
    children = Path(f"/proc/{stopped.pid}/task/{stopped.pid}/children").read_text().split()
    (second,) = (child for child in children if b"\0RANK=1\0" in environments[child].read_bytes())
    os.kill(int(second), signal.SIGKILL)
    code, said = ended(stopped)
    assert code == 75, said
    assert "process 1 was ended by SIGKILL" in " ".join(said.split())
    code, said = ended(start(words, tmp_path, **both))
    assert code == 0, said
    assert "resumed after" in said


def test_a_signal_stops_every_process_and_the_same_command_resumes(tmp_path: Path) -> None:
    """Processes make one replicate after the other; SIGTERM in the second ends `launch` with 75 and a checkpoint.

    The same command leaves the first one alone and goes on with the second to its end.
    """
    assert ended(start(["preprocess"], tmp_path))[0] == 0
    words, both = ["launch", "train_gan"], {"PET_NPROC_PER_NODE": "2", "HALFREAL_REPLICATES": "2"}
    stopped, gan = start(words, tmp_path, **both), tmp_path / "digits" / "gan"
    wait_for(gan, ".r01-*/snapshots/*", stopped)
    stopped.send_signal(signal.SIGTERM)
    code, said = ended(stopped)
    assert code == 75, said
    assert [path.name for path in sorted(gan.glob("r*"))] == ["r00"]
    made = (gan / "r00" / "run.json").read_bytes()
    code, said = ended(start(words, tmp_path, **both))
    assert code == 0, said
    assert said.count("already complete") == 1  # one process says so
    assert re.search(r"^\S+ train_gan r01: .*resumed after", said, re.MULTILINE)
    assert (gan / "r00" / "run.json").read_bytes() == made
    seeds = [json.loads((gan / name / "manifest.json").read_bytes())["options"]["seed"] for name in ("r00", "r01")]
    assert seeds == [0, replicate_seed(0, 1)]
