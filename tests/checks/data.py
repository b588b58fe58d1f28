"""Mistakes in how images are chosen, prepared and searched with.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

SIZE = "tests/jobs/preprocess/test_train_size.py::"
SPLITS = "jobs/preprocess/splits.py"
ALIKE = "tests/shared/sources/test_sources_alike.py::"
FOLDERS = "tests/shared/sources/test_folders_of_splits.py::"
TABLES = "tests/shared/sources/test_tables.py::"
GROUPS = "tests/jobs/preprocess/test_groups.py::"

DATA: tuple[Mutation, ...] = (
    Mutation(
        "numbers_are_sorted_as_text",
        "shared/sources/labels.py",
        "key=lambda name: int(whole(name))",
        "key=lambda name: name",
        ALIKE + "test_numbers_are_in_numeric_order",
        "classes that are numbers are in numeric order in every source",
    ),
    Mutation(
        "unicode_forms_are_two_classes",
        "shared/sources/labels.py",
        'unicodedata.normalize("NFC", label.strip())',
        "label.strip()",
        ALIKE + "test_unicode_forms_of_a_name_are_one_class",
        "a name that macOS wrote is the same name",
    ),
    Mutation(
        "letter_case_makes_classes",
        "shared/sources/labels.py",
        "int(number[1]) if number else name.lower()",
        "int(number[1]) if number else name",
        ALIKE + "test_names_that_differ_only_in_letter_case_are_refused",
        "a set means the same on every disk",
    ),
    Mutation(
        "a_mark_is_a_class",
        "shared/sources/labels.py",
        "if not {*_spellings(label)} & unlabelled",
        "if label",
        ALIKE + "test_marks_of_unlabelled_images_are_no_class",
        "images without a label are no class",
    ),
    Mutation(
        "a_word_in_capitals_is_no_split",
        "shared/sources/labels.py",
        "SPLIT_WORDS.get(word.strip().lower())",
        "SPLIT_WORDS.get(word.strip())",
        ALIKE + "test_splits_are_kept",
        "what looks like a split is never a class",
    ),
    Mutation(
        "unknown_splits_are_taken",
        "shared/sources/tables/listed.py",
        "    if not split_of(word):\n        came",
        "    if False:\n        came",
        ALIKE + "test_an_unknown_split_is_refused_with_its_place",
        "an unknown split is refused with its line",
    ),
    Mutation(
        "a_split_among_classes_is_a_class",
        "shared/sources/folders.py",
        "if others and len({split_of(word) for word in exact.values()}) < 2:",
        "if False:",
        FOLDERS + "test_a_split_among_classes_is_refused",
        "a folder that may be a split or a class is refused",
    ),
    Mutation(
        "names_of_parquet_are_sorted",
        "shared/sources/tables/parquet.py",
        "return [str(name) for name in names]",
        "return sorted(str(name) for name in names)",
        TABLES + "test_parquet_as_datasets_writes_it",
        "declared classes keep their names",
    ),
    Mutation(
        "semicolons_separate_nothing",
        "shared/sources/tables/text.py",
        'SEPARATORS = (",", ";", "\\t")',
        'SEPARATORS = (",", "\\t")',
        TABLES + "test_the_ways_to_write_a_table",
        "tables are read as Excel saves them",
    ),
    Mutation(
        "copies_tear_groups",
        "jobs/preprocess/groups.py",
        "for values in (first, second):",
        "for values in (second,):",
        GROUPS + "test_copies_join_their_groups",
        "neither copies nor groups are torn",
    ),
    Mutation(
        "classes_are_missing_from_splits_of_groups",
        "jobs/preprocess/groups.py",
        "            give(min(free, key=lambda group: splits.cost(split, held[group])), [split])",
        "            pass",
        GROUPS + "test_a_rare_class_is_in_each_split",
        "each split has images of each class, or it is refused",
    ),
    Mutation(
        "torn_groups_are_not_counted",
        "jobs/preprocess/partition.py",
        "if len(there) > 1)",
        "if len(there) > 2)",
        GROUPS + "test_groups_that_the_official_splits_tear_are_warned_of",
        "groups in two official splits are warned of",
    ),
    Mutation(
        "val_next_to_train_is_val",
        "jobs/preprocess/partition.py",
        '    if "test" not in there:\n',
        "    if not there:\n",
        GROUPS + "test_val_is_the_test_split_where_there_is_none",
        "a set of train and val is tested on what it keeps apart",
    ),
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
        "while self.config.train_size:",
        "while False:",
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
