"""Which artifacts a job reads, and whether they were made from one another."""

from pathlib import Path
from typing import Any

from shared.errors import BadInput
from shared.store.job import Job


def open_inputs(row: Job, folder: Path) -> dict[str, Any]:
    """Open the artifacts that the job in `row` reads, by name, in the experiment's `folder`."""
    from shared.store.artifacts import open_artifact

    inputs = {read.writes: open_artifact(folder / read.writes, read.kind, read.name) for read in row.reads}
    check_lineage(inputs)
    for extra in row.extras:
        if (folder / extra.writes).exists():
            found = {extra.writes: open_artifact(folder / extra.writes, extra.kind, extra.name)}
            inputs |= found if _in_step(inputs | found) else {}
    return inputs


def _in_step(artifacts: dict[str, Any]) -> bool:
    try:
        check_lineage(artifacts)
    except BadInput:
        return False
    return True


def check_lineage(artifacts: dict[str, Any]) -> None:
    """Raise BadInput unless every artifact was made from just those of the others that stand here now.

    Else a verdict could rest on test images that the generator has seen, or a score on another generator.
    """
    from shared.store.artifacts import SAME_PLACE

    for artifact in artifacts.values():
        for source, digest in artifact.manifest.inputs.items():
            if source in artifacts and artifacts[source].sha256 != digest:
                raise BadInput(
                    f"{artifact.folder}: made from another {source!r} than the one that stands beside it\n"
                    f"bring them in step: halfreal run, or halfreal {artifact.manifest.job}{SAME_PLACE}"
                )
