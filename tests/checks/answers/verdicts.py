"""Mistakes in the answers and their words.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

TESTS = "tests/jobs/train_mixed/"
ANSWERS = TESTS + "test_verdict.py::"
WARNINGS = TESTS + "test_warnings.py::"
VERDICT = "jobs/train_mixed/verdict.py"
WORDS = "jobs/train_mixed/sentences.py"
QUESTIONS = "jobs/train_mixed/questions.py"

VERDICTS: tuple[Mutation, ...] = (
    Mutation(
        "helped_by_the_mean",
        VERDICT,
        "    if low > 0:\n",
        "    if low + high > 0.001:\n",
        ANSWERS + "test_the_interval_alone_decides",
        "one rule: helped where the whole interval is above 0",
    ),
    Mutation(
        "wide_intervals_have_another_outcome",
        VERDICT,
        "return HURT if high < 0 else NO_EFFECT",
        'return HURT if high < 0 else NO_EFFECT if high - low < 0.1 else "not enough data"',
        ANSWERS + "test_the_interval_alone_decides",
        "one rule: an interval that holds 0 shows no effect, and its bounds are what is excluded",
    ),
    Mutation(
        "control_in_place_of_the_answer",
        VERDICT,
        "outcome = judged(found.low, found.high,",
        "outcome = judged(control.low, control.high,",
        WARNINGS + "test_the_control_of_equal_steps_is_heard",
        "the outcome is that of the interval that is printed",
    ),
    Mutation(
        "headline_shares_its_level",
        VERDICT,
        "answer(primary, trained, LEVEL,",
        "answer(primary, trained, level,",
        ANSWERS + "test_more_arms_never_change_the_headline",
        "adding arms never changes the headline",
    ),
    Mutation(
        "others_at_the_whole_level",
        VERDICT,
        "level = other_level(len(others))",
        "level = LEVEL",
        ANSWERS + "test_the_headline_has_the_whole_level_and_the_others_share_theirs",
        "the other m questions have 1 - 0.05 / m each",
    ),
    Mutation(
        "level_of_questions_that_were_not_asked",
        VERDICT,
        "level = other_level(len(others))",
        "level = other_level(11)",
        ANSWERS + "test_the_headline_has_the_whole_level_and_the_others_share_theirs",
        "m counts the questions whose arms are trained",
    ),
    Mutation(
        "first_answerable_is_the_headline",
        QUESTIONS,
        "primary = headline_of(arms, named, imported)",
        "primary = next((each for each in QUESTIONS if {each.a, each.b} <= set(arms)), None)",
        ANSWERS + "test_the_headline_has_the_whole_level_and_the_others_share_theirs",
        "the headline is the user's question or there is none",
    ),
    Mutation(
        "more_arms_change_the_headline",
        QUESTIONS,
        'for name in [*listed(named), ""]:',
        'for name in [""]:',
        ANSWERS + "test_groups_that_are_named_later_never_change_the_headline",
        "the first group that has a headline decides, not all arms together",
    ),
    Mutation(
        "order_of_groups_is_forgotten",
        VERDICT,
        "answerable(trained.lines.keys(), trained.signs.named, trained.protocol.imported)",
        "answerable(trained.lines.keys())",
        ANSWERS + "test_a_record_has_the_headline_of_the_first_group",
        "the record's headline is that of the first group",
    ),
    Mutation(
        "copies_help",
        VERDICT,
        "return COPIES if copied else TEST_SEEN if test_seen else HELPED",
        "return TEST_SEEN if test_seen else HELPED",
        WARNINGS + "test_a_flagged_set_never_helps",
        "a flagged set is never said to help",
    ),
    Mutation(
        "one_flag_of_many_is_proof",
        "shared/store/records/copies.py",
        "test.p_value * looks < ALPHA",
        "test.p_value < ALPHA",
        "tests/shared/metrics/test_over_replicates.py::test_a_flag_of_many_tests_may_be_chance",
        "copies are shown by a p value that is small among all tests of the experiment",
    ),
    Mutation(
        "flags_by_chance_are_not_said",
        VERDICT,
        "sentences.copies_by_chance: signs.copies_by_chance,",
        "sentences.copies_by_chance: [],",
        WARNINGS + "test_flags_that_chance_may_bring_are_a_warning",
        "a flag that shows nothing is a warning",
    ),
    Mutation(
        "copies_in_one_replicate_pass",
        VERDICT,
        "bool(trained.signs.copies and line.n_synthetic and not baseline.n_synthetic)",
        "bool(len(trained.signs.copies) > 1 and line.n_synthetic and not baseline.n_synthetic)",
        WARNINGS + "test_a_flagged_set_never_helps",
        "one flagged replicate is enough",
    ),
    Mutation(
        "copies_hide_a_loss",
        VERDICT,
        "    if low > 0:\n        return COPIES if copied else TEST_SEEN",
        "    if copied:\n        return COPIES\n    if low > 0:\n        return TEST_SEEN",
        WARNINGS + "test_a_flagged_set_still_hurts",
        "copies take the place of helped alone",
    ),
    Mutation(
        "warnings_last",
        VERDICT,
        "return [*unequal, *useless, *broken, *tuned, *sentences.few_replicates(trained.protocol)]",
        "return [*sentences.few_replicates(trained.protocol), *tuned, *broken, *useless, *unequal]",
        WARNINGS + "test_warnings_come_first_and_the_gravest_leads",
        "the gravest warning is first",
    ),
    Mutation(
        "sentence_before_its_warnings",
        "shared/store/records/mixed.py",
        '" ".join([*self.warnings, self.sentence])',
        '" ".join([self.sentence, *self.warnings])',
        WARNINGS + "test_warnings_come_first_and_the_gravest_leads",
        "warnings come first",
    ),
    Mutation(
        "chance_by_the_mean",
        VERDICT,
        "if arm.accuracy.low <= floor\n",
        "if arm.accuracy.mean < floor\n",
        WARNINGS + "test_only_an_arm_of_the_question_is_held_to_the_baseline",
        "an arm that may be no better than one answer for all images is named",
    ),
    Mutation(
        "collapse_not_said",
        VERDICT,
        "sentences.collapse: signs.collapsed,",
        "sentences.collapse: [],",
        WARNINGS + "test_warnings_come_first_and_the_gravest_leads",
        "a collapsed generator is said",
    ),
    Mutation(
        "one_replicate_not_said",
        WORDS,
        "if protocol.replicates == 1:",
        "if protocol.replicates == 0:",
        WARNINGS + "test_one_replicate_and_added_ones_are_said",
        "one replicate is for this generator and this draw only",
    ),
    Mutation(
        "added_replicates_not_said",
        WORDS,
        "    if protocol.added:\n",
        "    if protocol.added > protocol.planned:\n",
        WARNINGS + "test_one_replicate_and_added_ones_are_said",
        "replicates that were added after an answer are said",
    ),
)
"""Mistakes in outcomes, levels, warnings, copies and the sentences that say them."""
