"""Mistakes of random splits: a replicate that knows its test images, or an interval that takes splits for independent.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

SPLITS = "tests/jobs/resplit/test_resplit.py::"
SUBSETS = "tests/jobs/resplit/test_subsets.py::"
EXPERIMENT = "tests/jobs/resplit/test_resplit_experiment.py::"
ANSWERS = "tests/jobs/train_mixed/test_random_splits.py::"
INFERENCE = "tests/shared/stats/test_inference.py::"
DRAWS = "jobs/preprocess/subsets.py"
WRITER = "jobs/preprocess/writer.py"

RESPLIT: tuple[Mutation, ...] = (
    Mutation(
        "one_split_for_all_replicates",
        WRITER,
        'return Seeds(run.first_seed if config.resplit == "train" else config.seed, config.seed)',
        "return Seeds(run.first_seed, config.seed)",
        SPLITS + "test_each_replicate_has_its_own_split_of_the_same_images",
        "each replicate has a split of its own",
    ),
    Mutation(
        "one_subset_for_all_replicates",
        WRITER,
        'return Seeds(run.first_seed if config.resplit == "train" else config.seed, config.seed)',
        "return Seeds(*2 * [run.first_seed if config.resplit == 'train' else config.seed])",
        SPLITS + "test_train_alone_may_be_drawn_again",
        "each replicate has a subset of its own",
    ),
    Mutation(
        "another_test_split_where_train_alone_varies",
        WRITER,
        'return Seeds(run.first_seed if config.resplit == "train" else config.seed, config.seed)',
        "return Seeds(config.seed, config.seed)",
        SPLITS + "test_train_alone_may_be_drawn_again",
        "no replicate learns from images that another one is tested on",
    ),
    Mutation(
        "one_train_split_of_an_exact_size",
        WRITER,
        "limit_seed=replicate_seed(config.limit_seed, run.replicate)",
        "limit_seed=config.limit_seed",
        SPLITS + "test_a_train_split_of_an_exact_size_is_another_one_too",
        "an exact size does not fix the train images",
    ),
    Mutation(
        "test_images_of_a_replicate_in_its_train",
        DRAWS,
        "    made = dict(places)\n",
        '    made = dict(places) | {"train": np.union1d(places["train"], places["test"])}\n',
        SPLITS + "test_each_replicate_has_its_own_split_of_the_same_images",
        "no test image is learned from",
    ),
    Mutation(
        "audit_images_in_train",
        DRAWS,
        'made |= {"train": stays, "audit"',
        'made |= {"audit"',
        SUBSETS + "test_no_image_is_in_two_splits",
        "audit images are kept from everything",
    ),
    Mutation(
        "unlabelled_images_in_train",
        DRAWS,
        'made |= labelled | {"unlabelled"',
        'made |= {"val": labelled["val"], "unlabelled"',
        SUBSETS + "test_no_image_is_in_two_splits",
        "images without labels are not learned from with labels",
    ),
    Mutation(
        "replicates_download_at_once",
        "shared/sources/published/sets.py",
        "with _downloading(place):\n            getattr",
        "with suppress():\n            getattr",
        "tests/shared/sources/test_downloads.py::test_replicates_that_begin_at_once_download_once",
        "replicates with splits of their own download a set once",
    ),
    Mutation(
        "shares_that_are_not_nested",
        DRAWS,
        'ranks(f"{salt} {contents[index]}"',
        'ranks(f"{salt} {share} {contents[index]}"',
        SUBSETS + "test_a_smaller_share_is_part_of_a_larger_one",
        "5 % of the images are among the 10 %",
    ),
    Mutation(
        "shares_that_tear_groups",
        DRAWS,
        "joined(leaders.tolist(), groups.of) if groups else leaders",
        "leaders",
        SUBSETS + "test_groups_and_copies_stay_together",
        "related images stay together in every draw",
    ),
    Mutation(
        "shares_of_all_classes_together",
        DRAWS,
        "main = pairs[1, order][np.unique(pairs[0, order], return_index=True)[1]]",
        "main = np.zeros(len(members), np.int64)",
        SUBSETS + "test_each_share_is_of_every_class",
        "each share is stratified by class",
    ),
    Mutation(
        "two_way_intervals_over_splits",
        "jobs/train_mixed/experiment.py",
        "Inference(STRETCH if config.until else 1.0, protocol.test_over_train)",
        "Inference(STRETCH if config.until else 1.0)",
        EXPERIMENT + "test_the_verdict_is_that_of_the_splits_by_hand",
        "intervals over random splits are the corrected resampled ones",
    ),
    Mutation(
        "independent_splits",
        "shared/stats/inference.py",
        "(1 / replicates + test_over_train) * variance",
        "(1 / replicates) * variance",
        INFERENCE + "test_random_splits_have_the_corrected_resampled_interval",
        "splits overlap: the variance of their mean is larger",
    ),
    Mutation(
        "no_width_where_splits_agree",
        "shared/stats/inference.py",
        "variance = float(means.var(ddof=1)) + of_added",
        "variance = float(means.var(ddof=1))",
        INFERENCE + "test_splits_that_agree_are_no_certainty",
        "no interval has zero width",
    ),
    Mutation(
        "images_that_are_not_there_count",
        "jobs/train_mixed/outcome.py",
        "np.where(truth == NO_IMAGE, np.nan, right)",
        "np.where(truth == NO_IMAGE, 0.0, right)",
        ANSWERS + "test_the_headline_has_the_corrected_resampled_interval",
        "splits may differ in their number of test images",
    ),
    Mutation(
        "variance_of_splits_told_apart",
        "jobs/train_mixed/summaries.py",
        "if replicates < 2 or a.has_own_images:",
        "if replicates < 2:",
        ANSWERS + "test_where_the_variance_is_from_is_not_known",
        "where the variance is from is not known over splits",
    ),
    Mutation(
        "extractor_of_the_first_split",
        "shared/store/replicates.py",
        "own_split = any(read.splits and read.replicated for read in row.reads)",
        "own_split = False",
        EXPERIMENT + "test_a_replicate_reads_its_own_split_and_no_other",
        "no score of a replicate is by a network that saw its test images",
    ),
    Mutation(
        "snapshot_scored_on_the_first_split",
        "jobs/evaluate/snapshot.py",
        "open_inputs(READS, folder, replicate_of(file))",
        "open_inputs(READS, folder, 0)",
        EXPERIMENT + "test_a_snapshot_is_scored_on_the_split_of_its_replicate",
        "no snapshot is scored on images that its generator learned from",
    ),
    Mutation(
        "tuning_is_not_seen",
        "jobs/train_mixed/experiment.py",
        "if not has_splits(run):",
        "if has_splits(run):",
        EXPERIMENT + "test_tuning_on_one_split_is_found",
        "options that were tuned on one split are flagged",
    ),
    Mutation(
        "one_form_replaces_the_other",
        "shared/cli/calls/existing.py",
        "    if row.splits:\n",
        "    if row.splits and row.gpu:\n",
        SPLITS + "test_one_experiment_has_one_form",
        "what other artifacts were made from is not replaced by another kind of split",
    ),
    Mutation(
        "tuned_on_more_is_not_seen",
        "jobs/train_mixed/experiment.py",
        "shares = (real.train_val_fraction, real.labelled_fraction)",
        "shares = (real.train_val_fraction,)",
        EXPERIMENT + "test_a_recipe_that_was_tuned_on_more_is_found",
        "options that were tuned with more labels are flagged",
    ),
    Mutation(
        "undefined_areas_have_intervals",
        "jobs/train_mixed/outcome.py",
        "    if np.isnan(found[there]).any():\n",
        "    if False:\n",
        ANSWERS + "test_a_replicate_without_an_area_leaves_none_for_all",
        "a metric that is undefined somewhere has no interval, and ends no experiment",
    ),
)
