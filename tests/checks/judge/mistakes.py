"""Mistakes in what is said of imported images."""

from tests.checks.mutation import Mutation

IMPORTED_TESTS = "tests/jobs/train_mixed/test_imported.py::"
HELD_OUT_TESTS = "tests/jobs/preprocess/test_held_out.py::"
VERDICT = "jobs/train_mixed/verdict.py"
EXPERIMENT = "jobs/train_mixed/experiment.py"
ANSWERS = "shared/plots/answers.py"

IMPORTED: tuple[Mutation, ...] = (
    Mutation(
        "seen_tests_help",
        VERDICT,
        "return COPIES if copied else TEST_SEEN if test_seen else HELPED",
        "return COPIES if copied else HELPED",
        IMPORTED_TESTS + "test_without_held_out_images_nothing_helps",
        "a generator that may have seen the test images is never said to help",
    ),
    Mutation(
        "seen_tests_weigh_more_than_copies",
        VERDICT,
        "return COPIES if copied else TEST_SEEN if test_seen else HELPED",
        "return TEST_SEEN if test_seen else COPIES if copied else HELPED",
        IMPORTED_TESTS + "test_losses_and_copies_are_said_without_held_out_images_too",
        "copies are what is known, a seen test what may be",
    ),
    Mutation(
        "seen_tests_like_for_like",
        "jobs/train_mixed/sentences.py",
        "    if test_seen:\n        return MAY_HAVE_SEEN_THE_TEST\n",
        "",
        IMPORTED_TESTS + "test_without_held_out_images_nothing_helps",
        "no answer about such images is like for like",
    ),
    Mutation(
        "first_line_for_all_imported_images",
        ANSWERS,
        'TEST_MAY_BE_SEEN if record.protocol.test_seen else ""',
        'TEST_MAY_BE_SEEN if record.protocol.imported else ""',
        IMPORTED_TESTS + "test_the_first_line_is_exact",
        "held-out images were not seen",
    ),
    Mutation(
        "held_out_images_that_a_set_has",
        EXPERIMENT,
        "record.held_out or bool(test_files(run))",
        "record.held_out",
        IMPORTED_TESTS + "test_files_that_are_test_images_were_seen",
        "a set with test images among its files was made by somebody who saw them",
    ),
    Mutation(
        "test_images_of_one_set_alone",
        EXPERIMENT,
        "    for artifact in run.inputs_of(SYNTHESIZE):\n        if imported :=",
        "    for artifact in run.inputs_of(SYNTHESIZE)[:1]:\n        if imported :=",
        IMPORTED_TESTS + "test_files_that_are_test_images_were_seen",
        "every set counts",
    ),
    Mutation(
        "annotated_images_by_class",
        EXPERIMENT,
        "    if record.imported is not None and record.asked_counts is not None:\n",
        "    if False:\n",
        IMPORTED_TESTS + "test_images_by_class_go_by_the_labels_of_the_set",
        "images by class are counted by the labels that arms are trained with",
    ),
    Mutation(
        "no_sign_of_copied_test_images",
        "shared/metrics/over_replicates.py",
        "{' training images' if unseen else ''}{beyond}{alike if spared else ''}{unseen}",
        "{beyond}",
        "tests/shared/metrics/test_over_replicates.py::test_files_of_test_images_are_in_the_finding",
        "exact copies of test images are no clean finding",
    ),
    Mutation(
        "one_set_without_its_fits",
        "jobs/train_mixed/outcome.py",
        "only_fits = len(by_fit) == 1 and by_fit.shape[1] > 1",
        "only_fits = False",
        "tests/jobs/train_mixed/test_outcome.py::test_of_one_replicate_the_fits_are_what_varies",
        "the interval of one set allows for other fits",
    ),
    Mutation(
        "held_out_images_that_were_seen",
        "jobs/preprocess/placing.py",
        "    if config.held_out is None or partition is None:",
        "    if True:",
        HELD_OUT_TESTS + "test_a_held_out_image_that_is_a_real_one_is_no_test_image",
        "an image of the source was seen, under any name",
    ),
    Mutation(
        "held_out_labels_by_number",
        "jobs/preprocess/held_out.py",
        "real.classes.index(held.classes[item.label])",
        "item.label",
        HELD_OUT_TESTS + "test_held_out_images_are_the_test_split",
        "classes are matched by name",
    ),
)
"""Mistakes in the outcome, the first line and the intervals of imported images."""
