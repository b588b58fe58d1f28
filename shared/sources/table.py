"""Where real images come from: a row of `SOURCES` each, with what is known before anything is read.

A source says which images there are, in an order that never changes, without opening them. Sources that are files
live in a folder of their own name under `<data root>/sources`, or where `--source-path` points.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.lazy import Lazy

if TYPE_CHECKING:
    from shared.sources.items import Source


@dataclass(frozen=True, kw_only=True)
class KnownSource:
    """The facts about a source: whether it has an official partition, whether mirroring keeps the class of its images.

    `read(place, reading)` lists its images. `official` is None where only the files tell. `columns`: an image may have
    fields that options name. `label` is the name of its class label where it has several, of which `--label` takes one,
    or with `attributes` several at once. `counts` are the images of each class, by part of the partition, in the order
    train, val, test; all of them are "train" where there is no partition. It is empty where only the files tell.
    """

    read: "Lazy[Callable[[Path, Any], Source]]"
    official: bool | None = False
    columns: bool = False
    label: str | None = None
    attributes: bool = False
    mirrors: bool = True
    counts: dict[str, tuple[int, ...]] = field(default_factory=dict)


SOURCES: dict[str, KnownSource] = {
    "digits": KnownSource(
        read=Lazy("shared.sources.published.sets:digits"),
        mirrors=False,
        counts={"train": (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)},
    ),
    "mnist": KnownSource(
        read=Lazy("shared.sources.published.sets:mnist"),
        official=True,
        mirrors=False,
        counts={
            "train": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
            "test": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
        },
    ),
    "cifar10": KnownSource(
        read=Lazy("shared.sources.published.sets:cifar10"),
        official=True,
        counts={"train": (5000,) * 10, "test": (1000,) * 10},
    ),
    "celeba": KnownSource(
        read=Lazy("shared.sources.published.celeba:celeba"), official=True, label="Young", attributes=True
    ),
    "folder": KnownSource(read=Lazy("shared.sources.folders:folder"), official=None, columns=True),
    "csv": KnownSource(read=Lazy("shared.sources.tables.source:table"), official=None, columns=True),
    "webdataset": KnownSource(read=Lazy("shared.sources.shards.tars:webdataset"), official=None, columns=True),
}
