"""The results of an experiment for scripts: shares of 1, null where a key does not apply, no NaN."""

import math
from collections.abc import Mapping, Sequence

from shared.metrics.metric import extrapolated_side
from shared.metrics.over_replicates import CopiesSummary, MembershipSummary, ScoreSummary
from shared.models.tables import EXTRACTORS
from shared.plots.answers import first_line
from shared.store.records.mixed import MixedRecord

Json = object
"""What JSON holds: numbers, texts, None, lists and dicts of these."""

STOPPING = ("until", "half_width", "floor", "stopped_for")
"""What the protocol says of replicates that are added until an interval is narrow enough; null where none are."""


def results_json(
    experiment: str,
    mixed: MixedRecord,
    scores: Mapping[str, ScoreSummary],
    copies: Mapping[str, CopiesSummary],
    membership: Mapping[str, MembershipSummary] | None,
    others: Mapping[str, Json],
) -> dict[str, Json]:
    """Return the results as JSON holds them; `others` are further keys, such as the protocols of the scores."""
    facts = mixed.facts()
    headline = None if mixed.headline is None else mixed.headline.headline_facts()
    answers = {"headline": headline, "questions": facts["questions"]}
    named = {
        "experiment": experiment,
        "first": mixed.first,
        "first_line": first_line(mixed) or None,
        **answers,
        "arms": facts["arms"],
        "copies": copies_json(copies),
        "membership": membership_json(membership),
        "variance": facts["variance"] or {"generator": None, "fit": None, "images": None},
        "scores": {name: _score(name, summary) for name, summary in scores.items()},
        "worth": facts["worth"],  # data equivalents; scripts read this key
        "majority_baseline": mixed.majority_baseline,
        "train_counts": mixed.train_counts,
        "synthetic_counts": mixed.synthetic_counts,
        "protocol": dict.fromkeys(STOPPING) | mixed.protocol.facts(),
        **others,
    }
    return {name: without_nan(value) for name, value in named.items()}


def _score(name: str, summary: ScoreSummary) -> dict[str, Json]:
    """Return a score over replicates, and what real train images have; bounds are null with one replicate.

    `extrapolated` names the images in whose number it is extrapolated, null for a score as it was measured.
    """
    kept = ("mean", "low", "high", "values")
    return {
        **{key: value for key, value in summary.synthetic.items() if key in kept},
        "real_train": None if summary.real is None else summary.real["mean"],
        "extrapolated": extrapolated_side(name, EXTRACTORS),
    }


def copies_json(copies: Mapping[str, CopiesSummary]) -> dict[str, Json]:
    """Return the copy tests by space, and whether copies are shown in any of them."""
    return {
        "flagged": any(space.shown for space in copies.values()),
        "spaces": {
            name: {
                "flagged_replicates": space.flagged,
                "replicates": space.replicates,
                "nearer": _mean_and_worst(space.nearer),
                "copy_rate": _mean_and_worst(space.copy_rate),
                "expected_copy_rate": space.expected_copy_rate,
                "flagged_for": list(space.flagged_for),
                "spared": space.spared,
                "p_value": space.p_value,
                "least_share": space.least_share,
            }
            for name, space in copies.items()
        },
    }


def membership_json(membership: Mapping[str, MembershipSummary] | None) -> dict[str, Json] | None:
    """Return the membership tests by space; null where earlier versions scored, or there were too few images."""
    if membership is None:
        return None
    return {
        name: {
            "auc": {"mean": space.mean, "low": space.low, "high": space.high, "values": space.auc},
            "tpr_at": {
                rate: None if found is None else {key: found[key] for key in ("mean", "low", "high", "values")}
                for rate, found in space.tpr_at.items()
            },
            "found": space.found,
            "confounded": space.confounded,
            "grouped": space.grouped,
            "non_members": space.non_members,
            "n_members": space.n_members,
            "n_non_members": space.n_non_members,
            "n_synthetic": space.n_synthetic,
            "finding": space.finding,
        }
        for name, space in membership.items()
    }


def _mean_and_worst(values: Sequence[float]) -> dict[str, Json]:
    return {"mean": math.fsum(values) / len(values), "worst": max(values), "values": list(values)}


def without_nan(value: Json) -> Json:
    """Return what JSON can hold: null in place of numbers that it has none for."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(part) for part in value]
    return value
