"""The options of synthesize, checked."""

from dataclasses import dataclass, replace

from jobs.pipeline import IMPORT
from shared.cli.options import Within, option
from shared.cli.reading_options import ReadingOptions
from shared.data.specs import UNLABELLED
from shared.errors import BadConfig
from shared.sources.reading import Reading
from shared.sources.table import SOURCES
from shared.store.job import Job

GENERATOR = "generator"
GIVEN, ANNOTATOR = "given", "annotator"
TRAIN = "train"


@dataclass(frozen=True, kw_only=True)
class SynthesizeOptions(ReadingOptions):
    """How many images are generated, or which ones are imported, and how they are stored."""

    source: str = option(
        GENERATOR,
        "Where images come from: the experiment's generator, or images of any other that are imported.",
        "source",
        choices=(GENERATOR, *(name for name, known in SOURCES.items() if known.columns)),
    )
    source_path: str | None = option(
        None,
        "Folder or file of the imported images, or a list with one for each replicate; a relative path is looked for "
        "where you are, then below sources/ on the volume.",
        "source",
        metavar="PATH",
        each=True,
    )
    source_version: str | None = option(
        None,
        "As of preprocess; or a list with one for each replicate.",
        "source",
        metavar="TEXT",
        each=True,
    )
    labels: str = option(
        GIVEN,
        "Labels of imported images: those given with them, of classes named as the real ones, or the annotator's.",
        "source",
        owner="source",
        choices=(GIVEN, ANNOTATOR),
    )
    share: float = option(
        1.0,
        "Number of generated images, as a share of the train split; imported ones are all taken.",
        "data",
        owner="source",
        within=Within(0, 1000, above=True),
    )
    share_of: str = option(
        TRAIN,
        "Split of the real images that --share is a share of.",
        "data",
        owner="source",
        choices=(TRAIN, UNLABELLED),
    )
    only_agreeing: bool = option(
        False,
        "Drop each generated image that the annotator gives another class than was asked for, and draw another in its "
        "place.",
        "data",
        owner="source",
    )
    latent_scale: float = option(
        1.0,
        "Standard deviation of the generator's latents; above 1 images are more varied and less typical.",
        "data",
        owner="source",
        within=Within(0, 10, above=True),
    )
    shard_images: int = option(1000, "Images in a shard.", "run", within=Within(1))

    def __post_init__(self) -> None:
        if not self.imports:
            labels = None if self.labels == GIVEN else self.labels
            given = {"--source-path": self.source_path, "--label": self.label, "--labels": labels}
            wrong = [f"{flag} {value}" for flag, value in given.items() if value is not None]
            if wrong:
                raise BadConfig(f"{', '.join(wrong)}: is for imported images; say --source folder, csv or webdataset")
            return
        if self.source_path is None:
            raise BadConfig(f"--source {self.source}: where are the images? want --source-path PATH")
        if self.share != 1 or self.share_of != TRAIN:
            said = f"--share {self.share}" if self.share != 1 else f"--share-of {self.share_of}"
            raise BadConfig(f"{said}: imported images are all taken; leave it out")
        drawing = {"--only-agreeing": self.only_agreeing, "--latent-scale": self.latent_scale != 1}
        for flag in (flag for flag, is_given in drawing.items() if is_given):
            raise BadConfig(f"{flag}: imported images are all taken, none is drawn; leave it out")

    @property
    def imports(self) -> bool:
        """Whether images are imported, so that no generator is read."""
        return self.source != GENERATOR

    @property
    def other_row(self) -> Job | None:
        """The row of the job for imported images."""
        return IMPORT if self.imports else None

    @property
    def reading(self) -> Reading:
        """How the files are to be understood: one class is enough, and none is needed where the annotator labels."""
        # all images are taken: a column `split` may hold anything
        return replace(super().reading, labelled=self.labels == GIVEN, least_classes=1, split_column="")
