"""The two-way model of replicates and test images: sums, sums of squares, variance components, the error of the mean.

values[r, i] = mean + replicate r + image i + residual, every effect drawn independently of the others (Searle, Casella
and McCulloch 1992, section 4.3). All formulas take sums, each of which may be an array of many experiments.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.stats.confidence import LEVEL, upper_quantiles

Array = NDArray[np.float64]


def checked(values: Array) -> Array:
    """Return the values (replicates, images) as float64; ValueError for another shape."""
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"an array of shape {values.shape}, want (replicates, images), neither of them 0")
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Sums:
    """The sums over values (..., replicates, images) that the model needs.

    `of_replicates` (..., replicates) are the sums over images; `image_squares` (...) is the sum over images of the
    squared sum over replicates; `squares` (...) is the sum of the squared values.
    """

    images: int
    of_replicates: Array
    image_squares: Array
    squares: Array

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
        added = sum(value**2 for value in values)
        return Sums(
            self.images + len(values),
            self.of_replicates + sum(values),
            self.image_squares + self.replicates**2 * added,
            self.squares + self.replicates * added,
        )


@dataclass(frozen=True)
class SquareSums:
    """Sums of squares between replicates, between images and of the rest, each (...)."""

    between_replicates: Array
    between_images: Array
    rest: Array

    @classmethod
    def of(cls, sums: Sums) -> "SquareSums":
        """Return the sums of squares of values with these sums."""
        whole = sums.of_replicates.sum(axis=-1) ** 2 / (sums.replicates * sums.images)
        # rounding alone can make a sum of squares negative
        between_replicates = np.maximum((sums.of_replicates**2).sum(axis=-1) / sums.images - whole, 0)
        between_images = np.maximum(sums.image_squares / sums.replicates - whole, 0)
        rest = np.maximum(sums.squares - whole - between_replicates - between_images, 0)
        return cls(between_replicates, between_images, rest)


@dataclass(frozen=True)
class Components:
    """Variances of one replicate's effect, of one image's effect and of one answer's residual, each 0 or more."""

    replicates: float
    images: float
    residual: float


def variance_components(values: Array) -> Components:
    """Return the variance components of `values` (replicates, images) by the analysis of variance, floored at 0.

    With one replicate all variance counts as that of images.
    """
    squares = SquareSums.of(Sums.of(checked(values)))
    replicates, images = values.shape
    freedom_replicates, freedom_images = max(replicates - 1, 1), max(images - 1, 1)
    residual = float(squares.rest) / (freedom_replicates * freedom_images)
    return Components(
        replicates=max(float(squares.between_replicates) / freedom_replicates - residual, 0.0) / images,
        images=max(float(squares.between_images) / freedom_images - residual, 0.0) / replicates,
        residual=residual,
    )


@dataclass(frozen=True)
class MeanError:
    """Standard error of the mean over replicates and images, and its degrees of freedom, (...).

    `of_images` is the part of its square that any number of replicates would leave, `of_added` what the added images
    bring to that.
    """

    standard_error: Array
    freedom: Array
    of_images: Array
    of_added: Array


@dataclass(frozen=True)
class Part:
    """A part of the variance of a mean, (...), and its degrees of freedom."""

    variance: Array
    freedom: "float | Array"

    def __add__(self, other: "Part") -> "Part":
        total = self.variance + other.variance
        # Satterthwaite (1946) squares the shares: replicates that vary little by chance then cost width and freedom
        # both, and with three of them the interval covers down to 90 % where this one covers 93 %
        spread = self.variance / self.freedom + other.variance / other.freedom
        # no variance at all: as many degrees of freedom as the second part gives, of an error of 0
        freedom = np.divide(total, spread, out=np.full_like(total, other.freedom), where=spread > 0)
        return Part(total, freedom)


def mean_error(
    sums: Sums, added: Sequence[float] = (), image_freedom: float | None = None, level: float = LEVEL
) -> MeanError:
    """Return the standard error of the mean for other replicates and other images, and its degrees of freedom.

    The variance of the mean is estimated by (MS_replicates + max(MS_images - MS_residual, 0)) / (replicates * images).
    MS_replicates counts in full even where it is the smallest: with few replicates it is often so by chance. The
    degrees of freedom are the harmonic mean of those of the two parts, weighted by their shares of the variance. One
    replicate says nothing of others, and counts images alone.

    Replicates whose means are nearly equal by chance are less certain than that. MS_replicates is at least MS_residual
    in expectation: where an interval of `level` is wider with MS_residual and its many degrees of freedom in its place,
    these count.

    Images with the values `added` in every replicate count as well, and in full: what they add to the variance between
    images stays where the rest of it is estimated to be 0, so that replicates with equal means are no certainty.
    """
    more = sums.with_images(added)
    measured, widened = SquareSums.of(sums), SquareSums.of(more)
    replicates, images = sums.replicates, more.images
    freedom_replicates, freedom_images = max(replicates - 1, 1), max(images - 1, 1)
    # the images that were measured differ by what their residuals alone would give, too
    expected = measured.rest / freedom_replicates
    of_added = widened.between_images - measured.between_images
    between_images = np.maximum(measured.between_images - expected, 0) + of_added
    of_images = Part(between_images / freedom_images / (replicates * images), image_freedom or freedom_images)
    of_replicates = Part(widened.between_replicates / freedom_replicates / (replicates * images), freedom_replicates)
    of_residual = Part(expected / freedom_images / (replicates * images), freedom_replicates * freedom_images)
    error, freedom = _wider(of_images + of_replicates, of_images + of_residual, level)
    return MeanError(error, freedom, of_images.variance, of_added / freedom_images / (replicates * images))


def _wider(one: Part, other: Part, level: float) -> tuple[Array, Array]:
    """Return the standard error and the degrees of freedom of the part whose interval of `level` is the wider one."""
    reaches = [upper_quantiles(part.freedom, (1 + level) / 2) * np.sqrt(part.variance) for part in (one, other)]
    second = reaches[1] > reaches[0]
    variance = np.where(second, other.variance, one.variance)
    return np.sqrt(variance), np.where(second, other.freedom, one.freedom)
