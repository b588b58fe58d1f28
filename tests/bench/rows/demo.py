"""The whole demo, shortened, against the same work glued from the usual tools (`glue.py`)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.row import Row, Work

ROOT = Path(__file__).resolve().parents[3]
IMAGES, BATCH = 1257, 64
EPOCHS, EVERY = 16, 4
PLAN = {
    "classifier_steps": 400,
    "gan_steps": EPOCHS * IMAGES // BATCH,
    "every_steps": -(-EVERY * IMAGES // BATCH),
    "images": 1000,
    "mixed_steps": 200,
    "fits": 2,
    "arms": "real_100,real_30,synthetic_70_real_30,synthetic_only",
}
OURS = {
    "train_classifier": {"steps": PLAN["classifier_steps"]},
    "train_gan": {"epochs": EPOCHS, "snapshot_every_epochs": EVERY},
    "evaluate": {"images": PLAN["images"]},
    # the least patience: the other side takes a fixed number of steps
    "train_mixed": {"steps": PLAN["mixed_steps"], "fits": PLAN["fits"], "arms": PLAN["arms"], "patience": 1},
}

Accuracies = Callable[[], dict[str, float]]


def _empty(folder: Path) -> Path:
    return folder


def _run(words: list[str]) -> str:
    """Run Python on `words` with as many threads as this process; return what it prints."""
    plain = {name: value for name, value in os.environ.items() if name != "WDS_SECURE"}  # tutorials do not set it
    command = [sys.executable, "-W", "ignore", *words]
    done = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def _ours(folder: Path) -> Work:
    settings = [f"{job}.{option}={value}" for job, options in OURS.items() for option, value in options.items()]
    words = [
        "-m",
        "jobs",
        "run",
        "--recipe",
        "digits",
        "--replicates",
        "1",
        "--threads",
        os.environ["OMP_NUM_THREADS"],
        "--device",
        "cpu",
    ]

    def work() -> Accuracies:
        shutil.rmtree(folder / "ours", ignore_errors=True)
        _run([*words, "--data-root", str(folder / "ours"), *(word for each in settings for word in ("--set", each))])

        def read() -> dict[str, float]:
            found = json.loads(_run(["-m", "jobs", "results", "--data-root", str(folder / "ours"), "--json"]))
            return {arm["arm"]: arm["accuracy"]["mean"] for arm in found["arms"]}

        return read

    return work


def _glued(folder: Path) -> Work:
    def work() -> Accuracies:
        shutil.rmtree(folder / "glued", ignore_errors=True)
        said = _run(["-m", "tests.bench.glue", str(folder / "glued"), json.dumps(PLAN)])
        return lambda: json.loads(said)  # type: ignore[no-any-return]

    return work


def _alike(ours: Accuracies, theirs: Accuracies) -> None:
    """Both trained the same arms as far: to within 10 points of accuracy, 25 where it saw generated images alone."""
    mine, others = ours(), theirs()
    assert mine.keys() == others.keys()
    for arm, value in mine.items():
        assert abs(value - others[arm]) <= (0.25 if arm == "synthetic_only" else 0.1), (arm, mine, others)


ROWS = {
    "demo": Row(
        f"the recipe digits with {EPOCHS} epochs, from raw images to the verdict", 1, "runs",
        _empty, _ours, {"the same, glued": _glued}, _alike,
    ),
}  # fmt: skip
