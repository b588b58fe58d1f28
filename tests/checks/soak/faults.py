"""The faults of a soak: a clock that moves for one process alone, and a small volume that is full at times."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1")
"""Where Debian's package `libfaketime` and its Makefile put the library."""

PAGE = 4096
"""Bytes that a tmpfs gives at a time."""

MOST_H = 48
"""Hours by which the clock moves at most, to either side."""


def find_library(given: Path | None) -> Path:
    """Return libfaketime; an error that says where to get it."""
    found = [given] if given else [path for place in PLACES for path in Path("/").glob(place[1:])]
    if not found or not found[0].is_file():
        raise SystemExit("want libfaketime: apt-get install libfaketime, or --faketime FILE")
    return found[0]


class Clock:
    """A wall clock that is wrong for the processes with its variables; their monotonic clock is the machine's."""

    def __init__(self, library: Path, file: Path, chance: Random) -> None:
        self._file, self._chance = file, chance
        self.variables = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds until a move is seen
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",  # the name of earlier versions
            "NO_FAKE_STAT": "1",
        }
        self.move()

    def move(self) -> float:
        """Move the clock; return by how many hours it is wrong now."""
        seconds = self._chance.randint(-MOST_H * 3600, MOST_H * 3600)
        draft = self._file.with_suffix(".next")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self._file)
        return seconds / 3600


@contextmanager
def small_volume(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a tmpfs of this size on a folder; it takes a user who may mount."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "halfreal-soak", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def full(volume: Path) -> Iterator[None]:
    """Leave no room on a volume."""
    ballast, block = volume / "ballast", 1 << 20
    with ballast.open("wb", buffering=0) as stream:
        while block >= PAGE:
            try:
                stream.write(b"\0" * block)
            except OSError:
                block //= 2
    try:
        yield
    finally:
        ballast.unlink()
