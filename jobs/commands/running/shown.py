"""The progress of a whole run: bars on a terminal, below what its jobs say; a line for each job elsewhere."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import IO, Any

import click

from jobs.commands.calls import command_of
from jobs.commands.running.course import Course, said
from shared.cli.progress import EVERY_VARIABLE, open_bars
from shared.cli.resolve import asked
from shared.runtime.job_processes import start
from shared.runtime.observe import log
from shared.store.job import Job

READ_S = 5.0
"""Seconds that the last lines of a job may take to arrive: a process that it left behind may hold the pipe."""


class Lines:
    """A line for each job that begins; what it says goes where this command's own words go."""

    def __init__(self, course: Course) -> None:
        self.course = course

    def begin(self, name: str) -> None:
        """Say which job begins."""
        self.course.begin(name)
        who = f"{moment}run: " if (moment := log.moment()) else ""
        click.secho(f"{who}{self.course.step}  ({self.course.elapsed_s:.0f} s so far)", bold=True, err=True)

    @contextmanager
    def process(self, name: str, words: list[str]) -> Iterator["subprocess.Popen[Any]"]:
        """Yield the process of the job, called with `words`."""
        yield start(name, words)


class Display:
    """Bars at the foot of a terminal: of the whole run, and of each replicate that is at work.

    Jobs are told to log as JSON, into a pipe: what is progress moves the bars, the rest is printed above them.
    """

    def __init__(self, course: Course, bars: Any) -> None:
        self.course, self.bars = course, bars
        self.whole = bars.add_task("", total=1.0, note="")
        self.tasks: dict[int | None, Any] = {}

    def begin(self, name: str) -> None:
        """Show which job begins."""
        self.course.begin(name)
        self._draw()

    @contextmanager
    def process(self, name: str, words: list[str]) -> Iterator["subprocess.Popen[Any]"]:
        """Yield the process of the job, called with `words`."""
        told = {log.VARIABLE: log.JSON, EVERY_VARIABLE: "1"}
        process = start(name, words, told, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace")
        assert process.stderr is not None
        reader = Thread(target=self._read, args=[process.stderr], daemon=True)
        reader.start()
        try:
            yield process
        finally:
            reader.join(READ_S)  # its last words may say why it failed
            self.course.end()
            self._draw()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.hear(line)

    def hear(self, line: str) -> None:
        """Show what a line of a job's log says."""
        entry = log.parsed(line)
        if not self.course.hear(entry):
            text, style = said(entry, several=self.course.replicates > 1)
            self.bars.console.print(text, style=style, markup=False, soft_wrap=True)
        self._draw()

    def _draw(self) -> None:
        """Bring the bars up to date."""
        self.bars.update(self.whole, completed=self.course.share, description=self.course.step, note=self.course.words)
        at_work = self.course.at_work
        for replicate in [replicate for replicate in self.tasks if replicate not in at_work]:
            self.bars.remove_task(self.tasks.pop(replicate))
        for replicate, work in at_work.items():
            now = {"description": work.title, "completed": work.share, "note": work.words}
            if replicate in self.tasks:
                self.bars.update(self.tasks[replicate], **now)
            else:
                # drawn at once, with its words: a job may end before the next time that bars are drawn
                self.tasks[replicate] = self.bars.add_task(total=1.0, **now)


@contextmanager
def shown(selected: Sequence[Job[Any]], words: list[str]) -> Iterator[Lines | Display]:
    """Yield what shows the progress of these jobs, each called with `words`."""
    course = Course([job.name for job in selected], replicates_of(selected, words), time.monotonic)
    if log.is_json() or not sys.stderr.isatty():
        yield Lines(course)
        return
    with open_bars(counts=False) as bars:
        yield Display(course, bars)


def replicates_of(selected: Sequence[Job[Any]], words: list[str]) -> int:
    """Return how many replicates the jobs make that have some."""
    for job in selected:
        command = command_of(job.name)
        if job.replicated and "replicates" in {param.name for param in command.params}:
            return int(asked(command, words).common["replicates"])
    return 1
