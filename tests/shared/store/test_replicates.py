"""Where the artifacts of replicates are, what reads which, and which generator is the best on val."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.errors import BadInput, MissingArtifact
from shared.runtime.seeding import fit_seed, replicate_seed
from shared.store.job import Job
from shared.store.replicates import best_on_val, input_places, place, replicates_among, why_shown
from shared.store.work_shards import WHOLE, Shard

REAL: Job = Job("preprocess", "real", "dataset", "")
NETWORK: Job = Job("network", "network", "model", "", (REAL,), replicated=True)
GAN: Job = Job("gan", "gan", "model", "", (REAL,), replicated=True)
SCORES: Job = Job("evaluate", "scores", "scores", "", (REAL, GAN), replicated=True, first=(NETWORK,))
RESULT: Job = Job("result", "result", "results", "", (REAL, SCORES))


def test_a_replicate_reads_its_own_artifacts_and_the_first_of_what_all_share() -> None:
    """Replicate 3 reads gan/r03, but the features of network/r00, as every other replicate."""
    assert list(input_places(SCORES, 3, 5)) == ["real", "gan/r03", "network/r00"]
    assert list(input_places(RESULT, None, 3)) == ["real", "scores/r00", "scores/r01", "scores/r02"]
    assert place(GAN, None) == "gan/r00"
    assert place(RESULT, None) == "result"


def test_the_number_of_replicates_is_read_off_the_places() -> None:
    """The highest number counts, in any order."""
    assert replicates_among(["real", "gan/r04", "gan/r01"]) == 5
    assert replicates_among(["real"]) == 0


def scored(score: str, *values: float) -> Any:
    """Return a record of scores with a curve on val."""
    on_val = SimpleNamespace(reference_sha256="0" * 64)
    return SimpleNamespace(chosen_score=score, curve=list(enumerate(values)), imported=False, protocol=on_val)


def test_scores_on_other_images_have_no_best() -> None:
    """Where each replicate has a split of its own, the first one is shown, and said to be the first."""
    one, other = scored("fd", 5.0), scored("fd", 2.0)
    assert (best_on_val({0: one, 1: other}), why_shown([one, other])) == (1, "the best on val")
    other.protocol.reference_sha256 = "1" * 64
    assert (best_on_val({0: one, 1: other}), why_shown([one, other])) == (0, "the first")


def test_the_best_on_val_has_the_lowest_score_of_all_snapshots() -> None:
    """The chosen snapshot of replicate 2 is the best; of equal ones the first replicate counts."""
    assert best_on_val({0: scored("fd", 5, 3), 2: scored("fd", 9, 2), 3: scored("fd", 2.0)}) == 2


def test_scores_of_different_kinds_have_no_best() -> None:
    """Distances in other features do not compare; nothing scored yet says what to run."""
    with pytest.raises(BadInput, match="--replicate"):
        best_on_val({0: scored("fid", 3), 1: scored("fd", 2)})
    with pytest.raises(MissingArtifact, match="halfreal evaluate"):
        best_on_val({})


@pytest.mark.parametrize(
    ("parts", "replicates", "expected"),
    [
        (1, 3, [[(0, WHOLE), (1, WHOLE), (2, WHOLE)]]),
        (2, 5, [[(0, WHOLE), (2, WHOLE), (4, WHOLE)], [(1, WHOLE), (3, WHOLE)]]),
        (3, 3, [[(0, WHOLE)], [(1, WHOLE)], [(2, WHOLE)]]),
        (5, 2, [[(0, Shard(0, 3))], [(1, Shard(0, 2))], [(0, Shard(1, 3))], [(1, Shard(1, 2))], [(0, Shard(2, 3))]]),
    ],
)
def test_parts_share_whole_replicates_and_then_the_work_on_each(
    parts: int, replicates: int, expected: list[list[tuple[int, Shard]]]
) -> None:
    """Every share of the work on every replicate is done by exactly one part."""
    assert [Shard(index, parts).over_replicates(replicates) for index in range(parts)] == expected


def test_replicates_and_their_fits_have_seeds_of_their_own() -> None:
    """The first has the seed that was given; no two of 100 replicates and 3 fits of two seeds are equal."""
    seeds = [
        fit_seed(replicate_seed(seed, number), fit) for seed in (0, 1) for number in range(100) for fit in range(3)
    ]
    assert replicate_seed(7, 0) == fit_seed(7, 0) == 7
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
