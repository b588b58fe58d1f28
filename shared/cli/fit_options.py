"""The options of jobs that fit a classifier."""

from dataclasses import dataclass
from pathlib import Path

from shared.cli.options import JobOptions, Within, nearest, option
from shared.errors import BadConfig
from shared.format.files import sha256
from shared.models.fit_options import CLASS_WEIGHTS, LARGEST_BATCH, PRETRAINABLE, SAMPLING, FitConfig
from shared.models.tables import CLASSIFIERS, WITH_WIDTH
from shared.models.zoo.own_source import is_own, source_sha256

DEFAULT = FitConfig()


@dataclass(frozen=True, kw_only=True)
class FitOptions(FitConfig, JobOptions):
    """How a classifier is fitted, as options."""

    network: str = option(
        DEFAULT.network,
        f"Layers of the classifier: {', '.join(WITH_WIDTH)}, of torchvision {', '.join(PRETRAINABLE)}, or a function "
        "of your own as module:function.",
        "classifier",
        metavar="NAME|MODULE:FUNCTION",
    )
    pretrained: str | None = option(
        DEFAULT.pretrained,
        "File of the weights that a network of torchvision begins with, .pth or .safetensors.",
        "classifier",
        owner="network",
        metavar="FILE",
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
    class_weights: str = option(
        DEFAULT.class_weights,
        "Weights of the classes in the loss; balanced: the fewer images a class has, the more each weighs.",
        "optimizer",
        choices=CLASS_WEIGHTS,
    )
    sampling: str = option(
        DEFAULT.sampling,
        "How often the classes are drawn; balanced: all equally often.",
        "optimizer",
        choices=SAMPLING,
    )
    measure_every: int = option(DEFAULT.measure_every, "Steps between measurements on val.", "run", within=Within(1))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_own(self.network) and self.network not in CLASSIFIERS:
            raise BadConfig(
                f"--network {self.network}: unknown{nearest(self.network, CLASSIFIERS)}\n"
                f"want one of {', '.join(CLASSIFIERS)}, or a function of your own as module:function"
            )

    def file_hashes(self) -> dict[str, str]:
        """Return the sha256 of the file of weights, in place of its path, and of the source of the user's network.

        BadConfig where one of them is not there.
        """
        weights, source = {}, {}
        if self.pretrained:
            path = Path(self.pretrained)
            if not path.is_file():
                raise BadConfig(f"--pretrained {path}: no such file, seen from {Path.cwd()}; want a file of weights")
            weights = {"pretrained": f"sha256 {sha256(path.read_bytes())}"}
        if is_own(self.network):
            source = {"network_source": f"sha256 {source_sha256(self.network)}"}
        return weights | source
