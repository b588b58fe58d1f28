"""The options of an export."""

from dataclasses import dataclass

ANNOTATED, ASKED = "annotated", "asked"
"""Whose the labels are: the annotator's, or the classes that the generator was asked for."""

GIVEN = "given"
"""Another name of `asked` for imported images: their own labels are in the same place."""


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """The layout, whose the labels are, and the least confidence (0 to 1) of the annotation; others are left out."""

    to: str
    labels: str
    min_confidence: float
