"""An export is whole or absent: written beside its place, renamed at the end, and never in place of something else."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from shared import __version__
from shared.cli.progress import Reporter
from shared.errors import BadInput, FormatError
from shared.format.files import read_whole, sha256, sync_folder, write_whole
from shared.format.manifest import MANIFEST, Manifest, parse_manifest
from shared.store.locks import locked
from shared.store.staging import BuildKey, file_info

RECORD, CARD = "export.json", "README.md"
"""The record is a manifest; it has another name because an export is no artifact that jobs read."""


def stands(out: Path, request: BuildKey, force: bool, reporter: Reporter) -> bool:
    """Return whether the export that answers `request` stands whole at `out`; if not, say why it is made anew.

    An edited card counts as whole. Without `force` raises BadInput for anything else there that is no export, and for
    an export to be made anew whose card was edited: the licence that somebody filled in would be lost.
    """
    if not out.exists() or force:
        return False
    try:
        made = parse_manifest((out / RECORD).read_bytes(), out / RECORD)
    except (OSError, FormatError) as error:
        if out.is_dir() and not any(out.iterdir()):
            return False
        raise BadInput(f"{out}: in the way and not an export; choose another --out, or --force replaces it") from error
    reason = "; ".join(request.differences(made)) or _damage(out, made)
    if not reason:
        return True
    if _card_was_edited(out, made):
        raise BadInput(
            f"{out / CARD}: was edited since it was written, and the export is to be rebuilt because {reason}\n"
            "keep the card elsewhere and say --force, or choose another --out"
        )
    reporter.info(f"rebuilding because {reason}")
    return False


def _damage(out: Path, made: Manifest) -> str:
    """Say of the first file that is missing or altered what is wrong with it; nothing of an edited card."""
    for info in made.files:
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


def deliver(out: Path, request: BuildKey, write: Callable[[Path], None]) -> None:
    """Let `write` fill a hidden folder beside `out`, add the record of `request`, and give it its name.

    What stood at `out` goes only once the new one has its place. Raises Busy where another process does the same, and
    BadInput where nothing can be written.
    """
    part, replaced = (out.parent / f".{out.name}.{word}" for word in ("part", "replaced"))
    with locked(out):
        _put_back(replaced, out)
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir()
            write(part)
            write_whole(part / RECORD, _record(part, request).to_bytes())
            os.sync()
            if out.exists():
                out.rename(replaced)
            part.rename(out)
            sync_folder(out.parent)
        finally:
            shutil.rmtree(part, ignore_errors=True)
            _put_back(replaced, out)


def _record(folder: Path, request: BuildKey) -> Manifest:
    """Return the record of every file in `folder` as what answers `request`."""
    return Manifest(
        kind=request.kind,
        job=request.job,
        halfreal=__version__,
        options=request.plain_options,
        inputs=request.input_hashes,
        files=[file_info(folder, path) for path in sorted(folder.rglob("*")) if path.is_file()],
    )


def _put_back(replaced: Path, out: Path) -> None:
    """Give what stood at `out` its name again if nothing has taken its place, else drop it."""
    if replaced.exists() and not out.exists():
        replaced.rename(out)
    shutil.rmtree(replaced, ignore_errors=True)


def check_place(out: Path, experiment: Path) -> None:
    """Raise BadInput where an export at `out` would write into an artifact, or over one or the place we stand in."""
    inside = next((place for place in (out, *out.parents) if (place / MANIFEST).exists()), None)
    if inside:
        raise BadInput(f"--out {out}: lies in the artifact {inside}; choose a place of its own")
    for place in (experiment.resolve(), Path.cwd()):
        if place.is_relative_to(out):
            raise BadInput(f"--out {out}: holds {place}; choose a place of its own")
