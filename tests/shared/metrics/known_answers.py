"""Sets of known quality, and every score of them: `python -m tests.shared.metrics.known_answers` prints the table.

Real images are points of ten clusters in 16 dimensions, a stand-in for features whose distribution is known.
"""

from typing import Any

import numpy as np
import torch

from shared.metrics.copies import copy_test
from shared.metrics.features.frechet import frechet_distance, frechet_infinite, moments
from shared.metrics.features.kernel import kernel_distance
from shared.metrics.features.prdc import prdc

CLASSES, WIDTH, COUNT = 10, 16, 600


def real_points(count: int, seed: int, classes: int = CLASSES) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return points around the centres of the first `classes` classes."""
    centres = np.random.default_rng(0).normal(0, 4, (CLASSES, WIDTH))
    chance = np.random.default_rng(seed)
    return centres[chance.integers(0, classes, count)] + chance.normal(size=(count, WIDTH))


def known_answers() -> dict[str, dict[str, Any]]:
    """Return what every score says of each known generator."""
    train, held_out = real_points(2 * COUNT, 1), real_points(COUNT, 2)
    blurred = real_points(COUNT, 3)
    sets = {
        "half": real_points(COUNT, 4),
        "noise": np.random.default_rng(5).normal(0, 20, (COUNT, WIDTH)),
        "copies": train[:COUNT],
        "missing": real_points(COUNT, 6, classes=8),
        "blurred": 0.5 * blurred + 0.5 * train.mean(axis=0),
    }
    table = {}
    for name, points in sets.items():
        copies = copy_test(*(torch.from_numpy(each) for each in (points, held_out, train)))
        table[name] = {
            "frechet": frechet_distance(*moments(points), *moments(held_out)),
            "frechet_infinite": frechet_infinite(points, held_out, seed=0)[0],
            "kernel": kernel_distance(points, held_out, seed=0)[0],
            **prdc(points, held_out),
            **{key: getattr(copies, key) for key in ("nearer", "copy_rate", "flagged")},
        }
    return table


if __name__ == "__main__":
    found = known_answers()
    names = list(next(iter(found.values())))
    print("| generator | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for generator, scores in found.items():
        cells = [str(scores[key]) if isinstance(scores[key], bool) else f"{scores[key]:.3f}" for key in names]
        print(f"| {generator} | " + " | ".join(cells) + " |")
