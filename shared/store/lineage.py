"""Which artifacts a job reads, whether they were made from one another, and the recipe that makes them again."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import BadInput
from shared.store.job import Job

if TYPE_CHECKING:
    from shared.store.artifacts import Artifact
    from shared.store.records.scores import OnTest, ScoresRecord

    Inputs = dict[str, Artifact]


def open_inputs(row: Job, folder: Path) -> "Inputs":
    """Open the artifacts that the job in `row` reads, by name, in the experiment's `folder`."""
    inputs = open_outputs(row.reads, folder)
    check_lineage(inputs)
    for extra in row.extras:
        if (folder / extra.writes).exists():
            optional = open_outputs([extra], folder)
            # one made from older inputs is ignored, not refused: the job can do without it
            inputs |= optional if _in_step(inputs | optional) else {}
    return inputs


def open_outputs(rows: Iterable[Job], folder: Path) -> "Inputs":
    """Open what several jobs wrote in the experiment's `folder`, by the artifact's name; their lineage is not read."""
    from shared.store.artifacts import open_output

    return {row.writes: open_output(row, folder) for row in rows}


def _in_step(artifacts: "Mapping[str, Artifact]") -> bool:
    try:
        check_lineage(artifacts)
    except BadInput:
        return False
    return True


def check_lineage(artifacts: "Mapping[str, Artifact]") -> None:
    """Raise BadInput unless each artifact was made from exactly the others that are here now."""
    # otherwise a verdict could rest on test images that the generator has seen, or a score on another generator
    from shared.store.artifacts import SAME_PLACE

    for artifact in artifacts.values():
        for source, digest in artifact.manifest.inputs.items():
            if source in artifacts and artifacts[source].sha256 != digest:
                raise BadInput(
                    f"{artifact.folder}: made from another {source!r} than the one next to it\n"
                    f"rebuild them together: halfreal run, or halfreal {artifact.manifest.job}{SAME_PLACE}"
                )


def lineage(rows: Iterable[Job], inputs: "Mapping[str, Artifact]") -> list[dict[str, object]]:
    """Return a line for each artifact, in the order of the jobs `rows`: its hash, job, options and inputs."""
    made = [(row, inputs[row.writes]) for row in rows if row.writes in inputs]
    return [
        {
            "name": row.writes,
            "sha256": artifact.sha256,
            "job": row.name,
            "halfreal": artifact.manifest.halfreal,
            "options": artifact.manifest.options,
            "inputs": artifact.manifest.inputs,
        }
        for row, artifact in made
    ]


def recipe_text(rows: Iterable[Job], inputs: "Mapping[str, Artifact]") -> str:
    """Return a recipe of the jobs `rows` with every option that their artifacts were made with, seeds included."""
    experiment = next(iter(inputs.values())).folder.parent.name
    lines = [f'about = "the experiment {experiment}, every option as it was"']
    for row in rows:
        if row.writes in inputs:
            options = inputs[row.writes].manifest.options
            lines += ["", f"[{row.name}]"]
            lines += [f"{name} = {json.dumps(value)}" for name, value in options.items() if value is not None]
    return "\n".join(lines)


def need_test_scores(scores: "Artifact[ScoresRecord]") -> "OnTest":
    """Return the scores on test; BadInput for scores on val alone, such as those of a tuning trial."""
    if scores.record.on_test is None:
        raise BadInput(
            f"{scores.folder}: scored on val alone, want scores on test; run halfreal {scores.manifest.job} again, "
            "with the test split as reference"
        )
    return scores.record.on_test
