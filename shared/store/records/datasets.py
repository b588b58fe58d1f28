"""What the datasets say of themselves: real images, synthetic ones, and the json of one sample."""

from collections.abc import Sequence

from pydantic import Field
from pydantic import model_validator as validator

from shared.store.records.base import Record
from shared.store.records.gan import Snapshot

RANDOM_SPLIT = "random, stratified"
"""How splits were made that are one random draw of single images."""

AUDIT = "audit"
"""The split of images that are kept from everything but the membership test."""


class Groups(Record):
    """How many groups of related images a set has, and how many of them an official partition tears apart."""

    count: int
    torn: int = 0


class NearDuplicates(Record):
    """Pairs of nearly equal images in different splits, and how many images they are; hashes differ by up to `bits`."""

    bits: int
    pairs: int
    images: int


class RealRecord(Record):
    """What `preprocess` made: where the images came from, how they were split, what was put aside.

    `mirrors` says whether an image is of the same class in a mirror. `held_out` says whether the test split is a set of
    its own, which no generator of imported images saw; of it, `held_out_also_real` images were left out, since they are
    real images that a generator may have seen. `resplit` is "all" where each replicate has a split of its own, "train"
    where each has a subset of its own of one train and val split. `audit_fraction` of train was kept from everything,
    `train_val_fraction` of train and val used, of that `labelled_fraction` with labels. Earlier versions had none.
    """

    source: str
    mirrors: bool = True
    split: str = ""
    rejected: int = 0
    ignored: int = 0
    duplicates: int = 0
    duplicates_with_other_label: int = 0
    moved_to_the_split_of_their_copy: int = 0
    held_out: bool | None = None
    held_out_also_real: int | None = None
    groups: Groups | None = None
    near_duplicates: NearDuplicates | None = None
    resplit: str | None = None
    audit_fraction: float | None = None
    train_val_fraction: float | None = None
    labelled_fraction: float | None = None


IMPORTED = "imported"
"""The family of images that no generator of halfreal drew, and what their json has in place of a generator's hash."""


class Imported(Record):
    """A set of synthetic images that somebody brought along: its name, where it was read, what was taken of it.

    `sha256` is that of the hashes of its files, sorted; `images` are those that were taken. `labels` says whose they
    are: "given" by the set, or the "annotator"'s. `left_out` has the unreadable ones by class, `equal_to_real` the
    images whose files are those of real ones, by the split that has them.
    """

    name: str
    source: str
    images: int
    sha256: str
    labels: str
    rejected: int = 0
    ignored: int = 0
    left_out: dict[str, int] = Field(default_factory=dict)
    equal_to_real: dict[str, int] = Field(default_factory=dict)


class SyntheticRecord(Record):
    """What `synthesize` made: from which snapshot, or of which imported set, and what the annotator says of the images.

    Nothing is asked of an unconditional generator: `asked_counts` and `agreement` are None then, as they are for an
    imported set without labels of its own. Counts are by class; the histogram has equal bins over confidences from 0
    to 1. Imported images have no snapshot, and the family "imported". `pseudo_counts` counts the annotator's labels of
    the unlabelled real images; None without any. `dropped_counts` counts, by class asked for, the images that were
    drawn and dropped because the annotator gave them another class; None where none were to be dropped. `latent_scale`
    is the standard deviation of the latents, None for 1.
    """

    snapshot: Snapshot | None = None
    family: str
    asked_counts: list[int] | None
    annotated_counts: list[int]
    agreement: float | None
    confidence_histogram: list[int]
    confidence_median: float
    imported: Imported | None = None
    pseudo_counts: list[int] | None = None
    dropped_counts: list[int] | None = None
    latent_scale: float | None = None

    @property
    def dropped(self) -> int:
        """How many images were drawn and dropped."""
        return sum(self.dropped_counts or [])

    @property
    def drawn(self) -> int:
        """How many images were drawn, those that were dropped among them."""
        return sum(self.annotated_counts) + self.dropped

    @property
    def drawn_agreement(self) -> float | None:
        """How often the annotator gave the class asked for, of all images that were drawn, those dropped among them."""
        return None if self.agreement is None else self.agreement * sum(self.annotated_counts) / self.drawn

    @validator(mode="after")
    def _either(self) -> "SyntheticRecord":
        if (self.snapshot is None) == (self.imported is None):
            raise ValueError("want either a snapshot or an imported set")
        return self


SCORED_AS_DRAWN = (
    "The generator's scores, and its tests for copies and membership, are of images as it draws them: from latents "
    "with a standard deviation of 1, none of them dropped."
)
"""What scores are of where synthetic images are drawn otherwise."""


def drawn_words(datasets: Sequence[SyntheticRecord]) -> str:
    """Return, as sentences, how images were drawn that not simply all were taken; empty where they were."""
    if not datasets:
        return ""
    sentences = []
    scale = datasets[0].latent_scale
    if scale is not None:
        sentences.append(f"Synthetic images are drawn from latents with a standard deviation of {scale:g}.")
    if all(record.dropped_counts is not None for record in datasets):
        dropped, drawn = (sum(getattr(each, name) for each in datasets) for name in ("dropped", "drawn"))
        sentences.append(
            f"Synthetic images are filtered: {dropped:,} of {drawn:,} that were drawn ({dropped / drawn:.1%}) were "
            "dropped, since the annotator gave them another class than was asked for."
        )
    if sentences:
        sentences.append(SCORED_AS_DRAWN)
    return " ".join(sentences)


class Preparation(Record):
    """What later jobs need of how the images of a dataset were prepared."""

    resize_filter: str


class Origin(Record):
    """Where a synthetic image comes from: the generator, the snapshot's file, the latent's seed.

    `asked_label` is absent where the generator cannot be asked, `truncation` where nothing was cut off, `member`, the
    number of the generator, where there are not several of the same images, `latent_scale` where it is 1. An imported
    image has the generator "imported", its `file`, as its set names it, with the `key` there where that is a tar, and
    the `sha256` of what that holds; its `asked_label` is the label that its set gives it.
    """

    generator_sha256: str
    snapshot: str | None = None
    latent_seed: int | None = None
    truncation: float | None = None
    asked_label: int | None = Field(default=None, ge=0)
    member: int | None = Field(default=None, ge=0)
    latent_scale: float | None = None
    file: str | None = None
    key: str | None = None
    sha256: str | None = None

    @validator(mode="after")
    def _traceable(self) -> "Origin":
        wanted = ("sha256",) if self.generator_sha256 == IMPORTED else ("snapshot", "latent_seed")
        lacking = [name for name in wanted if getattr(self, name) is None]
        if lacking:
            raise ValueError(f"no {lacking[0]}")
        return self


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
