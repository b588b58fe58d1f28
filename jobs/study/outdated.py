"""Which points of a study have other generators by now than its answer is about."""

from pathlib import Path

from jobs.pipeline import SYNTHESIZE
from shared.errors import BadInput
from shared.store.artifacts import open_output
from shared.store.lineage import STUDY_FOLDER
from shared.store.records.study import StudyPoint, StudyRecord
from shared.store.replicates import existing


def outdated(folder: Path, study: StudyRecord) -> list[str]:
    """Return the points whose synthetic sets are others now, more, or gone; `folder` is that of the experiment."""
    return [point.point for point in study.points if _changed(folder / STUDY_FOLDER / point.point, point)]


def _changed(folder: Path, point: StudyPoint) -> bool:
    try:
        there = [open_output(SYNTHESIZE, folder, number).sha256 for number in existing(folder, SYNTHESIZE)]
    except BadInput:
        return True
    return there != point.generators


def outdated_words(points: list[str]) -> str:
    """Return what is to be said of an answer whose points have changed, in words."""
    return f"The study is outdated: the synthetic images of {', '.join(points)} are others now; run the study again."
