"""Mistakes in how images are chosen, prepared and searched with.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

SIZE = "tests/jobs/preprocess/test_train_size.py::"
SPLITS = "jobs/preprocess/splits.py"

DATA: tuple[Mutation, ...] = (
    Mutation(
        "copies_fill_an_exact_train_split",
        SPLITS,
        "where[(where == 0) & ~first] = -1",
        "pass",
        SIZE + "test_a_folder_has_exactly_as_many_train_images",
        "train has exactly as many different images as were asked for",
    ),
    Mutation(
        "train_images_join_an_official_split",
        SPLITS,
        "where[(where == ORDER.index(split)) & (given != where)] = -1",
        "pass",
        SIZE + "test_official_splits_stay_whole",
        "official splits stay as they are",
    ),
    Mutation(
        "a_broken_train_image_is_left_out",
        "jobs/preprocess/placing.py",
        "while self.config.train_size and (broken",
        "while False and (broken",
        SIZE + "test_a_broken_image_is_replaced",
        "train is never smaller than was asked for without a word",
    ),
    Mutation(
        "val_needs_no_image_of_each_class",
        "jobs/preprocess/train_size.py",
        "most = [max(count - len(fractions), 0) for count in counts]",
        "most = [max(count, 0) for count in counts]",
        SIZE + "test_too_few_says_how_many_there_are",
        "the number that there is leaves an image of each class for val",
    ),
    Mutation(
        "an_own_value_outside_the_space_is_not_said",
        "jobs/tune/options.py",
        "if not domain.holds(self.own[name])",
        "if domain is None",
        "tests/jobs/tune/test_tune_space.py::test_an_own_value_outside_the_space_is_said",
        "a search that leaves out the recipe itself says so",
    ),
    Mutation(
        "the_published_learning_rate_is_not_searched",
        "jobs/recipes/celeba_wgan.toml",
        "learning_rate = {low = 1e-5,",
        "learning_rate = {low = 1e-4,",
        "tests/jobs/tune/test_tune_space.py::test_a_space_holds_the_recipes_own_values",
        "tuning begins with the recipe itself",
    ),
    Mutation(
        "the_frame_is_not_what_is_cut_out",
        "jobs/preprocess/examples.py",
        "crop_box(*size, config.crop)",
        'crop_box(*size, "none")',
        "tests/jobs/preprocess/test_examples.py::test_faces_before_and_after",
        "the picture of the preparation shows what is kept of an image",
    ),
    Mutation(
        "features_of_a_zoo_network_are_its_logits",
        "shared/models/zoo/torchvision_rows.py",
        "replace_layer(network, prefix, nn.Identity())",
        "pass",
        "tests/shared/models/test_zoo.py::test_features_are_those_before_the_head",
        "features are what the head sees",
    ),
)
"""Mistakes in exact sizes, search spaces and pictures of the preparation."""
