"""One attempt at a reader: damaged files in a folder, and what the reader did with them."""

import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from shared.cli.exit_codes import from_os_error
from shared.errors import BadInput
from tests.fuzz.damage import bytes_changed
from tests.fuzz.readers import Reader

MOST_S, MOST_WAITED_S, MOST_BYTES = 10, 60, 1 << 30
"""What an attempt may take: of a processor's time, of time in which it waits, also for its turn, and of memory."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

ACTING = (
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime"),
    *("os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "socket.getaddrinfo"),
    *("pickle.find_class", "shutil.rmtree", "ctypes.dlopen"),
)
"""What no reader does; an audit hook sees each."""

OWN = {("functools", "partial"), ("pathlib", "PosixPath"), ("builtins", "bytes")}
"""What a source's list of images, which this process has packed itself, names besides what is in `shared.sources`."""


class Misdeed(BaseException):
    """A reader did what it must not do, or took too long; no reader catches it."""


class _Watch:
    """The audit hook of this process, which cannot be taken away again; `on` while a reader runs."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._see)

    def _see(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "pickle.find_class" and (str(args[0]).startswith("shared.sources.") or args[:2] in OWN):
            return
        opened = event == "open" and isinstance(args[2], int) and args[2] & WRITING
        # the interpreter itself writes the bytecode of what it imports
        if (opened and not str(args[0]).endswith(".pyc") and "__pycache__" not in str(args[0])) or event in ACTING:
            self.seen.append(f"{event} {args!r:.200}")


_watch: _Watch | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt: "read" or "refused", or what is wrong; what it took of a processor's time."""

    kind: str
    seconds: float
    wrong: str = ""


@contextmanager
def _bounded() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise Misdeed("still at work after seconds" if number == signal.SIGPROF else "waits for something")

    timers = ((signal.ITIMER_PROF, signal.SIGPROF, MOST_S), (signal.ITIMER_REAL, signal.SIGALRM, MOST_WAITED_S))
    before = [signal.signal(number, late) for _, number, _ in timers]
    for timer, _, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (timer, number, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def peak_bytes() -> int:
    """Return the most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def damaged(reader: Reader, random: Random) -> dict[str, bytes]:
    """Return the files of a reader, one or two of them damaged."""
    files = dict(reader.files())
    for name in random.sample(sorted(files), min(len(files), random.choice((1, 1, 1, 2)))):
        kinds = [bytes_changed, *(kind for suffix, kind in reader.damage if name.endswith(suffix))]
        files[name] = random.choice(kinds)(files[name], random)
    return files


def attempt(reader: Reader, files: dict[str, bytes]) -> Outcome:
    """Return what the reader does with these files."""
    global _watch
    _watch = _watch or _Watch()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        folder = Path(scratch) / "a" / "place"
        folder.mkdir(parents=True)
        for name, payload in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(payload)
        # far below the peak of imports and of earlier attempts nothing is seen: the peak is set back where it can be
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        before, started = peak_bytes(), time.process_time()
        _watch.seen.clear()
        try:
            with _bounded():
                _watch.on = True
                kind, wrong = _result(reader, folder)
        except Misdeed as error:
            kind, wrong = "wrong", str(error)
        finally:
            _watch.on = False
        seconds = time.process_time() - started
        if not wrong and _watch.seen:
            wrong = f"did {_watch.seen[0]}"
        if not wrong and peak_bytes() - before > MOST_BYTES:
            wrong = f"took {(peak_bytes() - before) / 2**20:,.0f} MiB"
    return Outcome("wrong" if wrong else kind, seconds, wrong)


def _result(reader: Reader, folder: Path) -> tuple[str, str]:
    try:
        reader.read(folder)
    except BadInput as error:
        text = str(error)
        return ("refused", "") if text.strip() else ("wrong", "an error without a word")
    except OSError as error:
        known = from_os_error(error)
        return ("refused", "") if isinstance(known, BadInput) else ("wrong", f"{type(error).__name__}: {error}")
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {error}"[:300]
    return "read", ""
