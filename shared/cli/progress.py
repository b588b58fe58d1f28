"""How a job tells what it does: a progress bar on a terminal, one log line with its time per interval elsewhere.

With `--log-format json` each line is an object; see `shared.runtime.observe.log`.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from shared.errors import BadConfig, Interrupted
from shared.runtime.observe.log import moment, say
from shared.runtime.observe.observation import count_done, progress
from shared.store.volume.progress_notes import EVERY_S, Note, write_note
from shared.visible import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

Item = TypeVar("Item")

WHOLE_LINES = 10_000
"""The characters of a line of a table where there is no terminal: nothing is broken into two lines."""

LOG_EVERY_S = 10.0
"""Seconds between two lines of progress where there is no terminal."""

SLOW = 0.1
"""Units a second below which it is said what one takes."""

EVERY_VARIABLE = "HALFREAL_PROGRESS_S"
"""The variable that sets them."""


class StopFlag:
    """Whether a signal asked this process to stop; the same signal a second time stops at once.

    A terminal sends SIGINT to every process, and whoever started this one passes it on as SIGTERM: both are one wish.
    """

    def __init__(self) -> None:
        self.signal_name = ""
        self._waits = False

    def listen(self) -> None:
        """Take SIGTERM and SIGINT; only the main thread may."""
        # SIGTERM is how Kubernetes, Docker and schedulers ask; a handler only sets a flag, since it may run anywhere
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self.signal_name == name:
            raise KeyboardInterrupt
        self.signal_name = self.signal_name or name
        if self._waits:
            self.raise_if_set()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Have a signal end what is done here with Interrupted, a read that never ends too; nothing is written here."""
        # Python begins a system call again after a handler that only sets a flag (PEP 475)
        if self.signal_name:
            self.raise_if_set()
        before, self._waits = self._waits, True
        try:
            yield
        finally:
            self._waits = before

    def check(self) -> None:
        """Raise Interrupted where a signal has come."""
        if self.signal_name:
            self.raise_if_set()

    def raise_if_set(self) -> NoReturn:
        """Raise Interrupted: the caller has saved what can be resumed."""
        # without a name: the processes that train together stop as soon as one of them is asked to
        who = self.signal_name or "a signal to another process"
        raise Interrupted(f"stopped by {who}; run the same command again (without --force) to go on")


def _every_s() -> float:
    """Return the seconds between two lines of progress; BadConfig where the variable is no number."""
    text = os.environ.get(EVERY_VARIABLE, "")
    try:
        return float(text) if text else LOG_EVERY_S
    except ValueError as error:
        raise BadConfig(f"{EVERY_VARIABLE}={text}: want seconds, such as 10") from error


