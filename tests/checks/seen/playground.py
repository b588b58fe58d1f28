"""Mistakes in what the playground draws, and in the worked examples of docs/extending.md."""

from tests.checks.mutation import Mutation

BETWEEN = "tests/shared/models/gans/test_interpolation.py::"
STRIPS = "tests/jobs/playground/test_strips.py::"

DRAWN_TOGETHER = (
    Mutation(
        "straight_latents",
        "shared/models/gans/interpolation.py",
        "if angle.sin() < STRAIGHT:",
        "if angle.sin() < 2:",
        BETWEEN + "test_latents_on_the_way_are_as_long_as_the_ends",
        "latents between two others are as long as those",
    ),
    Mutation(
        "classes_that_jump",
        "shared/models/gans/interpolation.py",
        "return torch.lerp(module.weight[first], module.weight[last], share).expand_as(rows)",
        "return rows",
        BETWEEN + "test_the_ends_are_the_classes_and_the_middle_is_their_mean",
        "between two classes there is a mixture of both",
    ),
    Mutation(
        "other_latents_in_a_row",
        "jobs/playground/strips.py",
        "replace(request, snapshot=file)",
        "replace(request, snapshot=file, seed=place)",
        STRIPS + "test_a_row_for_each_way_to_draw_the_same_latents",
        "rows side by side have the same latents",
    ),
    Mutation(
        "one_replicate_for_all",
        "jobs/playground/strips.py",
        "other = Experiment(opened.folder, there[place])",
        "other = Experiment(opened.folder, there[0])",
        STRIPS + "test_each_replicate_draws_with_its_own_generator",
        "each replicate draws with its own generator",
    ),
    Mutation(
        "names_of_strips_are_markup",
        "jobs/playground/cards.py",
        "{escape(strip.name)}",
        "{strip.name}",
        STRIPS + "test_a_row_says_what_the_annotator_makes_of_it",
        "the name of a class is text on the page",
    ),
)

EXAMPLES = (
    Mutation(
        "an_example_without_its_row",
        "docs/extending.md",
        'SOURCES["flowers"]',
        'SOURCES["folder"]',
        "tests/extending/test_worked_examples.py::test_a_source",
        "worked examples are run as they are written",
    ),
)
