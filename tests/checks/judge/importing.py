"""Mistakes in the jobs on imported images, each with the test that must find it."""

from tests.checks.mutation import Mutation

IMPORT = "tests/experiment/test_import.py::"
JUDGED = "tests/experiment/test_import_judged.py::"
ORDER = "tests/jobs/commands/test_ordering.py::"
IMPORTING = "jobs/synthesize/importing.py"
TURNS = "jobs/synthesize/turns.py"

IMPORTING_MISTAKES = (
    Mutation(
        "imported_by_another_filter",
        IMPORTING,
        'for name in ("crop", "resize_filter", "background")}',
        'for name in ("crop", "background")}',
        IMPORT + "test_images_are_prepared_as_the_real_ones",
        "imported images are prepared as the real ones were",
    ),
    Mutation(
        "imported_at_the_real_size",
        IMPORTING,
        "stored = resized(images, *self.annotator.input_format)",
        "stored = resized(images, *self.annotator.input_format[:1], 'nearest')",
        IMPORT + "test_images_are_prepared_as_the_real_ones",
        "a classifier learns from the pixels that were annotated",
    ),
    Mutation(
        "files_in_their_order",
        TURNS,
        "np.random.default_rng(derive_seed(seed, Stream.IMPORT_ORDER)).permutation(len(labels))",
        "np.arange(len(labels))",
        IMPORT + "test_classes_are_mixed_and_files_in_no_order",
        "an arm with some of the images has no order that their files have",
    ),
    Mutation(
        "equal_files_of_every_split_as_one",
        "shared/sources/digests.py",
        "return int(self.counts[seen].sum())",
        "return int(seen.sum())",
        IMPORT + "test_files_of_real_images_are_counted_by_split",
        "every synthetic image whose file is a real one counts",
    ),
    Mutation(
        "unknown_classes_left_out",
        TURNS,
        "    if unknown:\n",
        "    if len(unknown) == len(source.classes):\n",
        IMPORT + "test_classes_are_matched_by_name",
        "a class that the real images do not have is refused",
    ),
    Mutation(
        "one_set_for_every_replicate",
        "shared/cli/calls/call.py",
        "name: values[piece.replicate] for name",
        "name: values[0] for name",
        IMPORT + "test_every_image_is_taken_and_traced_to_its_file[1]",
        "each replicate is a set of its own",
    ),
    Mutation(
        "scored_with_replacement",
        "shared/store/samples.py",
        "rng.choice(total, count, replace=False)",
        "rng.choice(total, count)",
        JUDGED + "test_scores_are_of_the_images_of_the_set",
        "no image is scored twice",
    ),
    Mutation(
        "scored_by_the_annotators_labels",
        "jobs/evaluate/images.py",
        "labelled = everything if own is None else",
        "labelled = everything if own is not None else",
        JUDGED + "test_labels_of_scored_images_are_their_own",
        "scores by class go by the labels that the set gives",
    ),
    Mutation(
        "scores_of_another_kind",
        "jobs/train_mixed/experiment.py",
        "        if imported != scores.record.imported:\n",
        "        if imported and scores.record.imported is None:\n",
        JUDGED + "test_scores_of_a_gan_do_not_judge_imported_images",
        "a verdict warns of the copies of its own images",
    ),
    Mutation(
        "a_gan_behind_every_page",
        "shared/store/lineage.py",
        "for name in places if name in used and name not in inputs}",
        "for name in places if name not in inputs}",
        JUDGED + "test_the_verdict_knows_where_the_images_are_from",
        "there is no generator behind imported images",
    ),
    Mutation(
        "a_gan_that_nobody_reads",
        "jobs/commands/ordering.py",
        "todo = [job for job in rows if job.name in wanted]",
        "todo = list(rows)",
        ORDER + "test_imported_images_come_before_their_scores",
        "what nobody reads is not trained",
    ),
    Mutation(
        "any_number_of_sets",
        "shared/cli/calls/call.py",
        "            if len(values) != replicates:\n",
        "            if len(values) > replicates:\n",
        ORDER + "test_a_set_is_a_replicate",
        "replicates are as many as sets",
    ),
)
