"""What the workflows of all engines share: which job waits for which, and how a job's pod looks."""

from pathlib import Path
from typing import Any

import yaml

from jobs.pipeline import PIPELINE

K8S = Path(__file__).resolve().parent.parent

Doc = dict[str, Any]

PARAMETERS = {"recipe": "digits", "experiment": ""}
"""What a run is asked for, with its defaults; without an experiment's name it is the recipe's."""

ATTEMPTS = 10
"""How often a job is started at most: engines cannot tell an interruption, exit code 75, from a failure."""


def waits_for() -> dict[str, list[str]]:
    """Return the jobs that each job waits for, in the table's order, without those that these wait for anyway."""
    needs: dict[str, set[str]] = {}
    for row in PIPELINE:
        needs[row.name] = {needed.name for needed in (*row.reads, *row.first, *row.behind)} - {row.name}
    implied = {name: set().union(*(_all_before(needed, needs) for needed in own)) for name, own in needs.items()}
    return {name: [row.name for row in PIPELINE if row.name in own - implied[name]] for name, own in needs.items()}


def _all_before(name: str, needs: dict[str, set[str]]) -> set[str]:
    return needs[name].union(*(_all_before(needed, needs) for needed in needs[name]))


def pod() -> Doc:
    """Return the pod of a Job of k8s/, whose only container is the job's."""
    read: Doc = _read("components/defaults/job-defaults.yaml")["spec"]["template"]["spec"]
    return read


def image() -> str:
    """Return the image that the Jobs of k8s/ run."""
    (named,) = _read("components/defaults/kustomization.yaml")["images"]
    return f"{named['newName']}:{named['newTag']}"


def tolerations() -> list[Doc]:
    """Return what lets a pod onto nodes with GPUs, which keep others off."""
    return [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]


def _read(name: str) -> Any:
    return yaml.safe_load((K8S / name).read_text(encoding="utf-8"))
