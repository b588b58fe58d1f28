"""What a job is going to hold of its images, in words, before it opens them: in memory, on a GPU, in the cache."""

from collections.abc import Iterable
from pathlib import Path

import torch

from shared.data.decoded import residence
from shared.data.decoded.files import is_whole
from shared.data.decoded.places import may_have_room, places_for
from shared.data.decoded.work import SplitWork, image_bytes, name_of
from shared.runtime.memory import LARGEST_SHARE, allowed_bytes, free_on_gpu, in_words, limit
from shared.store.artifacts import Artifact

IN_MEMORY, CACHED, DECODED = "in memory", "read from the cache", "to be decoded into the cache"
STREAMED = "decoded each time they are read"


def memory_plan(reads: Iterable[tuple[Artifact, str]], device: torch.device | None = None) -> str:
    """Return what becomes of the splits that a job reads, and how much memory it may use; unknown splits are left out.

    `device` is the GPU that images are held on where they fit, for jobs that do so.
    """
    sizes: dict[str, int] = {}
    places = set[Path]()
    for dataset, split in reads:
        if split in dataset.dataset.splits:
            work = SplitWork(dataset, split)
            where, place = _residence(work)
            sizes[where] = sizes.get(where, 0) + work.shape[0] * image_bytes(work.shape)
            places |= set() if place is None else {place}
    held = ", ".join(f"{in_words(size)} {where}" for where, size in sizes.items()) or "none"
    cache = f" ({', '.join(map(str, sorted(places)))})" if places else ""
    return f"images: {held}{cache}; {_gpu(sum(sizes.values()), device)}{_memory()}"


def _residence(work: SplitWork) -> tuple[str, Path | None]:
    """Return where the pixels of a split will be, and the folder of the cache that they will be in, if any."""
    if work.shape[0] * image_bytes(work.shape) <= residence.SMALL_BYTES:
        return IN_MEMORY, None
    folders = [place.folder for place in places_for(work.dataset)]
    for folder in folders:
        if is_whole(folder / name_of(work), work):
            return CACHED, folder
    for folder in folders:
        if may_have_room(folder, residence.needed_bytes(work)):
            return DECODED, folder
    return (STREAMED if work.shape[0] * image_bytes(work.shape) > allowed_bytes() else IN_MEMORY), None


def _gpu(size_bytes: int, device: torch.device | None) -> str:
    """Return whether images of this size go to the GPU."""
    if device is None or device.type != "cuda":
        return ""
    free = free_on_gpu(device)
    held = "held on the GPU" if size_bytes <= LARGEST_SHARE * free else "sent to the GPU batch by batch"
    return f"{held}, which has {in_words(free)} free; "


def _memory() -> str:
    allowed = limit()
    return f"{in_words(allowed.bytes)} of memory may be used ({allowed.words})"
