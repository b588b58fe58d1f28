"""The whole pipeline as a user runs it: `halfreal run` in processes of its own, with few images and steps."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.pipeline import ARTIFACTS, PIPELINE
from shared.format.manifest import MANIFEST
from shared.store.replicates import place

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
NAMES = [row.name for row in PIPELINE]
REPLICATES = 2
PLACES = [
    place(row, number) for row in ARTIFACTS if not row.optional for number in range(REPLICATES if row.replicated else 1)
]
"""Where the artifacts of a run are."""

ARMS = {
    "real_100": (280, 0),
    "real_100_plus_synthetic_100": (280, 280),
    "synthetic_100": (0, 280),
    "real_30": (84, 0),
    "synthetic_70_real_30": (84, 196),
}
"""The arms that are trained, and how many real and synthetic images each has: 280 of 400 images are in train."""

FEW = {
    "preprocess.limit": 400,
    "train_classifier.steps": 40,
    "train_classifier.measure_every": 20,
    "train_classifier.width": 4,
    "train_gan.epochs": 4,
    "train_gan.snapshot_every_epochs": 1,
    "train_gan.width": 2,
    "evaluate.images": 40,
    "train_mixed.steps": 6,
    "train_mixed.measure_every": 3,
    "train_mixed.patience": 1,
    "train_mixed.width": 4,
}

NO_NETWORK = """
import os, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind") and isinstance(arguments[1], (str, bytes)):
        return  # a path: processes of this machine that speak with each other
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        with open(os.environ["SOCKETS_SEEN"], "a") as stream:
            stream.write(f"{sys.argv} {event} {arguments}\\n")
        raise OSError("no network in this test")
    if event == "import" and arguments[0] == "torch":
        with open(os.environ["SOCKETS_SEEN"] + ".torch", "a") as stream:
            stream.write(f"{sys.argv[0]} {os.getpid()}\\n")

sys.addaudithook(refuse)
with open(os.environ["SOCKETS_SEEN"] + ".guarded", "a") as stream:
    stream.write("1\\n")
