"""Replicates that are added until the headline's interval is narrow enough: where that is, and what was seen before.

Pure functions on arrays and records.
"""

from collections.abc import Mapping

from jobs.train_mixed.outcome import Array, Outcome, repetitions
from shared.stats.inference import Inference
from shared.stats.looks import FIRST, IMAGES, TEST_IMAGES, WIDTH
from shared.stats.stopping import Width, of_splits, of_test_images
from shared.store.records.mixed import MixedRecord
from shared.store.records.mixed_protocol import MixedProtocol


def with_width(record: MixedRecord, outcomes: Mapping[str, Outcome], inference: Inference, ended: str) -> MixedRecord:
    """Return a record with how wide the headline's interval is, and with why no more replicates are to be added.

    `ended` is what else has ended the experiment, "no" where nothing has; what its answers say comes first. A record
    without a headline is as it was.
    """
    headline, protocol = record.headline, record.protocol
    if headline is None or protocol.until is None:
        return record
    a, b = outcomes[headline.a], outcomes[headline.b]
    found = width(repetitions(a.judged_by_fit - b.judged_by_fit), protocol.until, inference, headline.level)
    stopped = stopped_for(found, protocol, inference) or (None if ended == "no" else ended)
    needs = found.needs_images if stopped == TEST_IMAGES else None
    known = {"half_width": found.half_width, "floor": found.floor, "stopped_for": stopped}
    return record.model_copy(
        update={
            "headline": headline.model_copy(update={"needs_test_images": needs}),
            "protocol": protocol.model_copy(update=known),
        }
    )


def width(difference: Array, wanted: float, inference: Inference, level: float) -> Width:
    """Return how wide the interval of differences (replicates, images) is, and what only more images can narrow."""
    if inference.test_over_train is None:
        return of_test_images(difference, wanted, level, inference.stretch)
    return of_splits(inference.difference(difference, level), len(difference), inference.test_over_train)


def stopped_for(found: Width, protocol: MixedProtocol, inference: Inference) -> str | None:
    """Return why the answers of an experiment end it, None where they do not: the width alone decides."""
    if protocol.until is None or protocol.replicates < FIRST:
        return None
    if found.half_width <= protocol.until:
        return WIDTH
    if found.floor <= protocol.until:
        return None
    return TEST_IMAGES if inference.test_over_train is None else IMAGES


def seen_replicates(before: MixedProtocol | None, until: float | None, replicates: int) -> int | None:
    """Return how many replicates an answer had that was seen before and by another rule; None where there is none.

    `before` is the protocol of the result that this one, with `replicates`, replaces; both are about the same
    generators. The rule of adding replicates `until` a width looks at its own results without being misled.
    """
    if before is None:
        return None
    if until is not None and before.until == until:
        return before.seen_replicates
    if until is None and before.until is not None and replicates >= before.replicates:
        # its interval allowed for how their number was found, which this one does not
        return min(before.planned, FIRST)
    return before.planned
