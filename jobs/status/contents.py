"""The experiments of a volume and the state of each artifact, read without a lock and without torch."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from jobs.commands.calls import command_of
from jobs.pipeline import ARTIFACTS
from jobs.verify.places import RUN_RECORD
from shared.cli.terminal.experiments import RESERVED
from shared.errors import BadInput
from shared.format.manifest import MANIFEST
from shared.format.outside import parse_json, read_regular
from shared.limits import MANIFEST_BYTES
from shared.store.artifacts import Artifact, open_artifact
from shared.store.job import Job
from shared.store.lineage import STUDY_FOLDER, experiment_label, is_point, others_than
from shared.store.locking.looking import Holder
from shared.store.locks import holder, part_holders
from shared.store.unfinished import Work, final_of, unfinished
from shared.store.volume.progress_notes import Note, read_notes
from shared.store.volume.room import Taken, taken_by

LOCK = re.compile(r"\.(?P<final>[^.]+?)(-part-\d+)?\.lock")
"""The name of a lock of an artifact, or of a part of the work on it."""


GRANULARITY_S = 1.0
"""How much earlier than it was a file system may say that a file was written."""


CENTURY_S = 3.2e9
"""More than anything has taken: a run.json that says so was edited."""


class State(Enum):
    """The state of an artifact. One that is made again while the old one is there is running."""

    RUNNING = "running"
    STOPPED = "stopped"
    BROKEN = "broken"
    OUT_OF_STEP = "out of step"
    COMPLETE = "complete"


@dataclass(frozen=True)
class UnfinishedWork:
    """What is in a staging folder: how far it is, in words, and what each part of it said last.

    `options` are those in which it differs from other work on the same artifact; `stale` says why nobody goes on with
    it, as far as that is known.
    """

    folder: Path
    far: str
    notes: list[Note]
    taken: Taken
    options: dict[str, object] = field(default_factory=dict)
    stale: str = ""


@dataclass(frozen=True)
class Status:
    """An artifact, by its place in the experiment: what is there of it, and who is at work on it.

    `finished` is when it was (ISO 8601) and `seconds` how long that took, by its run.json. It was made from what is at
    the places `inputs`; `others` are those of them that are not the same any more. `broken` is why it cannot be opened.
    """

    place: str
    job: str
    finished: str | None = None
    seconds: float | None = None
    inputs: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    broken: str = ""
    holders: list[Holder] = field(default_factory=list)
    work: list[UnfinishedWork] = field(default_factory=list)

    @property
    def is_there(self) -> bool:
        """Whether something has its name, whole or broken."""
        return self.finished is not None or bool(self.broken)

    @property
    def is_doubtful(self) -> bool:
        """Whether it takes another look, later, to know who is at work on it."""
        return any(each.alive is None for each in self.holders)

    @property
    def state(self) -> State:
        """The one word for all of it."""
        if any(each.alive is not False for each in self.holders):
            return State.RUNNING
        if self.broken:
            return State.BROKEN
        if self.finished is None:
            return State.STOPPED
        return State.OUT_OF_STEP if self.others else State.COMPLETE


@dataclass(frozen=True)
class Experiment:
    """An experiment: its name, and its artifacts in the order in which they are made."""

    name: str
    artifacts: list[Status]

    @property
    def state(self) -> State:
        """That of its artifacts which comes first in `State`."""
        return next(state for state in State if any(each.state is state for each in self.artifacts))


def experiments(volume: Path) -> Iterator[Experiment]:
    """Yield the experiments of a volume, by name, each before the points of its study; folders without any are none."""
    for folder in sorted(path for path in _folders(volume) if path.name not in RESERVED):
        for each in (folder, *sorted(path for path in _folders(folder / STUDY_FOLDER) if is_point(path))):
            artifacts = statuses(each)
            if artifacts:
                yield Experiment(experiment_label(each), artifacts)


def statuses(folder: Path) -> list[Status]:
    """Return the state of each artifact of the experiment in `folder` of which anything is there."""
    places = [(row, place) for row in ARTIFACTS for place in _places(row, folder)]
    opened: dict[str, Artifact] = {}
    broken: dict[str, str] = {}
    for row, place in places:
        if (folder / place).exists():
            try:
                opened[place] = open_artifact(folder / place, row.kind, row.name)
            except (BadInput, OSError) as error:
                broken[place] = str(error).splitlines()[0]
    found = [_status(row, folder, place, opened, broken.get(place, "")) for row, place in places]
    # of some there is nothing but a lock that names nobody
    return [each for each in found if each.is_there or each.holders or each.work]


def _places(row: Job[Any], folder: Path) -> list[str]:
    """Return the places of a job's artifacts of which something is there: finished, unfinished, or a lock."""
    names = set()
    for parent, prefix in ((folder, ""), (folder / row.writes, f"{row.writes}/")):
        for path in _entries(parent):
            lock = LOCK.fullmatch(path.name)
            final = final_of(path) or (parent / lock["final"] if lock else path)
            wanted = r"r[0-9]{2}" if prefix else re.escape(row.writes)
            # an artifact that has lost its manifest is in the way of its job
            is_there = final != path or any((path / record).exists() for record in (MANIFEST, RUN_RECORD))
            if re.fullmatch(wanted, final.name) and is_there:
                names.add(f"{prefix}{final.name}")
    return sorted(names)


