"""Mistakes in the scores: against what, by which weights, and in what is added to finished ones."""

from tests.checks.mutation import Mutation

SELECTION = "jobs/evaluate/selection.py"
ADDITIONS = "tests/jobs/evaluate/test_additions.py::"
EXTRACTORS = "tests/shared/models/test_extractors.py::"

SCORES: tuple[Mutation, ...] = (
    Mutation(
        "train_reference_is_test",
        "jobs/evaluate/on_test.py",
        "train=scorer.distances(features, most_train),",
        "train=scorer.distances(features, test),",
        "tests/jobs/evaluate/test_evaluate.py::test_the_chosen_snapshot_is_scored_against_all_of_train",
        "what papers print is the distance to the train images",
    ),
    Mutation(
        "additions_remake_everything",
        "shared/store/staging.py",
        "extends=None if extends is None else extends.identity,",
        "extends=None,",
        "tests/shared/store/test_lineage.py::test_what_reads_an_artifact_stays_when_numbers_are_added",
        "scores that come later cost no new images and fits",
    ),
    Mutation(
        "the_page_does_not_show_additions",
        "jobs/pipeline.py",
        "    additions=True,\n",
        "",
        ADDITIONS + "test_a_dry_run_says_what_would_be_added",
        "scores that come later are on the page",
    ),
    Mutation(
        "later_replicates_chosen_by_another_score",
        SELECTION,
        "settled=not run.forced and chosen_by_fallback(run, recorded(options)),",
        "settled=False,",
        ADDITIONS + "test_replicates_that_are_added_later_are_chosen_alike",
        "the best replicate can be told",
    ),
    Mutation(
        "added_scores_of_other_images",
        SELECTION,
        "work.draw(known.chosen.file, Stream.TEST_LATENTS)",
        "work.draw(known.worst.file, Stream.TEST_LATENTS)",
        ADDITIONS + "test_scores_are_added_to_what_is_finished",
        "all scores are of the chosen snapshot",
    ),
    Mutation(
        "padding_in_averages",
        "shared/models/pretrained/inception.py",
        "count_include_pad=False",
        "count_include_pad=True",
        EXTRACTORS + "test_a_state_dict_gives_the_features_of_the_torchscript",
        "every file of FID's Inception gives the same features",
    ),
    Mutation(
        "any_file_is_taken_for_weights",
        "shared/models/pretrained/weights.py",
        "if digest in admitted and LAYOUTS",
        "if LAYOUTS",
        EXTRACTORS + "test_files_that_nobody_published_are_taken_by_their_hash_alone",
        "FID is by the published weights",
    ),
)
