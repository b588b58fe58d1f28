"""The default recipe in a minute of training, two replicates of it, and what comes out outside of any container."""

import json
import os
import subprocess
import sys
from difflib import unified_diff
from pathlib import Path

from jobs.pipeline import ARTIFACTS
from shared.format.manifest import MANIFEST
from shared.store.job import Job
from shared.store.replicates import place
from tests.containers.files import ROOT

SHORT = {
    "HALFREAL_REPLICATES": "2",
    "HALFREAL_TRAIN_CLASSIFIER_STEPS": "100",
    "HALFREAL_TRAIN_GAN_EPOCHS": "10",
    "HALFREAL_TRAIN_GAN_SNAPSHOT_EVERY_EPOCHS": "5",
    "HALFREAL_EVALUATE_IMAGES": "200",
    "HALFREAL_TRAIN_MIXED_STEPS": "50",
    "HALFREAL_TRAIN_MIXED_PATIENCE": "2",
}
"""Environment variables of the jobs; they give the same bytes wherever they are set."""

SEARCH = SHORT | {"HALFREAL_TUNE_TRIALS": "3", "HALFREAL_TUNE_EPOCHS": "5", "HALFREAL_TUNE_SEEDS": "2"}
"""The same with a search that takes two minutes."""


def places(row: Job, replicates: int = int(SHORT["HALFREAL_REPLICATES"])) -> list[str]:
    """Return the manifests, below the experiment's folder, of the artifacts of a row."""
    return [f"{place(row, number)}/{MANIFEST}" for number in (range(replicates) if row.replicated else [0])]


def all_places(replicates: int = int(SHORT["HALFREAL_REPLICATES"])) -> set[str]:
    """Return the manifests, below the experiment's folder, of all that the sequence makes."""
    return {name for row in ARTIFACTS if not row.optional for name in places(row, replicates)}


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
    """Return the text of the manifest of every artifact in an experiment's folder, by its place."""
    paths = [*folder.glob(f"[!.]*/{MANIFEST}"), *folder.glob(f"[!.]*/r[0-9][0-9]/{MANIFEST}")]
    assert paths
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths}


def differing(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Return the lines in which manifests differ; empty if they are byte-identical."""
    return [
        line
        for name in sorted(found.keys() | wanted.keys())
        for line in unified_diff(
            wanted.get(name, "").splitlines(True), found.get(name, "").splitlines(True), "wanted", name, n=0
        )
    ]
