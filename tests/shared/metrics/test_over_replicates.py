"""What is said of all replicates together."""

from statistics import mean, stdev

import numpy as np
import pytest

from shared.metrics.copies import Reference, p_value_of
from shared.metrics.over_replicates import CopiesSummary, MembershipSummary, copies, membership, unseen_files
from shared.stats.ranks import share_p_value
from shared.store.records.copies import ALPHA, NEARER, SHARE_OF_COPIES, TESTS, CopyTest, spaces_with_copies
from shared.store.records.datasets import Imported
from shared.store.records.membership import MembershipTest
from tests.shared.metrics.scored import curve_record


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
    found = CopiesSummary(
        [0.5], [0.0], 0.02, flagged, ("distance",), unseen_files=unseen_files(sets), shown=bool(flagged)
    )
    assert found.finding == finding


def flag_of(p_value: float | None, flagged: bool, *reasons: str) -> CopyTest:
    """Return the copy test of a replicate in a space."""
    zeros = dict.fromkeys(
        ("nearer", "nearer_low", "nearer_high", "copy_rate", "memorisation", "memorisation_held_out"), 0.5
    )
    counts = {"n_synthetic": 400, "n_held_out": 360, "n_train": 1000, "expected_copy_rate": 0.02, "closest": []}
    more = {"copy_rate_interval": (0.0, 1.0), "flagged": flagged, "flagged_for": list(reasons), "p_value": p_value}
    return CopyTest.model_validate(zeros | counts | more | {"least_share": 0.03})


HONEST = flag_of(0.5, False)


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (flag_of(0.009, True, SHARE_OF_COPIES), False),  # alone it is below 1 %, among ten such flags are chance
        (flag_of(0.0011, True, SHARE_OF_COPIES), False),
        (flag_of(0.0009, True, SHARE_OF_COPIES), True),
        (flag_of(0.5, True, NEARER), True),
        (flag_of(None, True), True),  # as an earlier version said
        (HONEST, False),
    ],
)
def test_a_flag_of_many_tests_may_be_chance(one: CopyTest, shown: bool) -> None:
    """Among ten tests the smallest p value must be below a tenth of 1 %; of one, below 1 %."""
    tests = [{"pixels": HONEST, "features": HONEST} for _ in range(4)] + [{"pixels": one, "features": HONEST}]
    assert spaces_with_copies(tests) == (["pixels"] if shown else [])
    assert spaces_with_copies([{"pixels": one}]) == (["pixels"] if one.flagged else [])
    found = copies([curve_record(1.0).on_test.model_copy(update={"copies": spaces}) for spaces in tests])["pixels"]
    assert (found.shown, found.flagged) == (shown, int(one.flagged))
    by_chance = "no sign of copying beyond what chance flags" if one.flagged else "no sign of copying"
    assert found.finding.startswith("copies of training images" if shown else by_chance)


def test_copies_in_every_replicate_are_shown() -> None:
    """A share that every replicate flags by far is shown in both spaces."""
    copied = flag_of(1e-6, True, SHARE_OF_COPIES)
    assert spaces_with_copies([{"pixels": copied, "features": copied}] * 5) == ["pixels", "features"]


def test_the_share_that_is_seen_is_that_of_all_tests() -> None:
    """From the share that is named on, exact copies have a p value that is small enough among all tests."""
    tests = [{"pixels": HONEST, "features": HONEST}] * 5
    found = copies([curve_record(1.0).on_test.model_copy(update={"copies": spaces}) for spaces in tests])["pixels"]
    assert found.least_share is not None
    count = round(found.least_share * 400)
    assert 10 * TESTS * share_p_value(count, 400, 360, 1) <= ALPHA < 10 * TESTS * share_p_value(count - 1, 400, 360, 1)


