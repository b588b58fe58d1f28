"""What is said of all replicates together."""

import pytest

from shared.metrics.over_replicates import CopiesSummary, unseen_files
from shared.store.records.datasets import Imported


def imported(**files: int) -> Imported:
    """Return an imported set with this many files that are real images, by split."""
    return Imported(name="syn1", source="folder", images=60, sha256="0", labels="given", equal_to_real=files)


@pytest.mark.parametrize(
    ("sets", "flagged", "finding"),
    [
        ([], 0, "no sign of copying"),
        ([None, imported(train=3)], 0, "no sign of copying"),
        ([imported(test=60)], 0, "no sign of copying training images; 60 files are test images"),
        (
            [imported(test=1, val=2)],
            0,
            "no sign of copying training images; 1 file is a test image; 2 files are val images",
        ),
        ([imported(val=1), imported(val=3)], 0, "no sign of copying training images; 4 files are val images"),
        ([imported(train=9, test=2)], 1, "copies of training images (distance); 2 files are test images"),
        ([imported(train=9)], 1, "copies of training images (distance)"),
    ],
)
def test_files_of_test_images_are_in_the_finding(sets: list[Imported | None], flagged: int, finding: str) -> None:
    """The copy test looks at train images alone; that a file is one of val or test is known by its hash."""
    found = CopiesSummary([0.5], [0.0], 0.02, flagged, ("distance",), unseen_files=unseen_files(sets))
    assert found.finding == finding
