"""Plausible records of a finished experiment, for the tests of the page, of `results` and of the card."""

from typing import Any

import numpy as np

from shared.stats.confidence import quantile
from shared.store.records.mixed import HELPED, HURT, NO_EFFECT, MixedRecord

CLASSES = 3
FREEDOM = 12.0
TRAIN = [600, 420, 237]
TEST = [180, 120, 60]
METRICS = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc")

ARMS: dict[str, tuple[str, float, float, float, float]] = {
    "real_100": ("all real", 1.0, 0.0, 0.0, 0.973),
    "real_100_plus_synthetic_100": ("all real + as many synthetic", 1.0, 1.0, 1.0, 0.976),
    "synthetic_100": ("as many synthetic as real", 0.0, 1.0, 1.0, 0.931),
    "real_30": ("30 % of the real", 0.3, 0.0, 0.0, 0.942),
    "synthetic_70_real_30": ("30 % of the real + synthetic", 0.3, 0.7, 1.0, 0.953),
}
"""Each arm: what it is, its shares of real and synthetic images, what generator and annotator saw, its accuracy."""

QUESTIONS = (
    ("adding as many synthetic images to all real ones", "real_100_plus_synthetic_100", "real_100"),
    ("taking as many synthetic images in place of all real ones", "synthetic_100", "real_100"),
    ("adding synthetic images to 30 % of the real ones", "synthetic_70_real_30", "real_30"),
    ("replacing 70 % of the real images by synthetic ones", "synthetic_70_real_30", "real_100"),
)
LIKE = {"adding as many synthetic images to all real ones", "taking as many synthetic images in place of all real ones"}
LIKE |= {"replacing 70 % of the real images by synthetic ones"}
UNLIKE = "Not like for like: the generator saw real images that the baseline did not."

HOSTILE_CLASSES = ('<script>fetch("https://example.org/")</script>', "\"quoted' & <b>bold", "{{ 7 * 7 }}")
"""Names that would be harmful on a page that does not escape them."""


def mixed_record(first: str = "headline", replicates: int = 5, **changes: Any) -> MixedRecord:
    """Return the record of an experiment with the arms of ARMS; `changes` replace fields of it."""
    rng = np.random.default_rng(replicates)
    values = {name: arm[4] + 0.004 * rng.standard_normal(replicates) for name, arm in ARMS.items()}
    answers = [
        _answer(question, values[a], values[b], a, b, 0.95 if place == 0 else 1 - 0.05 / (len(QUESTIONS) - 1))
        for place, (question, a, b) in enumerate(QUESTIONS)
    ]
    fields: dict[str, Any] = {
        "rows": [_row(arm, replicate, values[arm][replicate]) for arm in ARMS for replicate in range(replicates)],
        "arms": [_arm(name, values[name], rng) for name in ARMS],
        "headline": answers[0],
        "questions": answers[1:],
        "first": first,
        "variance": {"generator": 0.35, "fit": None, "images": 0.65},
        "worth": [],
        "majority_baseline": 0.477,
        "copies_flagged": [],
        "train_counts": TRAIN,
        "synthetic_counts": [3011, 2099, 1175],
        "protocol": _protocol(replicates),
    }
    return MixedRecord.model_validate(fields | changes)


def until_record(stopped_for: str | None = "width", needs: int | None = None, **protocol: Any) -> MixedRecord:
    """Return a verdict whose replicates were added until its interval reaches 0.5 points to each side."""
    record = mixed_record()
    assert record.headline is not None
    known = {"until": 0.005, "half_width": 0.00487, "floor": 0.0031, "stopped_for": stopped_for}
    return record.model_copy(
        update={
            "headline": record.headline.model_copy(update={"needs_test_images": needs}),
            "protocol": record.protocol.model_copy(update=known | protocol),
        }
    )


