"""What is new in the store comes into the mirror, and what is gone there goes here.

One listing for an experiment; then each manifest that is new or changed, with the files that it lists. Shards, their
indexes and pages stay in the store until they are read.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shared.disk.durable import make_folder, remove_tree, rename, write_whole
from shared.errors import Busy, FormatError
from shared.format.files import read_whole, sha256
from shared.objects.client import Version
from shared.objects.fetching import REMOTE, Remote, is_remote, remote_of
from shared.store.remote.mirror import FILES, HASH_DIGITS, OUTPUTS, Mirror, mirror_of

MANIFEST = "manifest.json"
AT_ONCE = 4
"""Files that are fetched at a time: each is in memory while its hash is checked."""

TRIES = 3
"""How often an artifact is fetched that somebody replaces meanwhile."""


def pull(folder: Path) -> list[str]:
    """Bring the mirror of the experiment in `folder` up to date; nothing is done where the volume is a folder.

    `folder` may also be that of one artifact. Returns the places of the artifacts that came. Raises HalfrealError where
    the store does not answer, BadInput where it refuses.
    """
    mirror = mirror_of(folder)
    if mirror is None:
        return []
    with mirror.changing():
        listed = mirror.store.listed(mirror.place(folder))
        there = {
            key.removesuffix(f"/{MANIFEST}"): version for key, version in listed.items() if key.endswith(f"/{MANIFEST}")
        }
        for path in mirrored(folder):
            if mirror.place(path) not in there:
                remove_tree(path, strict=True)
        return [place for place, version in there.items() if _fetch(mirror, place, version)]


def mirrored(folder: Path) -> Iterator[Path]:
    """Yield the folders of artifacts at or below `folder` that came from the store or went there."""
    for name, below, _ in os.walk(folder):
        if is_remote(Path(name)):
            below.clear()  # there may be 100,000 files in it, and no other artifact
            yield Path(name)
        # unfinished work, caches
        below[:] = [each for each in below if not each.startswith(".")]


def _fetch(mirror: Mirror, place: str, version: Version) -> bool:
    """Fetch an artifact unless the mirror has it in this version; whether it was fetched."""
    final = mirror.folder / place
    known = remote_of(final)
    if known is not None and known.version.is_same(version):
        return False
    for attempt in range(TRIES):
        found = mirror.store.get(f"{place}/{MANIFEST}")
        if found is None:
            return False
        try:
            draft = _draft(mirror, place, found.payload, found.version)
        except Busy:  # replaced while its files were fetched
            if attempt == TRIES - 1:
                raise
            continue
        _put_in_place(draft, final)
        return True
    return False


def _draft(mirror: Mirror, place: str, payload: bytes, version: Version) -> Path:
    """Return a hidden folder with the manifest `payload` and the files that are wanted at once."""
    from shared.format.manifest import parse_manifest  # here, since it imports pydantic

    final = mirror.folder / place
    draft = final.parent / f".{final.name}-pulled"
    remove_tree(draft)
    make_folder(draft, parents=True)
    digest = sha256(payload)[:HASH_DIGITS]
    where = Remote(str(mirror.address), f"{FILES}/{place}/{digest}", f"{place}/{MANIFEST}", version)
    write_whole(draft / REMOTE, where.to_bytes())
    try:
        listed = parse_manifest(payload, final / MANIFEST).files
    except FormatError:  # of a newer version, say: who opens it is told
        listed = []
    for info in listed:
        make_folder((draft / info.name).parent, parents=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # which fetches them, checks them and keeps them
        list(pool.map(lambda info: read_whole(draft / info.name, info.bytes, info.sha256), listed))
    _fetch_outputs(mirror, f"{OUTPUTS}/{place}/{digest}", draft)
    write_whole(draft / MANIFEST, payload)
    return draft


def _fetch_outputs(mirror: Mirror, prefix: str, draft: Path) -> None:
    """Fetch what is for people: no manifest lists it, and none of it need be there."""
    for key in mirror.store.listed(prefix):
        found = mirror.store.get(key)
        if found is not None:
            path = draft / key.removeprefix(f"{prefix}/")
            make_folder(path.parent, parents=True)
            write_whole(path, found.payload)


def _put_in_place(draft: Path, final: Path) -> None:
    replaced = final.parent / f".{final.name}-replaced"
    remove_tree(replaced)
    if final.exists():
        rename(final, replaced)
    rename(draft, final)
    remove_tree(replaced)
