"""A sample of `python -m tests.checks.crash_points`, which does this to every job at every step."""

from pathlib import Path

import pytest

from tests.checks.crash_points.points import benches, numbers
from tests.checks.crash_points.stages import STAGES
from tests.checks.crash_points.trees import differences, without_fetched

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


def test_a_shard_that_the_store_has_is_not_lost() -> None:
    """It is fetched to the mirror when it is read; what neither of them has is lost."""
    mirror = {f"cache/volumes/s3-b/digits/real/{name}": "" for name in ("manifest.json", "train-00000.tar")}
    store = {"store/.files/digits/real/1f0c/train-00000.tar": "5a", "store/digits/real/manifest.json": "6b"}
    before = mirror | store
    fetched = {name: digest for name, digest in before.items() if not name.endswith("real/train-00000.tar")}
    assert differences(without_fetched(before, fetched), fetched, frozenset()) == []
    lost = {name: digest for name, digest in fetched.items() if "/.files/" not in name}
    assert len(differences(without_fetched(before, lost), lost, frozenset())) == 2
    elsewhere = fetched | {"store/.files/digits/synthetic/1f0c/train-00000.tar": "5a"}
    del elsewhere["store/.files/digits/real/1f0c/train-00000.tar"]
    assert "lost: cache/volumes/s3-b/digits/real/train-00000.tar" in differences(
        without_fetched(before, elsewhere), elsewhere, frozenset()
    )
