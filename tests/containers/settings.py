"""The default recipe in a minute of training, and what comes out of it outside of any container."""

import json
import os
import subprocess
import sys
from difflib import unified_diff
from pathlib import Path

from tests.containers.files import ROOT

SHORT = {
    "HALFREAL_TRAIN_CLASSIFIER_STEPS": "300",
    "HALFREAL_TRAIN_GAN_EPOCHS": "20",
    "HALFREAL_TRAIN_GAN_SNAPSHOT_EVERY_EPOCHS": "5",
    "HALFREAL_EVALUATE_IMAGES": "500",
    "HALFREAL_TRAIN_MIXED_STEPS": "150",
    "HALFREAL_TRAIN_MIXED_SEEDS": "2",
}
"""Environment variables of the jobs; they give the same bytes wherever they are set."""

SEARCH = SHORT | {"HALFREAL_TUNE_TRIALS": "3", "HALFREAL_TUNE_EPOCHS": "5", "HALFREAL_TUNE_SEEDS": "2"}
"""The same with a search that takes two minutes."""


def numbers_of_trials(manifest: str) -> list[int]:
    """Return the numbers of the trials that a manifest of `tune` counts, all of which ended."""
    trials = json.loads(manifest)["facts"]["trials"]
    assert {trial["state"] for trial in trials} <= {"finished", "stopped"}
    return [trial["number"] for trial in trials]


def in_virtual_environment(root: Path) -> Path:
    """Run the short recipe on the volume `root` without a container; return the experiment's folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HALFREAL_")}
    subprocess.run(
        [sys.executable, "-m", "jobs", "run", "--data-root", str(root), "--device", "cpu"],
        env=plain | SHORT | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    return root / "digits"


def manifests(folder: Path) -> dict[str, str]:
    """Return the text of the manifest of every artifact in an experiment's folder."""
    manifests_by_path = {
        f"{path.parent.name}/{path.name}": path.read_text("utf-8") for path in folder.glob("*/manifest.json")
    }
    assert manifests_by_path
    return manifests_by_path


def differing(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Return the lines in which manifests differ; empty if they are byte-identical."""
    return [
        line
        for name in sorted(found.keys() | wanted.keys())
        for line in unified_diff(
            wanted.get(name, "").splitlines(True), found.get(name, "").splitlines(True), "wanted", name, n=0
        )
    ]
