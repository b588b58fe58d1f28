"""Every random draw is a function of the seed, of the stream and of what is drawn, so no generator state is saved.

A resumed run, and any number of processes, therefore draw the same numbers.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

# torch is imported where it is used: a command line needs the seeds of replicates before it needs torch
if TYPE_CHECKING:
    import torch


class Stream(IntEnum):
    """What a draw is for: the part of a seed that keeps uses of one `--seed` independent of each other.

    The numbers are part of every stored shard and weight: they never change, and a new member takes a number that its
    seed is not yet used with. Members with equal numbers are aliases by history: they never meet, because their seeds
    differ (a fit gets a seed of its own) or because another number of parts follows (an image's place, a step's).
    """

    GAN_WEIGHTS = 0

    # (seed, 1): weights and layers of a classifier; (seed, GAN_STEP, iteration, step, 1): layers of a GAN's step;
    # (seed, 1, place): the latents that every snapshot is scored with on val
    CLASSIFIER_LAYERS = 1
    GAN_STEP_LAYERS = 1
    VAL_LATENTS = 1

    # (seed, 2): a classifier's order of images; (seed, 2, place): the chosen snapshot's fresh latents
    CLASSIFIER_ORDER = 2
    TEST_LATENTS = 2

    # (seed, 3, step): how the images of a classifier's step are augmented; ((seed, 3), epoch): a GAN's order of images
    CLASSIFIER_AUGMENTATION = 3
    GAN_ORDER = 3

    GAN_STEP = 4
    SYNTHETIC_LATENTS = 6
    REAL_SHARE = 7
    ARM_FIT = 8
    GAN_OF_CLASS = 9
    OWN_ANNOTATOR = 11
    SAMPLE_LATENTS = 12
    TRIAL_SAMPLER = 20

    # (seed, 21, number of trials): options that no trial had; (seed, 21): the split of the controls' digits
    UNTRIED_OPTIONS = 21
    CONTROL_SPLIT = 21

    CONTROL_FIT = 22

    # (seed, 23, number): the seed of a replicate; (seed, 24, number): that of a further fit of a replicate
    REPLICATE = 23
    FURTHER_FIT = 24

    # (seed, 25, place): the images of a chosen snapshot that are scored against another experiment's
    REFERENCE_LATENTS = 25

    # (seed, 26): the order of imported images
    IMPORT_ORDER = 26

    # (seed, 27): a classifier's order of images where every class occurs equally often
    BALANCED_ORDER = 27

    # (seed, 28): the imported images that are scored
    IMPORTED_DRAW = 28

    # (seed, 31): the images whose membership is tested; (seed, 31, ...): noise in place of images
    MEMBERSHIP = 31

    # (seed, 32): a planted generator's images of the pool; (seed, 32, control): what it draws itself
    CONTROL_IMAGES = 32

    # (seed, 33): the order of the real images of a split in its shards
    SHARD_ORDER = 33

    # (seed, 34, number): the seed of a pair of networks of several that learn from the same images
    GAN_MEMBER = 34


def derive_seed(*parts: int) -> int:
    """Return a 63-bit seed that depends on every part and its place (splitmix64, Steele et al. 2014)."""
    # mixed rather than added, since seeds 0, 1, 2 and streams 0, 1, 2 would otherwise give the same sums
    state = 0
    for part in parts:
        # the golden-ratio increment and the finalizer's two multipliers are those of the reference implementation
        state = (state + part + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state >> 1  # torch takes seeds below 2^63


def replicate_seed(seed: int, replicate: int) -> int:
    """Return the seed of a replicate, below 2^31 as every option's: that of the first one is `seed` itself."""
    return seed if replicate == 0 else derive_seed(seed, Stream.REPLICATE, replicate) >> 32


def fit_seed(seed: int, number: int) -> int:
    """Return the seed of fit `number` of a replicate with `seed`; the first fit has the replicate's own."""
    return seed if number == 0 else derive_seed(seed, Stream.FURTHER_FIT, number) >> 32


def seed_everything(*parts: int) -> None:
    """Seed torch's generators, of every device, from `parts`."""
    import torch

    torch.manual_seed(derive_seed(*parts))


def make_generator(*parts: int) -> "torch.Generator":
    """Return a new CPU generator, seeded from `parts`."""
    import torch

    # on the CPU even for a GPU's draws, so that every device gets the same numbers
    return torch.Generator().manual_seed(derive_seed(*parts))
