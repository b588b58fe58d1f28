"""Before against after: what a few seeds of each can say. Pure functions on lists of numbers."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.95


def summarise(values: Sequence[float], least: float = -math.inf, most: float = math.inf) -> dict[str, Any]:
    """Return mean, standard deviation and 95 % interval (Student's t) of the mean over seeds; None with one seed.

    No value can be below `least` or above `most`, and so neither is the interval.
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return {"values": list(values), "mean": mean, "std": None, "low": None, "high": None}
    spread = float(np.std(values, ddof=1))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * spread / math.sqrt(len(values))
    return {
        "values": list(values),
        "mean": mean,
        "std": spread,
        "low": max(mean - reach, least),
        "high": min(mean + reach, most),
    }


def difference(before: Sequence[float], after: Sequence[float]) -> dict[str, float | None]:
    """Return the mean of `after` less that of `before` and its 95 % interval (Welch 1947); None with one seed.

    The runs are not paired: networks of other shapes share no draws, whatever their seed.
    """
    found = float(np.mean(after) - np.mean(before))
    if len(before) < 2 or len(after) < 2:
        return {"difference": found, "low": None, "high": None}
    parts = [float(np.var(values, ddof=1)) / len(values) for values in (before, after)]
    total = sum(parts)
    if total == 0:
        return {"difference": found, "low": found, "high": found}
    freedom = total**2 / sum(part**2 / (len(v) - 1) for part, v in zip(parts, (before, after), strict=True))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(total)
    return {"difference": found, "low": found - reach, "high": found + reach}


def judged(found: dict[str, float | None], lower_is_better: bool) -> str:
    """Return "better", "worse" or "no difference shown": whether the interval lies on one side of 0."""
    low, high = found["low"], found["high"]
    if low is None or high is None or low <= 0 <= high:
        return "no difference shown"
    return "better" if (high < 0) == lower_is_better else "worse"
