"""Mistakes in what arms saw, and in the figures next to the answers.

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
OUTCOME = "jobs/train_mixed/outcome.py"

OF_ARMS: tuple[Mutation, ...] = (
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
        "self._right(self.equal_steps)",
        "self._right(self.predicted)",
        WARNINGS + "test_the_control_of_equal_steps_is_heard",
        "the control is of the weights within equal steps",
    ),
    Mutation(
        "everything_like_for_like",
        WORDS,
        "if a.seen == b.seen:",
        "if a.classifier <= b.classifier:",
        WARNINGS + "test_what_is_like_for_like",
        "like for like is what all networks of an arm saw",
    ),
    Mutation(
        "leak_left_out_of_the_sentence",
        VERDICT,
        'sentence=f"{why_unlike} {said}".lstrip()',
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
        "annotator = 1.0 if filtered else annotator",
        "annotator = float(annotator)",
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
        "_excluded(found.low, found.high, metric)\n",
        "_excluded(-found.detectable, found.detectable, metric)\n",
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
        "trained.inference.difference(repetitions(difference), level)",
        "trained.inference.difference(difference.reshape(-1, len(a.truth)), level)",
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
        "by_fits = 2 * float(b.judged_by_fit",
        "by_fits = 0 * float(b.judged_by_fit",
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
        "(truth[truth != NO_IMAGE] == int(np.argmax(train_counts)))",
        "(truth[truth != NO_IMAGE] == int(np.bincount(truth[truth != NO_IMAGE]).argmax()))",
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
"""Mistakes in information, mixing, controls, metrics, bounds and shares of the uncertainty."""
