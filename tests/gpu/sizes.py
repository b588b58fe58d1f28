"""How large the work is: for a GPU, and so small that a CPU goes through all of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """`rounds` of at least `round_s` seconds each; `warm` iterations before; `fit_steps` of a classifier.

    `matrix` is the side of the matrices of a product; `stored` how many images a loader has; `quality_s` how long the
    generator trains whose quality is measured at each of `marks`, shares of that time, on `drawn` images of its.
    """

    size_px: int = 64
    width: int = 64
    batches: tuple[int, ...] = (64, 256, 1024)
    rounds: int = 3
    round_s: float = 0.4
    warm: int = 6
    matrix: int = 8192
    stored: int = 20_000
    fit_steps: int = 200
    fit_batch: int = 256
    features: int = 1024
    quality_s: float = 180.0
    marks: tuple[float, ...] = (1 / 6, 1 / 3, 2 / 3, 1.0)
    quality_px: int = 32
    drawn: int = 10_000
    quality_fit_steps: int = 2000


FULL = Sizes()

TINY = Sizes(
    size_px=16,
    width=4,
    batches=(4,),
    rounds=1,
    round_s=0.0,
    warm=1,
    matrix=64,
    stored=64,
    fit_steps=4,
    fit_batch=8,
    features=2,
    quality_s=0.2,
    marks=(0.5, 1.0),
    quality_px=16,
    drawn=40,
    quality_fit_steps=4,
)
