"""Descriptions of the data that jobs pass on, by which the next job checks its options before anything is computed.

A description comes from the artifact or, before that is there, from the options of the job that will make it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from shared.data.sampling import largest_share
from shared.store.work_shards import Shard

if TYPE_CHECKING:
    from shared.store.artifacts import Artifact
    from shared.store.records.datasets import RealRecord


UNLABELLED = "unlabelled"
"""The split of real images whose labels nothing may use: generators learn from the images, an annotator names them."""


@dataclass(frozen=True, kw_only=True)
class ImageSpec:
    """Square images of `size_px` in 1 (grey) or 3 (colour) channels, from `source`.

    `mirrors` says whether a mirrored image is of the same class. `classes` is None as long as only the source's files
    tell how many there are; `attributes` are what they are the combinations of, none of plain classes.
    `unlabelled` says whether there is a split of images without labels;
    `labelled_fraction` is the share of train and val that has labels.
    """

    size_px: int
    channels: int
    source: str
    mirrors: bool
    classes: int | None = None
    attributes: tuple[str, ...] = ()
    unlabelled: bool = False
    labelled_fraction: float = 1.0


@dataclass(frozen=True, kw_only=True)
class SyntheticSpec:
    """Synthetic images that are enough for `share` of the real train split, rounded down to whole images.

    It is None as long as only the split tells how many there are; `share_of_unlabelled` then says how many there are
    to one unlabelled image.
    """

    share: float | None
    share_of_unlabelled: float | None = None


@dataclass(frozen=True)
class Specs:
    """What is known of the artifacts that a job reads; None for one that is not there yet."""

    real: ImageSpec | None = None
    synthetic: SyntheticSpec | None = None


Validate = Callable[[Any, Shard, Specs], None]
"""`validate(options, shard, specs)` raises BadInput for options that do not go with the shard or with the data."""

Declare = Callable[[Any], ImageSpec | SyntheticSpec | None]
"""`declare(options)` describes the artifact that a job would write; None where its options alone do not tell."""


def no_data_needed(options: Any, shard: Shard, specs: Specs) -> None:
    """Accept everything: the options of a job that are checked without a look at the data."""


def describe(inputs: "Mapping[str, Artifact]") -> Specs:
    """Return the descriptions of those of the artifacts `inputs`, by place, that have one.

    Synthetic images are counted against the real ones: without these nothing is known of them.
    """
    # the replicates of a set are of one size
    named = {place.partition("/")[0]: artifact for place, artifact in inputs.items()}
    real, synthetic = named.get("real"), named.get("synthetic")
    if real is None:
        return Specs()
    images = describe_images(cast("Artifact[RealRecord]", real))
    if synthetic is None:
        return Specs(images)
    counts = (artifact.split("train").count for artifact in (synthetic, real))
    return Specs(images, SyntheticSpec(share=largest_share(*counts)))


def describe_images(real: "Artifact[RealRecord]") -> ImageSpec:
    """Return the description of real images."""
    dataset, record = real.dataset, real.record
    return ImageSpec(
        size_px=dataset.size_px,
        channels=dataset.channels,
        source=record.source,
        mirrors=record.mirrors,
        classes=len(dataset.classes),
        attributes=tuple(dataset.attributes),
        unlabelled=UNLABELLED in dataset.splits,
        # in earlier versions all images had labels
        labelled_fraction=1.0 if record.labelled_fraction is None else record.labelled_fraction,
    )
