"""Which checks of one plan are unfinished, and which pieces none of them needs any more.

Checks with other controls or replicates share their pieces, as far as they have the same ones.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from jobs.selfcheck.pieces import REAL, Piece, Plan
from shared.disk.durable import make_folder, remove_if_empty, remove_tree
from shared.format.files import write_json

UNFINISHED = "unfinished.json"
"""The file in the folder of a plan that lists its unfinished checks: each the names of its controls, its replicates."""

Check = tuple[tuple[str, ...], int]


def pieces_of(check: Check) -> list[Piece]:
    """Return the pieces of a check: those of the real images, then those of each control."""
    names, replicates = check
    return [Piece(name, replicate) for name in (REAL, *names) for replicate in range(replicates)]


def begin(plan: Plan, names: Sequence[str], replicates: int) -> None:
    """Note that a check has begun."""
    _write(plan.folder, _read(plan.folder) | {(tuple(names), replicates)})


def end(plan: Plan, names: Sequence[str], replicates: int) -> None:
    """Remove the pieces of a check that has passed, but for those that an unfinished one has or will have."""
    ended = (tuple(names), replicates)
    others = _read(plan.folder) - {ended}
    if not others:
        remove_tree(plan.folder, strict=True)
        return
    needed = {piece for check in others for piece in pieces_of(check)}
    for piece in pieces_of(ended):
        if piece not in needed:
            remove_tree(piece.folder(plan))
            remove_if_empty(piece.folder(plan).parent)  # unless other replicates are there
    _write(plan.folder, others)


def _read(folder: Path) -> set[Check]:
    """Return the unfinished checks; none where nobody can read which they are."""
    try:
        rows = json.loads((folder / UNFINISHED).read_text(encoding="utf-8"))
        return {(tuple(row["controls"]), int(row["replicates"])) for row in rows["checks"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _write(folder: Path, checks: set[Check]) -> None:
    make_folder(folder, parents=True)
    rows = [{"controls": list(names), "replicates": replicates} for names, replicates in sorted(checks)]
    write_json(folder / UNFINISHED, {"checks": rows})
