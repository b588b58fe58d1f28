"""Mistakes in which process does which part of the work, and in what is put together of the parts."""

from tests.checks.mutation import Mutation

ARRAYS = "shared/runtime/array_jobs.py"
PART = "shared/cli/calls/part.py"
SHARDS = "shared/store/work_shards.py"
GPUS = "shared/cli/calls/local.py"
TASKS = "tests/shared/runtime/test_array_jobs.py::"
SAID = "tests/shared/cli/test_part.py::"
PIECES = "tests/shared/store/test_work_shards.py::"
SHARED = "tests/jobs/test_shared_replicates.py::"
LOCAL = "tests/jobs/test_local_gpus.py::"
TUNED = "tests/jobs/tune/test_tune_parts.py::"

IN_PARTS: tuple[Mutation, ...] = (
    Mutation(
        "slurm_arrays_begin_at_0",
        ARRAYS,
        "return ArrayTask((number - first) // step, count)",
        "return ArrayTask(number // step, count)",
        TASKS + "test_every_part_of_a_slurm_array_is_there_once",
        "the tasks of any range are the parts from 0",
    ),
    Mutation(
        "lists_of_slurm_are_ranges",
        ARRAYS,
        "if not step or last != first + step * (count - 1) or (number - first) % step",
        "if not step or (number - first) % step",
        TASKS + "test_variables_that_say_no_task_are_refused",
        "no part is guessed from a list of tasks",
    ),
    Mutation(
        "an_array_divides_by_itself",
        PART,
        "    if parts == 1:\n",
        "    if parts == 1 and array_task(environment) is None:\n",
        SAID + "test_an_array_alone_divides_nothing",
        "a sweep of experiments is no experiment in parts",
    ),
    Mutation(
        "parts_of_another_array",
        PART,
        "    if task.count not in (None, parts):\n",
        "    if task.count == 0:\n",
        SAID + "test_what_says_no_part_is_refused",
        "parts without a task would never be done",
    ),
    Mutation(
        "parts_without_an_index_are_the_whole",
        PART,
        "    if task is None:\n        names",
        "    if task is None:\n        return WHOLE\n        names",
        SAID + "test_what_says_no_part_is_refused",
        "no process does all of the work where it was to do a part",
    ),
    Mutation(
        "every_part_reads_all_records",
        SHARDS,
        "        if not all(self._read(number) for number in missing):\n            return None\n",
        "        if not all([number in self._known or self._read(number) for number in range(self.count)]):\n"
        "            return None\n",
        PIECES + "test_each_record_is_read_once_in_all",
        "records are read once in all, by the last part",
    ),
    Mutation(
        "a_listing_is_believed",
        SHARDS,
        "        if not all(self._read(number) for number in missing):\n",
        "        if missing:\n",
        PIECES + "test_an_old_listing_of_the_folder_hides_no_piece",
        "on a network file system some part is the last one",
    ),
    Mutation(
        "committed_pieces_are_gathered_again",
        SHARDS,
        "        if self.run.shard.count > 1 and not (self.run.folder / FOLDER).is_dir():\n",
        "        if self.count < 0:\n",
        PIECES + "test_pieces_that_another_has_committed_are_not_gathered_again",
        "two parts never commit one artifact twice",
    ),
    Mutation(
        "a_part_makes_every_fit",
        "jobs/train_mixed/fits.py",
        "run.shard.select(range(len(fits)))",
        "list(range(len(fits)))",
        SHARED + "test_each_fit_is_made_once",
        "parts share the fits of a replicate",
    ),
    Mutation(
        "a_recorded_fit_is_not_read",
        "jobs/train_mixed/fits.py",
        "        for number in mine:\n",
        "        for number in pieces.todo():\n",
        SHARED + "test_a_broken_fit_of_a_part_is_made_again",
        "a broken file of a fit is never committed",
    ),
    Mutation(
        "a_part_chooses_among_its_own_snapshots",
        "jobs/evaluate/selection.py",
        "    todo = pieces.todo()\n",
        "    todo = list(range(len(names)))\n",
        SHARED + "test_scores_in_parts_are_the_same",
        "parts share the snapshots of a replicate",
    ),
    Mutation(
        "a_trial_takes_the_part_of_the_search",
        "jobs/tune/trial_runner.py",
        'variables(self.options | {f"{job}.parts": 1})',
        "variables(self.options)",
        TUNED + "test_the_jobs_of_a_trial_are_no_parts",
        "a trial is whole in whichever part of a search",
    ),
    Mutation(
        "parts_of_a_search_wait",
        "jobs/tune/worker.py",
        "            if len(waiting) == left and self.run.shard.count > 1:\n",
        "            if self.run.shard.count > len(waiting) + left:\n",
        TUNED + "test_a_part_ends_where_others_do_the_rest",
        "no part holds a GPU while others are at the last runs",
    ),
    Mutation(
        "every_process_sees_the_first_gpu",
        "shared/runtime/pool.py",
        "    return min(range(places), key=taken.count, default=0)\n",
        "    return 0\n",
        LOCAL + "test_each_process_has_a_gpu_of_its_own",
        "two processes at a time never share a GPU while another is idle",
    ),
    Mutation(
        "parts_of_another_number_of_gpus_stay",
        GPUS,
        "        forget(folder)\n",
        "        del folder\n",
        LOCAL + "test_work_that_another_number_of_gpus_began_goes_on",
        "work goes on with another number of GPUs",
    ),
    Mutation(
        "a_part_is_divided_again",
        GPUS,
        "    return row.parts and call.step(row).how.divides and all(piece.shard == WHOLE for piece in todo)\n",
        "    return call.step(row).how.divides\n",
        LOCAL + "test_a_part_of_several_machines_is_not_divided",
        "all parts of an artifact are of one number of parts",
    ),
    Mutation(
        "processes_draw_alike",
        "jobs/train_gan/steps.py",
        "slice(group.rank * share, (group.rank + 1) * share)",
        "slice(0, share)",
        "tests/jobs/train_gan/test_gan_processes.py::test_one_two_and_four_processes_train_the_same_weights",
        "any number of processes takes the steps of one",
    ),
)
