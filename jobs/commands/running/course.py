"""How far a whole run is, by what its jobs write into their logs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.pipeline import JOBS, TRAIN_MIXED
from shared.cli.progress import clock, pace
from shared.runtime.observe.log import ERROR
from shared.store.replicates import replicate_name

WEIGHTS = {
    "preprocess": 1,
    "train_classifier": 11,
    "train_gan": 55,
    "evaluate": 8,
    "synthesize": 1,
    "train_mixed": 23,
    "tune": 50,
    "report": 1,
}
"""How long jobs take next to each other: seconds of the demo in percent, measured on 2 cores; `tune` is a guess.

An experiment whose jobs relate otherwise is estimated the better the further it is.
"""

SURE_S, SURE = 5.0, 0.02
"""Seconds and the share of a run after which its time left is estimated."""

SEVERAL = {job.name for job in JOBS if job.replicated} | {TRAIN_MIXED.name}
"""The jobs that do their work for each replicate."""

PLAIN = ("text", "notice", "warning", ERROR)
"""Events that are told without the name of a job before them."""

Entry = Mapping[str, Any]
"""An object of a log; see `shared.runtime.observe.log`."""


@dataclass(frozen=True)
class Work:
    """The piece of work that a replicate is at."""

    title: str
    share: float
    words: str


@dataclass
class Course:
    """The course of a run of `jobs` with this number of replicates; `now` is a clock."""

    jobs: Sequence[str]
    replicates: int
    now: Callable[[], float]
    at_work: dict[int | None, Work] = field(default_factory=dict)
    number: int = 0
    _spent: float = 0.0
    _skipped: float = 0.0
    _made: set[str] = field(default_factory=set)
    _there: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._started = self.now()

    @property
    def name(self) -> str:
        """The job that is at work."""
        return self.jobs[self.number - 1]

    @property
    def step(self) -> str:
        """Which job of how many."""
        return f"[{self.number}/{len(self.jobs)}] {self.name}"

    @property
    def elapsed_s(self) -> float:
        """The seconds since the run began."""
        return self.now() - self._started

    def begin(self, name: str) -> None:
        """Note that the next job has begun."""
        assert name == self.jobs[self.number]
        self.number += 1
        self._forget()

    def end(self) -> None:
        """Note that it has ended: one that found all of its work done takes no part in estimates."""
        weight = WEIGHTS[self.name]
        share = self._to_do if self._made or self.at_work else 0.0
        self._spent += weight * share
        self._skipped += weight * (1 - share)
        self._forget()

    def hear(self, entry: Entry) -> bool:
        """Take in an entry of the job's log, and return whether it is progress, which nobody needs in words."""
        event, fields = entry["event"], entry["fields"]
        if event == "progress":
            self.at_work[entry["replicate"]] = _work(entry, self.replicates > 1)
            return True
        if event in ("complete", "already_complete"):
            (self._made if event == "complete" else self._there).add(str(fields["path"]))
            self.at_work.pop(entry["replicate"], None)
        return False

    @property
    def words(self) -> str:
        """How many replicates are done, and how long the whole run still takes."""
        count, done = self._count, len(self._made | self._there)
        replicates = f"{min(done, count)} of {count} replicates, " if count > 1 else ""
        left = self.left_s
        return f"{replicates}{'time left of all unknown' if left is None else f'about {clock(left)} left of all'}"

    @property
    def share(self) -> float:
        """The share of the run that is done, by the time that jobs take on the whole."""
        total = sum(WEIGHTS[name] for name in self.jobs) - self._skipped
        return self._done / total if total else 1.0

    @property
    def left_s(self) -> float | None:
        """The seconds that the run still takes, if its jobs relate as in WEIGHTS; None as long as nothing is known."""
        share, elapsed_s = self.share, self.elapsed_s
        return elapsed_s * (1 - share) / share if share >= SURE and elapsed_s >= SURE_S else None

    @property
    def _count(self) -> int:
        return self.replicates if self.name in SEVERAL else 1

    @property
    def _to_do(self) -> float:
        """The share of the present job that was not done before."""
        return 1 - min(len(self._there) / self._count, 1.0)

    @property
    def _done(self) -> float:
        """The weight of what is done: of the jobs that have ended, and of the present one."""
        working = sum(work.share for work in self.at_work.values())
        present = min((len(self._made) + working) / self._count, self._to_do)
        return self._spent + WEIGHTS[self.name] * present

    def _forget(self) -> None:
        self.at_work.clear()
        self._made, self._there = set(), set()


def _work(entry: Entry, several: bool) -> Work:
    """Return the piece of work that an entry tells of."""
    fields = entry["fields"]
    done, total, unit = fields["done"], fields["total"], fields["unit"]
    words = f"{done:,}/{total:,} {unit}, {pace(fields['per_s'], unit, total - done)} {fields['note']}".rstrip()
    return Work(f"  {_of_replicate(entry, several)}{fields['work']}", done / max(total, 1), words)


def _of_replicate(entry: Entry, several: bool) -> str:
    return f"{replicate_name(entry['replicate'])} " if several and entry["replicate"] is not None else ""


def said(entry: Entry, several: bool) -> tuple[str, str]:
    """Return the words of an entry as a job without a log of objects would print them, and rich's style for them."""
    message, event = str(entry["fields"]["message"]), entry["event"]
    if event == ERROR:
        return f"error: {message}", "bold red" if entry["level"] == "error" else "bold yellow"
    if event in PLAIN:
        return message, "yellow" if event == "warning" else ""
    return f"{entry['job']} {_of_replicate(entry, several)}".rstrip() + f": {message}", ""
