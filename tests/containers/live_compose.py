"""The real image under Compose: a minute's training with the recipe, failures, signals, a second run.

Not collected by `make test`: `make containers` runs it.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.pipeline import PIPELINE, TRAIN_GAN
from tests.containers.files import ROOT, compose, missing
from tests.containers.settings import SEARCH, SHORT, all_places, differing, numbers_of_trials, places

NAMES = [row.name for row in PIPELINE]
LARGEST_IMAGE_BYTES = 5_600_000_000

Done = subprocess.CompletedProcess[str]


class Project:
    """A clone of this repository with its own Compose project name and its own volume."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder, self.name = folder, f"halfreal-test-{os.getpid()}"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        self.set(settings)

    def set(self, settings: dict[str, str]) -> None:
        """Write the settings to .env, as a user would."""
        lines = [f"{name}={value}\n" for name, value in (settings | {"VOLUME": f"{self.name}_data"}).items()]
        (self.folder / ".env").write_text("".join(lines), encoding="utf-8")

    def start(self, *words: str, experiment: str = "") -> subprocess.Popen[str]:
        """Start `docker compose words...`; with an experiment as its user does, who gives the project no name."""
        named = [] if experiment else ["--project-name", self.name]
        return subprocess.Popen(
            ["docker", "compose", *named, "--progress", "plain", *words],
            cwd=self.folder,
            env=os.environ | ({"EXPERIMENT": experiment} if experiment else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def compose(self, *words: str, timeout_s: float = 900) -> Done:
        """Run `docker compose words...` to its end; `stdout` holds both of its output streams."""
        process = self.start(*words)
        said, _ = process.communicate(timeout=timeout_s)
        return subprocess.CompletedProcess(words, process.returncode, said, "")

    def job(self, *words: str) -> Done:
        """Run one job alone."""
        return self.compose("run", "--rm", "--no-deps", *words)

    def read(self, path: str) -> str:
        """Return a file of the volume."""
        words = ["docker", "run", "--rm", "--network", "none", "--volume", f"{self.name}_data:/data:ro"]
        words += ["--entrypoint", "cat", compose()["services"]["report"]["image"], path]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def project(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Yield a clone whose settings make the default recipe short; remove its containers and volume after."""
    made = Project(tmp_path_factory.mktemp("compose") / "clone", SHORT | {"HALFREAL_IMAGE": image})
    try:
        yield made
    finally:
        made.compose("--profile", "*", "down", "--volumes", "--timeout", "5")


@pytest.fixture(scope="module")
def first(project: Project) -> Done:
    """Return what `docker compose up report` did on an empty volume."""
    return project.compose("up", "--no-build", "report")


def test_the_image_size_is_bounded(image: str) -> None:
    """The image with CUDA's libraries stays under 5.6 GB."""
    words = ["docker", "image", "inspect", "--format", "{{.Size}}", image]
    size = int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert 1e8 < size < LARGEST_IMAGE_BYTES


def test_the_image_has_no_compiler_and_its_byte_code(image: str) -> None:
    """No compiler is in the image, and Python's byte code is: a container could not store what it compiles."""
    script = (
        "import pathlib, shutil, sys\n"
        "site = next(pathlib.Path(p) for p in sys.path if p.endswith('site-packages'))\n"
        "raw = [p for n in ('torch', 'jobs', 'shared') for p in (site / n).rglob('*.py')]\n"
        "bare = [p for p in raw if not list((p.parent / '__pycache__').glob(p.stem + '.*.pyc'))]\n"
        "print(len(raw) > 1000, len(bare), [n for n in ('cc', 'gcc', 'g++', 'clang', 'nvcc') if shutil.which(n)])\n"
    )
    words = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python", image, "-c", script]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == "True"
    assert int(said[1]) <= 5  # files that are no Python of this version, such as templates
    assert said[2] == "[]"


@pytest.mark.parametrize("files", [["compose.yaml"], ["compose.yaml", "compose.gpu.yaml"]], ids=["cpu", "gpu"])
def test_compose_accepts_every_profile(project: Project, files: list[str]) -> None:
    """Compose finds nothing wrong with every profile enabled; it does not check the services of a disabled profile."""
    chosen = [word for name in files for word in ("--file", name)]
    done = project.compose(*chosen, "--profile", "*", "config", "--format", "json")
    assert done.returncode == 0, done.stdout
    services = json.loads(done.stdout)["services"]
    assert set(NAMES) <= services.keys()
    with_gpu = {
        name for name, row in services.items() if "devices" in row["deploy"]["resources"].get("reservations", {})
    }
    assert bool(with_gpu) == (len(files) == 2)
    assert with_gpu.isdisjoint(row.name for row in PIPELINE if not row.gpu)


def test_up_report_makes_the_report(project: Project, first: Done) -> None:
    """`docker compose up report` on a fresh clone and an empty volume writes the report and ends with 0."""
    assert first.returncode == 0, first.stdout
    assert "report: complete in" in first.stdout
    assert project.read("/data/digits/report/index.html").startswith("<!doctype html>")
    order = re.findall(rf"^ Container {project.name}-(\w+)-1 +Started", first.stdout, re.MULTILINE)
    assert list(dict.fromkeys(order)) == NAMES


def test_containers_hold_what_the_virtual_environment_holds(
    project: Project, first: Done, outside: dict[str, str]
) -> None:
    """The manifests of every artifact are byte-identical to those of `halfreal run` outside a container."""
    assert first.returncode == 0, first.stdout
    inside = {name: project.read(f"/data/digits/{name}") for name in all_places()}
    assert differing(inside, outside) == []


def test_a_second_up_does_nothing(project: Project, first: Done) -> None:
    """The same command again says "already complete" for every job."""
    assert first.returncode == 0
    again = project.compose("up", "--no-build", "--attach-dependencies", "report")
    assert again.returncode == 0, again.stdout
    for name in NAMES:
        assert f"{name}: already complete: /data/digits/" in again.stdout
    assert "complete in" not in again.stdout


def test_the_profile_shows_what_every_job_says(project: Project, first: Done) -> None:
    """`docker compose --profile sequence up` shows the output of each job, and ends when the last one does."""
    assert first.returncode == 0
    shown = project.compose("--profile", "sequence", "up", "--no-build")
    assert shown.returncode == 0, shown.stdout
    for name in NAMES:
        assert re.search(rf"^{name}-1 .*{name}: already complete", shown.stdout, re.MULTILINE)


def test_two_experiments_at_once(project: Project, image: str) -> None:
    """`EXPERIMENT=NAME docker compose up` of two names at once: neither stops the other, both end on one volume."""
    names = [f"{project.name}-{letter}" for letter in "ab"]
    try:
        both = [project.start("up", "--no-build", "train_classifier", experiment=name) for name in names]
        for process, name in zip(both, names, strict=True):
            said, _ = process.communicate(timeout=600)
            assert process.returncode == 0, said
            assert f"/data/{name}/classifier" in said
            assert '"kind": "model"' in project.read(f"/data/{name}/classifier/r01/manifest.json")
    finally:
        for name in names:
            project.start("--profile", "*", "down", "--timeout", "5", experiment=name).communicate(timeout=120)


@pytest.mark.parametrize("name", NAMES)
def test_each_job_runs_alone(project: Project, first: Done, name: str) -> None:
    """`docker compose run <job> --force` rebuilds each job's artifacts with the same bytes."""
    paths = [f"/data/digits/{path}" for path in places(next(row for row in PIPELINE if row.name == name))]
    before = [project.read(path) for path in paths]
    if name in ("train_classifier", "train_gan", "train_mixed"):  # these take long: a dry run is enough
        done = project.job(name)
        assert f"{name}: already complete" in done.stdout
    else:
        done = project.job(name, "--force")
        assert len(re.findall(rf"^\S+ {name}( r\d\d)?: complete in", done.stdout, re.MULTILINE)) == len(paths)
    assert done.returncode == 0, done.stdout
    assert [project.read(path) for path in paths] == before


def test_a_container_can_do_little(project: Project, first: Done) -> None:
    """Inside a job: uid 10001, no capability, no new privileges, a read-only root, no network, bounded memory."""
    script = (
        "id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status; touch /x 2>&1; ls /sys/class/net; "
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; "
        "df -k /dev/shm | tail -1; touch /data/t /tmp/t && rm /data/t && echo writable"
    )
    said = project.job("--entrypoint", "sh", "train_gan", "-c", script).stdout
    assert re.search(r"^10001$", said, re.MULTILINE)
    assert re.search(r"^CapEff:\s+0+$", said, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", said, re.MULTILINE)
    assert "Read-only file system" in said
    assert re.search(r"^lo$", said, re.MULTILINE)
    assert not re.search(r"^eth\d+$", said, re.MULTILINE)
    assert str(8 * 1024**3) in said
    assert re.search(r"^shm +1048576 ", said, re.MULTILINE)
    assert said.rstrip().endswith("writable")


def test_a_failing_job_stops_the_sequence(project: Project, first: Done) -> None:
    """A failing job ends `up` with an error that names its exit code, and no later job starts; `run` returns it."""
    project.set({**SHORT, "EXPERIMENT": "failing", "HALFREAL_PREPROCESS_SOURCE": "nothing"})
    try:
        done = project.compose("up", "--no-build", "report")
        assert done.returncode != 0
        assert re.search(r"preprocess.*didn't complete successfully: exit 2", done.stdout)
        assert not re.search(rf"{project.name}-train_classifier-1 +Started", done.stdout)
        assert project.job("preprocess").returncode == 2
        assert project.job("halfreal", "run").returncode == 2
    finally:
        project.set(SHORT)


@pytest.mark.parametrize(("how", "code"), [("stop", 75), ("kill", 137)])
def test_a_signal_in_training_is_resumed(project: Project, first: Done, how: str, code: int) -> None:
    """SIGTERM to a container that trains two replicates ends it with 75 after a checkpoint of each.

    After that, and after SIGKILL, the next run goes on and makes the same bytes.
    """
    name = f"{project.name}-{how}"
    alone = ["-e", f"HALFREAL_EXPERIMENT={how}", "-e", "HALFREAL_PROCESSES=2", "train_gan"]
    copy = f"mkdir /data/{how} && cp -r /data/digits/real /data/{how}"
    copied = project.job("--entrypoint", "sh", "halfreal", "-c", copy)
    assert copied.returncode == 0, copied.stdout
    process = project.start("run", "--rm", "--no-deps", "--name", name, *alone)
    seen, deadline = False, time.monotonic() + 300
    look = f"ls /data/{how}/gan/.r*/checkpoint.safetensors"
    while not seen and process.poll() is None and time.monotonic() < deadline:
        seen = subprocess.run(["docker", "exec", name, "sh", "-c", look], capture_output=True).returncode == 0
        time.sleep(0.2)
    assert seen
    subprocess.run(["docker", how, name], capture_output=True, check=True)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert ("stopped by SIGTERM; run the same command again" in said) == (how == "stop")
    resumed = project.job(*alone)
    assert resumed.returncode == 0, resumed.stdout
    assert "resumed after" in resumed.stdout
    for path in places(TRAIN_GAN):
        assert project.read(f"/data/{how}/{path}") == project.read(f"/data/digits/{path}")


def test_two_ranks_train_together(project: Project, first: Done) -> None:
    """The profile `train-distributed` trains one GAN after the other in two containers that reach nothing else."""
    project.set({**SHORT, "EXPERIMENT": "ranks", "HALFREAL_TRAIN_GAN_EPOCHS": "4"})
    try:
        done = project.compose("--profile", "train-distributed", "up", "--no-build", "train-distributed-rank1")
        assert done.returncode == 0, done.stdout
        for path in places(TRAIN_GAN):
            assert '"kind": "model"' in project.read(f"/data/ranks/{path}")
        started = re.findall(rf"{project.name}-(train-distributed\S*)-1 +Started", done.stdout)
        assert set(started) == {"train-distributed", "train-distributed-rank1"}
    finally:
        project.set(SHORT)


def test_two_containers_search_together(project: Project, first: Done) -> None:
    """`docker compose --profile tune up --scale tune=2 tune`: workers share one search, and no trial runs twice."""
    project.set(SEARCH)
    try:
        done = project.compose("--profile", "tune", "up", "--no-build", "--scale", "tune=2", "tune")
        assert done.returncode == 0, done.stdout
    finally:
        project.set(SHORT)
    took = re.findall(r"^tune-([12])\s+\| \S+ tune: trial (\d+): learning_rate", done.stdout, re.MULTILINE)
    assert {worker for worker, _ in took} == {"1", "2"}
    assert sorted(int(number) for _, number in took) == [0, 1, 2]
    assert numbers_of_trials(project.read("/data/digits/tune/manifest.json")) == [0, 1, 2]
    assert done.stdout.count("tune: complete in") == 1


def test_another_user_writes_to_a_folder_of_the_host(project: Project, tmp_path: Path) -> None:
    """With DATA_DIR and RUN_AS a job writes to a host folder as its owner, a user that the image does not know."""
    if os.geteuid() != 0:
        missing("only root can give a folder to another user")
    folder = tmp_path / "volume"
    folder.mkdir()
    shutil.chown(folder, 4242, 4242)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    project.set({**SHORT, "DATA_DIR": str(folder), "RUN_AS": "4242:4242"})
    try:
        done = project.job("preprocess")
        assert done.returncode == 0, done.stdout
        assert (folder / "digits" / "real" / "manifest.json").stat().st_uid == 4242
    finally:
        project.set(SHORT)


@pytest.mark.parametrize("name", ["playground", "tensorboard"])
def test_pages_are_served_on_loopback(project: Project, first: Done, name: str) -> None:
    """`docker compose up playground` and `tensorboard` serve a page on loopback, with a read-only root."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    project.set({**SHORT, f"{name.upper()}_PORT": str(port)})
    try:
        up = project.compose("up", "--no-build", "--detach", name)
        assert up.returncode == 0, up.stdout
        assert "<html" in page(f"http://127.0.0.1:{port}/").lower(), project.compose("logs", name).stdout
    finally:
        project.compose("stop", name)
        project.set(SHORT)


def page(address: str) -> str:
    """Return the page at an address as soon as it is served; empty after two minutes without one."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return str(answer.read().decode("utf-8"))
        except OSError:
            time.sleep(0.5)
    return ""
