"""Whether the disk has room for what a job is about to write: estimated, and said, before the work begins."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.errors import BadInput
from shared.format import tar
from shared.runtime.memory import in_words

LEAST_BLOCKS, MOST_BLOCKS = 6, 8
"""Blocks of a tar that a sample takes besides its pixels: three headers, a label, its json, and what is padded."""


SAID_BYTES = 100_000_000
"""What is not worth a line, unless it may not fit."""


@dataclass(frozen=True)
class Need:
    """What some work is going to take of a disk: `least` surely, `most` as far as anybody can tell before."""

    least: int
    most: int

    def __add__(self, other: "Need") -> "Need":
        return Need(self.least + other.least, self.most + other.most)


def need_of_images(images: int, size_px: int, channels: int) -> Need:
    """Return what shards of this many images take: flat pictures next to nothing, noise as many bytes as pixels."""
    pixels = size_px * (1 + size_px * channels)  # with a byte for each row, as PNG has it
    return Need(images * LEAST_BLOCKS * tar.BLOCK, images * (MOST_BLOCKS * tar.BLOCK + pixels))


def check_room(folder: Path, need: Need, what: str, say: Callable[[str], object], among: int = 1) -> None:
    """Say what of the disk of `folder` the work on `what` is going to take, without what it has written there already.

    It is one of `among` replicates that are made side by side or one after the other: what all of them take is said,
    too. Less than SAID_BYTES is not said. Raises BadInput where not even the least of its own fits: half of the work
    would be lost time.
    """
    place = next(path for path in (folder, *folder.parents) if path.exists())
    written, free = taken_by(folder).size_bytes, shutil.disk_usage(place).free
    least, most = max(need.least - written, 0), max(need.most - written, 0)
    if least > free:
        raise BadInput(
            f"{place}: {in_words(free)} free, {what} take at least {in_words(least)}\n"
            "make room (`halfreal clean` says what may go), or choose another --data-root"
        )
    # how far the others are nobody knows here
    every = most + (among - 1) * need.most
    tight = "" if every <= free else "; warning: they may not fit, `halfreal clean` says what may go"
    if tight or every >= SAID_BYTES:
        them = f", those of {among} replicates up to {in_words(every)}" if among > 1 else ""
        say(f"disk: {what} take up to {in_words(most)}{them}, {in_words(free)} free{tight}")


@dataclass(frozen=True)
class Taken:
    """What a folder takes of the disk, and when something in it was last written, in Unix time."""

    size_bytes: int
    written: float


def taken_by(folder: Path) -> Taken:
    """Return what the files in and below `folder` take; nothing where it is not there. Links are not followed."""
    total, written, pending = 0, 0.0, [] if folder.is_symlink() else [folder]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    written = max(written, found.st_mtime)
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(Path(entry.path))
                    else:
                        total += found.st_size
        except FileNotFoundError:  # another process has removed it
            continue
    return Taken(total, written)
