"""Where decoded pixels may be kept, how much room they may take, and what is cleaned away for them."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared.data.decoded.in_use import PIXELS, USED, remove
from shared.errors import BadConfig
from shared.runtime import cache_place
from shared.store.artifacts import Artifact
from shared.store.lineage import is_point

FOLDER = Path(".cache") / "decoded"
"""Where decoded pixels are, on the volume."""

CACHE_GB = "HALFREAL_CACHE_GB"
"""The variable with the most that they take of a disk, in GB."""

LARGEST_SHARE = 0.5
"""The share of what is free, with what they have already, that they take without CACHE_GB."""

SPARE_BYTES = 256 << 20
"""What is left free on the disk at least."""

UNUSED_S = 30 * 24 * 3600.0
"""After how long without use pixels are cleaned away: those of a deleted dataset, at the latest."""

IN_MEMORY = ("tmpfs", "ramfs")
"""File systems whose files take memory."""


@dataclass(frozen=True)
class Place:
    """A folder for decoded pixels; `shared` where processes of other machines may use it too."""

    folder: Path
    shared: bool


def places_for(dataset: Artifact) -> Iterator[Place]:
    """Yield the folders for the pixels of a dataset, the best first; none of them takes memory."""
    return (place for place in places_of(volume_of(dataset.folder)) if not in_memory(place.folder))


def places_of(volume: Path) -> list[Place]:
    """Return the folders for the pixels of all datasets of a volume, the best first."""
    chosen = cache_place.chosen()
    best = Place(volume / FOLDER, shared=True) if chosen is None else Place(chosen / FOLDER.name, shared=False)
    return [best, Place(Path(tempfile.gettempdir()) / f"halfreal-{os.getuid()}" / "decoded", shared=False)]


def volume_of(folder: Path) -> Path:
    """Return the data root that a dataset's `folder` is below: that of its experiment is in it."""
    folder = folder.absolute()
    # one of several, such as those of the replicates, is a folder further down
    experiment = folder.parents[1] if re.fullmatch(r"r[0-9]{2}", folder.name) else folder.parent
    return experiment.parents[2] if is_point(experiment) else experiment.parent


def in_memory(folder: Path) -> bool:
    """Whether files in `folder`, which need not be there yet, take memory rather than a disk."""
    there = next(path for path in (folder, *folder.parents) if path.exists()).resolve()
    kind, longest = "", -1
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # no Linux
        return False
    for line in mounts:
        _, where, file_system, *_ = line.split(" ")
        where = where.replace("\\040", " ")
        # the innermost mount, of several at one place the last
        if there.is_relative_to(where) and len(where) >= longest:
            kind, longest = file_system, len(where)
    return kind in IN_MEMORY


def make_room(folder: Path, needed_bytes: int, own: str = "") -> bool:
    """Clean `folder` until what takes `needed_bytes` may be there; return whether it may.

    Its folder is named `own`: what other processes have written of it counts as its own.
    What was not used for UNUSED_S goes first, then what was used longest ago; nothing that a process has open goes.
    BadConfig for a CACHE_GB that is no number.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    entries = sorted(cached_sets(folder), key=lambda entry: entry[0])
    kept = [entry for entry in entries if entry[2].name != own]
    written = sum(size for _, size, path in entries if path.name == own)
    for last_use, _, path in list(kept):
        if last_use < time.time() - UNUSED_S and remove(path):
            kept = [entry for entry in kept if entry[2] != path]
    limit = _limit(there, written + sum(size for _, size, _ in kept))
    while (
        needed_bytes > limit - sum(size for _, size, _ in kept)
        or needed_bytes - written > shutil.disk_usage(there).free - SPARE_BYTES
    ):
        gone = next((entry for entry in kept if needed_bytes <= limit and remove(entry[2])), None)
        if gone is None:
            return False
        kept.remove(gone)
    return True


def may_have_room(folder: Path, needed_bytes: int) -> bool:
    """Whether `make_room` would find room, unless what it cleans away is open; nothing is cleaned."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    cached = sum(size for _, size, _ in cached_sets(folder))
    return needed_bytes <= min(_limit(there, cached), shutil.disk_usage(there).free + cached - SPARE_BYTES)


def _limit(folder: Path, cached_bytes: int) -> int:
    asked = os.environ.get(CACHE_GB)
    if not asked:
        return int(LARGEST_SHARE * (shutil.disk_usage(folder).free + cached_bytes))
    try:
        limit = float(asked)
        if not 0 <= limit < float("inf"):
            raise ValueError(asked)
    except ValueError as error:
        raise BadConfig(f"{CACHE_GB}={asked}: want a number of GB, 0 or more (0: nothing is cached)") from error
    return int(limit * 1e9)


def cached_sets(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield the last use of each set of pixels in `folder`, the bytes that it takes on the disk, and its own folder."""
    for pixels in folder.glob(f"*/{PIXELS}"):
        with suppress(OSError):  # another process cleans too
            taken = sum(file.stat().st_blocks * 512 for file in pixels.parent.iterdir())
            used = pixels.with_name(USED)
            yield (used if used.exists() else pixels).stat().st_mtime, taken, pixels.parent
