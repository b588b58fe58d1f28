"""The A/A check: experiments with a real classifier whose arms do not differ, so that every answer but none is false.

The synthetic images of both arms are other real images. An experiment is a split of scikit-learn's digits into real
train images, test images and a pool in place of a generator. In each replicate each arm draws its synthetic images from
the pool and fits logistic regression to them and the real ones, in an order of its own. Arms are exchangeable: the true
difference is 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

from shared.stats.intervals import MeanInterval, difference_interval

REAL, SYNTHETIC, TEST = 100, 100, 360
REPLICATES = 5
EPOCHS = 20


@dataclass(frozen=True)
class Pair:
    """Two arms that do not differ: real train images, test images, a pool of others, and what draws them."""

    images: NDArray[np.float64]
    labels: NDArray[np.int64]
    real: NDArray[np.int64]
    test: NDArray[np.int64]
    pool: NDArray[np.int64]
    rng: np.random.Generator

    @classmethod
    def drawn(cls, images: NDArray[np.float64], labels: NDArray[np.int64], rng: np.random.Generator) -> "Pair":
        """Return a pair on a random split."""
        return cls(images, labels, *np.split(rng.permutation(len(labels)), [REAL, REAL + TEST]), rng)

    def correct(self) -> NDArray[np.float64]:
        """Return which test images one arm has right in one replicate."""
        train = np.append(self.real, self.rng.choice(self.pool, SYNTHETIC, replace=False))
        # one pass over shuffled images after another, without a test of convergence: a fit differs by its order
        seed = int(self.rng.integers(2**31))
        network = SGDClassifier(loss="log_loss", max_iter=EPOCHS, tol=None, random_state=seed)
        network.fit(self.images[train], self.labels[train])
        return np.asarray(network.predict(self.images[self.test]) == self.labels[self.test], dtype=np.float64)

    def difference(self) -> NDArray[np.float64]:
        """Return the difference of both arms on each test image in one replicate."""
        return self.correct() - self.correct()


def answers(experiments: int, seed: int = 0) -> Iterator[MeanInterval]:
    """Yield the interval of each experiment; equal seeds give equal ones."""
    data = load_digits()
    for experiment in range(experiments):
        pair = Pair.drawn(data.data / 16, data.target, np.random.default_rng((seed, experiment)))
        yield difference_interval(np.stack([pair.difference() for _ in range(REPLICATES)]))
