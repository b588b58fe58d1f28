"""Is the instrument right? Planted generators, whose worth is known, through the same fits and the same verdict.

Real images are scikit-learn's digits: few of them to train on, many to test on, and a pool of others that plays the
perfect generator. Added to the few real images

* images of the pool are worth about as much as so many real images, which they are;
* noise, and copies of the training images, are worth nothing new;
* images of the pool with shuffled labels hurt.

The copy test, on the same sets, flags the copies and nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from jobs.train_mixed.outcome import Outcome
from jobs.train_mixed.verdict import judged
from shared.data.images import Images
from shared.data.resizing import resized
from shared.models.fit_options import FitConfig
from shared.models.fitting import fit, logits_of
from shared.runtime.seeding import Stream, derive_seed, make_generator
from shared.stats.data_equivalent import DataEquivalent, data_equivalent
from shared.stats.intervals import two_way_interval

REAL, ADDED, VAL = 150, 300, 150
CURVE = (75, 150, 300, 450, 600)
"""Sizes of the training sets of real images that make the learning curve."""

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Plant:
    """What is added, and what the verdict must say of it: the outcomes that are right."""

    make: Callable[["Sets"], Images]
    right: tuple[str, ...]
    about: str


@dataclass(frozen=True)
class Sets:
    """Real images to train on, to choose by, those of the perfect generator, others for the curve, and to test on."""

    train: Images
    val: Images
    pool: Images
    others: Images
    test: Images


@dataclass(frozen=True)
class Finding:
    """What came of one plant: difference in points with its interval, outcome, worth in real images, whether right."""

    name: str
    about: str
    difference: float
    low: float
    high: float
    outcome: str
    effective: DataEquivalent
    passed: bool


def load_sets(seed: int) -> Sets:
    """Return the digits at 16 px, cut into the five sets."""
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = torch.from_numpy(np.rint(data.images * (255 / 16)).astype(np.uint8))[:, None]
    order = torch.randperm(len(pixels), generator=make_generator(seed, Stream.CONTROL_SPLIT))
    every = Images(resized(pixels, 16, "bicubic")[order], torch.from_numpy(data.target)[order].long())
    ends = [*np.cumsum([0, REAL, VAL, ADDED, max(CURVE) - REAL]).tolist(), len(every)]
    return Sets(*(every.subset(range(start, end)) for start, end in pairwise(ends)))


def noise(sets: Sets) -> Images:
    """Return random pixels with random labels."""
    chance = make_generator(Stream.CONTROL_NOISE)
    images = torch.randint(0, 256, (ADDED, 1, 16, 16), generator=chance, dtype=torch.uint8)
    return Images(images, torch.randint(0, 10, (ADDED,), generator=chance))


def shuffled(sets: Sets) -> Images:
    """Return images of the pool, each with the label of another."""
    some = sets.pool.subset(range(ADDED))
    return Images(some.images, some.labels[torch.randperm(ADDED, generator=make_generator(Stream.CONTROL_LABELS))])


PLANTS: dict[str, Plant] = {
    "held_out": Plant(lambda sets: sets.pool.subset(range(ADDED)), ("helped",), "other real images"),
    "noise": Plant(noise, ("hurt", "no difference shown", "not enough data to tell"), "noise"),
    "copies": Plant(
        lambda sets: sets.train + sets.train, ("no difference shown", "not enough data to tell"), "copies of train"
    ),
    "shuffled": Plant(shuffled, ("hurt",), "real images, labels shuffled"),
}


def check_verdict(seeds: int = 3, steps: int = 300, seed: int = 0) -> Iterator[Finding]:
    """Yield what the verdict says of each plant, and whether that is right.

    Held-out real images must also be worth about as many as they are: the interval of their worth must reach from
    below 1.5 times to above half of the real images that stand in the set.
    """
    sets, config = load_sets(seed), FitConfig(steps=steps, measure_every=max(steps // 6, 1), batch_images=32)

    def outcome(train: Images) -> Outcome:
        answers = [
            logits_of(
                fit(train, sets.val, 10, config, seed=derive_seed(seed, Stream.CONTROL_FIT, n), device=CPU).network,
                sets.test.images,
            ).softmax(dim=1)
            for n in range(seeds)
        ]
        stacked = torch.stack(answers).numpy()
        return Outcome(sets.test.labels.numpy(), stacked.argmax(axis=2), stacked)

    real = sets.train + sets.others
    curve = {count: outcome(real.subset(range(count))) for count in CURVE}
    heights = [float(curve[count].correct.mean()) for count in CURVE]
    alone = curve[REAL]
    for name, plant in PLANTS.items():
        mixed = outcome(sets.train + plant.make(sets))
        difference = mixed.correct - alone.correct
        low, high = two_way_interval(difference)
        said = judged(low, high)
        bounds = [data_equivalent(CURVE, heights, value)["images"] for value in two_way_interval(mixed.correct)]
        passed = said in plant.right
        if name == "held_out":
            passed = passed and bounds[0] <= 1.5 * (REAL + ADDED) and bounds[1] >= 0.5 * (REAL + ADDED)
        worth = data_equivalent(CURVE, heights, float(mixed.correct.mean()))
        yield Finding(name, plant.about, float(difference.mean()), low, high, said, worth, passed)
