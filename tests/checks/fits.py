"""Mistakes in how classifiers are fitted: where training stops, what is kept, how images of a step are changed.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

STOP = "tests/shared/models/test_fitting_stop.py::"
FITTING = "tests/shared/models/test_fitting.py::"
CHANGES = "tests/shared/data/test_standard_augmentation.py::"
FIT = "shared/models/fitting.py"
AUGMENTATION = "shared/data/standard_augmentation.py"

FITS: tuple[Mutation, ...] = (
    Mutation(
        "weights_chosen_after_the_stop",
        FIT,
        "if not best.stopped(extras.patience):",
        "if step <= last:",
        STOP + "test_weights_are_not_chosen_after_the_stop",
        "training on for the control does not change what early stopping keeps",
    ),
    Mutation(
        "last_weights_kept",
        FIT,
        "if self.row is row:",
        "if self.row is not None:",
        FITTING + "test_training_stops_by_patience_and_returns_the_best_weights",
        "the weights are those of the best measurement on val",
    ),
    Mutation(
        "patience_in_steps",
        FIT,
        "self.waited += 1",
        "self.waited += row.step - (self.curve[-2].step if self.curve[1:] else 0)",
        STOP + "test_patience_counts_measurements",
        "every arm has the same patience, in measurements on val",
    ),
    Mutation(
        "training_past_the_cap",
        FIT,
        "if step == last or (",
        "if step == 2 * last or (",
        STOP + "test_training_ends_at_the_cap",
        "no fit takes more than ten times the recipe's steps",
    ),
    Mutation(
        "control_chooses_beyond_its_steps",
        FIT,
        "if extras.equal_steps and step <= config.steps:",
        "if extras.equal_steps:",
        STOP + "test_the_control_chooses_within_its_steps",
        "the control takes the same number of steps in every arm",
    ),
    Mutation(
        "control_is_what_was_kept",
        FIT,
        "_with_weights(network, control.weights) if",
        "_with_weights(network, best.weights) if",
        STOP + "test_the_control_is_a_fit_of_that_many_steps",
        "the control is what a fit of the recipe's steps gives",
    ),
    Mutation(
        "control_ends_with_early_stopping",
        FIT,
        "and (step >= config.steps or not extras.equal_steps)):",
        "and step):",
        STOP + "test_the_control_is_a_fit_of_that_many_steps",
        "the control takes the recipe's steps where early stopping ends sooner",
    ),
    Mutation(
        "any_gain_renews_patience",
        FIT,
        "_rank(row, self._least_gain) > _rank(self._reference)",
        "_rank(row) > _rank(self._reference)",
        STOP + "test_small_gains_of_the_loss_do_not_train_for_ever",
        "a loss that falls by less and less does not train to the cap",
    ),
    Mutation(
        "equal_draws_in_every_step",
        FIT,
        "derive_seed(seed, Stream.CLASSIFIER_AUGMENTATION, step)",
        "derive_seed(seed, Stream.CLASSIFIER_AUGMENTATION)",
        STOP + "test_every_step_has_an_augmentation_of_its_own",
        "an image is changed in another way each time",
    ),
    Mutation(
        "augmented_images_not_trained_on",
        FIT,
        "images, targets = augment(train.images[chosen], train.labels[chosen], drawn)",
        "images, targets = to_unit_range(train.images[chosen]), train.labels[chosen]",
        STOP + "test_training_is_on_what_the_augmentation_returns",
        "the augmented arms are augmented",
    ),
    Mutation(
        "one_operation_for_a_whole_step",
        AUGMENTATION,
        ".split(GROUP_IMAGES):",
        ".split(len(images)):",
        CHANGES + "test_images_of_a_step_get_operations_of_their_own",
        "RandAugment is per image, as published, or nearly so",
    ),
    Mutation(
        "labels_of_another_image_mixed",
        AUGMENTATION,
        "if mirrors else moved, labels)",
        "if mirrors else moved, labels.roll(1))",
        CHANGES + "test_targets_are_mixed_as_images_are",
        "MixUp's targets are those of the two images in a mixture",
    ),
    Mutation(
        "augmentation_not_from_the_seed",
        AUGMENTATION,
        "torch.default_generator.manual_seed(seed)",
        "torch.default_generator.seed()",
        CHANGES + "test_a_seed_gives_the_same_images_whatever_was_drawn_before",
        "equal seeds give equal bits",
    ),
    Mutation(
        "augmentation_moves_the_generator_of_others",
        AUGMENTATION,
        "with torch.random.fork_rng(devices=[]):",
        "with torch.enable_grad():",
        CHANGES + "test_what_others_draw_is_not_changed",
        "an augmented arm differs from its neighbour in its images alone",
    ),
    Mutation(
        "digits_mirrored",
        AUGMENTATION,
        "flip(moved, params[:, 2:]) if mirrors else moved",
        "flip(moved, params[:, 2:]) if classes else moved",
        CHANGES + "test_only_mirrorable_classes_are_mirrored",
        "no image is mirrored where that changes its class",
    ),
    Mutation(
        "grey_round_shifted_images",
        AUGMENTATION,
        "translation(changed - background, params[:, :2]) + background",
        "translation(changed, params[:, :2])",
        CHANGES + "test_what_comes_in_is_the_background",
        "the augmentation that synthetic images are compared with is a good one",
    ),
    Mutation(
        "black_round_rotated_images",
        AUGMENTATION,
        "fill = background[group].median(dim=0).values.tolist()",
        "fill = 0",
        CHANGES + "test_what_comes_in_is_the_background",
        "the augmentation that synthetic images are compared with is a good one",
    ),
    Mutation(
        "cap_at_the_recipes_steps",
        "jobs/train_mixed/options.py",
        "return CAP * self.steps",
        "return self.steps",
        "tests/jobs/train_mixed/test_mixed_options.py::test_the_cap_is_ten_times_the_steps",
        "an arm with more images may train for longer",
    ),
)
