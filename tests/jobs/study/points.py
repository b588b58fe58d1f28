"""Points of a study as records, for tests of its answer, its page and its numbers."""

from typing import Any

from shared.stats.confidence import other_level
from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT, Answer, Information
from shared.store.records.study import StudyPoint

INTERVALS = {HELPED: (0.004, 0.02), HURT: (-0.02, -0.004), NO_EFFECT: (-0.006, 0.01), COPIES: (0.004, 0.02)}
"""An interval for each outcome, as shares of 1."""

PERCENT = {63: 5.0, 126: 10.0, 377: 30.0, 1257: 100.0}


def point(n_train: int, outcome: str, **changes: Any) -> StudyPoint:
    """Return the point of `n_train` real images, a key of PERCENT, of which the headline has the outcome."""
    percent = PERCENT[n_train]
    low, high = INTERVALS[outcome]
    headline = Answer.model_validate(
        {
            "question": f"adding {n_train} synthetic images to all {n_train} real ones",
            "a": "real_100_plus_synthetic_100",
            "b": "real_100",
            "metric": "accuracy",
            "difference": (low + high) / 2,
            "low": low,
            "high": high,
            "level": other_level(len(PERCENT)),
            "outcome": outcome,
            "detectable": 0.012,
            "replicates": 3,
            "like_for_like": True,
            "warnings": changes.pop("warnings", []),
            "values": [(low + high) / 2 + shift for shift in (-0.002, 0.0, 0.002)],
            "equal_steps": {"difference": 0.0, "low": low, "high": high},
            "sentence": f"Adding {n_train} synthetic images to all {n_train} real ones: {outcome}.",
            "freedom": 4.0,
        }
    )
    fields: dict[str, Any] = {
        "point": f"images-{percent:g}",
        "kind": "images",
        "percent": percent,
        "experiment": f"digits/study/images-{percent:g}",
        "n_train": n_train,
        "n_unlabelled": 0,
        "n_val": n_train // 7,
        "n_test": 360,
        "n_synthetic": n_train,
        "replicates": 3,
        "planned": 3,
        "added": 0,
        "headline": headline,
        "information": {
            "real_100_plus_synthetic_100": Information(classifier=1.0, generator=1.0, annotator=1.0),
            "real_100": Information(classifier=1.0, generator=0.0, annotator=0.0),
        },
        "seconds": 340.0,
        "generators": [f"{n_train:064d}"],
        "report": f"images-{percent:g}/report/index.html",
    }
    return StudyPoint(**(fields | changes))


def points(*outcomes: str) -> list[StudyPoint]:
    """Return a point of each outcome, the smallest number of images first."""
    return [point(n_train, outcome) for n_train, outcome in zip(PERCENT, outcomes, strict=True)]
