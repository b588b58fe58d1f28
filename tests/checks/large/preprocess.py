"""Mistakes in how parts divide the work of preprocess, and in the order of what it writes."""

from tests.checks.mutation import Mutation

PHASE = "jobs/preprocess/phases/phase.py"
PHASES = "tests/jobs/preprocess/phases/test_phases.py::"
PARTS = "tests/jobs/synthesize/test_parts.py::"

DIVIDED: tuple[Mutation, ...] = (
    Mutation(
        "every_part_hashes_every_image",
        PHASE,
        "(step and self._state(part.index) is not PartState.ENDED)",
        "False",
        PHASES + "test_a_part_reads_its_share_and_ends_where_others_have_not_begun",
        "each byte of the source is read once in a phase",
    ),
    Mutation(
        "what_ended_parts_left_stays",
        PHASE,
        "for step in range(mine.count):",
        "for step in range(1):",
        PHASES + "test_parts_divide_what_is_read",
        "the last part finishes the work of those that ended",
    ),
    Mutation(
        "parts_of_other_files_are_waited_for",
        PHASE,
        "is PartState.AT_WORK and self.phases.agrees(part)]",
        "is PartState.AT_WORK]",
        PHASES + "test_parts_that_found_other_files_do_not_wait_for_each_other",
        "two parts that wait for each other would never end",
    ),
    Mutation(
        "changed_images_are_written",
        "shared/sources/work.py",
        "    if found[0] != content:\n",
        "    if False:\n",
        PARTS + "test_images_that_changed_between_the_phases_never_mix",
        "what is written is what the splits were drawn from",
    ),
    Mutation(
        "parquet_in_any_order",
        "shared/sources/tables/parquet.py",
        "bool(splits), in_order=inside)",
        "bool(splits))",
        "tests/jobs/preprocess/phases/test_packing.py::test_a_row_group_of_parquet_is_read_once_a_phase",
        "a row group of a hundred images is not read a hundred times",
    ),
    Mutation(
        "unreadable_images_shift_the_others",
        "jobs/preprocess/phases/preparing.py",
        "there = np.delete(np.arange(places.start, places.stop), missing)",
        "there = np.arange(places.start, places.start + pack.shard.count)",
        "tests/jobs/preprocess/phases/test_packing.py::test_the_way_makes_no_difference",
        "an image has its own label and pixels",
    ),
    Mutation(
        "near_hashes_in_one_band",
        "jobs/preprocess/near_duplicates.py",
        "kept &= ((difference >> earlier) & width) != 0",
        "kept &= ((difference >> earlier) & width) == 0",
        "tests/jobs/test_near_duplicates.py::test_every_pair_of_near_hashes_is_found_once",
        "no pair of near hashes is missed, none counts twice",
    ),
    Mutation(
        "all_thumbnails_in_memory",
        "jobs/preprocess/near_duplicates.py",
        'np.memmap(self.thumbnails, np.float32, mode="r")',
        "np.fromfile(self.thumbnails, np.float32)",
        "tests/jobs/test_near_duplicates.py::test_memory_does_not_grow_with_the_thumbnails",
        "near-duplicates are looked for in bounded memory",
    ),
    Mutation(
        "the_upper_median",
        "jobs/synthesize/annotations.py",
        "middle = (len(sure) - 1) // 2",
        "middle = len(sure) // 2",
        "tests/jobs/synthesize/test_annotations.py::test_pieces_count_as_the_whole",
        "the median is that of all confidences",
    ),
    Mutation(
        "shards_in_the_order_of_the_source",
        "jobs/preprocess/writer.py",
        "tasks_of(split, in_drawn_order(found, placing.seeds.splits), config.shard_images)",
        "tasks_of(split, found, config.shard_images)",
        PHASES + "test_each_shard_has_the_classes_of_the_whole",
        "a shard has about the classes of the whole",
    ),
)
