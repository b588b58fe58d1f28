"""What is kept to save time and can be made again: decoded images, and mirrors of volumes in object stores."""

from collections.abc import Iterator
from pathlib import Path

from shared.data.decoded.in_use import is_used, remove
from shared.data.decoded.places import FOLDER, cached_sets, places_of
from shared.disk.durable import remove_tree
from shared.runtime import cache_place
from shared.store.remote.mirror import MARKER, VOLUMES, user_cache
from shared.store.volume import leftovers
from shared.store.volume.leftovers import UNFINISHED, Leftover
from shared.store.volume.room import Taken, taken_by

DECODED, MIRROR = "decoded images", "mirror"


def caches(data_root: Path) -> Iterator[Leftover]:
    """Yield the sets of decoded images on a volume and in this user's caches, and the mirrors there."""
    for place in dict.fromkeys([data_root / FOLDER, *(place.folder for place in places_of(data_root))]):
        for used, size_bytes, folder in cached_sets(place):
            yield Leftover(DECODED, folder, folder, Taken(size_bytes, used), is_used(folder))
    for marker in sorted(((cache_place.chosen() or user_cache()) / VOLUMES).glob(f"*/{MARKER}")):
        folder = marker.parent
        # what is unfinished is on this machine alone, and whoever is at work has begun something
        held = any(each.held or each.kind == UNFINISHED for each in leftovers.leftovers(folder))
        yield Leftover(MIRROR, folder, folder, taken_by(folder), held)


def free(leftover: Leftover) -> bool:
    """Remove something that may go; return False where a job has begun to use it meanwhile."""
    if leftover.kind == DECODED:
        return remove(leftover.path)
    if leftover.kind == MIRROR:
        remove_tree(leftover.path, strict=True)
        return True
    return leftovers.remove(leftover)
