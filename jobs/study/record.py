"""The record of a study, from its points and from the study before it."""

import json
from collections.abc import Sequence
from pathlib import Path

from jobs.study.answer import RULE, study_answer
from jobs.study.points import KINDS
from shared.errors import FormatError
from shared.store.lineage import STUDY_FOLDER
from shared.store.records.base import parse_record
from shared.store.records.study import StudyPoint, StudyRecord

JSON = "study.json"
"""The file of a study with its record, next to its page."""


def read_study(folder: Path) -> StudyRecord | None:
    """Return the study of the experiment in `folder`; None where none was answered yet."""
    path = folder / STUDY_FOLDER / JSON
    try:
        fields = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise FormatError(f"{path}: no JSON ({error})\nremove it and run the study again: its points stay") from error
    return parse_record(StudyRecord, fields, str(path))


def make_record(experiment: str, points: Sequence[StudyPoint], level: float, before: StudyRecord | None) -> StudyRecord:
    """Return the study of all `points`, judged at `level`; `before` is what was answered before, if anything."""
    names = [point.point for point in points]
    known = before if before is not None and same_generators(before, points) else None
    planned = known.planned if known else names
    # added ones too: one that was added, seen and removed would leave no trace
    seen = [*known.planned, *known.added, *known.left_out] if known else []
    record = StudyRecord(
        experiment=experiment,
        answers=[
            study_answer(kind, own) for kind in KINDS if (own := [point for point in points if point.kind == kind])
        ],
        rule=RULE,
        level=level,
        planned=planned,
        added=[name for name in names if name not in planned],
        left_out=[name for name in dict.fromkeys(seen) if name not in names],
        warnings=[],
        points=list(points),
    )
    return record.model_copy(update={"warnings": warnings(record)})


def same_generators(before: StudyRecord, points: Sequence[StudyPoint]) -> bool:
    """Return whether any synthetic set of these points was in the study `before`: its answer was known then."""
    seen = {digest for point in before.points for digest in point.generators}
    return any(digest in seen for point in points for digest in point.generators)


def warnings(record: StudyRecord) -> list[str]:
    """Return what must be read before the answer: what is odd about the choice of points, then about each point."""
    lines = []
    if record.left_out:
        lines.append(
            f"{_points(len(record.left_out))} of an earlier answer {'is' if len(record.left_out) == 1 else 'are'} left "
            f"out ({', '.join(record.left_out)}): the intervals do not allow for choosing among points."
        )
    if record.added:
        lines.append(
            f"{len(record.added)} of {len(record.points)} points were added after a first answer "
            f"({', '.join(record.added)}): the intervals do not allow for adding more until an answer pleases."
        )
    said: dict[str, list[str]] = {}
    for point in record.points:
        for line in point.headline.warnings:
            said.setdefault(line, []).append(point.point)
    return lines + [f"{', '.join(points)}: {line}" for line, points in said.items()]


def _points(count: int) -> str:
    return f"{count} point{'' if count == 1 else 's'}"
