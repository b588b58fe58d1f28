"""Staging: an artifact is written whole, in a hidden folder that is renamed to its final name at the end.

A `BuildKey` says what a job is to make: its own name, its options and its input artifacts. The key's fingerprint names
the staging folder, so that the same key resumes its own work and another key never touches it. `commit` writes the
manifest last and renames the folder; the artifact that had the name stays until then. Several processes may share one
staging folder, a work shard each (see `work_shards`); the one that finds every shard done commits.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

from shared import __version__
from shared.disk.durable import make_folder, remove_file, remove_tree, rename, sync_folder, write_whole
from shared.errors import BadInput, FormatError
from shared.format.files import json_bytes, sha256
from shared.format.manifest import MANIFEST, Dataset, FileInfo, Manifest
from shared.format.presence import OF_SHARDS, names_of
from shared.store.artifacts import Artifact, open_artifact
from shared.store.identity import ADDED_OPTIONS, KEY, Extends, identifying
from shared.store.locks import check_held, locked, others_at_work, probing, shard_at_work, sweep_locks
from shared.store.records.base import Record
from shared.store.remote.push import give_way, is_superseded, publishing
from shared.store.unfinished import OUTPUTS, begin, remove_extended, staging_folders
from shared.store.work_shards import FOLDER, Shard, drop, register, registered, unregister


class BuildRecord(Protocol):
    """What records the options and inputs that it was made with: a manifest, or the registration of a work shard."""

    @property
    def options(self) -> dict[str, object]:
        """The options by name."""

    @property
    def inputs(self) -> dict[str, str]:
        """The sha256 of each input's manifest, by name."""


@dataclass(frozen=True)
class BuildKey:
    """What identifies the result of a job: all that it depends on but for its last digits (see `identifying`)."""

    job: str
    kind: str
    options: dict[str, object]
    inputs: dict[str, Artifact] = field(default_factory=dict)
    additions: bool = False
    extends: Extends | None = field(default=None, compare=False)

    @cached_property
    def plain_options(self) -> dict[str, object]:
        """The options as JSON holds them (tuples become lists, paths become text), without those of speed alone."""
        plain: dict[str, object] = identifying(json.loads(json.dumps(self.options, default=str)))
        return plain

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that equal keys share."""
        parts = [self.job, self.kind, sorted(self.plain_options.items()), sorted(self.input_hashes.items())]
        return sha256(json_bytes(parts))[:12]

    @property
    def input_hashes(self) -> dict[str, str]:
        """The identity of each input; its sha256 where the result also depends on what was added to it."""
        return {name: made.sha256 if self.additions else made.identity for name, made in self.inputs.items()}

    def other_options(self, built: BuildRecord) -> list[str]:
        """Return, in words, the options by which what was `built` differs from this key."""
        return [f"{name} was {_shown(old)}, now {_shown(new)}" for name, (old, new) in self.changed(built).items()]

    def differences(self, built: BuildRecord) -> list[str]:
        """Return, in words, how what was `built` differs from this key; empty if it does not."""
        return self.other_options(built) + [f"its input {name!r} changed" for name in self.changed_inputs(built)]

    def changed_inputs(self, built: BuildRecord) -> list[str]:
        """Return the names of the inputs of what was `built` that are not those of this key."""
        hashes = self.input_hashes
        return [
            name for name in sorted(hashes.keys() | built.inputs.keys()) if hashes.get(name) != built.inputs.get(name)
        ]

    def is_extension_of(self, built: BuildRecord) -> bool:
        """Whether work with this key can begin with what was `built`: the same, less far along what extends it."""
        changed = self.changed(built)
        longer = [isinstance(old, int) and isinstance(new, int) and old < new for old, new in changed.values()]
        extending = set() if self.extends is None else set(self.extends.options)
        return bool(changed) and changed.keys() <= extending and all(longer) and not self.changed_inputs(built)

    def changed(self, built: BuildRecord) -> dict[str, tuple[object, object]]:
        """Return (old, new) of each option by which what was `built` differs from this key."""
        new = _flat(self.plain_options)
        before = {name: value for name, value in ADDED_OPTIONS.get(self.job, {}).items() if name in new}
        old = before | _flat(identifying(built.options))
        names = sorted(old.keys() | new.keys())
        return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _shown(value: object) -> str:
    """Return a value as a line about it says it: of a sha256 its first digits."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1...", repr(value))


