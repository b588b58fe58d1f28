"""Files that a folder lists and an object store has: they are fetched when they are read.

A folder whose files are in a store has a file REMOTE in it, which says where. What is not in such a folder is no file
of a store, so that nothing here concerns other folders.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.errors import Busy, FormatError
from shared.objects.address import parse
from shared.objects.client import Store, Version

REMOTE = ".remote.json"
"""The file that says where the files of its folder are."""


@dataclass(frozen=True)
class Remote:
    """Where the files of a folder are: on the volume at the URL `volume`, below the key `files`.

    `manifest` is the key of what lists them, and `version` which content it had when they were found there.
    """

    volume: str
    files: str
    manifest: str
    version: Version

    def to_bytes(self) -> bytes:
        """Return the content of the file that `remote_of` reads."""
        return json.dumps(asdict(self)).encode()

    @property
    def store(self) -> Store:
        """The volume."""
        return Store(parse(self.volume, f"in {REMOTE}"))


def remote_of(folder: Path) -> Remote | None:
    """Return where the files of `folder` are; None where it is a folder like any other."""
    if not is_remote(folder):  # nor where that name is a pipe, of which a read would not end
        return None
    try:
        fields = json.loads((folder / REMOTE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):  # removed meanwhile
        return None
    return Remote(fields["volume"], fields["files"], fields["manifest"], Version(**fields["version"]))


def is_remote(folder: Path) -> bool:
    """Whether the files that `folder` lacks are in a store."""
    return (folder / REMOTE).is_file()


def fetch(path: Path) -> bytes | None:
    """Return the content of a file that is not on this disk; None where its folder's files are in no store.

    Raises Busy where what it belongs to was replaced meanwhile, FormatError where the store has lost it.
    """
    found = _place(path)
    if found is None:
        return None
    remote, name = found
    there = remote.store.get(f"{remote.files}/{name}")
    return there.payload if there is not None else _gone(path, remote)


def fetch_range(path: Path, start: int, length: int) -> bytes | None:
    """Return `length` bytes from `start` on of such a file, fewer at its end; as `fetch`."""
    found = _place(path)
    if found is None:
        return None
    remote, name = found
    payload = remote.store.read_range(f"{remote.files}/{name}", start, length)
    return payload if payload is not None else _gone(path, remote)


def _place(path: Path) -> tuple[Remote, str] | None:
    """Return where the files of the nearest folder above are that says so, and the name of `path` there."""
    for folder in path.absolute().parents:
        remote = remote_of(folder)
        if remote is not None:
            return remote, path.absolute().relative_to(folder).as_posix()
    return None


def _gone(path: Path, remote: Remote) -> bytes:
    if remote.version.is_same(remote.store.version(remote.manifest)):
        raise FormatError(f"{path}: missing in {remote.volume}/{remote.files}, but its manifest lists it")
    raise Busy(f"{path}: was replaced in the object store while it was read; run the same command again")
