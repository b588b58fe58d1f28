"""A training under faults ends as an undisturbed one: `python -m tests.checks.soak --minutes 60`.

Two trainings of one GAN on MNIST run side by side, a core each. One is left alone. The other is on a tmpfs of 96 MB: it
is killed by SIGKILL every 2 to 5 minutes (in a shorter soak more often), its disk is full twice, and its clock moves by
up to two days, by libfaketime. At the end manifests, files and loss curves must be equal.

MNIST's four .gz files are in DATA/mnist; DATA is HALFREAL_TEST_DATA. Mounting takes root.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.checks.soak.faults import Clock, find_library, full, small_volume

ROOT = Path(__file__).resolve().parents[3]

IMAGES, VOLUME_MB = 500, 96

KILLED, FULL, DONE = "killed", "disk full", "done"

GAN = ["--family", "dcgan", "--width", "8", "--batch-images", "64", "--replicates", "1", "--threads", "1"]


@dataclass(frozen=True)
class Leg:
    """One run of the disturbed training: seconds, how it ended, where it began, by how much its clock was wrong."""

    seconds: float
    end: str
    began_at: str
    clock_h: float


STARTED: list["Job"] = []
"""Every job, so that none outlives the soak."""


def end_all() -> None:
    """Kill the jobs that still run: a volume that they use cannot be unmounted."""
    for started in STARTED:
        started.process.kill()
        started.process.wait()


class Job:
    """A job of the experiment `soak` on the volume `root`, with changes to the environment; it writes to a file."""

    def __init__(self, name: str, root: Path, words: list[str], changes: dict[str, str]) -> None:
        place = ["--data-root", str(root), "--experiment", "soak", "--device", "cpu"]
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115  # open as long as the job
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jobs", name, *place, *words],
            env=os.environ | {"PYTHONPATH": str(ROOT)} | changes,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )

        STARTED.append(self)

    def finish(self, *wanted: int) -> str:
        """Wait for the job and return what it said; SystemExit unless it ends with an exit code that is wanted."""
        code = self.process.wait()
        self._said.seek(0)
        said = self._said.read()
        if code not in wanted:
            raise SystemExit(f"want exit code {wanted}, not {code}:\n{said}")
        return said


def train(root: Path, epochs: int, minutes: float, changes: dict[str, str]) -> Job:
    """Start the training; of an hour there is a checkpoint each minute besides those at its 20 snapshots."""
    often = ["--snapshot-every-epochs", str(max(epochs // 20, 1)), "--checkpoint-minutes", str(minutes / 60)]
    return Job("train_gan", root, [*GAN, "--epochs", str(epochs), *often], changes)


def epochs_of(root: Path, seconds: float) -> int:
    """Return how many epochs take so long, by a training of three."""
    train(root, 3, 60, {}).finish(0)
    rows = [json.loads(line) for line in (root / "soak/gan/r00/metrics.jsonl").read_text().splitlines()]
    shutil.rmtree(root / "soak" / "gan")
    return max(round(seconds * rows[-1]["images_per_s"] / IMAGES), 10)


def saved_at(root: Path) -> int:
    """Return when the newest checkpoint of the unfinished training was written; 0 without one."""
    paths = (root / "soak" / "gan").glob(".r00-*/checkpoint.safetensors")
    return max((path.stat().st_mtime_ns for path in paths), default=0)


def disturb(root: Path, epochs: int, minutes: float, clock: Clock, chance: Random) -> list[Leg]:
    """Train to the end through kills and a full disk."""
    legs = list[Leg]()
    while not legs or legs[-1].end != DONE:
        clock_h, before, started = clock.move(), saved_at(root), time.monotonic()
        job = train(root, epochs, minutes, clock.variables)
        lasts_s = chance.uniform(2, 5) * minutes
        # every other one may be killed while it starts; the others get on first
        if len(legs) % 2 == 0:
            while job.process.poll() is None and saved_at(root) == before:
                time.sleep(0.1)
        end = end_of(job, root, lasts_s, clock, is_full=len(legs) in (2, 4))
        said = job.finish({KILLED: -signal.SIGKILL, FULL: 1, DONE: 0}[end])
        if end == FULL and "make room" not in said:
            raise SystemExit(f"a full disk is not what it says:\n{said}")
        resumed = [line.partition("resumed after ")[2] for line in said.splitlines() if "resumed after " in line]
        legs.append(Leg(time.monotonic() - started, end, resumed[0] if resumed else "the beginning", clock_h))
        print(f"{legs[-1].seconds:6.0f} s from {legs[-1].began_at}, clock {clock_h:+.1f} h: {end}", flush=True)
    return legs


def end_of(job: Job, root: Path, lasts_s: float, clock: Clock, *, is_full: bool) -> str:
    """Let a job work for a while, its clock moving on the way, then end it; return how it ended."""
    for _ in range(2):
        with suppress(subprocess.TimeoutExpired):
            job.process.wait(lasts_s / 2)
            return DONE
        clock.move()
    if not is_full:
        job.process.kill()
        return KILLED if job.process.wait() else DONE
    with full(root):
        return FULL if job.process.wait() else DONE


def differences(one: Path, other: Path) -> list[str]:
    """Return in what two trained GANs differ; work that is left is a difference too."""
    folders = [root / "soak" / "gan" for root in (one, other)]
    facts = [json.loads((folder / "r00" / "manifest.json").read_bytes()) for folder in folders]
    files = [{info["name"]: info["sha256"] for info in each["files"]} for each in facts]
    found = [
        f"file {name}" for name in sorted(set(files[0]) | set(files[1])) if files[0].get(name) != files[1].get(name)
    ]
    found += [] if rows(folders[0]) == rows(folders[1]) else ["loss curve"]
    found += [] if facts[0] == facts[1] else ["manifest"]
    return found + [f"left: {path.name}" for path in folders[1].glob(".*")]


def rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of losses but for the speed."""
    lines = (folder / "r00" / "metrics.jsonl").read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if name != "images_per_s"} for line in lines]


