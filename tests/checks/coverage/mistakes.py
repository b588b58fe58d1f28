"""Mistakes in adding replicates until an interval is narrow enough.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

LOOKS = "shared/stats/looks.py"
WIDTHS = "shared/stats/stopping.py"
RULE = "jobs/train_mixed/stopping.py"
LOOP = "jobs/commands/running/until.py"
STATS = "tests/shared/stats/test_stopping.py::"
VERDICT = "tests/jobs/train_mixed/test_stopping.py::"
RUN = "tests/jobs/commands/test_until.py::"

STOPPING: tuple[Mutation, ...] = (
    Mutation(
        "stopping_is_not_allowed_for",
        LOOKS,
        "STRETCH = 1.2\n",
        "STRETCH = 1.0\n",
        STATS + "test_without_the_stretch_they_do_not",
        "intervals hold the truth after stopping",
    ),
    Mutation(
        "random_splits_without_the_stretch",
        "shared/stats/inference.py",
        "reach = self.stretch * quantile(replicates - 1, level) * standard_error",
        "reach = quantile(replicates - 1, level) * standard_error",
        STATS + "test_random_splits_are_ended_by_the_rule",
        "intervals over random splits allow for stopping, too",
    ),
    Mutation(
        "verdict_without_the_stretch",
        "jobs/train_mixed/experiment.py",
        "Inference(STRETCH if config.until else 1.0,",
        "Inference(1.0,",
        "tests/experiment/test_until.py::test_every_interval_is_wider",
        "the interval that is printed is the calibrated one",
    ),
    Mutation(
        "first_look_at_three",
        LOOKS,
        "FIRST = 5\n",
        "FIRST = 3\n",
        STATS + "test_the_looks_are_the_same_everywhere",
        "at least five replicates",
    ),
    Mutation(
        "ended_before_the_first_look",
        RULE,
        "protocol.replicates < FIRST",
        "protocol.replicates < 2",
        VERDICT + "test_fewer_than_five_replicates_never_end_it",
        "no width of fewer than five replicates ends an experiment",
    ),
    Mutation(
        "looks_by_cores",
        LOOKS,
        "math.ceil(number / 4)",
        'max(math.ceil(number / 4), __import__("os").cpu_count() + 2)',
        STATS + "test_the_looks_are_the_same_everywhere",
        "the looks are the same on every machine",
    ),
    Mutation(
        "ended_by_the_answer",
        RULE,
        "    stopped = stopped_for(",
        "    stopped = (WIDTH if headline.low > 0 else None) or stopped_for(",
        VERDICT + "test_the_width_alone_decides",
        "the rule looks at the width, never at the answer",
    ),
    Mutation(
        "floor_of_everything",
        WIDTHS,
        "np.sqrt(error.of_images)",
        "error.standard_error",
        STATS + "test_the_floor_is_not_that_of_one_replicates_images",
        "the floor is what replicates cannot lower",
    ),
    Mutation(
        "floor_without_what_images_differ_by",
        WIDTHS,
        "np.sqrt(error.of_images)",
        "np.sqrt(error.of_added)",
        VERDICT + "test_what_only_test_images_can_narrow_ends_it",
        "images on which the arms always disagree are seen in the floor",
    ),
    Mutation(
        "as_many_images_as_leave_nothing_to_replicates",
        WIDTHS,
        "allowed = IMAGES_SHARE * (",
        "allowed = 1.0 * (",
        STATS + "test_as_many_images_bring_half_of_the_variance",
        "with N test images replicates can do the rest",
    ),
    Mutation(
        "splits_without_their_overlap",
        WIDTHS,
        "math.sqrt(test_over_train * variance)",
        "0.0 * math.sqrt(test_over_train * variance)",
        VERDICT + "test_random_splits_are_ended_by_what_all_of_them_share",
        "random splits share their images, however many there are",
    ),
    Mutation(
        "answer_seen_before_forgotten",
        RULE,
        "        return before.seen_replicates\n",
        "        return None\n",
        VERDICT + "test_an_answer_that_was_seen_under_another_rule_counts",
        "replicates that follow an answer of another rule are flagged",
    ),
    Mutation(
        "another_width_is_the_same_rule",
        RULE,
        "if until is not None and before.until == until:",
        "if until is not None and before.until is not None:",
        VERDICT + "test_an_answer_that_was_seen_under_another_rule_counts",
        "trying one width after another is flagged",
    ),
    Mutation(
        "rule_left_after_it_found_the_number",
        RULE,
        "        return min(before.planned, FIRST)\n",
        "        return before.planned\n",
        VERDICT + "test_an_answer_that_was_seen_under_another_rule_counts",
        "an interval without the stretch is flagged where the rule found the replicates",
    ),
    Mutation(
        "budget_before_the_answer",
        RULE,
        'inference) or (None if ended == "no" else ended)',
        'inference) if ended == "no" else ended',
        VERDICT + "test_what_else_has_ended_it_is_said_where_the_width_has_not",
        "an interval that is narrow enough is said to be",
    ),
    Mutation(
        "looks_after_the_time",
        LOOP,
        ">= 60 * self.asked.minutes",
        ">= 3600 * self.asked.minutes",
        RUN + "test_time_ends_it_and_the_same_command_goes_on",
        "no replicate begins after the time",
    ),
    Mutation(
        "begins_again_after_an_interrupt",
        LOOP,
        "return None if self.made(judging, self.words) else mixed.record",
        "return None",
        RUN + "test_an_interrupted_one_goes_on_where_it_was",
        "the same command goes on where it was",
    ),
    Mutation(
        "goes_on_with_other_options",
        LOOP,
        "return None if self.made(judging, self.words) else mixed.record",
        "return mixed.record",
        RUN + "test_other_options_begin_at_the_first_look",
        "what would be built again is looked at from the first look on",
    ),
    Mutation(
        "every_look_forced",
        LOOP,
        'return [word for word in words if word != "--force"]',
        "return list(words)",
        RUN + "test_force_builds_everything_once",
        "what the first look built is kept",
    ),
    Mutation(
        "width_is_part_of_every_replicate",
        "shared/cli/calls/call.py",
        "if piece.replicate is not None:\n            recorded =",
        "if False:\n            recorded =",
        "tests/experiment/test_until.py::test_another_width_makes_no_fit_again",
        "no fit is made again for the sake of another width",
    ),
)
"""Mistakes in the rule, in its widths, in what it allows for, and in the loop of `halfreal run --until`."""
