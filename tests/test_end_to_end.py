"""The whole pipeline as a user runs it: `halfreal run` in processes of its own, with few steps."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.pipeline import PIPELINE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
NAMES = [row.name for row in PIPELINE]

FEW = {
    "train_classifier.steps": 60,
    "train_classifier.measure_every": 30,
    "train_classifier.width": 4,
    "train_gan.epochs": 4,
    "train_gan.snapshot_every_epochs": 1,
    "train_gan.width": 2,
    "evaluate.images": 40,
    "train_mixed.steps": 10,
    "train_mixed.measure_every": 5,
    "train_mixed.seeds": 2,
    "train_mixed.width": 4,
}

NO_NETWORK = """
import os, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        with open(os.environ["SOCKETS_SEEN"], "a") as stream:
            stream.write(f"{sys.argv} {event} {arguments}\\n")
        raise OSError("no network in this test")

sys.addaudithook(refuse)
with open(os.environ["SOCKETS_SEEN"] + ".guarded", "a") as stream:
    stream.write("1\\n")
"""
"""A sitecustomize that every Python process loads: it logs and refuses each use of the network."""


def command(root: Path, **settings: object) -> list[str]:
    """Return the command `halfreal run` on the volume `root`, with few steps and these settings of train_gan."""
    pairs = FEW | {f"train_gan.{name}": value for name, value in settings.items()}
    words = [word for name, value in pairs.items() for word in ("--set", f"{name}={value}")]
    return [sys.executable, "-m", "jobs", "run", "--data-root", str(root), "--device", "cpu", *words]


def run(words: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        words, env=surroundings(**environment), capture_output=True, text=True, timeout=300, check=False
    )


def surroundings(**environment: str) -> dict[str, str]:
    """Return the environment of a process that finds halfreal and uses one thread."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HALFREAL_")}
    return plain | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | environment


def said(stderr: str) -> dict[str, str]:
    """Return each job's standard error by the job's name."""
    return {name: "\n".join(re.findall(rf"^{name}: .*$", stderr, re.MULTILINE)) for name in NAMES}


def generators(folder: Path) -> dict[str, str]:
    """Return the sha256 of each snapshot of an experiment."""
    paths = sorted((folder / "gan" / "snapshots").iterdir())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@dataclass(frozen=True)
class Finished:
    """A volume on which everything ran, stopped once, and the output of the stopped and the finishing run."""

    root: Path
    stopped: subprocess.CompletedProcess[str]
    done: subprocess.CompletedProcess[str]
    sockets: Path

    @property
    def folder(self) -> Path:
        """The experiment's folder."""
        return self.root / "digits"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Run everything without a network: stop it by SIGTERM while train_gan runs, then run the same command again."""
    place = tmp_path_factory.mktemp("end_to_end")
    guard = place / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    watched = {"PYTHONPATH": f"{guard}:{ROOT}", "SOCKETS_SEEN": str(place / "sockets")}
    words = command(place / "volume")
    stopped = run_until(".gan-*/snapshots/*", place / "volume" / "digits", words, **watched)
    return Finished(place / "volume", stopped, run(words, **watched), place / "sockets")


def run_until(pattern: str, folder: Path, words: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command until a path that matches `pattern` exists in `folder`, then send it SIGTERM."""
    process = subprocess.Popen(
        words, env=surroundings(**environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob(pattern)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)


def test_a_signal_stops_the_run(finished: Finished) -> None:
    """SIGTERM while train_gan runs ends `run` with 75 before any further job, and says that it can go on."""
    assert finished.stopped.returncode == 75, finished.stopped.stderr
    assert "run the same command again" in finished.stopped.stderr
    assert "[3/7] train_gan" in finished.stopped.stderr
    assert "[4/7]" not in finished.stopped.stderr
    assert "Traceback" not in finished.stopped.stderr


def test_a_stopped_run_resumes(finished: Finished) -> None:
    """The same command after a signal keeps the finished jobs, resumes the stopped one and runs the rest."""
    assert finished.done.returncode == 0, finished.done.stderr
    words = said(finished.done.stderr)
    assert "already complete" in words["preprocess"]
    assert "already complete" in words["train_classifier"]
    assert "resumed after" in words["train_gan"]
    assert "complete in" in words["report"]


def test_a_stopped_run_has_the_generators_of_an_uninterrupted_one(finished: Finished, tmp_path: Path) -> None:
    """Stopped and resumed, train_gan leaves the same snapshots, byte by byte, as without interruption."""
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "real").symlink_to(finished.folder / "real")
    variables = {f"HALFREAL_{name.replace('.', '_').upper()}": str(value) for name, value in FEW.items()}
    words = [sys.executable, "-m", "jobs", "train_gan", "--data-root", str(tmp_path), "--device", "cpu"]
    assert run(words, **variables).returncode == 0
    assert len(generators(tmp_path / "digits")) == 4
    assert generators(tmp_path / "digits") == generators(finished.folder)


