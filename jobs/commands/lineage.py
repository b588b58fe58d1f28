"""What the artifacts of an experiment were made of, and the recipe that makes them again."""

import json
from typing import Any

from jobs.pipeline import JOBS, PIPELINE
from shared.errors import BadInput
from shared.store.artifacts import Artifact


def lineage(inputs: dict[str, Artifact]) -> list[dict[str, Any]]:
    """Return a row for each artifact in the order of the jobs: its hash, job, options and inputs."""
    rows = []
    for row in JOBS:
        if row.writes in inputs:
            artifact = inputs[row.writes]
            rows.append(
                {
                    "name": row.writes,
                    "sha256": artifact.sha256,
                    "job": row.name,
                    "halfreal": artifact.manifest.halfreal,
                    "options": artifact.manifest.options,
                    "inputs": artifact.manifest.inputs,
                }
            )
    return rows


def need_test_scores(scores: Artifact) -> None:
    """Raise BadInput where `evaluate --reference val` was asked to score nothing on test."""
    if "test" not in scores.facts:
        raise BadInput(
            f"{scores.folder}: scored on val alone, want scores on test; run halfreal evaluate --reference test"
        )


def recipe_text(inputs: dict[str, Artifact]) -> str:
    """Return a recipe with every option that these artifacts were made with, the seeds among them."""
    lines = [f'about = "the experiment {inputs["real"].folder.parent.name}, every option as it was"']
    for row in PIPELINE:
        if row.writes in inputs:
            lines += ["", f"[{row.name}]"]
            options = inputs[row.writes].manifest.options
            lines += [f"{name} = {json.dumps(value)}" for name, value in options.items() if value is not None]
    return "\n".join(lines)