class ProgressBar:
    """The progress of one piece of work; with `stops`, `advance` ends the work if a signal has come."""

    def __init__(self, reporter: "Reporter", title: str, total: int, unit: str, stops: bool) -> None:
        self.reporter, self.title, self.total, self.unit, self.stops = reporter, title, total, unit, stops
        self.done = 0
        self._skipped = 0
        self._every_s = _every_s()
        self._started = self._logged = self._noted = time.monotonic()

    def skip(self, count: int) -> None:
        """Count work that an earlier run did; it does not enter the rate."""
        self.done += count
        self._skipped += count

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count `count` more units done and show `note`; with `stops`, raises Interrupted if a signal has come."""
        self.done += count
        progress(self.done / max(self.total, 1))
        count_done(count, self.unit)
        if self.reporter.terminal is not None:
            self.reporter.terminal.update(0, completed=self.done, note=f"{self._pace()} {note}")
        elif time.monotonic() - self._logged >= self._every_s:
            self._logged = time.monotonic()
            share = 100 * self.done / max(self.total, 1)
            done = f"{self.done:,}/{self.total:,} {self.unit} ({share:.0f} %)"
            self.reporter.info(
                f"{self.title}: {done}, {self._pace()} {note}".rstrip(),
                event="progress",
                work=self.title,
                done=self.done,
                total=self.total,
                unit=self.unit,
                per_s=round(self._rate(), 3),
                note=note,
            )
        if self.reporter.note_in is not None and time.monotonic() - self._noted >= EVERY_S:
            self._noted = time.monotonic()
            noted = Note(self.title, self.done, self.total, self.unit, round(self._rate(), 3), time.time())
            write_note(self.reporter.note_in, noted)
        if self.stops:
            self.reporter.stop.check()

    def _rate(self) -> float:
        """Return the units a second of this run."""
        return (self.done - self._skipped) / max(time.monotonic() - self._started, 1e-9)

    def _pace(self) -> str:
        """Return the rate and the time that remains at this rate."""
        return pace(self._rate(), self.unit, self.total - self.done)


class Reporter:
    """What one job says on standard error, and where it hears that it should stop.

    Without `bars` progress is in lines, on a terminal too: for processes that share one. `stop` is the flag of the
    process where several reporters follow each other in it.
    """

    def __init__(self, job: str, bars: bool = True, stop: StopFlag | None = None) -> None:
        self.job, self.bars = job, bars
        self.stop = stop or StopFlag()
        self.terminal: Any = None  # a rich Progress while a bar is shown on a terminal
        self.note_in: Path | None = None  # the file in which the progress is noted for others

    def info(self, text: str, event: str = "message", **fields: Any) -> None:
        """Print one line with the job's name before it; in a JSON log it is an `event` with these fields besides."""
        say(event, text, text=f"{moment()}{self.job}: {text}", **fields)

    @contextmanager
    def bar(self, title: str, total: int, unit: str, *, stops: bool = True) -> Iterator[ProgressBar]:
        """Show the progress of `total` units of work; without `stops` the caller checks `stop` itself."""
        bar = ProgressBar(self, title, total, unit, stops)
        if not self.bars or not sys.stderr.isatty():
            yield bar
            return
        with open_bars(counts=True) as self.terminal:
            self.terminal.add_task(visible(title), total=total, note="")
            try:
                yield bar
            finally:
                self.terminal = None

    def each(self, items: Iterable[Item], title: str, total: int, unit: str) -> Iterator[Item]:
        """Yield `items` under a bar, one unit each."""
        with self.bar(title, total, unit) as bar:
            for item in items:
                yield item
                bar.advance()


def open_bars(counts: bool) -> "Progress":
    """Return bars for standard error, with a title before each and a note after it; with `counts` what is done, too."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    title, note = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[note]}"))
    columns = (title, BarColumn(), MofNCompleteColumn(), note) if counts else (title, BarColumn(), note)
    return Progress(*columns, console=open_console(stderr=True), transient=True)


def open_console(stderr: bool = False) -> "Console":
    """Return what writes tables and coloured text to a terminal, in which names of the user's do not act."""
    from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
    from rich.segment import Segment

    class Visible:
        def __init__(self, shown: ConsoleRenderable) -> None:
            self.shown = shown

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            for part in console.render(self.shown, options):
                yield part if part.control else Segment(visible(part.text), part.style)

    class Hook(RenderHook):
        def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
            return [Visible(each) for each in renderables]

    stream = sys.stderr if stderr else sys.stdout
    # a pipe or file has no width: whoever searches in it wants whole lines
    whole = not stream.isatty() and not os.environ.get("COLUMNS")
    made = Console(stderr=stderr, highlight=False, width=WHOLE_LINES if whole else None)
    made.push_render_hook(Hook())
    return made


def pace(rate: float, unit: str, left: int) -> str:
    """Return the rate in units a second, or what a unit takes where that is long, and the time that `left` units take.

    `unit` is in the plural.
    """
    if not rate:
        return f"0.0 {unit}/s, time left unknown"
    speed = f"{rate:,.1f} {unit}/s" if rate >= SLOW else f"{1 / rate:,.0f} s each"
    return f"{speed}, {clock(left / rate)} left"


def clock(seconds: float) -> str:
    """Return seconds as m:ss, or h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
