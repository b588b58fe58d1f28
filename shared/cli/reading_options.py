"""The options of jobs that read images from a source: what it is, where, and how its files are to be understood."""

import re
from dataclasses import dataclass

from shared.cli.options import JobOptions, Within, option
from shared.errors import BadConfig
from shared.limits import PIXELS
from shared.sources.reading import UNLABELLED, Reading
from shared.sources.table import SOURCES


@dataclass(frozen=True, kw_only=True)
class ReadingOptions(JobOptions):
    """How a source is read, as options; a job has its own rows of `SOURCES` to choose from."""

    source: str = option("folder", "Source of the images.", "source", choices=SOURCES)
    source_path: str | None = option(
        None,
        "Folder or file of the source; a relative path is looked for where you are, then below sources/ on the volume; "
        "sources/<source> where not given.",
        "source",
        metavar="PATH",
    )
    source_version: str | None = option(
        None,
        "Any text about what the source's files hold, such as a date: with another one the images are read again.",
        "source",
        metavar="TEXT",
    )
    label: str | None = option(
        None,
        "Attribute of CelebA, or several joined by commas, column of a table, or json field of foreign shards, that is "
        "the class.",
        "source",
        owner="source",
        metavar="NAME",
    )
    label_from: str | None = option(
        None,
        "Regular expression on the path of a file below the folder, whose one group is the class; folders are no "
        "classes then.",
        "source",
        owner="source",
        metavar="REGEX",
    )
    file_column: str | None = option(
        None,
        "Column with the path of the image, or the image; found by its usual names where not given.",
        "source",
        owner="source",
        metavar="NAME",
    )
    unlabelled: str = option(
        ",".join(UNLABELLED),
        "Labels of images that have none, in any letter case, between commas; those images are left out.",
        "source",
        metavar="WORDS",
    )
    max_rejected: float = option(
        0.01, "Largest share of unreadable images; with more the job fails.", "source", within=Within(0, 1)
    )
    max_pixels: int = option(
        PIXELS,
        "Width times height of an image at most; a larger one is rejected before it is decoded, as it may fill the "
        "memory.",
        "source",
        within=Within(1),
    )

    def __post_init__(self) -> None:
        check_pattern("--label-from", self.label_from, r"(cat|dog)\.[0-9]+\.jpg")
        if self.label_from and self.source != "folder":
            raise BadConfig(
                f"--label-from {self.label_from}: the source {self.source} has labels of its own; want "
                "--source folder, or leave it out"
            )

    @property
    def label_name(self) -> str | None:
        """The name of the label: the source's own unless an option says another; None for sources with one label."""
        known = SOURCES.get(self.source)
        return self.label or (known.label if known else None)

    @property
    def reading(self) -> Reading:
        """How the source's files are to be understood."""
        marks = tuple(word for word in map(str.strip, self.unlabelled.split(",")) if word)
        return Reading(
            label=self.label_name, label_from=self.label_from, file_column=self.file_column, unlabelled=marks
        )

    def resolved(self) -> dict[str, object]:
        """Return every option, None replaced by the value that is used."""
        return super().resolved() | {"label": self.label_name}


def check_pattern(flag: str, pattern: str | None, example: str) -> None:
    """Raise BadConfig for a regular expression that is none, or has not one group."""
    if pattern is None:
        return
    try:
        count = re.compile(pattern).groups
    except re.error as error:
        raise BadConfig(f"{flag} {pattern}: no regular expression ({error})") from error
    if count != 1:
        raise BadConfig(f"{flag} {pattern}: has {count} groups; want one, in brackets, as in '{example}'")
