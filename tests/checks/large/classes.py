"""Mistakes in what is shown of many classes, in how their confusion is stored, and in networks for large images.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

CHOICE = "tests/shared/stats/test_class_choice.py::"
CONFUSION = "tests/shared/plots/classes/test_confusion_of_many.py::"
NETWORKS = "tests/shared/models/test_networks.py::"
STEP = "tests/shared/models/test_gan_memory.py::"

MANY_CLASSES: tuple[Mutation, ...] = (
    Mutation(
        "a_class_is_chosen_twice",
        "shared/stats/class_choice.py",
        "free = [place for place in orders[reason] if place not in chosen]",
        "free = list(orders[reason])",
        CHOICE + "test_a_class_is_chosen_once",
        "twenty different classes are shown",
    ),
    Mutation(
        "classes_without_numbers_are_not_shown",
        "shared/stats/class_choice.py",
        ' | {"first": list(range(count))}',
        "",
        CHOICE + "test_of_classes_without_numbers_the_first_are_shown",
        "a table of a thousand classes of few images is not empty",
    ),
    Mutation(
        "a_chart_of_half_of_its_classes",
        "shared/plots/gallery.py",
        'few} of them" if few else "")',
        'few} of them" if few < 0 else "")',
        "tests/jobs/report/test_figures.py::test_classes_without_a_distance_are_counted",
        "a chart says how many of its classes it has no bar for",
    ),
    Mutation(
        "the_smallest_are_called_largest",
        "shared/stats/class_choice.py",
        "key=lambda pair: (-pair[0], pair[1])",
        "key=lambda pair: (pair[0], pair[1])",
        CHOICE + "test_of_more_the_largest_worst_and_most_changed_are_shown",
        "the largest, worst and most changed classes are shown",
    ),
    Mutation(
        "rows_without_the_others",
        "shared/metrics/classification.py",
        "return matrix[: len(places), : len(places) + (len(places) < classes)]",
        "return matrix[: len(places), : len(places)]",
        CONFUSION + "test_the_matrix_of_some_classes_has_every_image_of_theirs",
        "a row of the confusion has every image of its class",
    ),
    Mutation(
        "fits_keep_a_row_for_each_class",
        "shared/store/records/classifier.py",
        "return self if len(self.classes) <= WHOLE_CONFUSION else",
        "return self if self.classes else",
        CONFUSION + "test_a_row_of_many_classes_is_small",
        "a fit's row grows with its answers",
    ),
    Mutation(
        "published_networks_beyond_their_table",
        "shared/models/sizes.py",
        "sizes = tuple(size for size in SIZES_PX if size <= most_px)",
        "sizes = SIZES_PX",
        NETWORKS + "test_published_tables_end_at_their_size",
        "published networks are built for their sizes",
    ),
    Mutation(
        "penalties_cost_nothing",
        "shared/models/gans/step_memory.py",
        "return sum(drawn.values()) + (2 + TWICE * penalised) * sum(seen.values())",
        "return sum(drawn.values()) + 2 * sum(seen.values())",
        STEP + "test_the_largest_batch_that_fits_is_said",
        "a step that does not fit is refused",
    ),
)
