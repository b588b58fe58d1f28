"""The state of a volume, for people and for scripts."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from jobs.status.contents import Experiment, State, Status, UnfinishedWork
from shared.cli.progress import clock
from shared.runtime.memory import in_words
from shared.store.locking.looking import Holder
from shared.store.volume.leftovers import Leftover
from shared.store.volume.progress_notes import Note
from shared.visible import visible

STYLES = {
    State.RUNNING: "bold green",
    State.STOPPED: "yellow",
    State.BROKEN: "bold red",
    State.OUT_OF_STEP: "yellow",
    State.COMPLETE: "",
}


def as_json(volume: Path, experiments: Iterable[Experiment], stale: Iterable[Leftover]) -> str:
    """Return all of it as JSON."""
    facts = {
        "volume": str(volume),
        "experiments": [
            {
                "name": each.name,
                "state": each.state.value,
                "artifacts": [_facts(artifact) for artifact in each.artifacts],
            }
            for each in experiments
        ],
        "stale": [
            {"kind": each.kind, "path": str(each.path), "bytes": each.taken.size_bytes, "held": each.held}
            for each in stale
        ],
    }
    return json.dumps(facts, indent=1)


def _facts(artifact: Status) -> dict[str, object]:
    return {
        "place": artifact.place,
        "job": artifact.job,
        "state": artifact.state.value,
        "finished": artifact.finished,
        "seconds": artifact.seconds,
        "made_from_others": artifact.others,
        "broken": artifact.broken or None,
        "holders": [_holder_facts(each) for each in artifact.holders],
        "unfinished": [
            {
                "folder": str(work.folder),
                "far": work.far or None,
                "differing_options": work.options,
                "stale": work.stale or None,
                "bytes": work.taken.size_bytes,
                "progress": [asdict(note) | {"left_s": left_s(note)} for note in work.notes],
            }
            for work in artifact.work
        ],
    }


def _holder_facts(holder: Holder) -> dict[str, object]:
    owner = holder.owner
    named = {} if owner is None else {"host": owner.host, "pid": owner.pid, "job": owner.job, "since": owner.since}
    return {"alive": holder.alive, **named}


def left_s(note: Note) -> float | None:
    """Return how many seconds a piece of work takes from now on, at the rate that its note has."""
    return None if note.left_s is None else max(note.left_s - max(time.time() - note.noted, 0), 0)


def print_status(experiments: Iterable[Experiment], stale: list[Leftover]) -> None:
    """Print a table for each experiment, then what is stale."""
    from rich.table import Table
    from rich.text import Text

    from shared.cli.progress import open_console

    console = open_console()
    for each in experiments:
        console.print(Text(f"{visible(each.name)}: {each.state.value}", style="bold"))
        table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
        for column in range(3):
            table.add_column(overflow="fold", no_wrap=column < 2)
        for artifact in each.artifacts:
            state = Text(artifact.state.value, style=STYLES[artifact.state])
            table.add_row(artifact.place, state, Text("\n".join(map(visible, lines(artifact)))))
        console.print(table)
    free = [each for each in stale if not each.held]
    if free:
        size = in_words(sum(each.taken.size_bytes for each in free))
        console.print(f"Not in use: {len(free):,} unfinished, replaced, drafts or locks, {size}; see: halfreal clean")


def lines(artifact: Status) -> list[str]:
    """Return what there is to say of an artifact besides its state."""
    said = [artifact.broken] if artifact.broken else []
    if artifact.finished is not None:
        took = "" if artifact.seconds is None else f", took {clock(artifact.seconds)}"
        said.append(f"finished {artifact.finished or 'at an unknown time'}{took}")
    if artifact.others:
        said.append(f"made from another {' and '.join(artifact.others)} than the one that is here: rebuild together")
    said += [_who(each) for each in artifact.holders]
    running = artifact.state is State.RUNNING
    said += [line for work in artifact.work for line in _work(work, running)]
    return said


def _who(holder: Holder) -> str:
    note = {True: "", None: "; not known whether it still runs", False: "; it is gone"}[holder.alive]
    return f"{holder}{note}"


def _work(work: UnfinishedWork, running: bool) -> list[str]:
    """Return lines on unfinished work; how long it still takes where somebody is at work. What is stale has one."""
    options = ", ".join(f"{name} {value!s:.40}" for name, value in work.options.items())
    what = [*([f"with {options}"] if options else []), *([work.far] if work.far else [])]
    ago = clock(max(time.time() - work.taken.written, 0))
    left_there = f"unfinished, {in_words(work.taken.size_bytes)}, last written {ago} ago: {work.folder.name}"
    if work.stale:
        return [", ".join([f"stale, {work.stale}: {left_there}", *what, *(note.words for note in work.notes)])]
    said = [", ".join(what)] if what else []
    for note in work.notes:
        left = left_s(note)
        said.append(f"{note.words}, {clock(left)} left" if running and left is not None else note.words)
    return said if running else [*said, left_there]
