"""The options of preprocess, checked."""

from dataclasses import dataclass, replace

from jobs.pipeline import PREPROCESS_SPLITS
from jobs.preprocess.train_size import TrainSize
from shared.cli.options import Within, option
from shared.cli.reading_options import ReadingOptions, check_pattern
from shared.data.resizing import FILTERS
from shared.errors import BadConfig
from shared.sources.reading import Reading, Target
from shared.sources.table import SOURCES
from shared.store.job import Job
from shared.store.replicates import RESPLITS

SPLITS = ("auto", "official", "random")
"""auto: the source's official partition where it has one, else random."""

LIMITS = ("limit", "per_class", "limit_train", "per_class_train")
"""The options that take fewer images than there are."""


@dataclass(frozen=True, kw_only=True)
class PreprocessOptions(ReadingOptions):
    """How a source's images are selected, split and prepared; 0 means no limit."""

    source: str = option("digits", "Source of the real images.", "source", choices=SOURCES)
    verify_md5: bool = option(True, "Check CelebA's tables against the published md5.", "source")

    limit: int = option(
        0, "Images over all splits, in proportion to the classes; 0: every one.", "selection", within=Within(0)
    )
    per_class: int = option(
        0, "Images of each class at most, over all splits; 0: no limit.", "selection", within=Within(0)
    )
    limit_train: int = option(
        0,
        "Different train images, exactly, in proportion to the classes; val and test get their fractions of all that "
        "there are, or what train leaves; 0: no limit.",
        "selection",
        within=Within(0),
    )
    per_class_train: int = option(
        0, "Different train images of each class, exactly; else as --limit-train.", "selection", within=Within(0)
    )
    limit_seed: int = option(
        0, "Random seed of the draw of the images that these limits take.", "selection", within=Within(0)
    )
    split: str = option(
        "auto",
        "Partition into train, val and test; auto: the official one if the source has one, else random.",
        "selection",
        owner="source",
        choices=SPLITS,
    )
    split_column: str | None = option(
        None,
        "Column with the split of the image; `split` where not given and there, none where empty.",
        "selection",
        owner="source",
        metavar="NAME",
    )
    group_column: str | None = option(
        None,
        "Column, or json field, with what related images share, such as a patient; a group stays in one split.",
        "selection",
        owner="source",
        metavar="NAME",
    )
    group_by: str | None = option(
        None,
        "Regular expression on the path of an image whose one group is what related images share.",
        "selection",
        owner="source",
        metavar="REGEX",
    )
    held_out: str | None = option(
        None,
        "Images that are the test split, folder or file, for instance those that no generator saw; the source has no "
        "other then. Found as --source-path is.",
        "selection",
        metavar="PATH",
    )
    val_fraction: float = option(0.1, "Share of the distinct images for val, rounded up.", "selection")
    test_fraction: float = option(0.2, "Share of the distinct images for test, rounded up.", "selection")
    resplit: str = option(
        "none",
        "Random splits, one for each replicate (all, or no value), or one subset of train and val for each (train).",
        "selection",
        choices=RESPLITS,
        alone="all",
    )
    audit_fraction: float = option(
        0.0,
        "Share of train that no job learns from: the split audit, against which membership is tested; 0: none.",
        "selection",
        within=Within(0, 1, below=True),
    )
    train_val_fraction: float = option(
        1.0,
        "Share of the images of train and of val that is used, of each class at least one; test stays whole.",
        "selection",
        within=Within(0, 1, above=True),
    )
    labelled_fraction: float = option(
        1.0,
        "Share of train and of val whose labels count, of each class at least one image; the rest of train is the "
        "split unlabelled.",
        "selection",
        within=Within(0, 1, above=True),
    )

    near_duplicates_bits: int = option(
        4,
        "Bits of 64 in which the perceptual hashes of near-duplicates in different splits differ at most; 0: look for "
        "none.",
        "selection",
        within=Within(0, 32),
    )

    size_px: int = option(16, "Side of the square images, in pixels.", "images", within=Within(8, 1024))
    channels: int = option(1, "Channels of the images: 1 grey, 3 colour.", "images", choices=(1, 3))
    crop: str = option(
        "center", "Cut out the centre square, or squeeze the whole image.", "images", choices=("center", "none")
    )
    resize_filter: str = option(
        "bicubic", "Filter that resizes images; scores depend on it.", "images", choices=FILTERS
    )
    background: str = option("white", "Colour under transparent pixels.", "images")

    shard_images: int = option(1000, "Images in a shard.", "run", within=Within(1))

    def __post_init__(self) -> None:
        super().__post_init__()
        # imported late: options are read for every --help
        from PIL import ImageColor

        if not (0 < self.val_fraction < 1 and 0 < self.test_fraction < 1):
            raise BadConfig(
                f"val_fraction={self.val_fraction}, test_fraction={self.test_fraction}: want both between 0 and 1"
            )
        if self.val_fraction + self.test_fraction >= 1:
            raise BadConfig(
                f"val_fraction={self.val_fraction} and test_fraction={self.test_fraction} leave nothing to train on"
            )
        given = [f"--{name.replace('_', '-')} {getattr(self, name)}" for name in LIMITS if getattr(self, name)]
        if self.train_size and len(given) > 1:
            raise BadConfig(f"{', '.join(given)}: want one of them; 0 turns off one that a recipe sets")
        self._check_groups()
        if self.resplit == "all" and (self.held_out is not None or self.split == "official"):
            one = f"--held-out {self.held_out}" if self.held_out is not None else "--split official"
            raise BadConfig(
                f"--resplit all: {one} has one test split for all replicates\n"
                "leave one of them out, or say --resplit train"
            )
        try:
            # any colour that Pillow knows; asked now, not at the first transparent image
            ImageColor.getrgb(self.background)
        except ValueError as error:
            raise BadConfig(f"--background {self.background}: no colour; want white, black or #rrggbb") from error

    def _check_groups(self) -> None:
        """Raise BadConfig for a pattern without just one group, and for two ways to tell groups."""
        if self.group_column and self.group_by:
            raise BadConfig(f"--group-column {self.group_column}, --group-by {self.group_by}: want one of them")
        check_pattern("--group-by", self.group_by, "patient([0-9]+)")

    @property
    def other_row(self) -> "Job | None":
        """The row of the job with an artifact for each replicate, where each has a split of its own."""
        return None if self.resplit == "none" else PREPROCESS_SPLITS

    @property
    def train_size(self) -> TrainSize | None:
        """The exact number of train images; None where it follows from the fractions."""
        return TrainSize(self.limit_train, self.per_class_train) if self.limit_train or self.per_class_train else None

    @property
    def mirrors(self) -> bool:
        """Whether an image is of the same class in a mirror."""
        return SOURCES[self.source].mirrors

    @property
    def reading(self) -> Reading:
        """How the source's files are to be understood."""
        return replace(
            super().reading,
            split_column=self.split_column,
            group_column=self.group_column,
            group_by=self.group_by,
            splits=self.split != "random",
            verify_md5=self.verify_md5,
        )

    @property
    def target(self) -> Target:
        """What images become."""
        return Target(
            size_px=self.size_px,
            channels=self.channels,
            crop=self.crop,
            resize_filter=self.resize_filter,
            background=self.background,
            max_pixels=self.max_pixels,
        )

    @property
    def preparation(self) -> dict[str, object]:
        """How images were prepared, for the manifest: scores depend on it."""
        return {
            "crop": self.crop,
            "resize_filter": self.resize_filter,
            "resizer": "Pillow",
            "antialias": self.resize_filter != "nearest",
            "background": self.background,
        }
