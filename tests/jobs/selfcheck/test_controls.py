"""The verdict on positive and negative controls whose effect is known, and the copy test on the same sets."""

import pytest

from jobs.selfcheck.controls import CONTROLS, check_verdict, load_sets
from shared.metrics.copies import pixel_copies


@pytest.mark.long
def test_the_verdict_is_right_on_controls() -> None:
    """More real images help as much as they should, noise and copies do not help, shuffled labels hurt."""
    found = {row.name: row for row in check_verdict()}
    assert {name: row.passed for name, row in found.items()} == dict.fromkeys(CONTROLS, True)
    assert found["shuffled"].difference < found["noise"].difference < found["held_out"].difference


def test_the_copy_test_flags_the_copies_alone() -> None:
    """On the controls, by pixels: copies of the training images are flagged, nothing else is."""
    sets = load_sets(0)
    flagged = {
        name: pixel_copies(control.make(sets).images, sets.test, sets.train).flagged
        for name, control in CONTROLS.items()
    }
    assert flagged == {"held_out": False, "noise": False, "copies": True, "shuffled": False}


def test_the_sets_share_no_image() -> None:
    """No image used for training, selection or addition is in the test set."""
    sets = load_sets(0)
    parts = [sets.train, sets.val, sets.pool, sets.others, sets.test]
    assert sum(map(len, parts)) == 1797
    seen = [{image.numpy().tobytes() for image in part.images} for part in parts]
    assert all(not (a & b) for place, a in enumerate(seen) for b in seen[place + 1 :])
