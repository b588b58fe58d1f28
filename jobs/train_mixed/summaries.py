"""Where the uncertainty of the headline comes from, and how many real images an arm is worth. Pure functions."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from jobs.train_mixed.arms import ARMS, LEARNING_CURVE
from jobs.train_mixed.outcome import NO_IMAGE, Outcome
from shared.attributes import bits_of, presence_counts
from shared.stats.data_equivalent import data_equivalent
from shared.stats.inference import TWO_WAY, Inference
from shared.stats.two_way import variance_components
from shared.store.records.mixed import ArmDataEquivalent, RealImages, Variance

Array = NDArray[np.float64]

UNKNOWN = Variance(generator=None, fit=None, images=None)


def variance_shares(a: Outcome, b: Outcome, by_fits_alone: bool) -> Variance:
    """Return the shares of generators, fits and test images in the variance of the mean difference of two arms.

    Replicates bring s^2 / R, the variance of their differences on this test set over their number; images bring their
    component of the two-way model over their number, which is what more replicates would leave. With two or more fits
    the fits' part of s^2 is their variance within replicates over their number. With one fit it is told only where the
    metric of the baseline `b` varies by fits and nothing else (`by_fits_alone`): it has real images alone, the same
    in every replicate. Arm `a` is taken to vary as much by its own fits, independently, which makes twice that
    variance. The rest of s^2, at least 0, is the generators'. A fit counts with what it draws itself: its order, its
    real subset, its window of the generator's images.
    """
    difference = a.judged_by_fit - b.judged_by_fit
    replicates, fits, images = difference.shape
    # replicates with test images of their own do not tell these from what else varies
    if replicates < 2 or a.has_own_images:
        return UNKNOWN
    between = float(difference.mean(axis=(1, 2)).var(ddof=1))
    by_images = variance_components(difference.mean(axis=1)).images / images
    total = between / replicates + by_images
    if total == 0:
        return UNKNOWN
    if fits > 1:
        by_fits = float(difference.mean(axis=2).var(axis=1, ddof=1).mean()) / fits
    elif by_fits_alone:
        by_fits = 2 * float(b.judged_by_fit.mean(axis=1).mean(axis=1).var(ddof=1))
    else:
        return Variance(generator=None, fit=None, images=by_images / total)
    # estimates of few replicates: fits alone cannot vary more than all did
    by_fits = min(by_fits, between)
    return Variance(
        generator=(between - by_fits) / replicates / total, fit=by_fits / replicates / total, images=by_images / total
    )


def data_equivalents(
    outcomes: Mapping[str, Outcome], n_real: Mapping[str, int], inference: Inference = TWO_WAY, floor: float = 0.0
) -> list[ArmDataEquivalent]:
    """Return, for each arm with synthetic images, the number of real images that give its accuracy.

    Read off the arms of the learning curve that were trained, linearly in the logarithm of the number between them;
    empty without at least three, and where none of them is shown to be better than `floor`, the accuracy of one answer
    for every image: such a curve measures nothing. It is not taken as exact: the arm's lower bound is read off the
    upper bounds of the curve's points and its upper bound off their lower ones. That is conservative, since both are on
    the same test images and rarely err in opposite directions; how the curve bends between points is not allowed for.
    """
    points = sorted((n_real[name], name) for name in LEARNING_CURVE.values() if name in outcomes)
    if len(points) < 3:  # two points are a line, not a curve
        return []
    counts = [count for count, _ in points]
    intervals = [inference.share(outcomes[name].correct) for _, name in points]
    means, lows, highs = ([getattr(found, side) for found in intervals] for side in ("mean", "low", "high"))
    if max(lows) <= floor:
        return []
    equivalents = []
    for name, outcome in outcomes.items():
        if not ARMS[name].has_synthetic:
            continue
        found = inference.share(outcome.correct)
        read = ((means, found.mean), (highs, found.low), (lows, found.high))
        mean, least, most = (RealImages(**data_equivalent(counts, curve, value)) for curve, value in read)
        equivalents.append(
            ArmDataEquivalent(
                arm=name,
                n_real=n_real[name],
                effective=mean,
                effective_low=least,
                effective_high=most,
                curve=list(zip(counts, means, strict=True)),
            )
        )
    return equivalents


def majority_baseline(train_counts: list[int], truth: NDArray[np.int64], attributes: int = 0) -> float:
    """Return the test accuracy of always answering the most frequent train class; `train_counts` is by class.

    Where classes are combinations of `attributes`, the one answer is that value of each which is the more frequent one.
    """
    if attributes:
        most = [have > without for without, have in presence_counts(train_counts, attributes)]
        return float((bits_of(truth[truth != NO_IMAGE], attributes) == most).mean())
    return float((truth[truth != NO_IMAGE] == int(np.argmax(train_counts))).mean())
