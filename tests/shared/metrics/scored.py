"""Made scores of experiments, for the tests of comparisons."""

import json
from pathlib import Path
from typing import Any

from shared.metrics.compare import Scored
from shared.store.records.scores import OnTest, Protocol, SampleScores, Scores, ScoresRecord, SnapshotScores

GOLDEN = Path(__file__).resolve().parents[1] / "store" / "golden_records" / "conditional" / "scores.json"

FRECHET, FID = "frechet_classifier", "fid_inception_clean"


def protocol(extractor: str = "classifier", **changes: Any) -> Protocol:
    """Return a protocol of an extractor, with these fields changed."""
    fields: dict[str, Any] = {
        "extractor": extractor,
        "extractor_sha256": "e" * 64,
        "resizer": "none",
        "reference": "test",
        "reference_sha256": "r" * 64,
        "n_real": 100,
        "n_synthetic": 100,
        "seed": 0,
    }
    return Protocol(**(fields | changes))


def scored(*values: float, name: str = FRECHET, **others: float) -> Scored:
    """Return the scores of replicates that have these values of one score, and the same of `others`."""
    extractor = "inception_clean" if name == FID else "classifier"
    return Scored([{name: value, **others} for value in values], {extractor: protocol(extractor)}, name)


def curve_record(*values: float, file: str = "epoch-", on_test: bool = True, **changes: Any) -> ScoresRecord:
    """Return the scores of a replicate whose snapshots have these Fréchet distances on val, after epochs 1, 2, ..."""
    rows = [
        SnapshotScores(
            file=f"{file}{epoch}", epoch=epoch, images_seen=epoch, scores={FRECHET: value}, agreement=None, classes=[]
        )
        for epoch, value in enumerate(values, start=1)
    ]
    chosen = min(rows, key=lambda row: row.scores[FRECHET])
    golden: Any = json.loads(GOLDEN.read_text())["facts"]
    used = protocol(**changes)
    test = OnTest(
        test=SampleScores(scores={FRECHET: chosen.scores[FRECHET]}, by_class={FRECHET: {}}, agreement=None, classes=[]),
        real=Scores(scores={FRECHET: 0.1}),
        copies=golden["copies"],
        test_protocols={"classifier": used},
        n_train_looked_at=100,
        warnings=[],
    )
    return ScoresRecord(
        rows=rows,
        chosen=chosen.snapshot,
        chosen_score=FRECHET,
        chosen_by="lowest",
        worst=chosen.snapshot,
        loss_indicators=None,
        protocol=used,
        left_out={},
        on_test=test if on_test else None,
    )
