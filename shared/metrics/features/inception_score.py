"""The Inception Score of Inception's probabilities, and the same of another classifier's: the class score."""

import numpy as np
from numpy.typing import NDArray

from shared.metrics.metric import FeaturePair


def inception_score(probabilities: NDArray[np.floating], *, seed: int, splits: int = 10) -> tuple[float, float]:
    """Return exp(E KL(p(y|x) || p(y))) and its standard deviation over `splits` parts (Salimans et al. 2016).

    `probabilities` (N, classes) are a classifier's. From 1 (every image alike, or undecided) to the number of classes.
    """
    # shuffled, since a part of images in the order of classes would hold a few classes only
    count = len(probabilities)
    scores = []
    for places in np.array_split(np.random.default_rng(seed).permutation(count), min(splits, count)):
        part = probabilities[places].astype(np.float64)
        marginal = part.mean(axis=0, keepdims=True)
        # clipped just above 0: p log p of a probability of 0 counts as 0, where log(0) would make it NaN
        ratio = np.log(np.maximum(part, 1e-300)) - np.log(np.maximum(marginal, 1e-300))
        scores.append(np.exp((part * ratio).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))


def score(pair: FeaturePair) -> dict[str, float]:
    """Return the score of the synthetic images' probabilities and its standard deviation."""
    value, spread = inception_score(pair.synthetic.extracted.probabilities, seed=pair.seed)
    return {"class_score": value, "class_score_std": spread}
