"""An export is whole or absent: written beside its place, renamed at the end, and never in place of something else."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.drafts import locked
from shared.errors import BadInput
from shared.files import sha256, sync_folder, write_json
from shared.format.manifest import MANIFEST

RECORD, CARD = "export.json", "README.md"


def stands(out: Path, request: dict[str, Any], force: bool) -> bool:
    """Return whether the export that answers `request` stands at `out` already.

    Without `force` raises BadInput for anything else there that is no export, and for an export whose card was edited:
    the licence that somebody filled in would be lost.
    """
    if not out.exists() or force:
        return False
    try:
        record = json.loads((out / RECORD).read_bytes())
        asked, card = record["request"], record["card_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        if out.is_dir() and not any(out.iterdir()):
            return False
        raise BadInput(f"{out}: in the way and not an export; choose another --out, or --force replaces it") from error
    if asked == request:
        return True
    if not (out / CARD).is_file() or sha256((out / CARD).read_bytes()) != card:
        raise BadInput(
            f"{out / CARD}: was edited since it was written, and the export is to be made anew\n"
            "keep the card elsewhere and say --force, or choose another --out"
        )
    return False


def deliver(out: Path, request: dict[str, Any], write: Callable[[Path], None]) -> None:
    """Let `write` fill a hidden folder beside `out`, add the record of `request`, and give it its name.

    What stood at `out` goes only once the new one has its place. Raises Busy where another process does the same.
    """
    part, replaced = (out.parent / f".{out.name}.{word}" for word in ("part", "replaced"))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out.parent}: cannot be written to ({error.strerror}); choose another --out") from error
    with locked(out):
        _put_back(replaced, out)
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir()
            write(part)
            card = sha256((part / CARD).read_bytes())
            write_json(part / RECORD, {"format": "halfreal export", "request": request, "card_sha256": card})
            os.sync()
            if out.exists():
                out.rename(replaced)
            part.rename(out)
            sync_folder(out.parent)
        finally:
            shutil.rmtree(part, ignore_errors=True)
            _put_back(replaced, out)


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
