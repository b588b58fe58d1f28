"""How a classifier is fitted: the options that every job which fits one has. No torch in here."""

from dataclasses import dataclass

from shared.errors import BadConfig
from shared.models.sizes import check_classifier_size
from shared.models.tables import CLASSIFIERS, WITH_WIDTH
from shared.models.zoo.own_source import is_own

FIT_IMPORTS = ("shared.models.fitting", "torchmetrics.classification")
"""What a fit imports: where replicates are forked from one process, that imports it for all of them."""

WIDTH = 16
"""Channels of the first convolution, of the networks that take a width."""

LARGEST_BATCH = 65_536
"""Images in a step at most: a mistake must not fill the memory."""

CLASS_WEIGHTS = ("none", "balanced")
"""balanced: in the loss an image of class c weighs n / (k n_c); see `shared.models.imbalance.class_weights`."""

SAMPLING = ("natural", "balanced")
"""balanced: every class is drawn equally often; see `shared.models.imbalance.balanced_batches`."""

PRETRAINABLE = tuple(name for name in CLASSIFIERS if name not in WITH_WIDTH)
"""The networks that weights of torchvision fit: torchvision's."""


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """`steps` optimizer steps of Adam, measured on val every `measure_every` steps.

    `network` is a row of CLASSIFIERS or the user's own, `module:function`; `pretrained` is the file of the weights
    that it begins with, if any.
    """

    network: str = "small_cnn"
    pretrained: str | None = None
    steps: int = 600
    batch_images: int = 64
    learning_rate: float = 1e-3
    measure_every: int = 50
    width: int = WIDTH
    class_weights: str = "none"
    sampling: str = "natural"

    def __post_init__(self) -> None:
        if not 1 <= self.measure_every <= self.steps:
            raise BadConfig(f"--measure-every {self.measure_every}: want 1 to --steps ({self.steps})")
        if not 2 <= self.batch_images <= LARGEST_BATCH or self.width < 1:
            raise BadConfig(
                f"--batch-images {self.batch_images}, --width {self.width}: want 2 to {LARGEST_BATCH:,} and at least 1"
            )
        if self.network not in WITH_WIDTH and self.width != WIDTH:
            raise BadConfig(f"--width {self.width}: the network {self.network} has its own widths; leave it out")
        if self.pretrained and self.network not in PRETRAINABLE:
            whose = "your own function loads its weights itself" if is_own(self.network) else "it has no such weights"
            raise BadConfig(
                f"--pretrained {self.pretrained}: not with --network {self.network}: {whose}\n"
                f"want one of {', '.join(PRETRAINABLE)}"
            )
        if self.class_weights != "none" and self.sampling != "natural":
            raise BadConfig(
                "--class-weights balanced with --sampling balanced: both correct the same imbalance; want one of them"
            )

    def check_size(self, size_px: int) -> None:
        """Raise BadConfig for images that the network is not built for."""
        check_classifier_size(self.network, size_px)
