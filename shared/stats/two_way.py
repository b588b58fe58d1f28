"""The two-way model of replicates and test images: sums, mean squares, the error of the mean.

values[r, i] = mean + replicate r + image i + residual, every effect drawn independently of the others (Searle, Casella
and McCulloch 1992, section 4.3). All formulas take sums, each of which may be an array of many experiments.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sums:
    """The sums over values (..., replicates, images) that the model needs.

    `of_replicates` (..., replicates) are the sums over images; `image_squares` (...) is the sum over images of the
    squared sum over replicates; `squares` (...) is the sum of the squared values. `added` is the sum of squares, in
    each replicate, of the images that were added.
    """

    images: int
    of_replicates: Array
    image_squares: Array
    squares: Array
    added: float = 0.0

    @classmethod
    def of(cls, values: Array) -> "Sums":
        """Return the sums over `values` (..., replicates, images)."""
        of_images = values.sum(axis=-2)
        return cls(values.shape[-1], values.sum(axis=-1), (of_images**2).sum(axis=-1), (values**2).sum(axis=(-2, -1)))

    @property
    def replicates(self) -> int:
        """The number of replicates."""
        return int(self.of_replicates.shape[-1])

    @property
    def mean(self) -> Array:
        """The mean of all values."""
        return np.asarray(self.of_replicates.mean(axis=-1) / self.images)

    def with_images(self, values: Sequence[float]) -> "Sums":
        """Return the sums with more images, each of which has the same one of `values` in every replicate."""
        # an image is added to every replicate, so that its whole weight goes to the variance between images
        added = sum(value**2 for value in values)
        return Sums(
            self.images + len(values),
            self.of_replicates + sum(values),
            self.image_squares + self.replicates**2 * added,
            self.squares + self.replicates * added,
            self.added + added,
        )


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares between replicates, between images and of the rest, (...); those without freedom are 0."""

    replicates: int
    images: int
    between_replicates: Array
    between_images: Array
    residual: Array

    @classmethod
    def of(cls, sums: Sums) -> "MeanSquares":
        """Return the mean squares of values with these sums."""
        replicates, images = sums.replicates, sums.images
        whole = sums.of_replicates.sum(axis=-1) ** 2 / (replicates * images)
        # rounding alone can make a sum of squares negative
        of_replicates = np.maximum((sums.of_replicates**2).sum(axis=-1) / images - whole, 0)
        of_images = np.maximum(sums.image_squares / replicates - whole, 0)
        rest = np.maximum(sums.squares - whole - of_replicates - of_images, 0)
        return cls(
            replicates,
            images,
            of_replicates / max(replicates - 1, 1),
            of_images / max(images - 1, 1),
            rest / max((replicates - 1) * (images - 1), 1),
        )


@dataclass(frozen=True)
class MeanError:
    """Standard error of the mean over replicates and images, and its degrees of freedom, (...)."""

    standard_error: Array
    freedom: Array


def mean_error(sums: Sums) -> MeanError:
    """Return the standard error of the mean for other replicates and other images, and its degrees of freedom.

    The variance of the mean is estimated by (MS_replicates + max(MS_images - MS_residual, 0)) / (replicates * images),
    its degrees of freedom as Satterthwaite's (1946). MS_replicates counts in full even where it is the smallest: with
    few replicates it is often so by chance. Images that were added count in full as well, or replicates with equal
    means could have no error at all. One replicate says nothing of others, and counts images alone.
    """
    squares = MeanSquares.of(sums)
    answers = squares.replicates * squares.images
    if squares.replicates == 1:
        error = np.sqrt(squares.between_images / answers)
        return MeanError(error, np.full_like(error, squares.images - 1))
    of_replicates = squares.between_replicates / answers
    least = squares.replicates * sums.added / max(squares.images - 1, 1)
    of_images = np.maximum(squares.between_images - squares.residual, least) / answers
    total = of_replicates + of_images
    spread = of_replicates**2 / (squares.replicates - 1) + of_images**2 / (squares.images - 1)
    # no variance at all: as many degrees of freedom as replicates give, of an error of 0
    freedom = np.divide(total**2, spread, out=np.full_like(total, squares.replicates - 1), where=spread > 0)
    return MeanError(np.sqrt(total), freedom)
