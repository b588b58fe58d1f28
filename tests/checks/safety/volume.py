"""Mistakes in what is said of a volume, and in what is removed from it."""

from tests.checks.mutation import Mutation

SHARD, TENSORS = "shared/format/checks/shard.py", "shared/format/checks/tensors.py"
OPENED, VERIFICATION, PLACES = (f"jobs/verify/{name}.py" for name in ("opened", "verification", "places"))
LEFTOVERS, ROOM = "shared/store/volume/leftovers.py", "shared/store/volume/room.py"
CLEAN, CACHES = "jobs/clean/command.py", "jobs/clean/caches.py"
VERIFIED = "tests/jobs/verify/test_verify.py::"
LEFT = "tests/shared/store/volume/test_leftovers.py::"
ROOMY = "tests/shared/store/volume/test_room.py::"
CLEANED = "tests/jobs/clean/test_clean.py::"
SAID = "tests/jobs/status/test_status.py::"

VOLUME: tuple[Mutation, ...] = (
    Mutation(
        "pictures_are_not_decoded",
        SHARD,
        "    if pictures is None:\n",
        "    if pictures is not None:\n",
        VERIFIED + "test_pictures_are_decoded",
        "a picture that nobody can decode is found",
    ),
    Mutation(
        "any_index_will_do",
        SHARD,
        "if wanted is not None and not np.array_equal(wanted, np.array(rows, INDEX_ROW)):",
        "if False:",
        VERIFIED + "test_an_index_says_where_the_samples_are",
        "an index is compared with its shard",
    ),
    Mutation(
        "keys_come_twice",
        VERIFICATION,
        "numbers[1:][numbers[1:] == numbers[:-1]]",
        "numbers[:0]",
        VERIFIED + "test_a_key_is_alone_in_its_split",
        "two samples of a split with one key are found",
    ),
    Mutation(
        "numbers_of_tensors_are_not_read",
        TENSORS,
        "if digest is not None and _digest(stream, start, places) != digest:",
        "if False:",
        VERIFIED + "test_tensors_are_whole[altered-numbers were altered]",
        "a snapshot whose numbers changed before it was signed is found",
    ),
    Mutation(
        "cut_tensors_are_whole",
        TENSORS,
        "        if size_bytes != start + end:\n",
        "        if False:\n",
        VERIFIED + "test_tensors_are_whole[cut-its header says]",
        "a snapshot that was cut off before it was signed is found",
    ),
    Mutation(
        "unfinished_work_is_not_verified",
        PLACES,
        'return not name.startswith(".") or final_of(Path(name)) is not None',
        'return not name.startswith(".")',
        VERIFIED + "test_tensors_are_whole[cut-its header says]",
        "checkpoints of unfinished work are verified too",
    ),
    Mutation(
        "classes_of_a_split_are_believed",
        OPENED,
        "            if counts != split.class_counts:\n",
        "            if False:\n",
        VERIFIED + "test_damage_is_found",
        "the classes that a manifest counts are those of its shards",
    ),
    Mutation(
        "what_was_replaced_was_lost",
        VERIFICATION,
        "if own and by_folder[folder].manifest is not None and by_folder[folder].is_replaced():",
        "if False:",
        VERIFIED + "test_what_is_replaced_meanwhile_was_not_lost",
        "an artifact that is made again while it is verified is not reported as damaged",
    ),
    Mutation(
        "damage_ends_with_0",
        "jobs/verify/command.py",
        "    if done.problems:\n        raise",
        "    if False:\n        raise",
        VERIFIED + "test_damage_is_found",
        "verify ends with 2 where anything is wrong",
    ),
    Mutation(
        "the_only_copy_goes",
        LEFTOVERS,
        "        if not final.exists():",
        "        if False:",
        LEFT + "test_what_may_be_the_only_copy_stays",
        "what was moved aside goes only if something is in its place",
    ),
    Mutation(
        "held_work_is_free",
        LEFTOVERS,
        "    holders = [holder(final), *part_holders(final).values()]\n",
        "    holders = [holder(final)]\n",
        LEFT + "test_what_is_held_is_neither_free_nor_removed",
        "work on which a part is at is not free",
    ),
    Mutation(
        "removed_without_its_lock",
        LEFTOVERS,
        "            with locked(leftover.final):\n                remove_tree",
        "            if leftover.final:\n                remove_tree",
        LEFT + "test_what_is_held_is_neither_free_nor_removed",
        "a job that began meanwhile keeps its work",
    ),
    Mutation(
        "young_work_goes",
        CLEAN,
        "if leftover.unused_s < days * DAY_S",
        "if False",
        CLEANED + "test_it_is_listed_first_and_goes_with_yes",
        "work of the last days stays",
    ),
    Mutation(
        "listing_removes",
        CLEAN,
        "if not stays and yes and not free(each):",
        "if not stays and not free(each):",
        CLEANED + "test_it_is_listed_first_and_goes_with_yes",
        "nothing is removed without --yes",
    ),
    Mutation(
        "a_mirror_goes_with_its_work",
        CACHES,
        "each.held or each.kind == UNFINISHED",
        "each.held",
        CLEANED + "test_a_mirror_goes_unless_work_is_unfinished_in_it",
        "unfinished work of a volume in a store, which is in the mirror alone, stays",
    ),
    Mutation(
        "an_artifact_goes_while_it_is_read",
        "jobs/clean/artifacts.py",
        "        if each.state is State.RUNNING:\n",
        "        if False:\n",
        CLEANED + "test_an_artifact_stays_while_its_experiment_is_at_work",
        "no input goes away under a job",
    ),
    Mutation(
        "work_begins_without_room",
        ROOM,
        "    if least > free:\n",
        "    if False:\n",
        ROOMY + "test_work_that_cannot_fit_is_refused",
        "work that cannot fit the disk is refused before it begins",
    ),
    Mutation(
        "a_resumed_job_needs_all_again",
        ROOM,
        "max(need.least - written, 0)",
        "need.least",
        ROOMY + "test_what_was_written_already_is_not_needed_again",
        "a resumed job needs room for the rest alone",
    ),
    Mutation(
        "everything_is_in_step",
        "jobs/status/contents.py",
        "return State.OUT_OF_STEP if self.others else State.COMPLETE",
        "return State.COMPLETE",
        SAID + "test_what_was_made_from_other_inputs_is_out_of_step",
        "what was made from inputs that are gone is not called complete",
    ),
    Mutation(
        "other_machines_are_not_waited_for",
        "jobs/status/command.py",
        "    if any(artifact.is_doubtful",
        "    if False and any(artifact.is_doubtful",
        SAID + "test_a_process_of_another_machine_is_known_by_its_beats",
        "a process of another machine is seen by the beats of its lock",
    ),
    Mutation(
        "no_job_says_how_far_it_is",
        "shared/cli/calls/perform.py",
        "            run.reporter.note_in = note_file(work.folder, piece.shard.index)\n",
        "            pass\n",
        "tests/shared/cli/test_job.py::test_a_job_notes_its_progress_where_its_work_is",
        "who looks at a volume sees how far the jobs are",
    ),
    Mutation(
        "names_act_on_the_terminal",
        "jobs/verify/said.py",
        "Text(visible(str(name)))",
        "Text(str(name))",
        VERIFIED + "test_a_name_does_nothing_to_the_terminal",
        "names of files are letters alone",
    ),
)
