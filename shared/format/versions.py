"""A file of which the last two versions are kept: damage to the newest costs what came since, not everything.

`checkpoint.safetensors` is the newest, `checkpoint-before.safetensors` the one before it, which goes only when the next
one has been read back from the disk.
"""

import os
from pathlib import Path
from typing import BinaryIO, Protocol

from shared.disk.durable import remove_file, rename, sync_folder, writing_whole
from shared.errors import HalfrealError


class Content(Protocol):
    """What a file is to hold."""

    def write(self, stream: BinaryIO) -> None:
        """Write it into an empty file."""

    def is_in(self, stream: BinaryIO) -> bool:
        """Whether a file holds it, and nothing else."""


def before(path: Path) -> Path:
    """Return where the version before the newest one is kept."""
    return path.with_name(f"{path.stem}-before{path.suffix}")


def newest_first(path: Path) -> list[Path]:
    """Return the versions that are there, the newest one first."""
    return [version for version in (path, before(path)) if version.exists()]


def write_next(path: Path, content: Content) -> None:
    """Make `content` the newest version, once it has been read back; the newest one until now stays as the one before.

    HalfrealError where the disk returns other bytes than were written: both versions stay as they are.
    """
    draft = path.with_name(f".{path.name}.next")
    with writing_whole(draft) as written:
        content.write(written)
    with _from_disk(draft) as stored:
        is_whole = content.is_in(stored)
    if not is_whole:
        remove_file(draft)
        raise HalfrealError(
            f"{path}: the disk returns other bytes than were written to it; the last good ones stay\n"
            "look at that disk, then run the same command again"
        )
    # between the two renames there is no newest version: the one before it is the one to go on from
    if path.exists():
        rename(path, before(path))
    rename(draft, path)
    sync_folder(path.parent)


def drop_newest(path: Path) -> None:
    """Let the version before the newest one take its place, which is damaged or gone."""
    rename(before(path), path)
    sync_folder(path.parent)


def drop_before(path: Path) -> None:
    """Remove what only unfinished work needs: the version before the newest one, and a draft of a killed process."""
    remove_file(before(path))
    remove_file(path.with_name(f".{path.name}.next"))


def _from_disk(path: Path) -> BinaryIO:
    """Open a file to be read from the disk, where the system can be asked to forget what it remembers of it."""
    stream = path.open("rb")
    if hasattr(os, "posix_fadvise"):  # macOS has none
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return stream
