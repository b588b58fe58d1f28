"""Mistakes that make the experiment another one, without an error anywhere.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

ARMS = "tests/experiment/test_arms.py::"
ANNOTATORS = "tests/experiment/test_annotators.py::"
SCORES = "tests/experiment/test_scores.py::"
NETWORKS = "tests/experiment/test_networks.py::"
MIXED = "jobs/train_mixed/fits.py"
SELECTION = "jobs/evaluate/selection.py"
ON_TEST = "jobs/evaluate/on_test.py"
STEPS = "jobs/train_gan/steps.py"
LOOP = "jobs/train_gan/loop.py"
STATE = "jobs/train_gan/state.py"

EXPERIMENT: tuple[Mutation, ...] = (
    Mutation(
        "weights_chosen_on_test",
        MIXED,
        "        splits.val,",
        "        splits.test,",
        ARMS + "test_weights_are_chosen_on_val",
        "no arm looks at test before its weights are fixed",
    ),
    Mutation(
        "own_annotator_sees_all_labels",
        MIXED,
        "seen = real_part(splits.train, share, seed)",
        "seen = splits.train",
        ANNOTATORS + "test_an_annotator_of_the_arms_own_sees_the_arms_real_images_alone",
        "the own-annotator arm uses no label but those of its own real images",
    ),
    Mutation(
        "augmented_arm_not_augmented",
        MIXED,
        "augment=standard_augmentation(splits.mirrors, splits.class_count) if arm.augmented else None,",
        "augment=None,",
        ARMS + "test_only_the_augmented_arms_are_augmented",
        "synthetic images are compared with the standard augmentation",
    ),
    Mutation(
        "real_images_by_another_filter",
        MIXED,
        ".at(size_px, resize_filter) for split",
        '.at(size_px, "nearest") for split',
        ARMS + "test_real_images_are_resized_as_synthetic_ones_are",
        "real and synthetic images differ in their content, not in how they were resized",
    ),
    Mutation(
        "annotators_images_by_another_filter",
        "jobs/train_classifier/__main__.py",
        "load_split(real, name).at(size_px, config.resize_filter)",
        'load_split(real, name).at(size_px, "nearest")',
        ANNOTATORS + "test_the_annotator_learns_from_images_resized_by_the_filter_that_it_records",
        "the annotator is asked about images prepared as those that it learned from",
    ),
    Mutation(
        "scored_with_the_latents_that_chose",
        SELECTION,
        "drawn = work.draw(of(chosen.file), Stream.TEST_LATENTS)",
        "drawn = work.draw(of(chosen.file), Stream.VAL_LATENTS)",
        SCORES + "test_the_chosen_snapshot_is_scored_with_fresh_latents",
        "the score on test is not that of a lucky draw",
    ),
    Mutation(
        "copies_by_pixels_swapped",
        ON_TEST,
        'pixel_copies(drawn.images, work.splits["test"], learned, reporter.bar)',
        'pixel_copies(drawn.images, learned, work.splits["test"], reporter.bar)',
        SCORES + "test_copies_are_searched_in_train_relative_to_test",
        "copies of training images are found",
    ),
    Mutation(
        "class_loss_negated",
        STEPS,
        "return F.cross_entropy(output[:, 1:].float(), labels)",
        "return -F.cross_entropy(output[:, 1:].float(), labels)",
        NETWORKS + "test_the_auxiliary_head_learns_the_classes",
        "ACGAN's networks agree on the class",
    ),
    Mutation(
        "one_batch_norm_pass",
        STEPS,
        "if not couples_images(models.discriminator):",
        "if True:",
        NETWORKS + "test_real_and_fake_images_have_separate_batch_norm_passes",
        "batch statistics are of real or of fake images, as in DCGAN",
    ),
    Mutation(
        "no_average",
        STATE,
        "keep = 0.5 ** (config.batch_images / half_life)",
        "keep = 0.0",
        NETWORKS + "test_snapshots_hold_the_moving_average",
        "snapshots hold a moving average of the generator's weights",
    ),
    Mutation(
        "snapshot_of_the_raw_generator",
        STATE,
        "TensorFile(self.average.state_dict(), header)",
        "TensorFile(self.models.generator.state_dict(), header)",
        NETWORKS + "test_snapshots_hold_the_moving_average",
        "snapshots hold the average, not the generator that is being trained",
    ),
    Mutation(
        "no_decay",
        LOOP,
        "learning_rate_factor(config.decay, iteration / plan.iterations)",
        "1.0",
        NETWORKS + "test_the_learning_rate_falls_as_the_plan_says",
        "--decay lowers the learning rate",
    ),
    Mutation(
        "no_flips",
        STEPS,
        "flip(real, draws.uniform(1))) if config.flips else batch",
        "flip(real, draws.uniform(1))) if False else batch",
        NETWORKS + "test_flips_mirror_half_of_the_real_images",
        "--flips mirrors real images",
    ),
    Mutation(
        "unaugmented_fakes",
        STEPS,
        "fake = augment(fake, config.augmentations, part.augment_params_fake)",
        "fake = fake.clone()",
        NETWORKS + "test_the_discriminator_sees_only_augmented_images",
        "real and fake images are augmented alike, so that the change itself tells nothing",
    ),
    Mutation(
        "ctrl_c_to_one_process_is_kept_from_the_job",
        "jobs/commands/run.py",
        "if stop.signal_name and not passed_on:",
        'if stop.signal_name == "SIGTERM" and not passed_on:',
        "tests/jobs/commands/test_signals.py::test_either_signal_is_passed_on",
        "a command that was asked to stop asks the job that runs",
    ),
    Mutation(
        "jobs_go_on_behind_a_stopped_command",
        "jobs/commands/run.py",
        "        end_at_once(process)\n",
        "",
        "tests/jobs/commands/test_signals.py::test_a_second_signal_leaves_nothing_at_work",
        "nothing goes on working after a command said that it stopped",
    ),
    Mutation(
        "a_passed_on_signal_counts_twice",
        "shared/cli/progress.py",
        "if self.signal_name == name:",
        "if self.signal_name:",
        "tests/shared/cli/test_progress.py::test_the_second_signal_stops_at_once",
        "Ctrl-C in a terminal, which reaches every process, lets all of them save",
    ),
)
"""Mistakes in what the arms, the annotators and the networks see."""
