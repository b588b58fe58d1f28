"""The options of jobs that read images from a source: what it is, where, and how its files are to be understood."""

from dataclasses import dataclass

from shared.cli.options import JobOptions, Within, option
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
        "Attribute of CelebA, column of a table, or json field of foreign shards, that is the class.",
        "source",
        owner="source",
        metavar="NAME",
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

    @property
    def label_name(self) -> str | None:
        """The name of the label: the source's own unless an option says another; None for sources with one label."""
        known = SOURCES.get(self.source)
        return self.label or (known.label if known else None)

    @property
    def reading(self) -> Reading:
        """How the source's files are to be understood."""
        marks = tuple(word for word in map(str.strip, self.unlabelled.split(",")) if word)
        return Reading(label=self.label_name, file_column=self.file_column, unlabelled=marks)

    def resolved(self) -> dict[str, object]:
        """Return every option, None replaced by the value that is used."""
        return super().resolved() | {"label": self.label_name}
