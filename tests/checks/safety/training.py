"""Mistakes by which a training loses more than minutes, trusts damaged files, or waits for a dead process."""

from tests.checks.mutation import Mutation

VERSIONS, LOOP, STATE = "shared/format/versions.py", "jobs/train_gan/loop.py", "jobs/train_gan/state.py"
PEERS = "shared/runtime/together/peers.py"
KEPT = "tests/shared/format/test_versions.py::"
TRAINED = "tests/jobs/train_gan/test_checkpoints.py::"
TOGETHER = "tests/shared/runtime/test_peers.py::"

TRAINING: tuple[Mutation, ...] = (
    Mutation(
        "checkpoints_are_not_read_back",
        VERSIONS,
        "if not is_whole:",
        "if False:",
        KEPT + "test_what_reads_back_wrong_is_not_kept",
        "a checkpoint replaces another one only if the disk returns it",
    ),
    Mutation(
        "one_checkpoint_is_kept",
        VERSIONS,
        "rename(path, before(path))",
        "remove_file(path)",
        KEPT + "test_the_last_two_versions_are_kept",
        "the checkpoint before the newest one stays",
    ),
    Mutation(
        "the_newest_checkpoint_or_none",
        STATE,
        "            faults.append(str(error))\n            continue\n",
        "            faults.append(str(error))\n            break\n",
        TRAINED + "test_a_damaged_checkpoint_costs_what_came_since_the_one_before",
        "a damaged checkpoint falls back to the one before it",
    ),
    Mutation(
        "a_damaged_checkpoint_is_kept",
        STATE,
        "        if version != path:\n            drop_newest(path)\n",
        "",
        TRAINED + "test_after_a_fall_back_two_whole_checkpoints_are_kept",
        "a damaged checkpoint does not push out the last whole one",
    ),
    Mutation(
        "without_a_checkpoint_from_the_beginning",
        STATE,
        "        elif is_damaged:\n",
        "        elif False:\n",
        TRAINED + "test_without_any_whole_checkpoint_nothing_is_overwritten",
        "a training whose checkpoints are damaged does not silently begin again",
    ),
    Mutation(
        "any_whole_snapshot_will_do",
        LOOP,
        "elif sha256(payload) != hashes[name]:",
        "elif not payload:",
        TRAINED + "test_another_whole_snapshot_is_no_replacement",
        "a snapshot is the one that the training wrote",
    ),
    Mutation(
        "snapshots_are_checked_at_the_end",
        LOOP,
        '    check_snapshots(task, state)\n    run.reporter.info(f"{task.title}: resumed',
        '    run.reporter.info(f"{task.title}: resumed',
        TRAINED + "test_a_damaged_snapshot_is_found_before_training[dcgan-cut]",
        "a damaged snapshot is found before a step is taken",
    ),
    Mutation(
        "finished_classes_are_trusted",
        "jobs/train_gan/several/pairs.py",
        "fault = snapshot_fault(folder, [row.epoch for row in done.history], hashes or {})",
        'fault = ""',
        TRAINED + "test_a_damaged_snapshot_is_found_before_training[per_class-cut]",
        "snapshots of classes that are finished are checked too",
    ),
    Mutation(
        "no_checkpoint_between_snapshots",
        STATE,
        "return 0 < minutes * 60 <= time.monotonic() - self._saved_at",
        "return False",
        TRAINED + "test_a_killed_run_loses_the_minutes_since_its_checkpoint",
        "a checkpoint is written every few minutes",
    ),
    Mutation(
        "checkpoints_name_other_work",
        "jobs/train_gan/options.py",
        "        recorded=False,\n",
        "",
        TRAINED + "test_a_killed_run_loses_the_minutes_since_its_checkpoint",
        "how often checkpoints are written is no part of what was asked for",
    ),
    Mutation(
        "silence_means_nothing",
        PEERS,
        "time.monotonic() - at > self.silence_s",
        "self.silence_s < 0",
        TOGETHER + "test_a_process_that_is_silent_is_dead",
        "a process of which nothing is heard is dead",
    ),
    Mutation(
        "a_lost_connection_is_any_error",
        PEERS,
        'LOST_CONNECTION = ("gloo", "NCCL")',
        "LOST_CONNECTION = ()",
        TOGETHER + "test_a_lost_connection_names_who_is_dead",
        "an error between processes waits until it is known who died",
    ),
    Mutation(
        "one_that_is_done_is_missed",
        PEERS,
        'if sign.code != "-" and (ended or sign.code not in IN_ORDER):',
        'if sign.code != "-":',
        TOGETHER + "test_one_that_ends_in_order_is_not_missed",
        "processes that are done do not end the others",
    ),
    Mutation(
        "the_last_run_alone_is_timed",
        "shared/cli/run.py",
        "seconds = self._earlier_s + time.monotonic() - self._started",
        "seconds = time.monotonic() - self._started",
        "tests/shared/cli/test_job.py::test_run_json_has_the_time_of_every_run",
        "run.json has the time of every run",
    ),
)