def _status(row: Job[Any], folder: Path, place: str, opened: dict[str, Artifact], broken: str) -> Status:
    final = folder / place
    artifact = opened.get(place)
    finished, seconds = _run_record(final) if artifact else (None, None)
    # a lock that names nobody is what an earlier version, or a killed process, has left
    holders = [each for each in (holder(final), *part_holders(final).values()) if each is not None and each.owner]
    return Status(
        place,
        row.name,
        finished,
        seconds,
        sorted(artifact.manifest.inputs) if artifact else [],
        others_than(artifact, opened) if artifact else [],
        broken,
        holders,
        _unfinished(row, unfinished(final), holders, opened),
    )


def _unfinished(
    row: Job[Any], works: list[Work], holders: list[Holder], opened: dict[str, Artifact]
) -> list[UnfinishedWork]:
    """Return what is to say of the unfinished work on an artifact: the present one, and others that are stale."""
    extends = next(step.how.extends for step in command_of(row.name).steps if step.row.writes == row.writes)
    taken = {work.folder: taken_by(work.folder) for work in works}
    present, names = _present(taken, holders), sorted({name for work in works for name in work.options})
    values = {name: [work.options.get(name) for work in works] for name in names}
    differing = [name for name in names if any(value != values[name][0] for value in values[name])]
    found = []
    for work in works:
        far = None if extends is None else extends.progress.get()(work.folder, work.options)
        others = [
            name
            for name, digest in work.inputs.items()
            if name in opened and digest not in (opened[name].identity, opened[name].sha256)
        ]
        stale = f"made from another {' and '.join(others)} than the one that is here" if others else ""
        if not stale and present and work.folder not in present:
            stale = "work with other options came later"
        options = {name: work.options[name] for name in differing if name in work.options}
        words, notes = far.words if far else "", read_notes(work.folder)
        found.append(UnfinishedWork(work.folder, words, notes, taken[work.folder], options, stale))
    return found


def _present(taken: dict[Path, Taken], holders: list[Holder]) -> set[Path]:
    """Return which of some staging folders the present work is in; none where that is not known.

    That is what was written since somebody holds the lock; where nobody does, what was written last.
    """
    since = [each.owner.since for each in holders if each.owner is not None and each.alive is not False]
    if since:
        return {folder for folder, each in taken.items() if each.written >= min(since) - GRANULARITY_S}
    return {folder for folder, each in taken.items() if each.written == max(each.written for each in taken.values())}


def _run_record(final: Path) -> tuple[str, float | None]:
    """Return when an artifact was finished and how many seconds that took, as far as its run.json says so."""
    try:
        found = dict(parse_json(read_regular(final / RUN_RECORD, MANIFEST_BYTES)))
    except (OSError, ValueError, TypeError):  # for people only
        return "", None
    finished, seconds = found.get("finished"), found.get("seconds")
    known = isinstance(seconds, int | float) and 0 <= seconds < CENTURY_S
    return finished if isinstance(finished, str) else "", seconds if known else None


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _folders(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if path.is_dir() and not path.name.startswith(".")]
