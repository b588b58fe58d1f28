"""Dry runs: what a job would do with what is on the volume. Nothing is changed."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import click

from shared.cli.perform import Call
from shared.data.specs import Specs, describe, no_data_needed
from shared.errors import BadInput
from shared.store.artifacts import Artifact, open_output
from shared.store.lineage import open_inputs
from shared.store.staging import BuildKey

DESCRIBED = tuple(entry.name for entry in fields(Specs))
"""The artifacts that have a description."""


@dataclass
class DryRun:
    """Dry runs of several jobs in order, the object of click's context.

    `made` are the names of the artifacts that the jobs so far would make, `declared` describes those artifacts.
    """

    made: set[str] = field(default_factory=set)
    declared: Specs = field(default_factory=Specs)

    def declare(self, call: Call) -> None:
        """Note the description of the artifact that the job declares."""
        if call.command.declare is not None:
            spec: Any = call.command.declare(call.config)
            self.declared = replace(self.declared, **{call.row.writes: spec})


def dry_run(call: Call) -> None:
    """Print the options as they resolved and what a run would do; raise what the run would raise before its work."""
    chain = click.get_current_context().find_object(DryRun) or DryRun()
    click.echo(f"{call.row.name} would write {call.final}")
    threads = {"threads": call.common.threads} if call.row.gpu else {}
    for name, value in (call.config.resolved() | threads).items():
        click.echo(f"  {name} = {value!r}")
    specs = known_specs(call, chain)
    call.validate(specs)
    chain.declare(call)
    unknown = [read.writes for read in call.row.reads if read.writes in DESCRIBED and not getattr(specs, read.writes)]
    if unknown and call.command.validate is not no_data_needed:
        click.echo(f"  options not checked against {' and '.join(unknown)}: not there yet")
    click.echo(f"  {outcome(call, chain)}")


def known_specs(call: Call, chain: DryRun) -> Specs:
    """Describe the inputs of the job: those on the volume, unless a job of the same chain would rebuild them."""
    inputs: dict[str, Artifact] = {}
    for read in call.row.reads:
        if read.writes in DESCRIBED and read.writes not in chain.made:
            try:
                inputs[read.writes] = open_output(read, call.common.folder)
            except BadInput:
                continue  # the dry run says so in its last line
    there = describe(inputs)
    return Specs(**{name: getattr(there if name in inputs else chain.declared, name) for name in DESCRIBED})


def outcome(call: Call, chain: DryRun) -> str:
    """Return what a run would do, in words."""
    row = call.row
    changed = [read.writes for read in (*row.reads, *row.extras) if read.writes in chain.made]
    try:
        inputs = {} if changed else open_inputs(row, call.common.folder)
        present = open_output(row, call.common.folder) if call.final.exists() else None
    except BadInput as error:
        chain.made.add(row.writes)
        return f"cannot run yet: {error}"
    key = BuildKey(row.name, row.kind, call.recorded, inputs)
    reasons = []
    if present is not None:
        # the hashes of inputs that would be rebuilt are not known yet: only the options can be compared
        reasons = key.other_options(present.manifest) if changed else key.differences(present.manifest)
        reasons += [f"its input {name!r} would be" for name in changed]
    if present and not reasons and not call.common.force:
        return "already complete"
    chain.made.add(row.writes)
    return f"would be rebuilt because {'; '.join(reasons)}" if reasons else "would be made"
