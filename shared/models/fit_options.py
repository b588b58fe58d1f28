"""How a classifier is fitted: the options that every job which fits one has. No torch in here."""

from dataclasses import dataclass

from shared.errors import BadConfig
from shared.models.sizes import quartered
from shared.models.tables import WITH_WIDTH

WIDTH = 16
"""Channels of the first convolution, of the networks that take a width."""

LARGEST_BATCH = 65_536
"""Images in a step at most: a mistake must not fill the memory."""


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """`steps` optimizer steps of Adam, measured on val every `measure_every` steps."""

    network: str = "small_cnn"
    steps: int = 600
    batch_images: int = 64
    learning_rate: float = 1e-3
    measure_every: int = 50
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not 1 <= self.measure_every <= self.steps:
            raise BadConfig(f"--measure-every {self.measure_every}: want 1 to --steps ({self.steps})")
        if not 2 <= self.batch_images <= LARGEST_BATCH or self.width < 1:
            raise BadConfig(
                f"--batch-images {self.batch_images}, --width {self.width}: want 2 to {LARGEST_BATCH:,} and at least 1"
            )

        if self.network not in WITH_WIDTH and self.width != WIDTH:
            raise BadConfig(f"--width {self.width}: the network {self.network} has its own widths; leave it out")

    def check_size(self, size_px: int) -> None:
        """Raise BadConfig for images that the network is not built for."""
        if self.network == "rps_cnn":
            quartered(size_px)
