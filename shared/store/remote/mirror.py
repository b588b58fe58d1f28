"""The mirror of a volume in an object store: a folder on this machine that all code works in as in a volume.

In the store a volume has, below its prefix, the manifest of each artifact, `digits/real/manifest.json`, and next to it
a lease while somebody makes it. The files of an artifact are in `.files/digits/real/<hash>/`, where the hash is the
beginning of the manifest's sha256, so that the files of two of its versions never meet; what is for people alone is in
`.outputs/`. An experiment is listed without its files.
"""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shared.disk.durable import link, make_folder, remove_file, unwritable, write_whole
from shared.errors import BadInput
from shared.format.files import json_bytes, sha256
from shared.objects.address import Address, parse
from shared.objects.client import Store
from shared.objects.connection import ENDPOINTS
from shared.store.locking.taking import holding, sweep

MARKER = ".volume.json"
"""The file in a mirror that says which volume it mirrors."""

VOLUMES = "volumes"
"""The folder of mirrors in a folder of caches."""

FILES, OUTPUTS = ".files", ".outputs"
"""The folders of a volume in a store with the files of artifacts, and with what they have for people alone."""

HASH_DIGITS = 12


@dataclass(frozen=True)
class Mirror:
    """The mirror in `folder` of the volume at `address`; `name` is that of the mirror, another on each machine."""

    folder: Path
    address: Address
    name: str

    @cached_property
    def store(self) -> Store:
        """The volume in the store, by keys below its address."""
        return Store(self.address)

    def place(self, path: Path) -> str:
        """Return where something of the mirror is on the volume, such as `digits/gan/r00`."""
        return path.absolute().relative_to(self.folder).as_posix()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Wait until no other process of this machine changes which artifacts the mirror has, and keep them waiting."""
        with holding(self.folder / ".changing.lock"):
            sweep(self.folder.glob(".changing.lock.*"))
            yield


def mirror_folder(address: Address, cache: Path | None) -> Path:
    """Return the mirror of a volume, which is made where it is missing, in the folder `cache`, or the user's own one.

    Nothing is asked of the store. BadInput where nothing can be written there.
    """
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")
    digits = sha256(f"{endpoint} {address}".encode())[:8]
    folder = ((cache or user_cache()) / VOLUMES / f"{address.scheme}-{address.bucket}-{digits}").absolute()
    try:
        make_folder(folder, parents=True)
        if not (folder / MARKER).exists():
            _write_once(folder / MARKER, json_bytes({"url": str(address), "name": uuid.uuid4().hex}))
        for draft in folder.glob(f"*{MARKER}.*"):
            # of a process that was killed, or of one that finds that another was first
            remove_file(draft)
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def user_cache() -> Path:
    """Return this user's folder of caches."""
    own = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(own) if own else Path.home() / ".cache") / "halfreal"


def _write_once(path: Path, payload: bytes) -> None:
    """Write a file unless another process is first."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        write_whole(draft, payload)
        link(draft, path)
    except (FileExistsError, FileNotFoundError):
        # not found is a draft that whoever was first has removed
        if not path.exists():
            raise
    finally:
        remove_file(draft)


def mirror_of(path: Path) -> Mirror | None:
    """Return the mirror that `path` is in or is; None for a place on a volume that is a folder.

    What is in a hidden folder of a mirror is this machine's own: the trials of unfinished tuning are volumes there.
    """
    path = path.absolute()
    for folder in (path, *path.parents):
        try:
            fields = json.loads((folder / MARKER).read_bytes())
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            return None
        try:
            return Mirror(folder, parse(fields["url"], f"in {MARKER}"), fields["name"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{folder / MARKER}: cannot be read; remove {folder} and run this again") from error
    return None
