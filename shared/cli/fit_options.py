"""The options of jobs that fit a classifier."""

from dataclasses import dataclass

from shared.cli.options import JobOptions, Within, option
from shared.models.fit_options import LARGEST_BATCH, FitConfig
from shared.models.tables import CLASSIFIERS, WITH_WIDTH

DEFAULT = FitConfig()


@dataclass(frozen=True, kw_only=True)
class FitOptions(FitConfig, JobOptions):
    """How a classifier is fitted, as options."""

    network: str = option(
        DEFAULT.network,
        "Layers of the classifier; resnet18 and mobilenet_v3_small are torchvision's, without trained weights.",
        "classifier",
        choices=CLASSIFIERS,
    )
    width: int = option(
        DEFAULT.width,
        f"Channels of the first convolution of {' and '.join(WITH_WIDTH)}.",
        "classifier",
        owner="network",
        within=Within(1),
    )
    steps: int = option(DEFAULT.steps, "Optimizer steps.", "optimizer", within=Within(1))
    batch_images: int = option(DEFAULT.batch_images, "Images in a step.", "optimizer", within=Within(2, LARGEST_BATCH))
    learning_rate: float = option(
        DEFAULT.learning_rate, "Learning rate of Adam.", "optimizer", within=Within(0, above=True)
    )
    measure_every: int = option(DEFAULT.measure_every, "Steps between measurements on val.", "run", within=Within(1))
