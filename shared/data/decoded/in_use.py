"""Folders of decoded pixels for whoever uses or cleans them: their files, and the lock of their use. No torch."""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from shared.disk.durable import make_folder, open_in_place, remove_file, remove_if_empty

PIXELS, LABELS, WHOLE, IN_USE = "pixels", "labels", "whole.json", "use.lock"


def remove(folder: Path, in_use: int) -> bool:
    """Delete a folder unless another process uses it; `in_use` is a descriptor of its lock. Return whether it did."""
    try:
        fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    # by name, never a tree: nothing else is ours. The mark of a whole first, so that no half of one is left
    for name in (WHOLE, PIXELS, LABELS, "marks", "pieces.lock", IN_USE):
        with suppress(OSError):
            remove_file(folder / name)
    remove_if_empty(folder)
    return True


def use(folder: Path, *, make: bool) -> int:
    """Return a descriptor that holds the lock of the use of `folder`; OSError where it is not there."""
    path = folder / IN_USE
    while True:
        if make:
            make_folder(folder, parents=True)
        descriptor = open_in_place(path) if make else os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            # the folder may have been cleaned away while this process waited
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                with suppress(OSError):  # of a read-only volume nothing is cleaned
                    os.utime(path)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if not make and not path.exists():
            raise FileNotFoundError(errno.ENOENT, "cleaned away", str(path))


def is_used(folder: Path) -> bool:
    """Whether a process has the pixels in `folder` open, as far as can be told."""
    try:
        descriptor = os.open(folder / IN_USE, os.O_RDWR)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
