"""Mistakes in the intervals: what they promise of coverage, and what would break it.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

COVERAGE = "tests/shared/stats/test_coverage.py::"
TWO_WAY = "tests/shared/stats/test_two_way.py::"
ANSWERS = "tests/jobs/train_mixed/test_verdict.py::"
MODEL = "shared/stats/two_way.py"
INTERVALS_FILE = "shared/stats/intervals.py"

INTERVALS: tuple[Mutation, ...] = (
    Mutation(
        "no_width_where_arms_agree",
        INTERVALS_FILE,
        "DIFFERENCE = Scale(-1.0, 1.0, (1.0, -1.0))",
        "DIFFERENCE = Scale(-1.0, 1.0, ())",
        ANSWERS + "test_equal_arms_never_give_certainty",
        "arms that agree everywhere are no certainty",
    ),
    Mutation(
        "interval_without_replicates",
        MODEL,
        "Part(widened.between_replicates / freedom_replicates",
        "Part(0 * widened.between_replicates / freedom_replicates",
        TWO_WAY + "test_the_interval_grows_with_the_differences_between_replicates",
        "an interval speaks of other replicates as well as of other images",
    ),
    Mutation(
        "coverage_without_replicates",
        MODEL,
        "Part(widened.between_replicates / freedom_replicates",
        "Part(0 * widened.between_replicates / freedom_replicates",
        COVERAGE + "test_intervals_hold_what_they_promise",
        "the coverage check notices intervals of test images alone",
    ),
    Mutation(
        "replicates_dropped_where_they_vary_less_than_the_rest",
        MODEL,
        "Part(widened.between_replicates / freedom_replicates",
        "Part(np.maximum(widened.between_replicates / freedom_replicates - expected / freedom_images, 0)",
        COVERAGE + "test_intervals_hold_what_they_promise",
        "the replicates' part of the variance is never dropped",
    ),
    Mutation(
        "replicates_equal_by_chance_are_a_certainty",
        MODEL,
        "second = reaches[1] > reaches[0]",
        "second = reaches[1] > np.inf",
        "tests/shared/stats/test_two_way.py::"
        "test_replicates_that_are_equal_by_chance_are_no_more_certain_than_their_residuals",
        "three generators that happen to score alike make no interval of nothing",
    ),
    Mutation(
        "normal_quantile",
        INTERVALS_FILE,
        "upper_quantiles(error.freedom, (1 + level) / 2)",
        "upper_quantiles(np.inf, (1 + level) / 2)",
        COVERAGE + "test_intervals_hold_what_they_promise",
        "few replicates cost certainty: Student's t",
    ),
    Mutation(
        "no_images_added_to_differences",
        INTERVALS_FILE,
        "DIFFERENCE = Scale(-1.0, 1.0, (1.0, -1.0))",
        "DIFFERENCE = Scale(-1.0, 1.0, ())",
        COVERAGE + "test_intervals_hold_what_they_promise",
        "few images without a difference are no certainty",
    ),
    Mutation(
        "no_images_added_to_shares",
        INTERVALS_FILE,
        "SHARE = Scale(0.0, 1.0, (1.0, 0.0))",
        "SHARE = Scale(0.0, 1.0, ())",
        COVERAGE + "test_intervals_hold_what_they_promise",
        "all of few images right is no certainty",
    ),
    Mutation(
        "jackknife_without_its_factor",
        "shared/metrics/influence.py",
        "images * value - (images - 1) * without",
        "images * (value - without) / (images - 1) + value",
        "tests/shared/metrics/test_influence.py::test_pseudo_values_are_those_of_leaving_each_image_out",
        "the intervals of macro F1 and the other metrics are those of test images",
    ),
)
