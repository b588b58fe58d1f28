"""The committed list of simulated experiments, and which of all combinations are feasible."""

from dataclasses import dataclass
from itertools import product

SUPPORT = 6**0.5
"""Effects reach this many standard deviations to each side of 0: they are triangular, the sum of two uniform ones."""

ACCURACIES = (0.5, 0.8, 0.95, 0.99, 0.995)
IMAGES = (60, 360, 2_000, 10_000)
REPLICATES = (3, 5, 10)
GENERATOR_SDS = (0.0, 0.002, 0.004, 0.006)
FIT_SDS = (0.0, 0.003)
DISAGREEMENTS = (0.01, 0.10)
DIFFERENCES = (0.0, 0.01)
PERSISTENCES = (0.2, 0.8)


@dataclass(frozen=True)
class Cell:
    """One kind of experiment; `simulation` says what each number does. All but the first two are shares of 1."""

    images: int
    replicates: int
    accuracy: float
    generator_sd: float
    fit_sd: float
    disagreement: float
    difference: float
    persistence: float

    @property
    def name(self) -> str:
        """The name that the table and `--cells` know the cell by."""
        return (
            f"n={self.images} R={self.replicates} acc={100 * self.accuracy:g} gen={100 * self.generator_sd:g} "
            f"fit={100 * self.fit_sd:g} dis={100 * self.disagreement:g} diff={100 * self.difference:g} "
            f"per={100 * self.persistence:g}"
        )

    @property
    def feasible(self) -> bool:
        """Whether the arms can disagree, and the errors of both can hold that, in every replicate.

        The disagreement must be as large as the true difference. At the ends of all effects no arm may be right about
        more than every image, and what one arm alone has right must be within the other's errors.
        """
        reach_generator, reach_fit = SUPPORT * self.generator_sd, SUPPORT * self.fit_sd
        ends = product((-reach_generator, reach_generator), (-reach_fit, reach_fit), (-reach_fit, reach_fit))
        return self.disagreement >= abs(self.difference) and all(self._possible(*effects) for effects in ends)

    def _possible(self, generator: float, fit_a: float, fit_b: float) -> bool:
        """Whether shares exist for these effects: all three sides are convex, so that the ends decide."""
        a = self.accuracy + self.difference / 2 + generator + fit_a
        b = self.accuracy - self.difference / 2 + fit_b
        disagreement = max(self.disagreement, abs(a - b))
        a_alone, b_alone = (disagreement + a - b) / 2, (disagreement - a + b) / 2
        slack = 1e-12  # 1 - 0.995 is a little more than 0.005 in binary
        return max(a + b_alone, b + a_alone) <= 1 + slack and min(a - a_alone, b - b_alone) >= -slack


CELLS = tuple(
    cell
    for cell in (
        Cell(*values)
        for values in product(
            IMAGES, REPLICATES, ACCURACIES, GENERATOR_SDS, FIT_SDS, DISAGREEMENTS, DIFFERENCES, PERSISTENCES
        )
    )
    if cell.feasible
)
"""Every feasible combination."""
