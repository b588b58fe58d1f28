"""A sample of `python -m tests.checks.crash_points`, which does this to every job at every step."""

from pathlib import Path

import pytest

from tests.checks.crash_points.points import benches, numbers
from tests.checks.crash_points.stages import STAGES

PREPROCESS = next(stage for stage in STAGES if stage.name == "preprocess")

COMMIT = 12
"""Steps from the end of a job in which it commits: the manifest, the rename, the locks."""


@pytest.mark.slow
def test_a_job_that_was_ended_at_a_step_leaves_the_same_when_it_is_run_again(tmp_path: Path) -> None:
    """Every file of the volume is that of an undisturbed run; there is no draft, no old version and no lock."""
    with benches(tmp_path, in_store=False) as bench:
        counted = bench.count(PREPROCESS)
        assert not [name for name in counted.tree if ".lock" in name or "/." in name]
        count = len(counted.kinds)
        ended = [*numbers(count - COMMIT, count // 5), *range(count - COMMIT, count + 1, 2)]
        points = [bench.disturb(PREPROCESS, counted, number) for number in ended]
        points += [bench.disturb(PREPROCESS, counted, number, "ENOSPC") for number in (count // 3, count - COMMIT // 2)]
    assert {point.number: point.wrong for point in points if point.wrong} == {}
    assert {point.code for point in points if point.fail_with == "kill"} == {-9}
    assert {"rename", "fsync", "write"} <= {point.kind for point in points}
