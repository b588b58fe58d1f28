"""Mistakes in the verdict: what the page promises of an answer, and what would break it.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

TESTS = "tests/jobs/train_mixed/"
ANSWERS = TESTS + "test_verdict.py::"
WARNINGS = TESTS + "test_warnings.py::"
SENTENCES = TESTS + "test_sentences.py::"
OUTCOMES = TESTS + "test_outcome.py::"
SUMMARIES = TESTS + "test_summaries.py::"
MIXING = TESTS + "test_mixing.py::"
ARMS = TESTS + "test_arms.py::"

VERDICT = "jobs/train_mixed/verdict.py"
WORDS = "jobs/train_mixed/sentences.py"
PARTS = "jobs/train_mixed/summaries.py"
SETS = "jobs/train_mixed/mixing.py"
TABLE = "jobs/train_mixed/arms.py"
QUESTIONS = "jobs/train_mixed/questions.py"
OUTCOME = "jobs/train_mixed/outcome.py"

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
        "return (HEADLINE if HEADLINE in asked else None), "
        "[question for question in asked if question is not HEADLINE]",
        "return (asked[0] if asked else None), asked[1:]",
        ANSWERS + "test_the_headline_has_the_whole_level_and_the_others_share_theirs",
        "the headline is the user's question or there is none",
    ),
    Mutation(
        "copies_help",
        VERDICT,
        "return COPIES if copied else HELPED",
        "return HELPED",
        WARNINGS + "test_a_flagged_set_never_helps",
        "a flagged set is never said to help",
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
        "    if low > 0:\n        return COPIES if copied else HELPED\n",
        "    if copied:\n        return COPIES\n    if low > 0:\n        return HELPED\n",
        WARNINGS + "test_a_flagged_set_still_hurts",
        "copies take the place of helped alone",
    ),
    Mutation(
        "warnings_last",
        VERDICT,
        "return [*useless, *collapsed, *copied, *sentences.few_replicates(trained.protocol)]",
        "return [*sentences.few_replicates(trained.protocol), *copied, *collapsed, *useless]",
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
        "if arm.accuracy.low <= floor]",
        "if arm.accuracy.mean < floor]",
        WARNINGS + "test_only_an_arm_of_the_question_is_held_to_the_baseline",
        "an arm that may be no better than one answer for all images is named",
    ),
    Mutation(
        "collapse_not_said",
        VERDICT,
        "if signs.collapsed and line.n_synthetic else []",
        "if False else []",
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
    Mutation(
        "equal_steps_not_compared",
        VERDICT,
        "return bool(signs[0] != 0 and signs[0] != signs[1])",
        "return False",
        WARNINGS + "test_the_control_of_equal_steps_is_heard",
        "where equal steps have the other sign, the headline says so",
    ),
    Mutation(
        "control_of_the_kept_weights",
        OUTCOME,
        "(self.equal_steps == self.truth)",
        "(self.predicted == self.truth)",
        WARNINGS + "test_the_control_of_equal_steps_is_heard",
        "the control is of the weights within equal steps",
    ),
    Mutation(
        "everything_like_for_like",
        VERDICT,
        "alike = line.information.seen == baseline.information.seen",
        "alike = line.information.classifier <= baseline.information.classifier",
        WARNINGS + "test_what_is_like_for_like",
        "like for like is what all networks of an arm saw",
    ),
    Mutation(
        "leak_left_out_of_the_sentence",
        VERDICT,
        'sentence=said if alike else f"{sentences.NOT_LIKE_FOR_LIKE} {said}"',
        "sentence=said",
        WARNINGS + "test_what_is_like_for_like",
        "an answer that is not like for like is never shown without these words",
    ),
    Mutation(
        "generator_without_information",
        TABLE,
        "Information(classifier=self.real_share, generator=1.0,",
        "Information(classifier=self.real_share, generator=self.real_share,",
        MIXING + "test_the_information_is_what_the_labels_and_images_carry",
        "the generator saw all real images",
    ),
    Mutation(
        "annotator_without_information",
        TABLE,
        "annotator = self.annotator_share if self.labels == OWN else float(not asked)",
        "annotator = self.annotator_share",
        MIXING + "test_the_information_is_what_the_labels_and_images_carry",
        "the row says what the annotator saw",
    ),
    Mutation(
        "filter_without_information",
        TABLE,
        "annotator=1.0 if filtered else annotator)",
        "annotator=annotator)",
        ARMS + "test_a_filter_by_confidence_lets_the_annotator_in",
        "a filter by confidence is information of the annotator",
    ),
    Mutation(
        "given_labels_are_annotated",
        SETS,
        "if arm.labels in (ASKED, GIVEN) and",
        "if arm.labels == ASKED and",
        MIXING + "test_given_labels_are_those_asked_for_where_there_are_any",
        "labels are the classes asked for where the generator is conditional",
    ),
    Mutation(
        "every_fit_takes_the_first_images",
        SETS,
        "(draw * n_synthetic + np.arange(n_synthetic))",
        "np.arange(n_synthetic)",
        MIXING + "test_every_fit_of_a_replicate_has_synthetic_images_of_its_own",
        "every fit has its own draw",
    ),
    Mutation(
        "copied_arm_has_synthetic_images",
        SETS,
        "(seen if arm.copied else drawn)",
        "drawn",
        MIXING + "test_a_copied_arm_has_its_real_images_twice",
        "the control of more images holds the same real images once more",
    ),
    Mutation(
        "clause_by_the_headline_alone",
        WORDS,
        "    if augmented.outcome == HELPED:\n",
        "    if augmented.outcome != HURT:\n",
        WARNINGS + "test_helped_says_whether_augmentation_would_have_done",
        "helped says whether also beyond standard augmentation",
    ),
    Mutation(
        "augmentation_not_mentioned",
        WORDS,
        "    if augmented is None:\n        return NOT_COMPARED\n",
        '    if augmented is None:\n        return ""\n',
        WARNINGS + "test_helped_without_augmented_arms_says_so",
        "helped says that augmentation was not compared",
    ),
    Mutation(
        "detectable_in_place_of_the_bounds",
        WORDS,
        "{_excluded(found.low, found.high)} are excluded",
        "{_excluded(-found.detectable, found.detectable)} are excluded",
        SENTENCES + "test_the_sentence_says_the_outcome_in_points",
        "the bounds of an answer are those of its interval, never what can be found",
    ),
    Mutation(
        "bounds_that_read_0",
        "shared/plots/formatting.py",
        "for digits in range(1, MOST_DECIMALS)",
        "for digits in range(1, 2)",
        SENTENCES + "test_the_sentence_says_the_outcome_in_points",
        "no bound reads 0 on the wrong side",
    ),
    Mutation(
        "fits_counted_as_replicates",
        VERDICT,
        "difference = a.correct - b.correct",
        "difference = (a.correct_by_fit - b.correct_by_fit).reshape(-1, len(a.truth))",
        ANSWERS + "test_fits_are_averaged_before_they_are_compared",
        "fits of a replicate are no replicates",
    ),
    Mutation(
        "first_fit_alone",
        OUTCOME,
        "share: Array = self.correct_by_fit.mean(axis=1)",
        "share: Array = self.correct_by_fit[:, 0]",
        OUTCOMES + "test_the_control_is_counted_apart",
        "a replicate is the mean over its fits",
    ),
    Mutation(
        "metrics_of_the_first_replicate",
        OUTCOME,
        "mean=float(by_replicate.mean()),",
        "mean=float(by_replicate[0]),",
        OUTCOMES + "test_metrics_are_scikit_learns",
        "a metric is the mean over replicates",
    ),
    Mutation(
        "generators_take_the_fits_share",
        PARTS,
        "by_fits = 2 * float(b.correct",
        "by_fits = 0 * float(b.correct",
        SUMMARIES + "test_variance_is_told_apart",
        "the variance of fits is not that of generators",
    ),
    Mutation(
        "fits_spread_over_replicates",
        PARTS,
        "by_fits = float(difference.mean(axis=2).var(axis=1, ddof=1).mean()) / fits",
        "by_fits = float(difference.mean(axis=2).var(ddof=1)) / fits",
        SUMMARIES + "test_variance_is_told_apart",
        "the variance of fits is that within replicates",
    ),
    Mutation(
        "exact_learning_curve",
        PARTS,
        "read = ((means, found.mean), (highs, found.low), (lows, found.high))",
        "read = ((means, found.mean), (means, found.low), (means, found.high))",
        SUMMARIES + "test_the_learning_curve_is_not_taken_as_exact",
        "the learning curve has an uncertainty of its own",
    ),
    Mutation(
        "majority_of_test",
        PARTS,
        "(truth == int(np.argmax(train_counts)))",
        "(truth == int(np.bincount(truth).argmax()))",
        SUMMARIES + "test_majority_baseline_by_hand",
        "the one answer is that of the train split",
    ),
    Mutation(
        "original_first_wherever_it_is_named",
        TABLE,
        'listed(text)[:1] == ("original",)',
        '"original" in listed(text)',
        ARMS + "test_a_page_begins_with_the_original_design_where_that_is_named_first",
        "the published design is first where the recipe says so, else the headline",
    ),
)
"""Mistakes in the arms, the rule, the words and the shares of the verdict."""
