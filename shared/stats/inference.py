"""How intervals of an experiment are made: by the two-way model, or for random splits; wider where that is needed."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.stats.confidence import LEVEL, quantile
from shared.stats.intervals import DIFFERENCE, SHARE, MeanInterval, Scale, mean_interval

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Inference:
    """How every interval of an experiment is made; by default in the two-way model of replicates and test images.

    `stretch` multiplies the distance from the centre to either end. `test_over_train` is the number of test images
    over that of train images where each replicate has a random split of its own, None where all have one test split.
    """

    stretch: float = 1.0
    test_over_train: float | None = None

    def difference(self, values: Array, level: float = LEVEL) -> MeanInterval:
        """Return the mean of paired differences of correctness (replicates, images) in [-1, 1], and its interval.

        With `test_over_train`, NaN fills up replicates that have fewer images than others. Raises ValueError for an
        array of another shape, an empty one, and one replicate without any image.
        """
        return self._interval(values, DIFFERENCE, level)

    def share(self, values: Array, level: float = LEVEL, scale: Scale = SHARE) -> MeanInterval:
        """Return the mean of correctness (replicates, images), or of a metric's pseudo-values; as `difference`.

        `scale` is another one where images weigh differently, see `weighted_share`.
        """
        return self._interval(values, scale, level)

    def _interval(self, values: Array, scale: Scale, level: float) -> MeanInterval:
        if self.test_over_train is None:
            return mean_interval(values, scale, level, self.stretch)
        if len(values) == 1:
            # one split says nothing of others: the interval is for other test images alone
            return mean_interval(values[~np.isnan(values)][None], scale, level, self.stretch)
        return self._over_splits(values, scale, level, self.test_over_train)

    def _over_splits(self, values: Array, scale: Scale, level: float, test_over_train: float) -> MeanInterval:
        """Return the corrected resampled interval (Nadeau and Bengio 2003, section 3) of the replicates' means.

        Splits overlap, so that their means are correlated: the variance of the mean is (1/R + n_test/n_train) S^2
        rather than S^2 / R, on R - 1 degrees of freedom. The images that `scale` adds go to one replicate each: S^2 is
        never 0, not even where all means are equal.
        """
        images = (~np.isnan(values)).sum(axis=1) if values.ndim == 2 else np.zeros(0)
        if not len(images) or images.min() < 1:
            raise ValueError(f"values of shape {values.shape}, want (replicates, images), each with an image")
        means = np.nanmean(values, axis=1)
        replicates, mean = len(means), float(means.mean())
        added = np.asarray(scale.added)
        of_added = float(((added - mean) ** 2).sum()) / (images.mean() + 1) ** 2 / (replicates - 1)
        variance = float(means.var(ddof=1)) + of_added
        standard_error = math.sqrt((1 / replicates + test_over_train) * variance)
        total = replicates * float(images.mean())
        centre = (mean * total + float(added.sum())) / (total + len(added))
        reach = self.stretch * quantile(replicates - 1, level) * standard_error
        low, high = max(centre - reach, scale.low), min(centre + reach, scale.high)
        return MeanInterval(mean, low, high, standard_error, replicates - 1.0, level, self.stretch)


TWO_WAY = Inference()
"""The model of replicates and test images, at its own width."""
