"""What is said at the end of an export of copies of training images, and of members that can be told from others."""

from typing import TYPE_CHECKING

from shared.cli.progress import Reporter

if TYPE_CHECKING:
    from shared.store.artifacts import Artifact
    from shared.store.records.scores import ScoresRecord


def warn_of_privacy(scores: "Artifact[ScoresRecord]", page: str, reporter: Reporter) -> None:
    """Warn of what the tests on test have found; `page` is where the figures are."""
    from shared.metrics.over_replicates import MEMBERS_FOUND, membership

    on_test = scores.record.on_test
    if on_test is None:
        return
    for space, copies in on_test.copies.items():
        if copies.flagged:
            reporter.info(f"warning: copies of training images, in {space}; the {page} says how many")
    for space, found in (membership([on_test], scores.record.imported) or {}).items():
        if found.found:
            reporter.info(f"warning: {MEMBERS_FOUND}, by {space}; the {page} says how well")
