"""The verdict on the page: warnings, the answer that the page begins with, the other questions, what each part saw."""

from dataclasses import dataclass

from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.plots.formatting import saw
from shared.plots.verdict_charts import shown_answers
from shared.stats.confidence import quantile
from shared.store.records.mixed import ORIGINAL, Answer, ArmRow, MixedRecord

ORIGINAL_ARMS = ("real_100", "real_30", "synthetic_70_real_30")
"""The arms of the published design, whose metrics are shown with its answer."""

FEW_REPLICATES, MANY_REPLICATES = 3, 5
"""Up to how many replicates the page says what they cost; the number that it compares them with."""


@dataclass(frozen=True)
class Verdict:
    """What the template `verdict.html` shows; `second` is the headline where the page begins with another answer."""

    record: MixedRecord
    headline: str
    warnings: list[str]
    top: Answer | None
    second: Answer | None
    answers: list[Answer]
    original: list[ArmRow]
    information: dict[str, dict[str, str]]
    metrics: list[str]
    certainty: str


def verdict_section(record: MixedRecord) -> Verdict:
    """Return what the template shows of the experiment."""
    top = record.top
    published = top is not None and (top.a, top.b) == ORIGINAL and top is not record.headline
    second = record.headline if published else None
    # each said once: the answers that a page begins with may share them
    warnings = dict.fromkeys(line for answer in (top, second) if answer for line in answer.warnings)
    train_images = sum(record.train_counts)
    return Verdict(
        record=record,
        headline=top.sentence if top else "No two arms were trained that answer a question together.",
        warnings=list(warnings),
        top=top,
        second=second,
        answers=shown_answers(record),
        original=[arm for arm in record.arms if published and arm.arm in ORIGINAL_ARMS],
        information={arm.arm: saw(arm.information, train_images) for arm in record.arms},
        metrics=[metric.name for metric in CLASSIFICATION_METRICS],
        certainty=certainty(record.protocol.replicates),
    )


def certainty(replicates: int) -> str:
    """Return what few replicates cost, in words; nothing for more than a few."""
    if replicates > FEW_REPLICATES:
        return ""
    if replicates < 2:  # no spread can be estimated from one
        return (
            "With 1 replicate nothing is known of other generators: the interval speaks of other test images alone. "
            f"With {MANY_REPLICATES} it would speak of the procedure."
        )
    few, many = quantile(replicates - 1), quantile(MANY_REPLICATES - 1)
    return (
        f"With {replicates} replicates the spread between generators is estimated from few: where it decides the "
        f"interval, that reaches {few:.1f} standard errors to each side (Student's t), in place of {many:.1f} with "
        f"{MANY_REPLICATES} replicates."
    )
