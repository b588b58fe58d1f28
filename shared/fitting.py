"""How a classifier is fitted: the options that every job which fits one has. No torch in here."""

from dataclasses import dataclass

from shared.errors import BadConfig

CLASSIFIER_NAMES = ("small_cnn", "rps_cnn")
"""The rows of `networks.classifiers.CLASSIFIERS`, by name."""


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """`steps` optimizer steps of Adam, measured on val every `measure_every` steps."""

    network: str = "small_cnn"
    steps: int = 600
    batch_images: int = 64
    learning_rate: float = 1e-3
    measure_every: int = 50
    width: int = 16

    def __post_init__(self) -> None:
        if not 1 <= self.measure_every <= self.steps:
            raise BadConfig(f"--measure-every {self.measure_every}: want 1 to --steps ({self.steps})")
        if self.batch_images < 2 or self.width < 1:
            raise BadConfig(f"--batch-images {self.batch_images}, --width {self.width}: want at least 2 and at least 1")
