"""The options of train_classifier, checked."""

from dataclasses import dataclass

from shared.cli.fit_options import FitOptions
from shared.cli.options import Within, option
from shared.data.resizing import FILTERS


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions(FitOptions):
    """How the annotator is fitted; `size_px` 0 is the size of the dataset's images."""

    size_px: int = option(0, "Size of the images that the classifier sees; 0: the dataset's.", "data", within=Within(0))
    resize_filter: str = option("bicubic", "Filter that resizes images to that size.", "data", choices=FILTERS)
    steps: int = option(2000, "Optimizer steps at most.", "optimizer", within=Within(1))
    patience: int = option(
        8, "Measurements on val without a better one that end the training; 0: none do.", "run", within=Within(0)
    )
