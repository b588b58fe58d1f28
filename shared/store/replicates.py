"""Replicates: the whole procedure again, from another seed. Where the artifacts of each are, which ones there are.

A replicate is a new generator, new latents, a new annotator and new fits. A replicated job writes the artifacts
`gan/r00`, `gan/r01`, ...; each is complete or absent by itself, so that replicates can be made by any processes in any
order, and more of them can be added.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import BadInput, MissingArtifact
from shared.store.job import Job

if TYPE_CHECKING:
    from shared.store.records.scores import ScoresRecord

MOST = 100
"""More replicates than this have no names: they have two digits."""


RESPLITS = ("none", "train", "all")
"""none: one split for all replicates; train: each uses another subset of train and val; all: each has another split."""


def replicate_name(replicate: int) -> str:
    """Return the name of a replicate: "r00" is that of the first, number 0."""
    return f"r{replicate:02d}"


def place(row: Job[Any], replicate: int | None) -> str:
    """Return where the artifact of a job is below the experiment's folder, of one replicate where the job has them."""
    return f"{row.writes}/{replicate_name(replicate or 0)}" if row.replicated else row.writes


def as_there(row: Job[Any], folder: Path) -> Job[Any]:
    """Return the job in `row` as its artifacts are in the experiment's `folder`: replicated where there are several.

    That is asked only of a job with `splits`, such as the one that makes random splits of the real images.
    """
    from shared.format.manifest import MANIFEST  # here, since it imports pydantic, and a command line needs the names

    if not row.splits or row.replicated or (folder / row.writes / MANIFEST).is_file():
        return row
    several = any((folder / row.writes).glob(f"r[0-9][0-9]/{MANIFEST}"))
    return replace(row, replicated=True) if several else row


def reads_as_there(row: Job[Any], folder: Path) -> Job[Any]:
    """Return the job in `row` with the jobs that it reads as their artifacts are in the experiment's `folder`."""
    reads, first, behind = (
        tuple(as_there(read, folder) for read in jobs) for jobs in (row.reads, row.first, row.behind)
    )
    return replace(row, reads=reads, first=first, behind=behind)


def input_places(row: Job[Any], replicate: int | None, replicates: int) -> dict[str, Job[Any]]:
    """Return the job of each artifact that the job in `row` reads, by its place.

    A replicate reads its own ones; a job without replicates reads those of all of them. Those of the jobs in `behind`
    are among them, which it reads only where others were made from them. The artifact of a job in `first` is the first
    one's, but its own where each replicate has a split of its own: the first one's would know its test images.
    """
    places = {}
    for read in (*row.reads, *row.behind):
        own = replicate is not None or not read.replicated
        for number in [replicate or 0] if own else range(replicates):
            places[place(read, number)] = read
    own_split = any(read.splits and read.replicated for read in row.reads)
    return places | {place(read, (replicate or 0) if own_split else 0): read for read in row.first}


def replicates_among(names: Iterable[str]) -> int:
    """Return how many replicates the places of some artifacts belong to; 0 where none has replicates."""
    numbers = [int(found[1]) for name in names if (found := re.fullmatch(r"\w+/r(\d+)", name))]
    return max(numbers, default=-1) + 1


def existing(folder: Path, row: Job[Any]) -> list[int]:
    """Return the replicates whose artifact of the job in `row` is finished, in the experiment's `folder`."""
    from shared.format.manifest import MANIFEST  # here, since it imports pydantic, and a command line needs the names

    names = {number: folder / place(row, number) / MANIFEST for number in range(MOST)}
    return [number for number, path in names.items() if path.is_file()]


def best_on_val(scores: "Mapping[int, ScoresRecord]") -> int:
    """Return the replicate whose chosen snapshot has the best score on val, by the scores of each replicate.

    All of them are scored by one extractor, on the same images; of equal scores the first counts. Imported images have
    no score on val, and with splits of their own no two have the same images: of these it is the first. BadInput
    without any, and for scores by different extractors.
    """
    if not scores:
        raise MissingArtifact("no replicate is scored yet; run first: halfreal evaluate")
    used = {record.chosen_score for record in scores.values()}
    if len(used) > 1:
        raise BadInput(
            f"snapshots were chosen by {' and '.join(sorted(used))}: want one score\n"
            "choose all of them again: halfreal evaluate --force; or name a --replicate"
        )
    if not comparable(scores.values()):
        return min(scores)
    return min(scores, key=lambda number: min(value for _, value in scores[number].curve))


def comparable(scores: "Collection[ScoresRecord]") -> bool:
    """Whether the scores on val of several replicates compare: they have snapshots, and are on the same images."""
    return not any(record.imported for record in scores) and len({r.protocol.reference_sha256 for r in scores}) == 1


def why_shown(scores: "Collection[ScoresRecord]") -> str:
    """Return why `best_on_val` took the replicate that it took of these, in words."""
    return "the best on val" if comparable(scores) else "the first"
