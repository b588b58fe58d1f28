"""The jobs that a run needs, in an order in which they can run: options may want another row of a job."""

from collections.abc import Sequence
from typing import Any

import click

from jobs.commands.calls import command_of
from jobs.pipeline import EVALUATE, EVALUATE_IMPORTED, IMPORT, SYNTHESIZE
from shared.cli.options import JobOptions
from shared.cli.resolve import asked
from shared.errors import BadConfig, BadInput
from shared.store.job import Job


def ordered(table: Sequence[Job[Any]], words: list[str]) -> tuple[Job[Any], ...]:
    """Return the rows of `table` that the options of their jobs want, each called with `words`, in order.

    Jobs follow the table wherever they can. What nobody reads is left out, but for those jobs that nobody reads in the
    table either. Raises BadConfig for options of two jobs that do not go together.
    """
    rows = [_row(job, words) for job in table]
    _check(rows)
    read = {name for job in table for name in _reads(job)}
    wanted = {job.name for job in table if job.name not in read}
    # from the last to the first: a job is needed where one is that reads it
    while more := {name for job in rows if job.name in wanted for name in _reads(job)} - wanted:
        wanted |= more
    todo = [job for job in rows if job.name in wanted]
    order: list[Job[Any]] = []
    while todo:
        waiting = {job.name for job in todo}
        following = next(job for job in todo if not waiting & _reads(job))
        order.append(following)
        todo.remove(following)
    return tuple(order)


def _reads(job: Job[Any]) -> set[str]:
    """Return the names of the other jobs whose artifacts a job needs; what is behind others, they need."""
    return {read.name for read in (*job.reads, *job.first) if read.name != job.name}


def _row(job: Job[Any], words: list[str]) -> Job[Any]:
    command = command_of(job.name)
    if command.options.other_row is JobOptions.other_row:
        return job
    try:
        return command.row(asked(command, words).config)
    except BadInput as error:  # several jobs have options of one name
        raise type(error)(f"{job.name}: {error}") from error
    except click.UsageError as error:
        raise BadConfig(f"{job.name}: {error.format_message()}") from error


def _check(rows: Sequence[Job[Any]]) -> None:
    """Raise BadConfig where images are imported and snapshots scored, or the other way round."""
    imports, scores_imported = IMPORT in rows, EVALUATE_IMPORTED in rows
    if imports == scores_imported or not {SYNTHESIZE.name, EVALUATE.name} <= {job.name for job in rows}:
        return
    if imports:
        raise BadConfig(
            "synthesize imports images, and evaluate would score a GAN's snapshots\n"
            "want both of imported images: --set evaluate.scored=synthetic (HALFREAL_EVALUATE_SCORED)"
        )
    raise BadConfig(
        "evaluate scores imported images, and synthesize would draw from a generator\n"
        "want an imported set: --set synthesize.source=folder --set synthesize.source_path=PATH; "
        "or --set evaluate.scored=snapshots"
    )
