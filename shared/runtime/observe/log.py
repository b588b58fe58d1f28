"""Standard error as JSON: one object a line, for collectors of logs.

An object has always the same keys: `time` (ISO 8601 with its zone), `level`, `job`, `experiment`, `replicate`, `rank`,
`event` and `fields`; `fields` has a `message`. What says more than a line of text is written by `say`. Every other text
that Python code writes to standard error becomes an object of the event `text`, so that no line is anything else.
"""

import io
import json
import math
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

from shared.runtime.observe.identity import current
from shared.visible import let_streams_print, visible

FLAG, VARIABLE = "--log-format", "HALFREAL_LOG_FORMAT"

TEXT, JSON = "text", "json"
FORMATS = (TEXT, JSON)

ERROR = "error"
"""The event of what ends a command; its fields have the exit `code`."""

_show_as_text = warnings.showwarning


class JsonLines(io.TextIOBase):
    """A standard error of which each line is a JSON object; `stream` is where they go."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._rest = ""
        self._lock = threading.RLock()  # a signal's handler may write while this thread writes

    def emit(self, level: str, event: str, fields: dict[str, Any]) -> None:
        """Write one object."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "level": level} | current().facts() | {"event": event, "fields": _plain(fields)}
        # in one call, since several processes share the stream; ASCII, since its encoding is the system's
        # where whoever reads them is gone, the work goes on, or saves what it has
        with self._lock, suppress(BrokenPipeError):
            self.stream.write(json.dumps(line, allow_nan=False, default=str) + "\n")
            self.stream.flush()

    def write(self, text: str, /) -> int:
        """Write each line that `text` completes as an object of the event `text`; the rest waits for its end."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._emit_text(line)
        return len(text)

    def finish(self) -> None:
        """Write what waits for the end of its line."""
        with self._lock:
            line, self._rest = self._rest, ""
            self._emit_text(line)

    def _emit_text(self, line: str) -> None:
        # a bar that redraws itself: its last state is what a reader of a terminal would see
        shown = line.rstrip("\r").rpartition("\r")[2].rstrip()
        if shown:
            self.emit("info", "text", {"message": shown})

    def flush(self) -> None:
        """Flush the stream; an unfinished line would be two objects."""
        self.stream.flush()

    def fileno(self) -> int:
        """Return the stream's number, for processes that inherit it."""
        return self.stream.fileno()

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return False: bars and colours are for people."""
        return False


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields as JSON can have them: NaN and infinities are words."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in fields.items()
    }


def is_json() -> bool:
    """Whether standard error is JSON now."""
    return isinstance(sys.stderr, JsonLines)


def say(event: str, message: str, *, level: str = "info", text: str = "", **fields: Any) -> None:
    """Write one line to standard error: an object with `message` and `fields`, else `text`, or `message` without it."""
    if isinstance(sys.stderr, JsonLines):
        sys.stderr.emit(level, event, {"message": message} | fields)
    else:
        print(visible(text or message), file=sys.stderr, flush=True)


def moment() -> str:
    """Return the time and a space, to begin a line with; nothing on a terminal, and in a log whose objects have it."""
    if is_json() or sys.stderr.isatty():
        return ""
    return f"{datetime.now().astimezone().isoformat(timespec='seconds')} "


def use(name: str) -> None:
    """Make standard error of the format `name`, from now on."""
    if name == JSON and not is_json():
        sys.stderr = JsonLines(sys.stderr)
        warnings.showwarning = _show_as_json
    elif name == TEXT and isinstance(sys.stderr, JsonLines):
        sys.stderr.finish()
        sys.stderr = sys.stderr.stream
        warnings.showwarning = _show_as_text


def begin(words: Sequence[str]) -> None:
    """Use the format that a call with `words` asks for: the flag, else the variable, else text.

    This comes before the words are parsed, since what is wrong with them is to be said in that format. A value that is
    none is left to the parser.
    """
    let_streams_print()
    values = [os.environ.get(VARIABLE) or TEXT]
    for word, after in zip(words, [*words, ""][1:], strict=True):
        if word == FLAG or word.startswith(f"{FLAG}="):
            values.append(after if word == FLAG else word.partition("=")[2])
    use(values[-1])


def finish() -> None:
    """Write what waits for the end of its line; the process is about to end."""
    if isinstance(sys.stderr, JsonLines):
        sys.stderr.finish()


def _show_as_json(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Write a warning of Python code as an object; as before where standard error has been replaced."""
    if file is None and is_json():
        say("warning", str(message), level="warning", category=category.__name__, where=f"{filename}:{lineno}")
    else:
        _show_as_text(message, category, filename, lineno, file, line)


def parsed(line: str) -> dict[str, Any]:
    """Return a line of a JSON log as the object that it is; another one, as C code writes it, as one of text."""
    text = {"level": "info", "job": None, "replicate": None, "event": "text", "fields": {"message": line.rstrip()}}
    try:
        entry = json.loads(line)
        return entry if text.keys() <= entry.keys() and "message" in entry["fields"] else text
    except (ValueError, TypeError, AttributeError):
        return text


def last_error(lines: Sequence[str]) -> str:
    """Return the last error that jobs wrote to a log of either format, in one line; else the log's last line."""
    found = ""
    block = False
    for line in lines:
        message = _error_of(line)
        if message is not None:
            found, block = message, False
        elif line.startswith("error: "):
            found, block = line.removeprefix("error: "), True
        elif block and not line.startswith("{"):
            found += f" {line}"
    return " ".join((found or " ".join(lines[-1:])).split())


def _error_of(line: str) -> str | None:
    """Return the message of a line that is a JSON object of the event `error`."""
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
        return str(entry["fields"]["message"]) if entry["event"] == ERROR else None
    except (ValueError, KeyError, TypeError):
        return None
