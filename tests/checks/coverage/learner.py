"""The A/A check: experiments with a real classifier whose arms do not differ, so that every answer but none is false.

The synthetic images of both arms are other real images. An experiment is a split of scikit-learn's digits into real
train images, test images and a pool in place of a generator. In each replicate each arm draws its synthetic images from
the pool and fits logistic regression to them and the real ones, in an order of its own. Arms are exchangeable: the true
difference is 0.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

from shared.stats.intervals import MeanInterval, difference_interval

REAL, SYNTHETIC, TEST = 100, 100, 360
REPLICATES = 5
EPOCHS = 20


def answers(experiments: int, seed: int = 0) -> Iterator[MeanInterval]:
    """Yield the interval of each experiment; equal seeds give equal ones."""
    data = load_digits()
    images, labels = data.data / 16, data.target
    for experiment in range(experiments):
        rng = np.random.default_rng((seed, experiment))
        order = rng.permutation(len(labels))
        real, test, pool = np.split(order, [REAL, REAL + TEST])

        def correct(
            rng: np.random.Generator = rng,
            real: NDArray[np.int64] = real,
            test: NDArray[np.int64] = test,
            pool: NDArray[np.int64] = pool,
        ) -> NDArray[np.float64]:
            """Return which test images one arm has right in one replicate."""
            train = np.append(real, rng.choice(pool, SYNTHETIC, replace=False))
            # one pass over shuffled images after another, without a test of convergence: a fit differs by its order
            network = SGDClassifier(loss="log_loss", max_iter=EPOCHS, tol=None, random_state=int(rng.integers(2**31)))
            network.fit(images[train], labels[train])
            return np.asarray(network.predict(images[test]) == labels[test], dtype=np.float64)

        yield difference_interval(np.stack([correct() - correct() for _ in range(REPLICATES)]))
