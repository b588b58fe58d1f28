"""Scores over epochs: lowest, mean and highest of all snapshots, where the lowest is, what replicates show."""

import pytest

from shared.metrics.compare import UNKNOWN, WITHIN
from shared.metrics.over_epochs import COLUMNS, compare_epochs, over_epochs
from tests.shared.metrics.scored import FRECHET, curve_record


def test_all_snapshots_of_all_replicates_are_pooled() -> None:
    """The mean is that of every snapshot, not of the replicates' means; the lowest says its epoch and replicate."""
    found = over_epochs({1: curve_record(9.0, 5.0, 7.0), 4: curve_record(3.0, 12.0, file="other-")}, FRECHET)
    assert (found.lowest, found.mean, found.highest) == pytest.approx((3.0, 7.2, 12.0))
    assert (found.best_epoch, found.best_replicate, found.best_file) == (1, 4, "other-1")
    assert found.values == {"lowest": [5.0, 3.0], "mean": [7.0, 7.5], "highest": [9.0, 12.0]}
    assert found.curves == {1: [(1, 9.0), (2, 5.0), (3, 7.0)], 4: [(1, 3.0), (2, 12.0)]}


def test_equal_lows_are_the_first() -> None:
    """Equal distances have the first epoch of the first replicate."""
    found = over_epochs({0: curve_record(5.0, 2.0, 2.0), 1: curve_record(2.0)}, FRECHET)
    assert (found.best_epoch, found.best_replicate) == (2, 0)


def test_each_column_is_judged_over_replicates() -> None:
    """The lowest may differ where the highest does not; one replicate shows nothing."""
    a = {number: curve_record(1.0 + shift, 30.0 + 10 * shift) for number, shift in enumerate((0.0, 0.01, 0.02))}
    b = {number: curve_record(8.0 + shift, 30.0 + 10 * shift) for number, shift in enumerate((0.0, 0.01, 0.02))}
    found = compare_epochs({"a": a, "b": b}, FRECHET)
    assert found.why_not == ""
    assert {column: finding.words for column, finding in found.findings.items()} == {
        "lowest": "a is better",
        "mean": "a is better",
        "highest": WITHIN,
    }
    alone = compare_epochs({"a": a, "b": {0: b[0]}}, FRECHET)
    assert {alone.findings[column].words for column in COLUMNS} == {UNKNOWN}


@pytest.mark.parametrize("on_test", [True, False])
def test_curves_of_other_protocols_are_shown_and_not_judged(on_test: bool) -> None:
    """Each experiment keeps its own numbers, and the reason is said."""
    other = curve_record(5.0, n_real=7) if on_test else curve_record(5.0, on_test=False)
    found = compare_epochs({"a": {0: curve_record(1.0)}, "b": {0: other}}, "fid_inception_clean")
    assert found.findings == {}
    assert found.why_not == ("classifier: a and b have n_real: 100 and 7" if on_test else "no extractor in common")
    assert (found.experiments["a"].lowest, found.experiments["b"].lowest) == (1.0, 5.0)
