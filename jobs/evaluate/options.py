"""The options of evaluate, checked."""

from dataclasses import dataclass

from jobs.pipeline import EVALUATE_IMPORTED
from shared.cli.options import JobOptions, Within, listed, option
from shared.errors import BadConfig
from shared.models.tables import EXTRACTORS
from shared.store.job import Job

SNAPSHOTS, SYNTHETIC = "snapshots", "synthetic"


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(JobOptions):
    """What is scored and by which features; lists of extractors are names joined by commas."""

    scored: str = option(
        SNAPSHOTS,
        "What is scored: the snapshots of the experiment's GAN, or the synthetic images that were imported.",
        "data",
        choices=(SNAPSHOTS, SYNTHETIC),
    )
    images: int = option(2000, "Synthetic images drawn for each score.", "data", within=Within(4))
    reference: str = option(
        "test",
        "Split that the chosen snapshot is scored on; with val no test image is read, and no report made.",
        "data",
        choices=("test", "val"),
    )
    per_snapshot: str = option(
        "classifier", "Feature extractors for every snapshot, joined by commas; the first one chooses.", "scores"
    )
    fallback: str = option(
        "classifier",
        "Feature extractor that chooses where the weights of the first one per snapshot are missing.",
        "scores",
        choices=EXTRACTORS,
    )
    extractors: str = option(
        "classifier", "Feature extractors for all scores of the chosen snapshot, joined by commas.", "scores"
    )
    synthetic_only: bool = option(False, "Also train a classifier on the chosen snapshot's images alone.", "scores")

    def __post_init__(self) -> None:
        if self.imported and self.reference != "test":
            raise BadConfig("--reference val: nothing is chosen of imported images, which are scored on test alone")
        for flag, text in (("--per-snapshot", self.per_snapshot), ("--extractors", self.extractors)):
            unknown = [name for name in listed(text) if name not in EXTRACTORS]
            if unknown or not listed(text):
                raise BadConfig(f"{flag} {text!r}: want, joined by commas, some of {', '.join(EXTRACTORS)}")

    @property
    def imported(self) -> bool:
        """Whether imported images are scored, so that no GAN is read."""
        return self.scored == SYNTHETIC

    @property
    def other_row(self) -> Job | None:
        """The row of the job for imported images."""
        return EVALUATE_IMPORTED if self.imported else None
