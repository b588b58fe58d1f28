"""Dry runs: what a job would do with what stands on the volume. Nothing is changed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from shared.errors import BadInput
from shared.store.artifacts import Artifact, open_artifact
from shared.store.job import Job
from shared.store.lineage import open_inputs
from shared.store.staging import BuildKey


@dataclass(frozen=True)
class DryRun:
    """Dry runs of several jobs in order: the names of the artifacts that those so far would make."""

    made: set[str] = field(default_factory=set)


def dry_run(
    row: Job,
    options: dict[str, Any],
    folder: Path,
    force: bool,
    check: Callable[[dict[str, Artifact]], None],
    shown: dict[str, Any],
) -> None:
    """Print the options as they resolved, which are in `shown`, and what a run would do in the experiment's `folder`.

    `check(inputs)` is what the run itself would check before it begins; it gets no inputs while one of them is not
    there, or would be made anew by a job of the same Rehearsal, the object of click's context.
    """
    rehearsal = click.get_current_context().find_object(DryRun) or DryRun()
    final = folder / row.writes
    click.echo(f"{row.name} would write {final}")
    for name, value in shown.items():
        click.echo(f"  {name} = {value!r}")
    changed = [read.writes for read in (*row.reads, *row.extras) if read.writes in rehearsal.made]
    inputs: dict[str, Artifact] = {}
    try:
        inputs = {} if changed else open_inputs(row, folder)
        found = open_artifact(final, row.kind, row.name) if final.exists() else None
    except BadInput as error:
        check({})
        rehearsal.made.add(row.writes)
        click.echo(f"  cannot run yet: {error}")
        return
    check(inputs)
    request = BuildKey(row.name, row.kind, options, inputs)
    reasons = []
    if found is not None:
        reasons = request.other_options(found.manifest) if changed else request.differences(found.manifest)
        reasons += [f"its input {name!r} would be" for name in changed]
    if found and not reasons and not force:
        click.echo("  already complete")
        return
    rehearsal.made.add(row.writes)
    click.echo("  would be made" + (f" anew because {'; '.join(reasons)}" if reasons else ""))
