"""Mistakes in images that are dropped because the annotator gives them another class than was asked for.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

WRITER, TESTS = "jobs/synthesize/writer.py", "tests/jobs/synthesize/test_agreeing.py::"

AGREEING: tuple[Mutation, ...] = (
    Mutation(
        "dropped_images_are_not_counted",
        WRITER,
        "        tally.drop(drawn.asked[wrong])\n",
        "",
        TESTS + "test_images_are_drawn_until_they_agree",
        "the record says how many images were dropped",
    ),
    Mutation(
        "an_image_is_drawn_again_once",
        WRITER,
        "for again in range(1, MOST_DRAWS):",
        "for again in range(1, 2):",
        TESTS + "test_images_are_drawn_until_they_agree",
        "images are drawn until they agree",
    ),
    Mutation(
        "the_seed_of_what_was_dropped_stays",
        "shared/models/labelled_generator.py",
        "            seeds[place] = seed\n",
        "            pass\n",
        TESTS + "test_images_are_drawn_until_they_agree",
        "an image has the seed that it was drawn from",
    ),
    Mutation(
        "nobody_is_told_of_the_filter",
        "jobs/train_mixed/experiment.py",
        " or synthetic.dropped_counts is not None",
        "",
        TESTS + "test_the_annotator_has_chosen_filtered_images",
        "an arm of filtered images has seen what the annotator knows",
    ),
    Mutation(
        "latents_are_not_scaled",
        "shared/models/labelled_generator.py",
        "latents_of(seeds, self.latent, truncation) * scale",
        "latents_of(seeds, self.latent, truncation)",
        "tests/shared/models/test_labelled_generator.py::test_latents_are_scaled",
        "images are drawn from latents of the standard deviation that was asked for",
    ),
)
