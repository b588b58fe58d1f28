"""The options of train_classifier, checked."""

from dataclasses import dataclass

from shared.cli.fit_options import FitOptions
from shared.cli.options import Within, option
from shared.data.resizing import FILTERS
from shared.models.sizes import LARGEST_PX


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions(FitOptions):
    """How the annotator is fitted; `size_px` 0 is the size of the dataset's images."""

    size_px: int = option(
        0,
        "Side of the images that the classifier sees, in pixels; 0: the dataset's.",
        "data",
        within=Within(0, LARGEST_PX),
    )
    resize_filter: str = option(
        "bicubic", "Filter that resizes images to the classifier's size.", "data", choices=FILTERS
    )
    steps: int = option(2000, "Optimizer steps at most.", "optimizer", within=Within(1))
    patience: int = option(
        8,
        "Early stopping: measurements on val without improvement before training ends; 0: never.",
        "run",
        within=Within(0),
    )
