"""The options of jobs that read images from a source: what it is, where, and how its files are to be understood."""

from dataclasses import dataclass

from shared.cli.options import JobOptions, Within, option
from shared.sources.reading import Reading
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
    label: str | None = option(
        None,
        "Attribute of CelebA, column of a table, or json field of foreign shards, that is the class.",
        "source",
        owner="source",
        metavar="NAME",
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
        return Reading(label=self.label_name)

    def resolved(self) -> dict[str, object]:
        """Return every option, None replaced by the value that is used."""
        return super().resolved() | {"label": self.label_name}
