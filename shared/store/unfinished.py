"""Unfinished work: the staging folders of an artifact, and longer work that begins with what shorter work has made.

A job names the options of which a larger value extends what was made with a smaller one (`Extends`), such as the epochs
of a training. Work that differs from earlier work in those alone begins with a copy of its files. What is finished is
never moved or changed: it keeps its name until the longer work is committed.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.disk.durable import link, make_folder, remove_file, remove_tree, sync_folder, write_file, write_whole
from shared.errors import FormatError
from shared.format.manifest import MANIFEST, parse_manifest
from shared.format.outside import read_regular
from shared.limits import MANIFEST_BYTES
from shared.store.identity import Extends, Progress, read_key, write_key

OUTPUTS = ("figures", "tensorboard", "metrics.jsonl", "run.json")
"""What an artifact holds, at any depth, for people alone: no job reads it and the manifest does not list it."""

COPYING = ".copying"
"""The file that is in a staging folder while the files that it begins with are copied."""


@dataclass(frozen=True)
class Work:
    """What is in a folder, finished or not, and what identifies it."""

    folder: Path
    options: dict[str, object]
    inputs: dict[str, str]

    def progress(self, key: "Key") -> Progress | None:
        """Return how far it is, as far as the job of `key` can tell."""
        return None if key.extends is None else key.extends.progress.get()(self.folder, self.options)


class Key(Protocol):
    """What identifies the result of a job: a build key is one."""

    @property
    def plain_options(self) -> dict[str, object]:
        """The options by name."""

    @property
    def input_hashes(self) -> dict[str, str]:
        """The sha256 of each input's manifest, by name."""

    @property
    def extends(self) -> Extends | None:
        """What extends work of the job."""

    def is_extension_of(self, built: Work) -> bool:
        """Whether work with this key can begin with what was `built`."""


STAGING = re.compile(r"\.(?P<final>.+)-[0-9a-f]{12}")
"""The name of a staging folder: that of its artifact and the fingerprint of its build key."""


def staging_folders(final: Path) -> list[Path]:
    """Return the staging folders of an artifact, of any build key."""
    return sorted(path for path in final.parent.glob(".*") if final_of(path) == final and path.is_dir())


def final_of(folder: Path) -> Path | None:
    """Return the artifact that is made in `folder`, by its name; None for a name that no staging folder has."""
    found = STAGING.fullmatch(folder.name)
    return None if found is None else folder.parent / found["final"]


def unfinished(final: Path) -> list[Work]:
    """Return the unfinished work on an artifact; of earlier versions, which left no key, without options."""
    keys = {folder: read_key(folder) or {"options": {}, "inputs": {}} for folder in staging_folders(final)}
    return [Work(folder, key["options"], key["inputs"]) for folder, key in keys.items()]


def source(final: Path, key: "Key") -> Work | None:
    """Return what work with `key` can begin with: of the finished artifact and unfinished work that which is furthest.

    None where nothing is there that `key` extends.
    """
    there = [*_finished(final), *unfinished(final)]
    extended = [(work, work.progress(key)) for work in there if key.is_extension_of(work)]
    furthest = {progress.steps: work for work, progress in extended if progress is not None}
    return furthest[max(furthest)] if furthest else None


def _finished(final: Path) -> list[Work]:
    """Return the finished artifact, if there is one that can be read."""
    path = final / MANIFEST
    try:
        manifest = parse_manifest(read_regular(path, MANIFEST_BYTES), path)
    except (OSError, FormatError):
        return []
    return [Work(final, manifest.options, manifest.inputs)]


def begin(folder: Path, final: Path, key: "Key", *, from_scratch: bool) -> None:
    """Make the staging folder of `key`, or take the one that is there; the caller holds the artifact's lock.

    Where no work is in it yet, it begins with a copy of the files that `key` extends, unless it is `from_scratch`.
    """
    make_folder(folder)
    there = read_key(folder)
    from_scratch = from_scratch or bool(there and there["from_scratch"])
    if there is None:
        write_key(folder, key.plain_options, key.input_hashes, from_scratch=from_scratch)
    if from_scratch or key.extends is None:
        return
    own = Work(folder, key.plain_options, key.input_hashes)
    # a copy that was cut off looks like work
    if (folder / COPYING).exists() or own.progress(key) is None:
        earlier = source(final, key)
        if earlier is not None:
            _copy(earlier.folder, folder)


def _copy(source: Path, folder: Path) -> None:
    """Copy what a job needs to go on, and what it has left for people."""
    write_file(folder / COPYING, b"")
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        hidden = any(part.startswith(".") for part in name.parts)
        if hidden or not path.is_file() or name.as_posix() == MANIFEST:
            continue
        copy = folder / name
        make_folder(copy.parent, parents=True)
        remove_file(copy)
        # what is for people may be written in place, which would change the file in both folders
        if set(name.parts) & set(OUTPUTS) or not _linked(path, copy):
            write_whole(copy, path.read_bytes())
    sync_folder(folder)
    remove_file(folder / COPYING)


def _linked(path: Path, copy: Path) -> bool:
    """Whether `copy` is now another name of the file `path`: some file systems have no such names."""
    try:
        link(path, copy)
    except OSError:
        return False
    return True


def remove_extended(final: Path, key: "Key") -> None:
    """Remove the unfinished work that the artifact, made with `key`, has extended."""
    for work in unfinished(final):
        if key.is_extension_of(work):
            remove_tree(work.folder)
