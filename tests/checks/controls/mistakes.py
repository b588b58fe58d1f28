"""Mistakes in the check of the verdict: planted generators that are no such, and faults that it would not see.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

FINDINGS_TESTS = "tests/jobs/selfcheck/test_findings.py::"
PLANTED_TESTS = "tests/jobs/selfcheck/test_planted.py::"
COMMAND_TESTS = "tests/jobs/selfcheck/test_selfcheck_verdict.py::"

TABLE = "jobs/selfcheck/controls.py"
FINDINGS = "jobs/selfcheck/findings.py"
PLANTED = "jobs/selfcheck/planted.py"
SETS = "jobs/selfcheck/sets.py"
PIECES = "jobs/selfcheck/pieces.py"
REQUEST = "jobs/selfcheck/request.py"

CONTROL_MISTAKES: tuple[Mutation, ...] = (
    Mutation(
        "a_small_check_removes_the_pieces_of_a_larger_one",
        "jobs/selfcheck/unfinished.py",
        "    others = _read(plan.folder) - {ended}\n",
        "    others: set[Check] = set()\n",
        COMMAND_TESTS + "test_a_check_that_passed_leaves_the_pieces_of_a_larger_one",
        "an unfinished check goes on where it stopped",
    ),
    Mutation(
        "options_without_effect_in_a_check",
        REQUEST,
        "        if name in WITHOUT_EFFECT:",
        "        if False:",
        COMMAND_TESTS + "test_bad_input_ends_with_2",
        "no option is taken and ignored",
    ),
    Mutation(
        "copies_never_flagged",
        "shared/metrics/copies.py",
        "        flagged=bool(flagged_for),\n",
        "        flagged=False,\n",
        PLANTED_TESTS + "test_the_copy_test_flags_the_copies_alone",
        "copies of the train images are flagged in every form",
    ),
    Mutation(
        "copies_may_help",
        TABLE,
        "NOT_HELPED = (NO_EFFECT, COPIES, HURT)",
        "NOT_HELPED = (NO_EFFECT, COPIES, HURT, HELPED)",
        FINDINGS_TESTS + "test_copies_must_never_be_said_to_have_helped",
        "copies are never said to have helped",
    ),
    Mutation(
        "noise_is_expected_to_help",
        TABLE,
        "(Expected(ADDED, (HURT, NO_EFFECT)), Expected(REPLACED",
        "(Expected(ADDED, (HELPED, NO_EFFECT)), Expected(REPLACED",
        FINDINGS_TESTS + "test_a_wrong_answer_fails",
        "noise must not help",
    ),
    Mutation(
        "underpowered_always",
        FINDINGS,
        "        if least < surely:\n",
        "        if least < surely or True:\n",
        FINDINGS_TESTS + "test_underpowered_is_only_what_could_not_have_been_found",
        "an effect that would have been found is no excuse",
    ),
    Mutation(
        "underpowered_for_every_answer",
        FINDINGS,
        "if status == FAIL and answer.outcome == NO_EFFECT and expected.effect is not None:",
        "if status == FAIL and expected.effect is not None:",
        FINDINGS_TESTS + "test_underpowered_is_only_what_could_not_have_been_found",
        "only no effect shown can be for want of power",
    ),
    Mutation(
        "surely_is_four_times_in_five",
        FINDINGS,
        "return (reach + upper_quantile(freedom, SURE)) * standard_error",
        "return answer.detectable",
        FINDINGS_TESTS + "test_underpowered_is_only_what_could_not_have_been_found",
        "a fault is what 99 of 100 experiments would have found",
    ),
    Mutation(
        "blind_tests_excuse_all",
        FINDINGS,
        "return test.least_share is None or test.least_share > 1",
        "return True",
        FINDINGS_TESTS + "test_flags_are_held_against_the_table",
        "a copy test that can see copies must flag them",
    ),
    Mutation(
        "any_loss_is_right_of_some_wrong_labels",
        FINDINGS,
        "status = FAIL if answer.high < -most else status",
        "status = status",
        FINDINGS_TESTS + "test_a_wrong_answer_fails",
        "a tenth of wrong labels costs less than half of the real images",
    ),
    Mutation(
        "narrow_intervals_pass",
        FINDINGS,
        "status = PASS if reach >= wanted and share is not None",
        "status = PASS if share is not None",
        FINDINGS_TESTS + "test_generators_that_differ_must_show_in_the_interval",
        "the variance of generators shows in the interval",
    ),
    Mutation(
        "underpowered_hides_a_fault",
        FINDINGS,
        "for status in (FAIL, UNDERPOWERED) if status in found",
        "for status in (UNDERPOWERED, FAIL) if status in found",
        FINDINGS_TESTS + "test_a_finding_is_as_bad_as_its_worst_part",
        "a control with one wrong part fails",
    ),
    Mutation(
        "every_check_passes_with_0",
        REQUEST,
        "    if failed:\n        raise SelfcheckFailed",
        "    if len(failed) > 1:\n        raise SelfcheckFailed",
        COMMAND_TESTS + "test_a_wrong_verdict_ends_with_1_and_is_kept",
        "a wrong verdict ends with 1",
    ),
    Mutation(
        "pool_holds_train_images",
        SETS,
        "others = np.setdiff1d(np.arange(len(whole)), chosen)",
        "others = np.arange(len(whole))",
        PLANTED_TESTS + "test_an_experiment_is_cut_in_three",
        "the images that take the place of a perfect generator are no train images",
    ),
    Mutation(
        "mirrors_that_are_none",
        PLANTED,
        "return Images(found.images.flip(-1), found.labels)",
        "return Images(found.images.flip(-1).flip(-1), found.labels)",
        PLANTED_TESTS + "test_changed_copies_are_no_equal_images_and_lie_at_distance_0",
        "changed copies are changed",
    ),
    Mutation(
        "labels_that_are_not_shuffled",
        PLANTED,
        "return Images(drawn.pixels, drawn.labels[planting.order(len(drawn))])",
        "return Images(drawn.pixels, drawn.labels)",
        PLANTED_TESTS + "test_wrong_labels_are_as_many_as_they_should_be",
        "shuffled labels are wrong",
    ),
    Mutation(
        "every_generator_is_perfect",
        PLANTED,
        "held_out(planting) if planting.replicate % 2 == 0 else shuffled(planting)",
        "held_out(planting)",
        PLANTED_TESTS + "test_a_generator_that_varies_is_perfect_in_every_second_replicate",
        "a generator that differs from replicate to replicate does",
    ),
    Mutation(
        "finished_pieces_are_made_again",
        PIECES,
        "    if (found := finished(folder)) is not None:\n        return found\n",
        "",
        COMMAND_TESTS + "test_a_stopped_check_goes_on",
        "a stopped check goes on",
    ),
)