def _flat(options: dict[str, object]) -> dict[str, object]:
    """Return options by name; those of a table within them as `table.name`."""
    tables = {name: value for name, value in options.items() if isinstance(value, dict)}
    plain = {name: value for name, value in options.items() if name not in tables}
    return plain | {f"{table}.{name}": value for table, options in tables.items() for name, value in options.items()}


@dataclass(frozen=True)
class Staging:
    """The folder in which an artifact is being made."""

    folder: Path
    final: Path
    key: BuildKey

    def commit(
        self, *, record: Record | None = None, dataset: Dataset | None = None, extends: Artifact | None = None
    ) -> Artifact:
        """Write the manifest over every file, rename the folder to its final name, return the artifact.

        One that only adds numbers to an artifact `extends` it, and keeps its identity.
        """
        listed: set[str] = set()
        if dataset is not None:
            listed = names_of(dataset)  # while they are in memory: afterwards they would be read from the pages
            dataset = dataset.paged(self.folder)
            listed |= {page.name for page in dataset.pages}
        # of an earlier attempt with more images: no manifest may leave a shard unlisted
        for path in (path for pattern in OF_SHARDS for path in self.folder.glob(pattern)):
            if path.name not in listed:
                remove_file(path)
        manifest = Manifest(
            kind=self.key.kind,
            job=self.key.job,
            halfreal=__version__,
            options=self.key.plain_options,
            inputs=self.key.input_hashes,
            files=[file_info(self.folder, path) for path in self.files() if path.name not in listed],
            dataset=dataset,
            facts={} if record is None else record.facts(),
            extends=None if extends is None else extends.identity,
        )
        check_held(self.final)
        # The manifest comes last, since its presence means that the work is complete: after a crash from here on
        # `finished` has only the rename left to do.
        write_whole(self.folder / MANIFEST, manifest.to_bytes())
        _rename_to_final(self.folder, self.final)
        remove_extended(self.final, self.key)
        return open_artifact(self.final, self.key.kind, self.key.job)

    def files(self) -> list[Path]:
        """Return the files of the folder that a manifest lists, sorted."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [
            path
            for path in paths
            if not set(path.relative_to(self.folder).parts) & {*OUTPUTS, FOLDER} and not path.name.startswith(".")
        ]


@contextmanager
def stage(
    final: Path,
    key: BuildKey,
    *,
    resumable: bool,
    fresh: bool = False,
    is_main: bool = True,
    shard: Shard | None = None,
    wait: bool = False,
) -> Iterator[Staging]:
    """Lock the artifact and yield the staging folder of `key`; Busy, or with `wait` a wait, while another has the lock.

    With `resumable`, the work of an earlier, interrupted run with the same key is there to be resumed (unless `fresh`),
    and stays if this run fails too; otherwise the folder starts empty and is removed after a failure. Only the main
    one of the processes that train together locks and clears. A process that does one `shard` of the work locks that
    shard alone and clears nothing, except after bad input: then nobody can finish the work.
    """
    work = Staging(staging_folder(final, key), final, key)
    if not is_main:
        # the main process holds the lock on behalf of all: a second attempt would find it taken
        yield work
        return
    _refuse_foreign(final)
    entered = None if shard is None else partial(_enter, work, shard)
    with (
        locked(final, shard, wait=wait, entered=entered),
        _one_shard(work, resumable, shard) if shard else _whole(work, resumable, fresh),
    ):
        yield work


@contextmanager
def _whole(work: Staging, resumable: bool, fresh: bool) -> Iterator[None]:
    if fresh or not resumable:
        remove_tree(work.folder)
    for folder in staging_folders(work.final):
        # under --force nothing is left of unfinished work; that of a killed job which cannot resume is of no use
        if folder != work.folder and (fresh or not (resumable or registered(folder))):
            remove_tree(folder)
    if resumable:
        begin(work.folder, work.final, work.key, from_scratch=fresh)
    make_folder(work.folder)
    try:
        yield
    except BadInput:
        # options must change before the next run, so that its key is another: an empty folder would stay forever
        resumable = resumable and bool(work.files())
        raise
    finally:
        if not resumable:
            remove_tree(work.folder)


def _enter(work: Staging, shard: Shard) -> None:
    """Register a shard, and let the first one to come make the staging folder: others wait for `probing` meanwhile."""
    make_folder(work.folder)
    register(work.folder, work.final, work.key, shard, partial(shard_at_work, work.final))
    begin(work.folder, work.final, work.key, from_scratch=False)


@contextmanager
def _one_shard(work: Staging, resumable: bool, shard: Shard) -> Iterator[None]:
    try:
        yield
    except BadInput:
        with probing(work.final):
            unregister(work.folder, shard)
            # others may still write into the folder: the last one to fail removes it
            if not resumable and not others_at_work(work.final, but=shard):
                remove_tree(work.folder)
        raise


def _refuse_foreign(final: Path) -> None:
    """Raise FormatError where something that is no artifact has the final name: it may be the user's own."""
    if final.exists() and not (final / MANIFEST).exists():
        raise FormatError(f"{final}: in the way and not an artifact (no manifest.json); move it away")


