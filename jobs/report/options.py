"""The options of report."""

from dataclasses import dataclass

from shared.cli.options import JobOptions


@dataclass(frozen=True, kw_only=True)
class ReportOptions(JobOptions):
    """The page has no options but those of every job."""
