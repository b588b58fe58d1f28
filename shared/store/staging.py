"""Drafts: artifacts are written whole, in a hidden folder that gets its final name at the end.

A job asks for an artifact with a `Request`: its own name, its options and its input artifacts. The request's
fingerprint names the draft folder in which the work goes on, so that the same request resumes its own draft and
another request never touches it. `commit` writes the manifest last and renames the draft to the final name; the
artifact that stood there stays until then. Several processes may work on one draft in parts (see `parts`); whichever
finds every part done commits it.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from shared import __version__
from shared.errors import BadInput, FormatError
from shared.format.files import json_bytes, sha256, sync_folder, write_whole
from shared.format.manifest import MANIFEST, Dataset, FileInfo, Manifest
from shared.store.artifacts import Artifact, open_artifact
from shared.store.locks import locked, others_at_work, probing
from shared.store.records.base import Record
from shared.store.work_shards import FOLDER as WORK_SHARDS_FOLDER
from shared.store.work_shards import Shard, register, unregister

OUTPUTS = ("figures", "tensorboard", "metrics.jsonl", "run.json")
"""What stands in an artifact, at any depth, for people and no job reads; the manifest does not list it."""


class BuildRecord(Protocol):
    """Whatever records which options and inputs it was made with: a manifest does."""

    @property
    def options(self) -> dict[str, object]:
        """The options by name."""

    @property
    def inputs(self) -> dict[str, str]:
        """The sha256 of each input's manifest, by name."""


@dataclass(frozen=True)
class BuildKey:
    """What a job is asked to make: everything that the result depends on."""

    job: str
    kind: str
    options: dict[str, object]
    inputs: dict[str, Artifact] = field(default_factory=dict)

    @cached_property
    def plain_options(self) -> dict[str, object]:
        """The options as JSON holds them (tuples become lists, paths become text)."""
        plain: dict[str, object] = json.loads(json.dumps(self.options, default=str))
        return plain

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that equal requests share."""
        parts = [self.job, self.kind, sorted(self.plain_options.items()), sorted(self.input_hashes.items())]
        return sha256(json_bytes(parts))[:12]

    @property
    def input_hashes(self) -> dict[str, str]:
        """The sha256 of each input's manifest."""
        return {name: artifact.sha256 for name, artifact in self.inputs.items()}

    def other_options(self, answer: BuildRecord) -> list[str]:
        """Say in words in which options what was made as `answer` says differs from this request."""
        old, new = _flat(answer.options), _flat(self.plain_options)
        return [
            f"{name} was {old.get(name)!r}, now {new.get(name)!r}"
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)
        ]

    def differences(self, answer: BuildRecord) -> list[str]:
        """Say in words how what was made as `answer` says differs from this request; empty if it is the one."""
        hashes = self.input_hashes
        return self.other_options(answer) + [
            f"its input {name!r} changed"
            for name in sorted(hashes.keys() | answer.inputs.keys())
            if hashes.get(name) != answer.inputs.get(name)
        ]


def _flat(options: dict[str, object]) -> dict[str, object]:
    """Return options by name; those of a table within them as `table.name`."""
    tables = {name: value for name, value in options.items() if isinstance(value, dict)}
    plain = {name: value for name, value in options.items() if name not in tables}
    return plain | {f"{table}.{name}": value for table, held in tables.items() for name, value in held.items()}


@dataclass(frozen=True)
class Staging:
    """The folder in which an artifact is being made."""

    folder: Path
    final: Path
    request: BuildKey

    def commit(self, *, record: Record | None = None, dataset: Dataset | None = None) -> Artifact:
        """Write the manifest over every file in the draft, give the draft its final name, return the artifact.

        Shards that are not the dataset's go first: parts that began when there were more images may have left some.
        """
        shards = {s.name for split in (dataset.splits.values() if dataset else ()) for s in split.shards}
        for path in self.folder.glob("*.tar"):
            if path.name not in shards:
                path.unlink()
        manifest = Manifest(
            kind=self.request.kind,
            job=self.request.job,
            halfreal=__version__,
            options=self.request.plain_options,
            inputs=self.request.input_hashes,
            files=[file_info(self.folder, path) for path in self.files() if path.name not in shards],
            dataset=dataset,
            facts={} if record is None else record.facts(),
        )
        write_whole(self.folder / MANIFEST, manifest.to_bytes())
        shutil.rmtree(self.folder / WORK_SHARDS_FOLDER, ignore_errors=True)
        _give_final_name(self.folder, self.final)
        return open_artifact(self.final, self.request.kind, self.request.job)

    def files(self) -> list[Path]:
        """Return what the manifest lists of the files that there are."""
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [
            path
            for path in found
            if not set(path.relative_to(self.folder).parts) & {*OUTPUTS, WORK_SHARDS_FOLDER}
            and not path.name.startswith(".")
        ]


