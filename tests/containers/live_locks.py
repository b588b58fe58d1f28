"""Locks between two containers on one volume: each sees the other's files and not its processes.

Not collected by `make test`: `make containers` runs it.
"""

import os
import subprocess
import time
import uuid
from collections.abc import Iterator

import pytest

TIMEOUT_S = 6
"""After which silence a lock is taken over here."""

WORK = """
import sys, time
from pathlib import Path
from shared.cli.exit_codes import exit_with
from shared.disk.durable import write_whole
from shared.store.staging import BuildKey, stage

def work():
    with stage(Path("/data/lab/model"), BuildKey("train", "model", {}), resumable=True) as work:
        print("began", sorted(path.name for path in work.folder.glob("of-*")), flush=True)
        until = time.monotonic() + float(sys.argv[2])
        while time.monotonic() < until:
            write_whole(work.folder / f"of-{sys.argv[1]}", str(time.time()).encode())
            time.sleep(0.05)
        work.commit()
        print("made", flush=True)

exit_with(work)
"""


class Containers:
    """Containers of the image that share one volume, and have nothing else in common."""

    def __init__(self, image: str) -> None:
        self.image, self.volume = image, f"halfreal-locks-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.names: list[str] = []

    def start(self, name: str, seconds: float) -> subprocess.Popen[str]:
        """Start a container that works on the artifact for so long."""
        self.names.append(f"{self.volume}-{name}")
        words = ["docker", "run", "--rm", "--network", "none", "--volume", f"{self.volume}:/data"]
        words += ["--name", self.names[-1], "--hostname", f"host-{name}"]
        words += ["--env", f"HALFREAL_LOCK_TIMEOUT_S={TIMEOUT_S}", "--entrypoint", "python"]
        return subprocess.Popen(
            [*words, self.image, "-c", WORK, name, str(seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def tell(self, word: str, name: str) -> None:
        """Pause, unpause or kill a container."""
        subprocess.run(["docker", word, f"{self.volume}-{name}"], check=True, capture_output=True)

    def listed(self) -> list[str]:
        """Return every file of the artifact's folder, and what is next to it."""
        words = ["docker", "run", "--rm", "--network", "none", "--volume", f"{self.volume}:/data:ro"]
        words += ["--entrypoint", "find", self.image, "/data/lab", "-type", "f"]
        said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        return sorted(line.removeprefix("/data/lab/") for line in said.splitlines())


@pytest.fixture
def containers(image: str) -> Iterator[Containers]:
    """Yield containers on a new volume; remove all of it afterwards."""
    made = Containers(image)
    try:
        yield made
    finally:
        for name in made.names:
            subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)
        subprocess.run(["docker", "volume", "rm", "--force", made.volume], check=False, capture_output=True)


def begun(process: "subprocess.Popen[str]") -> str:
    """Return the line with which a container says that it has the lock."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("began"):
            return line
    raise AssertionError("it has not begun")


def test_a_container_at_work_keeps_the_other_out(containers: Containers) -> None:
    """The second one hears the first one beat, says who it is and ends with 75."""
    first = containers.start("a", 3 * TIMEOUT_S)
    begun(first)
    second = containers.start("b", 0)
    said, _ = second.communicate(timeout=120)
    assert second.returncode == 75, said
    assert "on host host-a, since" in said
    assert first.communicate(timeout=120)[0] == "made\n"
    assert containers.listed() == ["model/manifest.json", "model/of-a"]


def test_a_killed_container_is_taken_over(containers: Containers) -> None:
    """After its silence; the work goes on where it was."""
    first = containers.start("a", 300)
    begun(first)
    containers.tell("kill", "a")
    first.communicate(timeout=60)
    started = time.monotonic()
    second = containers.start("b", 0.5)
    assert begun(second) == "began ['of-a']\n"
    assert time.monotonic() - started >= TIMEOUT_S
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert containers.listed() == ["model/manifest.json", "model/of-a", "model/of-b"]


def test_a_container_that_was_paused_ends_with_75(containers: Containers) -> None:
    """Another one takes its work over; when it is continued it writes nothing, and nothing of either is lost."""
    first = containers.start("a", 300)
    begun(first)
    containers.tell("pause", "a")
    second = containers.start("b", 2 * TIMEOUT_S)
    begun(second)
    containers.tell("unpause", "a")
    said, _ = first.communicate(timeout=60)
    assert first.returncode == 75, said
    assert "on host host-b, since" in said
    second.communicate(timeout=120)
    assert second.returncode == 0
    assert containers.listed() == ["model/manifest.json", "model/of-a", "model/of-b"]
