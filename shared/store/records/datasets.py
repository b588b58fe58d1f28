"""What the datasets say of themselves: real images, synthetic ones, and the json of one sample."""

from pydantic import Field

from shared.store.records.base import Record
from shared.store.records.gan import Snapshot


class RealRecord(Record):
    """What `preprocess` made: where the images came from, how they were split, what was put aside.

    `mirrors` says whether an image is of the same class in a mirror.
    """

    source: str
    mirrors: bool = True
    split: str = ""
    rejected: int = 0
    ignored: int = 0
    duplicates: int = 0
    duplicates_with_other_label: int = 0
    moved_to_the_split_of_their_copy: int = 0


class SyntheticRecord(Record):
    """What `synthesize` made: from which snapshot, and what the annotator says of the images.

    Nothing is asked of an unconditional generator: `asked_counts` and `agreement` are None then. Counts are by class;
    the histogram has equal bins over confidences from 0 to 1.
    """

    snapshot: Snapshot
    family: str
    asked_counts: list[int] | None
    annotated_counts: list[int]
    agreement: float | None
    confidence_histogram: list[int]
    confidence_median: float


class Preparation(Record):
    """What later jobs need of how the images of a dataset were prepared."""

    resize_filter: str


class Origin(Record):
    """Where a synthetic image comes from: the generator, the snapshot's file, the latent's seed.

    `asked_label` is absent where the generator cannot be asked, `truncation` where nothing was cut off.
    """

    generator_sha256: str
    snapshot: str
    latent_seed: int
    truncation: float | None = None
    asked_label: int | None = Field(default=None, ge=0)


class Annotation(Record):
    """What the annotator says of a synthetic image: how sure it is of its label, from 0 to 1.

    `label` is its own label where the sample has another one.
    """

    classifier_sha256: str
    confidence: float
    label: int | None = None


class SampleMeta(Record):
    """The json of a synthetic sample."""

    origin: Origin
    annotation: Annotation
