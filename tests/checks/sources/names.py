"""Mistakes in what is found by names: classes, files, folders that are no classes, and in the table of layouts."""

from tests.checks.mutation import Mutation

NAME_TESTS = "tests/shared/sources/test_names.py::"
FOLDERS = "shared/sources/folders.py"
LOOKUP = "shared/sources/tables/lookup.py"
ONE_HOT = "shared/sources/tables/one_hot.py"
CHECKS = "shared/sources/trees/checks.py"

NAMES: tuple[Mutation, ...] = (
    Mutation(
        "unnamed_images_are_left_out_in_silence",
        FOLDERS,
        "    listing.unnamed = [parts for parts in images if parts not in named]\n",
        "",
        NAME_TESTS + "test_a_pattern_tells_the_class_by_the_path",
        "what a pattern does not fit is said",
    ),
    Mutation(
        "a_pattern_forgets_splits",
        FOLDERS,
        'splits.get(parts[0], "")) for parts, label in named.items()',
        '"") for parts, label in named.items()',
        NAME_TESTS + "test_a_pattern_leaves_splits_to_the_folders",
        "folders named for splits are splits where a pattern tells the class",
    ),
    Mutation(
        "the_first_of_several_files_is_taken",
        LOOKUP,
        "    if torn:\n",
        "    if False:\n",
        NAME_TESTS + "test_names_that_find_no_file_or_several_are_refused",
        "which image a name means is not guessed",
    ),
    Mutation(
        "names_win_over_paths",
        LOOKUP,
        "if not listed or any(",
        "if not listed or all(",
        NAME_TESTS + "test_a_path_that_is_there_wins_over_names",
        "one path that is right means that paths are meant",
    ),
    Mutation(
        "the_first_of_several_classes_is_taken",
        ONE_HOT,
        "    if len(of) != 1:\n",
        "    if not of:\n",
        NAME_TESTS + "test_an_image_has_one_class",
        "an image of several classes is refused",
    ),
    Mutation(
        "split_folders_with_a_year_are_classes",
        CHECKS,
        '    return split_of(word[0]) or "" if word else ""\n',
        '    return split_of(name) or "" if word else ""\n',
        NAME_TESTS + "test_folders_that_are_no_classes_are_refused",
        "train2017 is no class",
    ),
    Mutation(
        "classes_that_train_lacks_are_taken",
        CHECKS,
        "    if strange and train:\n",
        "    if False:\n",
        NAME_TESTS + "test_folders_that_are_no_classes_are_refused",
        "a class folder that train does not have is refused",
    ),
)
