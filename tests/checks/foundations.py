"""Mistakes in what the experiment rests on.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

ARMS = "tests/experiment/test_arms.py::"
ANNOTATORS = "tests/experiment/test_annotators.py::"
SCORES = "tests/experiment/test_scores.py::"
NETWORKS = "tests/experiment/test_networks.py::"
SYNTHESIS = "tests/experiment/test_synthesis.py::"
MIXED = "jobs/train_mixed/fits.py"
SELECTION = "jobs/evaluate/selection.py"
ADDITIONS = "tests/jobs/evaluate/test_additions.py::"
EXTRACTORS = "tests/shared/models/test_extractors.py::"
ON_TEST = "jobs/evaluate/on_test.py"
STEPS = "jobs/train_gan/steps.py"
LOOP = "jobs/train_gan/loop.py"
STAGING = "tests/shared/store/test_staging.py::"

FOUNDATIONS: tuple[Mutation, ...] = (
    Mutation(
        "val_drawn_from_test_too",
        "jobs/preprocess/splits.py",
        "remaining, drawn = _draw(remaining,",
        "_, drawn = _draw(candidates,",
        "tests/jobs/preprocess/test_preprocess.py::test_a_split_is_a_partition_that_depends_on_the_seed",
        "splits have the sizes that were asked for",
    ),
    Mutation(
        "equal_images_torn_apart",
        "jobs/preprocess/splits.py",
        "first[group].astype(np.int64)",
        "np.arange(len(group))",
        "tests/jobs/preprocess/test_sources.py::test_equal_images_stay_in_one_split",
        "no test image is a training image as well",
    ),
    Mutation(
        "every_seed_draws_the_same_real_images",
        "jobs/train_mixed/mixing.py",
        "derive_seed(seed, Stream.REAL_SHARE)",
        "derive_seed(0, Stream.REAL_SHARE)",
        "tests/jobs/train_mixed/test_mixing.py::test_the_real_images_are_drawn_by_seed_without_repeats",
        "seeds differ in the real images too, so that the interval speaks of other draws",
    ),
    Mutation(
        "every_fit_begins_alike",
        MIXED,
        "seed=derive_seed(planned.seed, Stream.ARM_FIT)",
        "seed=derive_seed(0, Stream.ARM_FIT)",
        ARMS + "test_arms_share_the_seed_of_their_replicate",
        "the interval speaks of other fits",
    ),
    Mutation(
        "synthetic_images_from_the_latents_that_chose",
        "jobs/synthesize/writer.py",
        "Stream.SYNTHETIC_LATENTS, place, *again)",
        "Stream.VAL_LATENTS, place, *again)",
        SYNTHESIS + "test_no_latent_that_scored_a_snapshot_makes_a_training_image",
        "training images are not those by which the snapshot was chosen",
    ),
    Mutation(
        "stored_images_by_another_filter",
        "jobs/synthesize/writer.py",
        "resized(drawn.images, *self.source.annotator.input_format)",
        'resized(drawn.images, self.source.annotator.input_format[0], "nearest")',
        SYNTHESIS + "test_stored_images_are_those_that_the_annotator_saw",
        "a stored image is the one that was annotated",
    ),
    Mutation(
        "scored_images_by_another_filter",
        "shared/models/extractors.py",
        "network.features(to_unit_range(resized(images, size_px, resize_filter).to(device)))",
        'network.features(to_unit_range(resized(images, size_px, "nearest").to(device)))',
        SCORES + "test_scores_see_images_as_the_classifier_does",
        "features are of images prepared as those that the classifier learned from",
    ),
    Mutation(
        "average_never_moves",
        LOOP,
        "state.update_average(config, state.steps * plan.images)",
        "pass",
        NETWORKS + "test_snapshots_hold_the_moving_average",
        "snapshots follow the training",
    ),
    Mutation(
        "generators_class_loss_negated",
        STEPS,
        '"generator_class_loss"] = family.auxiliary_weight *',
        '"generator_class_loss"] = -family.auxiliary_weight *',
        NETWORKS + "test_the_generator_learns_the_requested_class",
        "ACGAN's generator draws the class that it was asked for",
    ),
    Mutation(
        "penalty_subtracted",
        STEPS,
        'losses["penalty"] = family.penalty_weight *',
        'losses["penalty"] = -family.penalty_weight *',
        "tests/jobs/train_gan/test_gan_steps.py::test_a_critic_step_reports_its_loss_and_penalty",
        "a gradient penalty is lowered",
    ),
    Mutation(
        "unaugmented_fakes_for_the_generator",
        STEPS,
        "augmented = augment(made.float(), config.augmentations, part.augment_params_fake)",
        "augmented = made.float()",
        NETWORKS + "test_the_discriminator_sees_only_augmented_images",
        "the generator is judged on augmented images, so that it does not learn to draw the change",
    ),
    Mutation(
        "copies_by_features_swapped",
        ON_TEST,
        'torch.from_numpy(work.reference(scorer, "test").features)',
        "torch.from_numpy(work.reference(scorer, work.learned).features)",
        SCORES + "test_copies_are_searched_in_train_relative_to_test",
        "copies of training images are found",
    ),
    Mutation(
        "snapshot_chosen_on_test",
        SELECTION,
        'work.reference(scorer, "val"))',
        'work.reference(scorer, "test"))',
        SCORES + "test_the_snapshot_is_chosen_on_val",
        "test is not used to choose",
    ),
    Mutation(
        "own_annotator_chosen_on_test",
        MIXED,
        "seen, splits.val,",
        "seen, splits.test,",
        ANNOTATORS + "test_an_annotator_of_the_arms_own_sees_the_arms_real_images_alone",
        "no annotator looks at test",
    ),
    Mutation(
        "difference_reversed",
        "jobs/train_mixed/verdict.py",
        "difference = a.judged_by_fit - b.judged_by_fit",
        "difference = b.judged_by_fit - a.judged_by_fit",
        "tests/jobs/train_mixed/test_verdict.py::test_a_planted_outcome_is_found",
        "helped means that the synthetic images helped",
    ),
    Mutation(
        "checkpoint_not_checked",
        "shared/store/checkpoints.py",
        "if digest_of(tensors) != digest:",
        "if False:",
        "tests/shared/store/test_checkpoints.py::test_one_flipped_bit_is_noticed",
        "altered weights are noticed",
    ),
    Mutation(
        "lineage_not_checked",
        "shared/store/lineage.py",
        "digest not in (artifacts[source].identity, artifacts[source].sha256)",
        'digest in ("",)',
        ARMS + "test_images_made_from_other_real_images_are_refused",
        "artifacts that were not made from each other do not meet in a verdict",
    ),
    Mutation(
        "batches_start_again_on_resume",
        LOOP,
        "start=state.steps * task.family.critic_steps,",
        "start=0,",
        "tests/jobs/train_gan/test_train_gan.py::test_a_stopped_run_goes_on_bit_by_bit[4-dcgan]",
        "a resumed run reads on where the stopped one was",
    ),
    Mutation(
        "all_fits_of_an_arm_in_one_file",
        MIXED,
        'f"{arm}-fit{number}.safetensors"',
        'f"{arm}.safetensors"',
        ARMS + "test_a_stopped_experiment_fits_only_what_is_missing",
        "a resumed experiment reads the fit of the same arm and number",
    ),
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
        "work.draw(of(known.chosen_snapshot.file), Stream.TEST_LATENTS)",
        "work.draw(of(known.worst_snapshot.file), Stream.TEST_LATENTS)",
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
    Mutation(
        "threads_identify",
        "shared/store/identity.py",
        'NOT_IDENTIFYING = frozenset({"threads"})',
        "NOT_IDENTIFYING: frozenset[str] = frozenset()",
        STAGING + "test_threads_identify_nothing",
        "another number of threads begins nothing again",
    ),
)
"""Mistakes in splits, seeding, resizing, averages, losses, statistics, hashing, resuming and scores."""
