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
        "shards_in_the_order_of_the_source",
        "jobs/preprocess/writer.py",
        "tasks_of(split, in_drawn_order(found, placing.seeds.splits), config.shard_images)",
        "tasks_of(split, found, config.shard_images)",
        PHASES + "test_each_shard_has_the_classes_of_the_whole",
        "a shard has about the classes of the whole",
    ),
)
