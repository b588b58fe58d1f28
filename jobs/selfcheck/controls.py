"""Positive and negative controls of the verdict: added images of known effect, through the same fits and verdict.

Real images are scikit-learn's digits: few of them to train on, many to test on, and a pool of others in place of a
perfect generator. Added to the few real images

* images of the pool help as much as that number of real images, which they are;
* noise, and copies of the training images, do not help;
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
from shared.stats.intervals import difference_interval, share_interval
from shared.store.records.mixed import HELPED, HURT, NO_EFFECT

REAL, ADDED, VAL = 150, 300, 150
CURVE = (75, 150, 300, 450, 600)
"""Sizes of the training sets of real images that make the learning curve."""

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Control:
    """Images to add to the training set, and the outcomes that the verdict may give."""

    make: Callable[["Sets"], Images]
    right: tuple[str, ...]
    about: str


@dataclass(frozen=True)
class Sets:
    """Disjoint real images: few to train on, val, a pool to add, others for the learning curve, and test."""

    train: Images
    val: Images
    pool: Images
    others: Images
    test: Images


@dataclass(frozen=True)
class Finding:
    """The verdict on one control: accuracy difference with its interval, outcome, data equivalent, whether right."""

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
    # shuffled: the digits come in blocks by writer
    order = torch.randperm(len(pixels), generator=make_generator(seed, Stream.CONTROL_SPLIT))
    digits = Images(resized(pixels, 16, "bicubic")[order], torch.from_numpy(data.target)[order].long())
    ends = [*np.cumsum([0, REAL, VAL, ADDED, max(CURVE) - REAL]).tolist(), len(digits)]
    return Sets(*(digits.subset(range(start, end)) for start, end in pairwise(ends)))


def noise(sets: Sets) -> Images:
    """Return random pixels with random labels."""
    generator = make_generator(Stream.CONTROL_NOISE)
    images = torch.randint(0, 256, (ADDED, 1, 16, 16), generator=generator, dtype=torch.uint8)
    return Images(images, torch.randint(0, 10, (ADDED,), generator=generator))


def shuffled(sets: Sets) -> Images:
    """Return images of the pool, each with the label of another."""
    some = sets.pool.subset(range(ADDED))
    return Images(some.images, some.labels[torch.randperm(ADDED, generator=make_generator(Stream.CONTROL_LABELS))])


CONTROLS: dict[str, Control] = {
    "held_out": Control(lambda sets: sets.pool.subset(range(ADDED)), (HELPED,), "other real images"),
    # noise may cost accuracy or not, but must never be said to help
    "noise": Control(noise, (HURT, NO_EFFECT), "noise"),
    "copies": Control(lambda sets: sets.train + sets.train, (NO_EFFECT,), "copies of train"),
    "shuffled": Control(shuffled, (HURT,), "real images, labels shuffled"),
}


def check_verdict(seeds: int = 3, steps: int = 300, seed: int = 0) -> Iterator[Finding]:
    """Yield what the verdict says of each control, and whether that is right.

    Held-out real images must also have a data equivalent near their number: its interval must begin below 1.5 times,
    and end above half, the number of real images in the set.
    """
    # measured six times: enough to choose weights on val, as the real experiment does
    sets, config = load_sets(seed), FitConfig(steps=steps, measure_every=max(steps // 6, 1), batch_images=32)

    def outcome(train: Images) -> Outcome:
        answers = [
            logits_of(
                fit(train, sets.val, 10, config, seed=derive_seed(seed, Stream.CONTROL_FIT, n), device=CPU).network,
                sets.test.images,
            ).softmax(dim=1)
            for n in range(seeds)
        ]
        # a replicate for each seed, with one fit; every fit takes the same number of steps, as the control would
        stacked = torch.stack(answers).numpy()[:, None]
        predicted = stacked.argmax(axis=3)
        return Outcome(sets.test.labels.numpy(), predicted, stacked, predicted)

    real = sets.train + sets.others
    curve = {count: outcome(real.subset(range(count))) for count in CURVE}
    accuracies = [float(curve[count].correct.mean()) for count in CURVE]
    # the point of the curve at REAL images is the arm without additions
    alone = curve[REAL]
    for name, control in CONTROLS.items():
        mixed = outcome(sets.train + control.make(sets))
        difference = mixed.correct - alone.correct
        found, level = difference_interval(difference), share_interval(mixed.correct)
        said = judged(found.low, found.high)
        bounds = [data_equivalent(CURVE, accuracies, value)["images"] for value in (level.low, level.high)]
        passed = said in control.right
        if name == "held_out":
            passed = passed and bounds[0] <= 1.5 * (REAL + ADDED) and bounds[1] >= 0.5 * (REAL + ADDED)
        equivalent = data_equivalent(CURVE, accuracies, float(mixed.correct.mean()))
        yield Finding(name, control.about, found.mean, found.low, found.high, said, equivalent, passed)
