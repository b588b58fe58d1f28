"""The options of evaluate, checked."""

from dataclasses import dataclass

from shared.cli.options import JobOptions, Within, listed, option
from shared.errors import BadConfig
from shared.models.tables import EXTRACTORS


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(JobOptions):
    """What is scored and by which features; lists of extractors are names joined by commas."""

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
        for flag, text in (("--per-snapshot", self.per_snapshot), ("--extractors", self.extractors)):
            unknown = [name for name in listed(text) if name not in EXTRACTORS]
            if unknown or not listed(text):
                raise BadConfig(f"{flag} {text!r}: want, joined by commas, some of {', '.join(EXTRACTORS)}")
