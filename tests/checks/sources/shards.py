"""Mistakes in how shards, archives and published sets are read, and paths, recipes and errors handled."""

from tests.checks.mutation import Mutation

SHARD_TESTS = "tests/shared/sources/test_shards.py::"
PACKED_TESTS = "tests/shared/sources/test_packed.py::"
STYLEGAN_TESTS = "tests/shared/sources/test_stylegan.py::"
DETECT_TESTS = "tests/shared/sources/test_detect.py::"
TARS = "shared/sources/shards/tars.py"
FILES = "shared/sources/shards/files.py"
PACKED = "shared/sources/packed.py"

SHARDS: tuple[Mutation, ...] = (
    Mutation(
        "cls_wins_over_the_field_asked_for",
        TARS,
        'by_cls = reading.label is None and "cls" in members',
        'by_cls = "cls" in members',
        SHARD_TESTS + "test_the_field_that_label_names_wins_over_cls",
        "--label names the field that is the class",
    ),
    Mutation(
        "dotted_keys_are_samples",
        TARS,
        '    for stem in sorted((stems & labelled) - {""}):\n',
        "    for stem in sorted(set()):\n",
        SHARD_TESTS + "test_keys_with_a_dot_are_refused_shortly",
        "keys with a dot are refused",
    ),
    Mutation(
        "more_images_of_a_key_are_dots",
        TARS,
        "    if any(kind in IMAGES for kind in kinds):\n        return",
        "    if False:\n        return",
        SHARD_TESTS + "test_a_sample_may_have_more_images_after_its_key",
        "a sample may have a mask next to its image",
    ),
    Mutation(
        "repeated_members_replace_each_other",
        TARS,
        "kinds[kind] = None if kind in kinds else member",
        "kinds[kind] = member",
        SHARD_TESTS + "test_a_member_that_is_there_twice_makes_its_sample_unusable",
        "a member that is there twice makes its sample unusable",
    ),
    Mutation(
        "own_shards_lose_their_names",
        TARS,
        "classes = None if reading.label else shards.classes",
        "classes = None",
        SHARD_TESTS + "test_own_shards_are_read_with_their_class_names_and_splits",
        "halfreal's own shards have the class names of their manifest",
    ),
    Mutation(
        "own_shards_of_any_size",
        FILES,
        "    if size != wanted:\n",
        "    if False:\n",
        SHARD_TESTS + "test_own_shards_are_read_with_their_class_names_and_splits",
        "a shard that is cut is told by its manifest",
    ),
    Mutation(
        "compressed_shards_are_left_out",
        FILES,
        "    tars = [path for path in _visible(place) if is_tar(path)]\n",
        '    tars = [path for path in _visible(place) if path.suffix == ".tar"]\n',
        SHARD_TESTS + "test_compressed_shards_are_refused_by_name",
        "no shard is left out in silence",
    ),
    Mutation(
        "missing_files_of_a_pattern_are_skipped",
        FILES,
        "if not path.is_file()]:\n",
        "if False]:\n",
        SHARD_TESTS + "test_a_pattern_with_braces_takes_its_files_and_names_those_that_are_missing",
        "files of a pattern that are missing are named",
    ),
    Mutation(
        "names_that_lead_out_are_taken",
        PACKED,
        'if ".." in parts or name.startswith("/") or not parts:',
        "if not parts:",
        PACKED_TESTS + "test_names_that_lead_out_and_links_are_named_and_not_taken",
        "names that lead out of an archive are not taken",
    ),
    Mutation(
        "bombs_are_unpacked",
        PACKED,
        "    if max(member.size, member.packed) > FILE_BYTES:\n",
        "    if member.packed > FILE_BYTES:\n",
        PACKED_TESTS + "test_a_bomb_is_not_unpacked",
        "a file above 256 MiB is not unpacked",
    ),
    Mutation(
        "zips_that_lie_are_believed",
        PACKED,
        "decompress(payload, size + 1)",
        "decompress(payload)[:size]",
        PACKED_TESTS + "test_a_bomb_is_not_unpacked",
        "no more is unpacked than a zip says",
    ),
    Mutation(
        "checksums_do_not_count",
        PACKED,
        " or (member.crc is not None and zlib.crc32(payload) != member.crc):",
        ":",
        PACKED_TESTS + "test_a_damaged_image_in_a_zip_is_put_aside",
        "a damaged image is put aside",
    ),
    Mutation(
        "folders_of_a_stylegan_set_are_classes",
        "shared/sources/stylegan.py",
        "    if reading.labelled and images and not any(labels.values()):\n",
        "    if False:\n",
        STYLEGAN_TESTS + "test_a_set_without_labels_is_refused_where_labels_are_wanted",
        "a set without labels is refused",
    ),
    Mutation(
        "any_suffix_that_pillow_names",
        "shared/sources/items.py",
        "return frozenset(FORMATS).intersection(Image.OPEN) - missing",
        "return frozenset(Image.OPEN) - missing",
        "tests/jobs/preprocess/test_images.py::test_suffixes_that_pillow_names_and_does_not_decode_are_no_images",
        "a format that Pillow names and does not decode is none",
    ),
    Mutation(
        "an_experiment_for_a_source",
        "shared/sources/detect.py",
        "        places.reverse()\n",
        "        pass\n",
        DETECT_TESTS + "test_a_relative_path_is_looked_for_where_one_is_then_below_sources",
        "on the volume sources/ comes first",
    ),
    Mutation(
        "errors_of_any_width",
        "shared/cli/exit_codes.py",
        'text = shortened(f"error: {message}")',
        'text = "error: " + "\\n".join(message.splitlines()[:3])',
        "tests/shared/cli/test_exit_codes.py::test_a_message_never_takes_more_than_three_lines_of_200_characters",
        "an error takes three lines of 200 characters",
    ),
    Mutation(
        "paths_with_a_tab",
        "shared/cli/recipes.py",
        "            _check_texts(path, job, options)\n",
        "            pass\n",
        "tests/shared/cli/test_recipes.py::test_backslashes_between_double_quotes_are_refused_with_their_line",
        r"C:\temp between double quotes is refused",
    ),
    Mutation(
        "the_mark_of_windows_is_text",
        "shared/cli/recipes.py",
        'payload.decode("utf-8-sig")',
        'payload.decode("utf-8")',
        "tests/shared/cli/test_recipes.py::test_a_recipe_that_windows_saved_is_read",
        "a byte order mark is no part of a recipe",
    ),
)