"""
"""A sitecustomize that every Python process loads: it logs and refuses each use of the network, and logs torch."""


def command(root: Path, replicates: int = REPLICATES, **settings: object) -> list[str]:
    """Return the command `halfreal run` on the volume `root`, with few steps and these settings of train_gan."""
    shared = ["--device", "cpu", "--replicates", str(replicates), "--processes", "2"]
    pairs = FEW | {f"train_gan.{name}": value for name, value in settings.items()}
    words = [word for name, value in pairs.items() for word in ("--set", f"{name}={value}")]
    return [sys.executable, "-m", "jobs", "run", "--data-root", str(root), *shared, *words]


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
    return {name: "\n".join(re.findall(rf"^\S+ ({name}(?: r\d\d)?: .*)$", stderr, re.MULTILINE)) for name in NAMES}


def generators(folder: Path) -> dict[str, str]:
    """Return the sha256 of each snapshot of every replicate of an experiment, by its place."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("gan/r*/snapshots/*"))
    }


def manifests(folder: Path) -> dict[str, bytes]:
    """Return each manifest of an experiment, which has the hashes of all other files, by the artifact's place."""
    return {path.parent.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob(MANIFEST))}


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
    folder = tmp_path_factory.mktemp("end_to_end")
    guard = folder / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    watched = {"PYTHONPATH": f"{guard}:{ROOT}", "SOCKETS_SEEN": str(folder / "sockets")}
    words = command(folder / "volume")
    stopped = run_until("gan/.r0?-*/snapshots/*", folder / "volume" / "digits", words, **watched)
    return Finished(folder / "volume", stopped, run(words, **watched), folder / "sockets")


def run_until(pattern: str, experiment: Path, words: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command until a path that matches `pattern` exists in the experiment, then send it SIGTERM."""
    process = subprocess.Popen(
        words, env=surroundings(**environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(experiment.glob(pattern)) and process.poll() is None and time.monotonic() < deadline:
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
    assert words["preprocess"].count("already complete") == 1
    assert words["train_classifier"].count("already complete") == REPLICATES
    assert words["train_gan"].count("resumed after") >= 1
    assert "complete in" in words["report"]


@pytest.mark.long
def test_a_stopped_run_has_the_generators_of_an_uninterrupted_one(finished: Finished, tmp_path: Path) -> None:
    """Stopped and resumed, train_gan leaves the same snapshots, byte by byte, as without interruption."""
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "real").symlink_to(finished.folder / "real")
    variables = {f"HALFREAL_{name.replace('.', '_').upper()}": str(value) for name, value in FEW.items()}
    words = [sys.executable, "-m", "jobs", "train_gan", "--data-root", str(tmp_path), "--device", "cpu"]
    assert run([*words, "--replicates", str(REPLICATES), "--processes", "1"], **variables).returncode == 0
    assert len(generators(tmp_path / "digits")) == 4 * REPLICATES
    assert generators(tmp_path / "digits") == generators(finished.folder)


def test_everything_runs(finished: Finished) -> None:
    """`halfreal run` leaves every artifact whole and prints the results and where the report is."""
    found = {name: json.loads(payload) for name, payload in manifests(finished.folder).items()}
    assert sorted(found) == sorted(PLACES)
    kinds = {row.writes: (row.name, row.kind) for row in ARTIFACTS}
    for name, manifest in found.items():
        assert (manifest["job"], manifest["kind"]) == kinds[name.partition("/")[0]]
    for arm in ARMS:
        assert re.search(rf"^{arm} ", finished.done.stdout, re.MULTILINE)
    report = finished.folder / "report" / "index.html"
    assert f"report: {report}" in finished.done.stdout
    assert report.stat().st_size > 50_000


def test_no_staging_folder_is_left(finished: Finished) -> None:
    """After a run no unfinished folder stays on the volume."""
    assert {path.name for path in finished.folder.iterdir() if path.is_dir()} == {
        row.writes for row in ARTIFACTS if not row.optional
    }
    for row in ARTIFACTS:
        if row.replicated:
            folders = {path.name for path in (finished.folder / row.writes).iterdir() if path.is_dir()}
            assert folders == {f"r{number:02d}" for number in range(REPLICATES)}


def test_no_job_uses_the_network(finished: Finished) -> None:
    """No process of the run opens a connection or looks up a name; all of them were monitored."""
    watched = Path(f"{finished.sockets}.guarded").read_text(encoding="utf-8").splitlines()
    # besides `run` and the jobs the server from which the processes of replicates are forked
    assert len(watched) >= 1 + len(PIPELINE) + 1
    assert not finished.sockets.exists(), finished.sockets.read_text(encoding="utf-8")


def test_a_run_imports_torch_once(finished: Finished) -> None:
    """All jobs fork from one process that has it, but preprocess, which draws before anybody knows about threads."""
    imported = [Path(line).parent.name for line in Path(f"{finished.sockets}.torch").read_text().splitlines()]
    # the run that was stopped, then the one that finished, in which preprocess had nothing to do
    assert imported == ["preprocess", "forking", "forking"]


def test_a_second_run_is_already_complete(finished: Finished) -> None:
    """The same command again says "already complete" of every artifact, and changes no manifest."""
    before = manifests(finished.folder)
    done = run(command(finished.root))
    assert done.returncode == 0, done.stderr
    counts = {name: text.count("already complete") for name, text in said(done.stderr).items()}
    made = Counter(row.name for row in ARTIFACTS for _ in range(REPLICATES if row.replicated else 1))
    assert counts == {name: made[name] for name in NAMES}
    assert manifests(finished.folder) == before
    assert len(before) == len(PLACES)


def test_results_are_machine_readable(finished: Finished) -> None:
    """`results --json` of a finished run has the headline over two replicates, and every arm on 80 real test images."""
    done = run([sys.executable, "-m", "jobs", "results", "--json", "--data-root", str(finished.root)])
    found = json.loads(done.stdout)
    assert {arm["arm"]: (arm["n_real"], arm["n_synthetic"]) for arm in found["arms"]} == ARMS
    assert all(len(arm["accuracy"]["values"]) == REPLICATES for arm in found["arms"])
    headline = found["headline"]
    assert (headline["a"], headline["b"]) == ("real_100_plus_synthetic_100", "real_100")
    assert (headline["replicates"], len(headline["values"])) == (REPLICATES, REPLICATES)
    assert found["protocol"]["n_test"] == 80


@pytest.mark.long
def test_an_added_replicate_leaves_the_others(finished: Finished) -> None:
    """With --replicates 3 only the third is made, and what is made of all; the answer says that it came later."""
    before = manifests(finished.folder)
    done = run(command(finished.root, REPLICATES + 1))
    assert done.returncode == 0, done.stderr
    after = manifests(finished.folder)
    new = {place(row, REPLICATES) for row in ARTIFACTS if row.replicated}
    assert after.keys() - before.keys() == new
    assert {name for name in before if after[name] != before[name]} == {"mixed", "report"}
    counts = {name: text.count("already complete") for name, text in said(done.stderr).items()}
    assert counts == dict.fromkeys(NAMES, REPLICATES) | {"preprocess": 1, "report": 0}
    facts = json.loads(after["mixed"])["facts"]
    assert (facts["protocol"]["planned"], facts["protocol"]["added"]) == (REPLICATES, 1)
    assert any("added after" in line for line in facts["headline"]["warnings"])


@pytest.mark.long
def test_a_changed_option_rebuilds_its_dependents(finished: Finished) -> None:
    """A changed option of train_gan rebuilds it and all that reads it, and each says why; the rest is kept."""
    before = generators(finished.folder)
    done = run(command(finished.root, 1, latent=32))
    assert done.returncode == 0, done.stderr
    words = said(done.stderr)
    assert "already complete" in words["preprocess"]
    assert "already complete" in words["train_classifier"]
    assert "rebuilding because latent was 64, now 32" in words["train_gan"]
    assert "its input 'gan/r00' changed" in words["evaluate"]
    assert "its input 'scores/r00' changed" in words["synthesize"]
    assert "its input 'synthetic/r00' changed" in words["train_mixed"]
    assert "its input 'mixed' changed" in words["report"]
    # the replicates that this run was not asked for stay as they were
    after = generators(finished.folder)
    assert {name for name in before if after[name] != before[name]} == {name for name in before if "/r00/" in name}
