"""A commit to the store: every file, then the manifest by one conditional put, so that readers see all or nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.disk.durable import remove_file, remove_tree, write_whole
from shared.errors import Busy, HalfrealError
from shared.format.files import sha256
from shared.objects.fetching import REMOTE, Remote, remote_of
from shared.store.remote.lease import check_held
from shared.store.remote.mirror import FILES, HASH_DIGITS, OUTPUTS, Mirror, mirror_of
from shared.store.remote.pull import MANIFEST
from shared.store.unfinished import OUTPUTS as FOR_PEOPLE

AT_ONCE = 8


@contextmanager
def publishing(folder: Path, final: Path) -> Iterator[None]:
    """Commit the whole artifact in the staging `folder`, then let the caller rename it to `final`.

    Nothing is done where the volume is a folder. Raises Busy where another machine has taken the lease or has committed
    meanwhile: then the folder is unfinished work again. Until the manifest is put, no reader sees
    anything; files that are left so are removed by the next commit.
    """
    mirror = mirror_of(final)
    if mirror is None:
        yield
        return
    place, payload = mirror.place(final), (folder / MANIFEST).read_bytes()
    digest = sha256(payload)[:HASH_DIGITS]
    before = remote_of(final)
    _put_files(mirror, place, digest, folder)
    with mirror.changing():
        try:
            check_held(mirror, final)
            key = f"{place}/{MANIFEST}"
            version = mirror.store.put_if(key, payload, before.version if before else None)
            if version is None:
                raise Busy(
                    f"{mirror.address}/{place}: another machine has finished it meanwhile\n"
                    "run the same command again, which takes that one"
                )
        except Busy:
            remove_file(folder / MANIFEST)
            raise
        where = Remote(str(mirror.address), f"{FILES}/{place}/{digest}", key, version)
        write_whole(folder / REMOTE, where.to_bytes())
        yield
    # it is committed: what cannot be removed now is removed by the next commit
    with suppress(HalfrealError):
        _remove_others(mirror, place, digest)


def is_superseded(folder: Path, final: Path) -> bool:
    """Whether an artifact came from the store after the one in the staging `folder` was to be committed, and was not.

    Another machine made it, or this one was killed when the store had it.
    """
    came = final / REMOTE
    return came.exists() and came.stat().st_mtime_ns > (folder / MANIFEST).stat().st_mtime_ns


def give_way(folder: Path, final: Path) -> None:
    """Make a superseded commit unfinished work again; where the store has that very artifact nothing of it is left."""
    if (folder / MANIFEST).read_bytes() == (final / MANIFEST).read_bytes():
        remove_tree(folder)
    else:
        remove_file(folder / MANIFEST)


def _put_files(mirror: Mirror, place: str, digest: str, folder: Path) -> None:
    """Put every file but those that an earlier attempt has put: the same manifest lists the same content."""
    prefix = f"{FILES}/{place}/{digest}"
    there = mirror.store.listed(prefix)
    keys: dict[str, Path] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) or name.as_posix() == MANIFEST:
            continue
        if set(name.parts) & set(FOR_PEOPLE):
            keys[f"{OUTPUTS}/{place}/{digest}/{name.as_posix()}"] = path
        elif f"{prefix}/{name.as_posix()}" not in there:
            keys[f"{prefix}/{name.as_posix()}"] = path
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda item: mirror.store.put_file(*item), keys.items()))


def _remove_others(mirror: Mirror, place: str, digest: str) -> None:
    """Remove the files of other versions: of what was replaced, and of commits that were cut off."""
    for kind in (FILES, OUTPUTS):
        others = [name for name in mirror.store.folders(f"{kind}/{place}") if name != digest]
        keys = [key for name in others for key in mirror.store.listed(f"{kind}/{place}/{name}")]
        mirror.store.delete(keys)
