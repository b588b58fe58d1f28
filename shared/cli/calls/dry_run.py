"""Dry runs: what a job would do with what is on the volume. Nothing is changed."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import click

from shared.cli.calls.call import Call, Piece
from shared.cli.calls.existing import check_form, existing
from shared.cli.resolve import environment
from shared.cli.resource_options import resource_variables
from shared.data.specs import Specs, describe, no_data_needed
from shared.errors import BadInput
from shared.store.artifacts import Artifact, open_output
from shared.store.job import Job
from shared.store.replicates import MOST, input_places, place, replicate_name

DESCRIBED = tuple(entry.name for entry in fields(Specs))
"""The artifacts that have a description."""


COMPLETE = "already complete"
ADDING = "would be given "


@dataclass
class DryRun:
    """Dry runs of several jobs in order, the object of click's context.

    `made` are the places of the artifacts that the jobs so far would make, `declared` describes those artifacts;
    `extended` are the places of those that would get more numbers. `notices` is what is to be said before the work.
    """

    made: list[str] = field(default_factory=list)
    declared: Specs = field(default_factory=Specs)
    extended: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def declare(self, call: Call) -> None:
        """Note the description of the artifact that the job declares."""
        if call.command.declare is not None:
            spec: Any = call.command.declare(call.config)
            self.declared = replace(self.declared, **{call.row.writes: spec})

    def makes(self, row: Job) -> bool:
        """Whether an artifact of the job in `row` would be made, of any replicate."""
        return row.writes in map(artifact_of, self.made)

    def changed(self, piece: Piece) -> list[str]:
        """Return the names of those inputs of an artifact that would be made before it; other replicates' are none."""
        row, own = piece.row, piece.replicate
        # a job with splits may be about to make one artifact or several
        reads, first, behind = map(_replicated, (row.reads, row.first, row.behind))
        forms = (row, replace(row, reads=reads, first=first, behind=behind))
        places = {name for form in forms for name in input_places(form, own, MOST)}
        places |= {place(extra, own) for extra in row.extras}
        changed = [*self.made, *(self.extended if row.additions else ())]
        return list(dict.fromkeys(artifact_of(name) for name in changed if name in places))


def _replicated(rows: tuple[Job, ...]) -> tuple[Job, ...]:
    return tuple(replace(row, replicated=row.replicated or row.splits) for row in rows)


def artifact_of(name: str) -> str:
    """Return the name of the artifact at a place, without its replicate."""
    return name.partition("/")[0]


def dry_run(call: Call) -> None:
    """Print the options as they resolved and what a run would do; raise what the run would raise before its work."""
    chain = click.get_current_context().find_object(DryRun) or DryRun()
    click.echo(f"{call.row.name} would write {call.common.folder / call.row.writes}")
    threads = {"threads": call.common.threads} if call.row.gpu else {}
    for name, value in (call.config.resolved() | threads).items():
        click.echo(f"  {name} = {value!r}")
    specs = known_specs(call, chain)
    # for a while: what one job may use is not what the next one may
    with environment(resource_variables(vars(call.common))):
        for step in call.steps:
            check_form(step.row, call.common.folder)
            for piece in call.pieces(step.row):
                call.validate(piece.shard, specs)
    chain.declare(call)
    for line in call.lacking():
        chain.notices.append(line)
        click.echo(f"  {line}")
    unknown = [read.writes for read in call.row.reads if read.writes in DESCRIBED and not getattr(specs, read.writes)]
    if unknown and call.command.validate is not no_data_needed:
        click.echo(f"  options not checked against {' and '.join(unknown)}: not there yet")
    for step in call.steps:
        for said, pieces in outcomes(call, chain, step.row).items():
            names = ", ".join(replicate_name(piece.replicate or 0) for piece in pieces)
            click.echo(f"  {step.row.writes} {names}: {said}" if step.row.replicated else f"  {said}")


def known_specs(call: Call, chain: DryRun) -> Specs:
    """Describe the inputs of the job: those on the volume, unless a job of the same chain would rebuild them."""
    inputs: dict[str, Artifact] = {}
    for read in call.row.reads:
        if read.writes in DESCRIBED and not chain.makes(read):
            try:
                inputs[read.writes] = open_output(read, call.common.folder)
            except BadInput:
                continue  # the dry run says so in its last line
    there = describe(inputs)
    return Specs(**{name: getattr(there if name in inputs else chain.declared, name) for name in DESCRIBED})


def outcomes(call: Call, chain: DryRun, row: Job) -> dict[str, list[Piece]]:
    """Return what a run would do with each artifact of `row`, in words, and which artifacts that is said of."""
    said: dict[str, list[Piece]] = {}
    for piece in call.pieces(row):
        words = outcome(call, piece, chain.changed(piece))
        said.setdefault(words, []).append(piece)
        if words.startswith(ADDING):
            chain.extended.append(piece.place)
        elif not words.startswith(COMPLETE):
            chain.made.append(piece.place)
    return said


def outcome(call: Call, piece: Piece, changed: list[str]) -> str:
    """Return what a run would do with one artifact, in words; the inputs called `changed` would be made before it."""
    try:
        key = call.key(piece, open_them=not changed)
        finished = call.final(piece).exists()
        present = open_output(piece.row, call.common.folder, piece.replicate) if finished else None
    except BadInput as error:
        return f"cannot run yet: {error}"
    if changed:
        # the hashes of inputs that would be rebuilt are not known yet: only the options can be compared
        reasons = key.other_options(present.manifest) if present else []
        reasons += [f"its input {name!r} would be" for name in changed] if present else []
        return f"would be rebuilt because {'; '.join(reasons)}" if reasons else "would be made"
    there = existing(call, piece, key, present)
    made = f"would be rebuilt because {there.rebuilt}" if there.rebuilt else "would be made"
    said = f"would go on {there.goes_on}" if there.goes_on else made
    if present and there.complete and not call.common.force:
        added = call.addable(piece, present)
        said = f"{ADDING}{', '.join(added)}; all that is there stays" if added else COMPLETE
    dropped = ["unfinished work would be dropped"] if call.common.force and there.others else there.others
    return "; ".join([said, *dropped])
