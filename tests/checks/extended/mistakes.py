"""Mistakes in work that goes on from finished work: more epochs.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

LOOP = "jobs/train_gan/loop.py"
UNFINISHED = "tests/shared/store/test_unfinished.py::"
UNFINISHED_WORK = "shared/store/unfinished.py"
GOING_ON = "tests/jobs/train_gan/test_going_on.py::"

EXTENDED: tuple[Mutation, ...] = (
    Mutation(
        "pictures_shared_with_the_shorter_artifact",
        UNFINISHED_WORK,
        "if set(name.parts) & set(OUTPUTS) or not _linked(path, copy):",
        "if not _linked(path, copy):",
        UNFINISHED + "test_longer_work_begins_with_finished_work_and_leaves_it_alone",
        "what is finished stays as it is while longer work goes on",
    ),
    Mutation(
        "another_option_is_extended",
        "shared/store/staging.py",
        "changed.keys() <= extending and",
        "bool(changed.keys() & extending) and",
        UNFINISHED + "test_nothing_else_is_extended",
        "another option begins again",
    ),
    Mutation(
        "half_a_beginning_taken_for_work",
        UNFINISHED_WORK,
        "if (folder / COPYING).exists() or own.progress(key) is None:",
        "if own.progress(key) is None:",
        UNFINISHED + "test_a_beginning_that_was_cut_off_is_made_again",
        "a crash while an extension begins loses nothing",
    ),
    Mutation(
        "force_extends",
        UNFINISHED_WORK,
        "if from_scratch or key.extends is None:",
        "if key.extends is None:",
        UNFINISHED + "test_force_begins_with_nothing_and_leaves_nothing_unfinished",
        "--force begins again",
    ),
    Mutation(
        "shards_of_two_lengths",
        "shared/store/work_shards.py",
        "if key.is_extension_of(other) and not living:",
        "if key.is_extension_of(other):",
        UNFINISHED + "test_a_shard_that_works_on_less_is_no_shard_of_longer_work",
        "parts with different epochs never work at once",
    ),
    Mutation(
        "extension_not_recorded",
        LOOP,
        "state.extended.append(extended)",
        "_ = extended",
        GOING_ON + "test_a_decay_follows_the_longer_plan_from_there_on[late]",
        "a schedule that is laid out again is recorded",
    ),
    Mutation(
        "classes_of_the_shorter_run_taken",
        "jobs/train_gan/several/pairs.py",
        "return left if left is not None and left.history[-1].epoch == epochs else None",
        "return left",
        GOING_ON + "test_more_epochs_give_the_weights_of_an_undisturbed_run[per_class]",
        "every class goes on to the last epoch",
    ),
    Mutation(
        "batch_cut_again",
        "jobs/train_gan/task.py",
        "config=replace(self.config, batch_images=used)",
        "config=self.config",
        GOING_ON + "test_the_batch_that_was_used_stays",
        "other processes go on with the same batches",
    ),
    Mutation(
        "shorter_work_left_behind",
        UNFINISHED_WORK,
        "            remove_tree(work.folder)",
        "            pass",
        UNFINISHED + "test_what_was_extended_goes_with_the_commit_and_other_work_stays",
        "unfinished work does not pile up",
    ),
)
"""Mistakes in what is taken from shorter work, what stays of it, and what is begun again."""