def test_everything_runs(finished: Finished) -> None:
    """`halfreal run` leaves every artifact whole and prints the results and where the report is."""
    for row in PIPELINE:
        manifest = json.loads((finished.folder / row.writes / "manifest.json").read_bytes())
        assert (manifest["job"], manifest["kind"]) == (row.name, row.kind)
    for arm in ("real_100", "real_30", "synthetic_70_real_30", "synthetic_only"):
        assert re.search(rf"^{arm} ", finished.done.stdout, re.MULTILINE)
    report = finished.folder / "report" / "index.html"
    assert f"report: {report}" in finished.done.stdout
    assert report.stat().st_size > 50_000


def test_no_staging_folder_is_left(finished: Finished) -> None:
    """After a run no unfinished folder stays on the volume."""
    names = {path.name for path in finished.folder.iterdir() if path.is_dir()}
    assert names == {row.writes for row in PIPELINE}


def test_no_job_uses_the_network(finished: Finished) -> None:
    """No process of the run opens a connection or looks up a name; all of them were monitored."""
    watched = Path(f"{finished.sockets}.guarded").read_text(encoding="utf-8").splitlines()
    assert len(watched) >= 1 + len(PIPELINE)
    assert not finished.sockets.exists(), finished.sockets.read_text(encoding="utf-8")


def test_a_second_run_is_already_complete(finished: Finished) -> None:
    """The same command again says "already complete" for every job, and changes no manifest."""
    manifests = {path: path.read_bytes() for path in finished.folder.glob("*/manifest.json")}
    done = run(command(finished.root))
    assert done.returncode == 0, done.stderr
    assert [name for name, text in said(done.stderr).items() if "already complete" not in text] == []
    assert {path: path.read_bytes() for path in manifests} == manifests
    assert len(manifests) == len(PIPELINE)


def test_results_are_machine_readable(finished: Finished) -> None:
    """`results --json` of a finished run has every arm on 360 real test images."""
    done = run([sys.executable, "-m", "jobs", "results", "--json", "--data-root", str(finished.root)])
    found = json.loads(done.stdout)
    sizes = {arm["arm"]: (arm["n_real"], arm["n_synthetic"]) for arm in found["arms"]}
    assert sizes == {
        "real_100": (1257, 0),
        "real_30": (378, 0),
        "synthetic_70_real_30": (378, 879),
        "synthetic_only": (0, 879),
    }
    assert found["protocol"]["n_test"] == 360


def test_a_changed_option_rebuilds_its_dependents(finished: Finished) -> None:
    """A changed option of train_gan rebuilds it and all that reads it, and each says why; the rest is kept."""
    before = generators(finished.folder)
    done = run(command(finished.root, latent=32))
    assert done.returncode == 0, done.stderr
    words = said(done.stderr)
    assert "already complete" in words["preprocess"]
    assert "already complete" in words["train_classifier"]
    assert "rebuilding because latent was 64, now 32" in words["train_gan"]
    assert "its input 'gan' changed" in words["evaluate"]
    assert "its input 'scores' changed" in words["synthesize"]
    assert "its input 'synthetic' changed" in words["train_mixed"]
    assert "its input 'mixed' changed" in words["report"]
    assert not set(generators(finished.folder).values()) & set(before.values())
