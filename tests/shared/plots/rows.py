"""Rows of losses and of scores, for the tests of charts."""

from collections.abc import Sequence

from shared.metrics.pixels import QUALITIES, category
from shared.store.records.gan import HistoryRow
from shared.store.records.scores import ScoresRecord, SnapshotScores

STEPS = 391
"""Iterations of an epoch of 50,000 images in batches of 128, rounded up."""


def history(epochs: int, penalty: float | None = None, **losses: float) -> list[HistoryRow]:
    """Return a row for each epoch, of 391 iterations and 50,000 images."""
    values = {"discriminator_loss": -1.0, "generator_loss": 0.7} | losses
    if penalty is not None:
        values["penalty"] = penalty
    return [
        HistoryRow(
            epoch=epoch,
            step=STEPS * epoch,
            images_seen=50_000 * epoch,
            losses={name: value + 0.1 / epoch for name, value in values.items()},
        )
        for epoch in range(1, epochs + 1)
    ]


def snapshot_rows(
    epochs: int, classes: int, ratios: Sequence[float] | None = None, score: float = 0.4
) -> list[SnapshotScores]:
    """Return the scores of a snapshot after each epoch: class c has all ratios `ratios[c]`, by default 1 + c / 100."""
    rows = []
    for epoch in range(1, epochs + 1):
        items = []
        for number in range(classes):
            own = dict.fromkeys(QUALITIES, 1 + number / 100 if ratios is None else ratios[number])
            row = {"class_name": f"class {number}", "qualities": own, "ratios": own, "category": category(own)}
            items.append(row)
        fields = {"file": f"s{epoch}", "epoch": epoch, "images_seen": epoch, "agreement": None, "classes": items}
        rows.append(SnapshotScores.model_validate(fields | {"frechet_classifier": score + 0.004 / epoch}))
    return rows


def scores(epochs: int) -> ScoresRecord:
    """Return a record whose scores are all near 0.4."""
    rows = snapshot_rows(epochs, 2)
    protocol = {"n_real": 1000, "reference": "val", "n_synthetic": 2000, "extractor": "classifier", "resizer": "none"}
    return ScoresRecord.model_validate(
        {
            "rows": [row.facts() for row in rows],
            "chosen": rows[-1].snapshot.facts(),
            "worst": rows[0].snapshot.facts(),
            "chosen_score": "frechet_classifier",
            "chosen_by": "",
            "loss_indicators": None,
            "left_out": {},
            "protocol": protocol | {"extractor_sha256": "0", "reference_sha256": "1", "seed": 0},
        }
    )