def test_few_honest_experiments_are_said_to_have_copies() -> None:
    """Five replicates in two spaces, whose ratios are those of the held-out images: a flag in some, copies in none."""
    random = np.random.default_rng(0)
    flags = shown = 0
    for _ in range(60):
        reals = {name: Reference(random.random(200), random.random(200)) for name in ("pixels", "features")}
        tests = []
        for _ in range(5):
            drawn = {name: Reference(random.random(200), random.random(200)) for name in reals}
            values = {name: p_value_of(drawn[name], reals[name], np.arange(200)) for name in reals}
            tests.append({name: flag_of(value, value < ALPHA) for name, value in values.items()})
        flags += any(test.flagged for spaces in tests for test in spaces.values())
        shown += bool(spaces_with_copies(tests))
    assert shown <= 1 < flags


def attacked(auc: float, reach: float = 0.03, **changes: object) -> MembershipTest:
    """Return the membership test of a replicate."""
    fields = {"n_members": 300, "n_non_members": 300, "n_synthetic": 2000, "non_members": "audit", "confounded": False}
    fields |= {"auc": auc, "auc_low": auc - reach, "auc_high": auc + reach, "tpr_at": {"0.01": None, "0.001": None}}
    return MembershipTest.model_validate(fields | changes)


def summarised(*tests: MembershipTest, imported: bool = False) -> MembershipSummary:
    """Return the summary of replicates."""
    on_test = [curve_record(1.0).on_test.model_copy(update={"membership": {"pixels": test}}) for test in tests]
    found = membership(on_test, imported)
    assert found is not None
    assert set(found) == {"pixels"}
    return found["pixels"]


def test_an_interval_over_replicates_is_for_other_members_too() -> None:
    """Student's over replicates, which share their non-members, and DeLong's of one together, by Pythagoras."""
    values = [0.51, 0.53, 0.55]
    found = summarised(*[attacked(value) for value in values])
    student = 4.302652729696142 * stdev(values) / 3**0.5
    reach = (student**2 + 0.03**2) ** 0.5
    assert (found.mean, found.low, found.high) == pytest.approx((mean(values), 0.53 - reach, 0.53 + reach))
    one = summarised(attacked(0.6))
    assert (one.mean, one.low, one.high) == pytest.approx((0.6, 0.57, 0.63))
    assert summarised(attacked(1.0, auc_high=1.0)).high == 1.0


def test_members_are_found_only_where_non_members_are_of_the_same_draw() -> None:
    """An interval above 0.5 says nothing of a split by writer; around it there is no sign."""
    assert summarised(attacked(0.6)).finding == "training images can be told from others"
    assert summarised(attacked(0.6, grouped=True)).finding.endswith(", or their groups can")
    other = summarised(attacked(0.9, confounded=True, non_members="test"), attacked(0.9, non_members="test"))
    assert not other.found
    assert other.finding == "says nothing of membership: train and test are no random draw of one set"
    assert summarised(attacked(0.51)).finding == "no sign of membership"
    assert not summarised(attacked(0.4)).found
    assert summarised(attacked(0.51), imported=True).finding.endswith("generator may have seen audit images, too")


def test_a_rate_is_given_where_every_replicate_has_it() -> None:
    """One with too few non-members leaves none; counts are the smallest."""
    rates = [attacked(0.6, tpr_at={"0.01": share, "0.001": None}, n_members=n) for share, n in ((0.2, 400), (0.4, 350))]
    found = summarised(*rates)
    assert found.tpr_at["0.001"] is None
    assert found.tpr_at["0.01"] is not None
    assert found.tpr_at["0.01"]["mean"] == pytest.approx(0.3)
    assert found.tpr_at["0.01"]["low"] == 0
    assert found.n_members == 350
    assert summarised(*rates, attacked(0.6)).tpr_at["0.01"] is None


def test_earlier_scores_have_no_membership() -> None:
    """Nor have replicates of which one is earlier."""
    earlier, later = curve_record(1.0).on_test, curve_record(1.0).on_test
    assert earlier is not None
    assert later is not None
    assert membership([earlier]) is None
    assert membership([later.model_copy(update={"membership": {"pixels": attacked(0.5)}}), earlier]) is None
