"""An export is whole or absent: written next to its destination, renamed at the end, never over anything else."""

import os
from collections.abc import Callable
from pathlib import Path

from shared import __version__
from shared.disk.durable import make_folder, remove_tree, rename, sync_folder, write_whole
from shared.errors import BadInput, FormatError
from shared.format.files import read_whole, sha256
from shared.format.manifest import MANIFEST, Manifest, parse_manifest
from shared.store.locks import locked
from shared.store.staging import BuildKey, file_info

RECORD, CARD = "export.json", "README.md"
"""The record is a manifest; it has another name because an export is no artifact that jobs read."""


def why_written(out: Path, key: BuildKey, force: bool) -> str | None:
    """Return why an export of `key` that is there is rebuilt, nothing where none is; None where it is complete.

    An edited card counts as complete. Without `force` raises BadInput where `out` holds something other than an export,
    and where an export that must be rebuilt has an edited card: the licence that somebody filled in would be lost.
    """
    if not out.exists() or force:
        return ""
    try:
        made = parse_manifest((out / RECORD).read_bytes(), out / RECORD)
    except (OSError, FormatError) as error:
        if out.is_dir() and not any(out.iterdir()):
            return ""
        raise BadInput(f"{out}: in the way and not an export; choose another --out, or --force replaces it") from error
    reason = "; ".join(key.differences(made)) or _damage(out, made)
    if not reason:
        return None
    if _card_was_edited(out, made):
        raise BadInput(
            f"{out / CARD}: was edited since it was written, and the export is to be rebuilt because {reason}\n"
            "keep the card elsewhere and say --force, or choose another --out"
        )
    return reason


def _damage(out: Path, made: Manifest) -> str:
    """Return what is wrong with the first missing or altered file, or nothing; an edited card is no damage."""
    for info in made.files:
        # people fill in the licence there
        if info.name == CARD and _card_was_edited(out, made):
            continue
        try:
            read_whole(out / info.name, info.bytes, info.sha256)
        except FormatError as error:
            return str(error)
        except OSError as error:
            return f"{out / info.name}: cannot be read ({error.strerror})"
    return ""


def _card_was_edited(out: Path, made: Manifest) -> bool:
    written = {info.sha256 for info in made.files if info.name == CARD}
    return (out / CARD).is_file() and sha256((out / CARD).read_bytes()) not in written


def write_export(out: Path, key: BuildKey, write: Callable[[Path], None]) -> None:
    """Let `write` fill a hidden folder next to `out`, add the record of `key`, and rename the folder to `out`.

    A previous export is deleted only after the new one is in place. Raises Busy where another process writes the same
    export, and BadInput where nothing can be written.
    """
    part, replaced = (out.parent / f".{out.name}.{word}" for word in ("part", "replaced"))
    with locked(out):
        # an earlier call may have been killed between its two renames
        _put_back(replaced, out)
        remove_tree(part)
        try:
            make_folder(part)
            write(part)
            write_whole(part / RECORD, _record(part, key).to_bytes())
            # every image is on the disk before the rename, or a power cut could leave a named but incomplete export
            os.sync()
            # rename cannot replace a folder that has files, so the old one moves aside first
            if out.exists():
                rename(out, replaced)
            rename(part, out)
            sync_folder(out.parent)
        finally:
            remove_tree(part)
            _put_back(replaced, out)


def _record(folder: Path, key: BuildKey) -> Manifest:
    """Return the manifest of every file in `folder`, built from `key`."""
    return Manifest(
        kind=key.kind,
        job=key.job,
        halfreal=__version__,
        options=key.plain_options,
        inputs=key.input_hashes,
        files=[file_info(folder, path) for path in sorted(folder.rglob("*")) if path.is_file()],
    )


def _put_back(replaced: Path, out: Path) -> None:
    """Rename the previous export back to `out` if nothing has replaced it, else delete it."""
    if replaced.exists() and not out.exists():
        rename(replaced, out)
    remove_tree(replaced)


def _is_artifact(place: Path) -> bool:
    """Return whether a folder is an artifact, or has the artifacts of replicates."""
    return (place / MANIFEST).exists() or any(place.glob(f"r[0-9][0-9]/{MANIFEST}"))


def check_place(out: Path, experiment: Path) -> None:
    """Raise BadInput where an export at `out` would write into an artifact, or replace one or the working directory."""
    inside = next((place for place in (out, *out.parents) if _is_artifact(place)), None)
    if inside:
        raise BadInput(f"--out {out}: lies in the artifact {inside}; choose a place of its own")
    # --force replaces the folder as a whole, with all that is in it
    for place in (experiment.resolve(), Path.cwd()):
        if place.is_relative_to(out):
            raise BadInput(f"--out {out}: holds {place}; choose a place of its own")