def two_classes(record: MixedRecord) -> MixedRecord:
    """Return a verdict on two classes, the second of which is the positive one."""
    arms = []
    for arm in record.arms:
        first, second, *_ = arm.classes or []
        rows = [row.model_copy(update={"class_name": name}) for row, name in ((first, "Old"), (second, "Young"))]
        arms.append(arm.model_copy(update={"classes": rows, "positive_class": "Young"}))
    fits = []
    for row in record.rows:
        assert row.test.confusion is not None
        confusion = [counts[:2] for counts in row.test.confusion[:2]]
        fits.append(row.model_copy(update={"test": row.test.model_copy(update={"confusion": confusion})}))
    return record.model_copy(update={"arms": arms, "rows": fits})


def _protocol(replicates: int) -> dict[str, Any]:
    return {
        "n_test": 360,
        "n_val": 180,
        "n_synthetic_usable": 1257,
        "min_confidence": 0.0,
        "replicates": replicates,
        "planned": replicates,
        "added": 0,
        "fits": 1,
        "optimizer_steps": 600,
        "most_steps": 6000,
        "patience": 8,
        "split": "stratified",
        "selection": "macro F1 on val",
        "interval": "replicates and test images, two-way random effects",
    }


def _arm(name: str, values: Any, rng: np.random.Generator) -> dict[str, Any]:
    about, real, synthetic, seen, _ = ARMS[name]
    metrics = {metric: _estimate(values - 0.001 * place) for place, metric in enumerate(METRICS)}
    information = {"classifier": real, "generator": seen, "annotator": seen}
    counts = {"n_real": round(real * sum(TRAIN)), "n_synthetic": round(synthetic * sum(TRAIN))}
    classes = [_class(place, values - 0.01 * place) for place in range(CLASSES)]
    return {"arm": name, "about": about, **counts, "information": information, **metrics, "classes": classes}


def _class(place: int, values: Any) -> dict[str, Any]:
    """Return a class: each metric differs from the others, and from those of other classes and arms."""
    metrics = {
        name: _estimate(values - shift) for name, shift in (("precision", 0.0), ("recall", 0.003), ("f1", 0.001))
    }
    return {"class_name": HOSTILE_CLASSES[place], "n": TEST[place], **metrics}


def _estimate(values: Any) -> dict[str, Any]:
    mean = float(values.mean())
    std = float(values.std(ddof=1)) if len(values) > 1 else None
    return {"mean": mean, "std": std, "values": values.tolist(), "low": mean - 0.012, "high": min(mean + 0.012, 1.0)}


def _answer(question: str, a: Any, b: Any, arm_a: str, arm_b: str, level: float) -> dict[str, Any]:
    differences = a - b
    mean, count = float(differences.mean()), len(differences)
    error = float(np.hypot(differences.std(ddof=1) / count**0.5, 0.003)) if count > 1 else 0.006
    reach = error * quantile(FREEDOM) * (1 + 8 * (level - 0.95))
    low, high = mean - reach, mean + reach
    outcome = HELPED if low > 0 else HURT if high < 0 else NO_EFFECT
    sentence = f"{question[0].upper()}{question[1:]}: {outcome} ({100 * mean:+.1f} points)."
    like = question in LIKE
    return {
        "question": question,
        "a": arm_a,
        "b": arm_b,
        "metric": "accuracy",
        "difference": mean,
        "low": low,
        "high": high,
        "level": level,
        "outcome": outcome,
        "detectable": 1.4 * reach,
        "replicates": count,
        "like_for_like": like,
        "warnings": [],
        "values": differences.tolist(),
        "equal_steps": {"difference": mean / 2, "low": low, "high": high},
        "sentence": sentence if like else f"{UNLIKE} {sentence}",
        "freedom": FREEDOM,
    }


def _row(arm: str, replicate: int, accuracy: float) -> dict[str, Any]:
    table = {"n": 360, "accuracy": accuracy, "precision": accuracy, "recall": accuracy, "f1": accuracy, "classes": []}
    confusion = [[118, 2, 0], [1, 117, 2], [0, 4, 116]]
    return {
        "arm": arm,
        "replicate": replicate,
        "fit": 0,
        "seed": replicate,
        "n_real": 1257,
        "n_synthetic": 0,
        "best_step": 500,
        "stopped_at": 900,
        "equal_steps_accuracy": accuracy,
        "test": table | {"confusion": confusion},
    }
