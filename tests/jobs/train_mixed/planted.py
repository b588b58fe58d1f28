"""Experiments with planted answers: what each arm has right is chosen, everything else follows from it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.train_mixed.arms import ARMS, chosen_arms
from jobs.train_mixed.outcome import Outcome
from jobs.train_mixed.verdict import Signs, make_record
from shared.stats.inference import Inference
from shared.store.records.classifier import ClassTable
from shared.store.records.mixed import Answer, FitRow, MixedRecord
from shared.store.records.mixed_protocol import MixedProtocol

Array = NDArray[np.float64]

TRAIN, TEST, REPLICATES = 100, 240, 5
SYNTHETIC = 3 * TRAIN
"""Synthetic images that there are."""
UNLABELLED = 900
"""Unlabelled images of an experiment with pseudo-labels."""
CLASSES = ("cat", "dog")
HEADLINE = ("real_100_plus_synthetic_100", "real_100")
HEADLINE_OF_ALL = ("real_100_plus_synthetic_all", "real_100")
HEADLINE_OF_LABELS = ("real_100_plus_synthetic_all", "real_100_plus_pseudo_all")

GAIN = {"real_100_plus_synthetic_100": 0.95}
"""Accuracies with which the headline helps; other arms have 0.8."""


def outcome_of(hits: Array, control: Array | None = None) -> Outcome:
    """Return a two-class outcome that is right where `hits`, (replicates, images) or with fits between, is 1.

    `control` is the same for the control of early stopping, `hits` unless it is given. Half of the images are of each
    class.
    """
    hits, control = (each if each.ndim == 3 else each[:, None] for each in (hits, hits if control is None else control))
    truth = np.arange(hits.shape[2]) % 2
    predicted, equal = (np.where(each > 0.5, truth, 1 - truth) for each in (hits, control))
    return Outcome(truth, predicted, 0.1 + 0.8 * np.eye(2)[predicted], equal)


def right(accuracy: float, replicates: int = REPLICATES, images: int = TEST, seed: int = 0) -> Array:
    """Return hits (replicates, images) with this share of right answers in each replicate, on images of its own."""
    chance = np.random.default_rng(seed)
    hits = np.arange(images) < round(accuracy * images)
    return np.stack([chance.permutation(hits) for _ in range(replicates)]).astype(float)


def experiment(
    arms: Mapping[str, Outcome] | str, accuracy: Mapping[str, float] | None = None, **changed: Any
) -> MixedRecord:
    """Return the record of outcomes, or of groups whose arms have these accuracies, 0.8 unless given.

    There are unlabelled images where it names the group "labels". `changed` are fields of the signs or the protocol.
    """
    named = arms if isinstance(arms, str) else ""
    if isinstance(arms, str):
        places = dict(zip(ARMS, range(len(ARMS)), strict=True))
        levels = dict.fromkeys(ARMS, 0.8) | dict(accuracy or {})
        names = chosen_arms(arms, conditional=True, unlabelled="labels" in arms)
        arms = {name: outcome_of(right(levels[name], seed=places[name])) for name in names}
    unlabelled = UNLABELLED if any(ARMS[name].pseudo for name in arms) else None
    replicates, fits, images = next(iter(arms.values())).predicted.shape
    signs: dict[str, Any] = {
        "classes": list(CLASSES),
        "train_counts": [TRAIN // 2] * 2,
        "synthetic_counts": [TRAIN // 2] * 2,
        "named": named,
    }
    protocol: dict[str, Any] = {
        "n_test": images,
        "n_val": 50,
        "n_synthetic_usable": SYNTHETIC,
        "min_confidence": 0.0,
        "fits": fits,
        "replicates": replicates,
        "planned": replicates,
        "added": 0,
        "optimizer_steps": 10,
        "most_steps": 100,
        "patience": 8,
        "split": "test of real",
        "selection": "val",
        "interval": "95 %",
        "test_seen": None,
        "test_files": None,
        "n_unlabelled": unlabelled,
        "resplit": None,
        "test_over_train": None,
        "n_test_most": None,
    }
    signs |= {name: value for name, value in changed.items() if name in Signs.__dataclass_fields__}
    protocol |= {name: value for name, value in changed.items() if name in protocol}
    assert changed.keys() <= signs.keys() | protocol.keys()
    return make_record(
        arms,
        [row(name) for name in arms],
        {name: ARMS[name].information(not unlabelled, unlabelled=bool(unlabelled)) for name in arms},
        MixedProtocol(**protocol),
        Signs(**signs),
        Inference(test_over_train=protocol["test_over_train"]),
    )


def row(name: str) -> FitRow:
    """Return the row of a fit of an arm."""
    pseudo = ARMS[name].pseudo
    n_real, n_added = ARMS[name].counts(TRAIN, UNLABELLED if pseudo else SYNTHETIC)
    counts = {"n_real": n_real, "n_synthetic": 0 if pseudo else n_added, "n_pseudo": n_added if pseudo else None}
    table = ClassTable(n=TEST, accuracy=0.8, precision=0.8, recall=0.8, f1=0.8, classes=[], confusion=[])
    fitted = {"replicate": 0, "fit": 0, "seed": 0, "best_step": 5, "stopped_at": 10, "equal_steps_accuracy": 0.8}
    return FitRow(arm=name, test=table, **counts, **fitted)  # type: ignore[arg-type]


def headline(record: MixedRecord) -> Answer:
    """Return the headline, which must be there."""
    assert record.headline is not None
    return record.headline


def asked(record: MixedRecord) -> list[Answer]:
    """Return all answers, the headline first."""
    return [headline(record), *record.questions]


def pair(a: Outcome, b: Outcome, **changed: Any) -> MixedRecord:
    """Return the experiment with the headline's two arms alone."""
    return experiment(dict(zip(HEADLINE, (a, b), strict=True)), **changed)