@contextmanager
def draft(
    final: Path,
    request: BuildKey,
    *,
    keep: bool,
    fresh: bool = False,
    lead: bool = True,
    part: Shard | None = None,
    wait: bool = False,
) -> Iterator[Staging]:
    """Lock the artifact and yield the draft of `request`; where another process holds the lock, Busy or a `wait`.

    With `keep`, work that an earlier, interrupted run of the same request left is there to be resumed (unless
    `fresh`), and stays if this run fails too; without it the draft starts empty and a failed one is removed. Of
    several processes that train together only the `lead` locks and clears. A process that does one `part` locks that
    part alone and clears nothing, but where it fails for bad input: then nobody can finish the draft.
    """
    work = Staging(_draft_folder(final, request), final, request)
    if not lead:
        yield work
        return
    _refuse_foreign(final)
    with locked(final, part, wait=wait), _part_of(work, keep, part) if part else _whole(work, keep, fresh):
        yield work


@contextmanager
def _whole(work: Staging, keep: bool, fresh: bool) -> Iterator[None]:
    if fresh or not keep:
        shutil.rmtree(work.folder, ignore_errors=True)
    work.folder.mkdir(exist_ok=True)
    try:
        yield
    except BadInput:
        keep = keep and bool(work.files())  # nobody comes back to a draft in which there is nothing
        raise
    finally:
        if not keep:
            shutil.rmtree(work.folder, ignore_errors=True)


@contextmanager
def _part_of(work: Staging, keep: bool, part: Shard) -> Iterator[None]:
    work.folder.mkdir(exist_ok=True)
    register(work.folder, work.final, work.request, part)
    try:
        yield
    except BadInput:
        unregister(work.folder, part)
        with probing(work.final):
            if not keep and not others_at_work(work.final, but=part):
                shutil.rmtree(work.folder, ignore_errors=True)
        raise


def _refuse_foreign(final: Path) -> None:
    """Raise FormatError where something that is no artifact has the final name: it may be the user's own."""
    if final.exists() and not (final / MANIFEST).exists():
        raise FormatError(f"{final}: in the way and not an artifact (no manifest.json); move it away")


def finished(final: Path, request: BuildKey) -> Artifact | None:
    """Return the artifact that stands at `final`, whatever request it answers, or None if nothing stands there.

    A commit of `request` that was cut off between manifest and final name is completed first. Raises FormatError
    where a folder without a manifest stands in the way: it may be the user's own.
    """
    folder = _draft_folder(final, request)
    if (folder / MANIFEST).exists():
        with locked(final):
            if (folder / MANIFEST).exists():
                _give_final_name(folder, final)
    _refuse_foreign(final)
    return open_artifact(final, request.kind, request.job) if final.exists() else None


def _draft_folder(final: Path, request: BuildKey) -> Path:
    return final.parent / f".{final.name}-{request.fingerprint}"


def _give_final_name(folder: Path, final: Path) -> None:
    """Rename `folder` to `final`; what stood there goes only once the new one can take its place."""
    _refuse_foreign(final)
    replaced = final.parent / f".{final.name}-replaced"
    shutil.rmtree(replaced, ignore_errors=True)
    if final.exists():
        final.rename(replaced)
    folder.rename(final)
    sync_folder(final.parent)
    shutil.rmtree(replaced, ignore_errors=True)


def file_info(folder: Path, path: Path) -> FileInfo:
    """Return the record of the file `path` below `folder`."""
    payload = path.read_bytes()
    return FileInfo(name=path.relative_to(folder).as_posix(), bytes=len(payload), sha256=sha256(payload))