def main() -> None:
    """Do both trainings, print what happened, end with 1 unless they are equal."""
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    words.add_argument("--minutes", type=float, default=60, help="About how long it takes [60].")
    words.add_argument("--seed", type=int, default=0, help="Seed of when faults come [0].")
    words.add_argument("--faketime", type=Path, help="libfaketime, where it is not installed.")
    chosen = words.parse_args()
    library, chance = find_library(chosen.faketime), Random(chosen.seed)
    source = Path(os.environ["HALFREAL_TEST_DATA"]) / "mnist"
    with ExitStack() as held:
        place = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="halfreal-soak-")))
        alone, volume = place / "alone", held.enter_context(small_volume(place / "small", VOLUME_MB))
        held.callback(end_all)
        options = ["--source", "mnist", "--source-path", str(source), "--limit-train", str(IMAGES), "--size-px", "32"]
        Job("preprocess", alone, options, {}).finish(0)
        shutil.copytree(alone / "soak" / "real", volume / "soak" / "real")
        # the faults make it slower: kills lose what came since the last checkpoint, and each start takes its time
        epochs = epochs_of(alone, 0.6 * 60 * chosen.minutes)
        started = time.monotonic()
        undisturbed = train(alone, epochs, chosen.minutes, {})
        print(f"{epochs} epochs of {IMAGES} images", flush=True)
        clock = Clock(library, place / "clock", chance)
        legs = disturb(volume, epochs, chosen.minutes, clock, chance)
        undisturbed.finish(0)
        found = differences(alone, volume)
        ends = [leg.end for leg in legs]
        minutes = (time.monotonic() - started) / 60
        print(
            f"{epochs} epochs in {minutes:.1f} minutes: {ends.count(KILLED)} killed, {ends.count(FULL)} found the disk "
            f"full, clocks {min(leg.clock_h for leg in legs):+.0f} to {max(leg.clock_h for leg in legs):+.0f} h wrong; "
            + (f"DIFFERENT: {', '.join(found)}" if found else "manifest, files and losses equal")
        )
        raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
