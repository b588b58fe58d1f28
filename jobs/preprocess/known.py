"""What is known of a source before anything of it is read."""

from dataclasses import dataclass, field

from shared.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Known:
    """Whether a source has an official partition, and whether its images are of the same class in a mirror.

    `label` is the name of its class label where it has several, of which `--label` takes one.
    `counts` are the images of each class, by part of the partition, in the order train, val, test; all of them are
    "train" where there is no partition. It is empty where only the files tell.
    """

    official: bool = False
    label: str | None = None
    mirrors: bool = True
    counts: dict[str, tuple[int, ...]] = field(default_factory=dict)


KNOWN: dict[str, Known] = {
    "digits": Known(mirrors=False, counts={"train": (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)}),
    "mnist": Known(official=True, mirrors=False),
    "cifar10": Known(official=True, counts={"train": (5000,) * 10, "test": (1000,) * 10}),
    "celeba": Known(official=True, label="Young"),
    "folder": Known(),
    "webdataset": Known(label="label"),
}
"""By the name of the source."""


def check_room(counts: list[int], drawn: int) -> None:
    """Raise BadInput unless `drawn` images can be drawn stratified, given the images of each class.

    scikit-learn's conditions: two images of each class that has any, and on both sides no fewer than there are classes.
    """
    there = [count for count in counts if count]
    total = sum(there)
    if there and min(there) >= 2 and len(there) <= drawn <= total - len(there):
        return
    raise BadInput(
        f"cannot draw {drawn} of {total} images, stratified by class: there are {len(there)} classes, "
        f"the smallest of {min(there, default=0)}\n"
        "want at least 3 images of each class, and in each split no fewer than there are classes; "
        "raise --limit, --per-class or the split's fraction"
    )