def finished(final: Path, key: BuildKey) -> Artifact | None:
    """Return the artifact at `final`, whether it is that of `key` or not; None if there is none.

    A commit of `key` that was cut off between manifest and rename is completed first. Raises FormatError where a folder
    without a manifest has the name: it may be the user's own. What was left of locks and of work is removed.
    """
    with suppress(OSError):  # a volume that is read only keeps them
        sweep_locks(final)
        drop(final)  # a disk that failed for a moment has it still
    folder = staging_folder(final, key)
    if (folder / MANIFEST).exists():
        with locked(final):
            # checked again under the lock: another process may have renamed the folder in the meantime
            if (folder / MANIFEST).exists() and is_superseded(folder, final):
                give_way(folder, final)
            elif (folder / MANIFEST).exists():
                _rename_to_final(folder, final)
    _refuse_foreign(final)
    return open_artifact(final, key.kind, key.job) if final.exists() else None


def staging_folder(final: Path, key: BuildKey) -> Path:
    """Return the folder in which the artifact of `key` is being made."""
    # a sibling of the final folder: rename(2) works within one file system only
    return final.parent / f".{final.name}-{key.fingerprint}"


def _rename_to_final(folder: Path, final: Path) -> None:
    """Rename `folder` to `final`; what had the name before is removed once the new folder has taken its place."""
    _refuse_foreign(final)
    # of use to unfinished work alone
    drop(folder)
    remove_file(folder / KEY)
    replaced = final.parent / f".{final.name}-replaced"
    remove_tree(replaced)
    # where the volume is in an object store, others see the artifact from here on
    check_held(final)
    with publishing(folder, final):
        # rename(2) does not replace a folder that is not empty, so the old one moves out of the way first
        if final.exists():
            rename(final, replaced)
        rename(folder, final)
    # before the old artifact goes: a power cut must not lose both names
    sync_folder(final.parent)
    remove_tree(replaced)


def file_info(folder: Path, path: Path) -> FileInfo:
    """Return the record of the file `path` below `folder`."""
    payload = path.read_bytes()
    return FileInfo(name=path.relative_to(folder).as_posix(), bytes=len(payload), sha256=sha256(payload))
