"""Mistakes in the copy test, in what is shown of pairs, in scores over replicates and in the intervals of metrics."""

from tests.checks.mutation import Mutation

COVERAGE = "tests/shared/stats/test_coverage_of_metrics.py::"
PAIRS = "tests/jobs/playground/test_neighbours.py::"
RESULTS = "tests/jobs/commands/test_results.py::"
INTERVALS_FILE = "shared/stats/intervals.py"
NEIGHBOURS_FILE = "jobs/playground/neighbours.py"

SCORES: tuple[Mutation, ...] = (
    Mutation(
        "small_classes_have_the_freedom_of_all_images",
        INTERVALS_FILE,
        "    freedom = max(float(squares.sum() ** 2 / (squares**2).sum()) - 1, 1.0)",
        "    freedom = float(len(weights)) - 1",
        COVERAGE + "test_equal_weights_change_nothing_and_unequal_ones_cost_freedom",
        "the variance of a macro metric has no more degrees of freedom than its small classes give",
    ),
    Mutation(
        "macro_metrics_as_means_over_images",
        "jobs/train_mixed/outcome.py",
        "    scale = weighted_share(weights_of(first[first != NO_IMAGE], metric, outcome.attributes))",
        '    scale = weighted_share(weights_of(first[first != NO_IMAGE], "accuracy", outcome.attributes))',
        COVERAGE + "test_intervals_of_macro_metrics_hold_the_truth",
        "intervals of macro metrics hold the truth where a class has five images",
    ),
    Mutation(
        "images_that_there_are_not_are_a_class",
        "jobs/train_mixed/outcome.py",
        "weights_of(first[first != NO_IMAGE], metric,",
        "weights_of(first, metric,",
        "tests/jobs/train_mixed/test_random_splits.py::test_images_that_there_are_not_weigh_nothing",
        "what a replicate lacks of another's number of test images counts nowhere",
    ),
    Mutation(
        "splits_without_correction",
        "shared/stats/inference.py",
        "(1 / replicates + test_over_train) * variance",
        "(1 / replicates) * variance",
        COVERAGE + "test_corrected_intervals_hold_the_truth_of_random_splits",
        "intervals over random splits hold the truth of a real learner",
    ),
    Mutation(
        "pairs_by_pixels_as_they_are",
        NEIGHBOURS_FILE,
        "        found = of_images(images, train.pixels)\n",
        "        from shared.metrics.neighbours import of_points\n"
        "        found = of_points(images.flatten(1).double(), train.images.flatten(1).double())\n",
        PAIRS + "test_distances_are_those_of_the_copy_test",
        "the playground finds neighbours as the copy test does",
    ),
    Mutation(
        "pairs_without_their_transform",
        NEIGHBOURS_FILE,
        "        words = transforms(images, near.images)",
        '        words = [""] * len(images)',
        PAIRS + "test_a_changed_copy_is_found_next_to_its_image",
        "a mirrored or shifted copy is called that",
    ),
    Mutation(
        "a_pair_is_nearer_than_what_is_nearer",
        NEIGHBOURS_FILE,
        "len(usual) - torch.searchsorted(usual, found.distances, right=True)",
        "torch.searchsorted(usual, found.distances)",
        PAIRS + "test_how_near_is_usual_is_said_of_test_images",
        "next to a distance is how many test images are further from train",
    ),
    Mutation(
        "hidden_labels_are_shown",
        NEIGHBOURS_FILE,
        "None if number == NO_LABEL else self.opened.classes[number]",
        "self.opened.classes[number]",
        PAIRS + "test_unlabelled_images_have_no_class",
        "an unlabelled training image has no class on the page",
    ),
    Mutation(
        "one_near_pair_is_called_a_copy",
        "jobs/playground/cards.py",
        "One near pair is no proof of a copy, and without one there may be copies all the same.",
        "A near pair is a copy.",
        PAIRS + "test_every_image_is_shown_and_nothing_is_claimed",
        "the page claims no copy by a single pair",
    ),
    Mutation(
        "extrapolated_without_a_side",
        "shared/metrics/metric.py",
        'metric.suffix == "infinite" else None',
        'metric.suffix == "never" else None',
        RESULTS + "test_an_extrapolated_score_says_of_which_side",
        "an extrapolated score says in the number of which images",
    ),
    Mutation(
        "no_floor_of_a_class_is_warned_of",
        "shared/metrics/over_replicates.py",
        "    near = [name for name, distance in classes.items() if distance.near_the_floor]",
        "    near: list[str] = []",
        RESULTS + "test_distances_of_classes_have_a_floor",
        "a distance of few images near its floor carries a warning",
    ),
    Mutation(
        "held_out_images_of_another_kind_are_not_said",
        "shared/store/records/copies.py",
        "self.nearer_limit is not None and self.nearer_low > self.nearer_limit",
        "False",
        "tests/shared/metrics/test_copies.py::test_what_is_as_near_to_train_as_train_is_to_itself_is_no_copy",
        "no sign of copying says where train images are as near to each other",
    ),
)
