"""`halfreal run --until`: replicates are added, look by look, until the headline's interval is narrow enough."""

import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.pipeline import IMPORT, TRAIN_MIXED
from shared.cli.resolve import environment
from shared.errors import BadConfig, BadInput
from shared.runtime.job_processes import variables
from shared.stats.looks import BUDGETS, FIRST, MINUTES, REPLICATES, following, schedule
from shared.store.job import Job
from shared.store.replicates import MOST

if TYPE_CHECKING:
    from shared.store.artifacts import Artifact
    from shared.store.records.mixed import MixedRecord

Jobs = Sequence[Job[Any]]


@dataclass(frozen=True)
class Until:
    """What was asked for: a half-width in `points`, `most` replicates, no further step begun after `minutes`."""

    points: float
    most: int = MOST
    minutes: float | None = None

    def sets(self, replicates: int, ended: str = "") -> dict[str, str]:
        """Return the environment variables by which jobs make the result of a look at this number of replicates."""
        ended = ended or (REPLICATES if replicates >= self.most else "no")
        mixed = {"until": self.points, "until_ended": ended}
        return {"HALFREAL_REPLICATES": str(replicates)} | variables(
            {f"{TRAIN_MIXED.name}.{name}": value for name, value in mixed.items()}
        )

    def plan(self) -> str:
        """Return what is going to be done, in words."""
        first = [str(number) for number, _ in zip(schedule(self.most), range(4), strict=False)]
        more = ", ..." if self.most > int(first[-1]) else ""
        time_over = "" if self.minutes is None else f", no further step after {self.minutes:g} minutes"
        return (
            f"--until {self.points:g}: {', '.join(first)}{more} replicates, {self.most} at most{time_over}, until the "
            f"headline's interval reaches at most {self.points:g} points to each side"
        )


def until_of(options: Mapping[str, Any]) -> Until | None:
    """Return what the options of `run` ask for; None without --until. BadConfig for what cannot go together."""
    if options["until"] is None:
        if options["max_replicates"] is not None:
            raise BadConfig("--max-replicates: it ends what --until POINTS begins; want both or neither")
        return None
    if options["replicates"] is not None:
        raise BadConfig(
            f"--until finds the number of replicates, --replicates {options['replicates']} gives it; want one of them\n"
            "for the most that --until may make say --max-replicates"
        )
    parts = os.environ.get("HALFREAL_PARTS", "1")
    if parts != "1":
        raise BadConfig(
            f"HALFREAL_PARTS={parts}: after each step --until looks at all replicates, which a part does not have\n"
            "run it in one process, which uses every core, or give the number of replicates"
        )
    return Until(options["until"], options["max_replicates"] or MOST, options["minutes"])


def check_more_can_be_made(experiments: Collection[Jobs]) -> None:
    """Raise BadConfig where an experiment imports its synthetic images: nobody can make another set of them."""
    if any(IMPORT in jobs for jobs in experiments):
        raise BadConfig(
            "--until: synthetic images are imported, and each replicate is a set of them: no more can be made\n"
            "give all sets that there are, without --until: halfreal judge, or synthesize.source_path as a list"
        )


@dataclass(frozen=True)
class Looks:
    """The looks at one experiment in `folder`, whose jobs are called with `words`.

    `run(jobs, words)` runs jobs in order, `made(jobs, words)` returns the places of what they would make.
    """

    asked: Until
    folder: Path
    words: list[str]
    run: Callable[[Jobs, list[str]], None]
    made: Callable[[Jobs, list[str]], list[str]]

    def run_all(self, jobs: Jobs) -> None:
        """Make replicates until there are enough, then run the jobs that read the verdict."""
        started = time.monotonic()
        judging = until_verdict(jobs)
        after = jobs[len(judging) :]
        mixed = self.present(judging)
        if mixed is not None:
            self.say(mixed)
        time_over = False
        while mixed is None or not (enough(mixed) or mixed.protocol.replicates >= self.asked.most or time_over):
            number = FIRST if mixed is None else following(mixed.protocol.replicates, self.asked.most) or FIRST
            mixed = self.look(judging, self.words if mixed is None else without_force(self.words), number)
            self.say(mixed)
            time_over = self.asked.minutes is not None and time.monotonic() - started >= 60 * self.asked.minutes
        ended = REPLICATES if mixed.protocol.replicates >= self.asked.most else MINUTES
        if not enough(mixed) and mixed.protocol.stopped_for != ended:
            # the verdict has to say so, too
            mixed = self.look(judging[-1:], without_force(self.words), mixed.protocol.replicates, ended)
            self.say(mixed)
        self.run(after, self.words)

    def next_sets(self, jobs: Jobs) -> dict[str, str]:
        """Return the environment variables of what comes next: a look, or what follows the last one."""
        mixed = self.present(until_verdict(jobs))
        if mixed is None:
            return self.asked.sets(FIRST)
        if enough(mixed):
            return self.asked.sets(mixed.protocol.replicates, str(verdict(self.folder).manifest.options["until_ended"]))
        return self.asked.sets(following(mixed.protocol.replicates, self.asked.most) or mixed.protocol.replicates)

    @property
    def forced(self) -> bool:
        """Whether everything is to be built again."""
        return "--force" in self.words

    def look(self, jobs: Jobs, words: list[str], number: int, ended: str = "") -> "MixedRecord":
        """Make what is missing of this number of replicates, and return their verdict."""
        os.environ |= self.asked.sets(number, ended)
        self.run(jobs, words)
        return verdict(self.folder).record

    def present(self, judging: Jobs) -> "MixedRecord | None":
        """Return the verdict of the last look where an earlier call has made it with these options, else None."""
        if self.forced:
            return None
        try:
            mixed = verdict(self.folder)
        except BadInput:  # none, or none that can be read: its job will say what is wrong
            return None
        if mixed.record.protocol.until != self.asked.points / 100:
            return None
        ended = str(mixed.manifest.options.get("until_ended"))
        with environment(self.asked.sets(mixed.record.protocol.replicates, ended)):
            return None if self.made(judging, self.words) else mixed.record

    def say(self, mixed: "MixedRecord") -> None:
        """Print how wide the interval is."""
        from shared.plots.answers import stopping_words

        print(f"--until {self.asked.points:g}: {stopping_words(mixed)}", file=sys.stderr, flush=True)


def verdict(folder: Path) -> "Artifact[MixedRecord]":
    """Return the verdict in the experiment's `folder`; MissingArtifact where there is none."""
    from shared.store.artifacts import open_output

    return open_output(TRAIN_MIXED, folder)


def until_verdict(jobs: Jobs) -> Jobs:
    """Return the jobs up to the one that gives the verdict."""
    return jobs[: [job.name for job in jobs].index(TRAIN_MIXED.name) + 1]


def enough(mixed: "MixedRecord") -> bool:
    """Whether the answers themselves have ended the experiment, not what its user would spend."""
    stopped_for = mixed.protocol.stopped_for
    return stopped_for is not None and stopped_for not in BUDGETS


def without_force(words: list[str]) -> list[str]:
    """Return the words of a call that keeps what an earlier one of the same loop has built."""
    return [word for word in words if word != "--force"]
