"""Mistakes in volumes in object stores.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

COMMIT = "tests/objects/test_commit.py::"
LEASES = "tests/objects/test_lease.py::"
COMMANDS = "tests/objects/test_command_line.py::"
PUSH, LEASE = "shared/store/remote/push.py", "shared/store/remote/lease.py"

STORED: tuple[Mutation, ...] = (
    Mutation(
        "commits_over_another_machines",
        PUSH,
        "put_if(key, payload, before.version if before else None)",
        "put_if(key, payload, mirror.store.version(key))",
        COMMIT + "test_who_commits_later_ends_with_busy",
        "of two machines that commit one does",
    ),
    Mutation(
        "commits_without_a_lease",
        PUSH,
        "            check_held(mirror, final)\n",
        "",
        LEASES + "test_a_lease_that_ran_out_is_taken",
        "who was away for longer than its lease does not commit",
    ),
    Mutation(
        "lost_commits_that_look_whole",
        PUSH,
        "            remove_file(folder / MANIFEST)\n            raise",
        "            raise",
        COMMIT + "test_who_commits_later_ends_with_busy",
        "work that lost is no artifact",
    ),
    Mutation(
        "orphans_for_ever",
        PUSH,
        "if name != digest]",
        "if name > digest]",
        COMMIT + "test_a_writer_that_is_killed_leaves_nothing_that_is_seen",
        "files of a commit that was cut off are deleted by the next",
    ),
    Mutation(
        "leases_without_renewal",
        LEASE,
        "while not ended.wait(SECONDS / 3):",
        "while not ended.wait():",
        LEASES + "test_a_lease_is_renewed_while_the_work_goes_on",
        "a machine at work keeps its lease",
    ),
    Mutation(
        "leases_for_ever",
        LEASE,
        "other.until <= time.time()",
        "other.until <= 0",
        LEASES + "test_a_lease_that_ran_out_is_taken",
        "a lost machine's work can be taken over",
    ),
    Mutation(
        "work_on_what_is_finished",
        LEASE,
        "        _look_again(mirror, final, wait)\n",
        "",
        LEASES + "test_another_machine_is_kept_off",
        "an artifact that another machine has finished meanwhile is not made again",
    ),
    Mutation(
        "lost_answers_are_failures",
        "shared/objects/client.py",
        "            return self._own(key, payload)\n",
        "            return None\n",
        COMMIT + "test_a_commit_whose_answer_is_lost_is_one",
        "a put whose answer was lost is not taken for another machine's",
    ),
    Mutation(
        "whole_shards_for_one_image",
        "shared/format/index.py",
        "fetch_range(path, start, length)\n",
        '(fetch_range(path, 0, 1 << 40) or b"")[start : start + length]\n',
        COMMIT + "test_shards_stay_in_the_store_until_they_are_read",
        "a sample costs its own bytes",
    ),
    Mutation(
        "fetched_files_unchecked",
        "shared/format/files.py",
        "        payload, keep = fetched, path.suffix != NOT_KEPT\n",
        "        return fetched\n",
        COMMIT + "test_a_shard_that_was_altered_in_the_store_is_refused",
        "what is fetched is read against its hash",
    ),
    Mutation(
        "shards_kept_without_bound",
        "shared/format/files.py",
        "fetched, path.suffix != NOT_KEPT",
        "fetched, True",
        COMMIT + "test_shards_stay_in_the_store_until_they_are_read",
        "shards that are fetched take no room on the disk",
    ),
    Mutation(
        "mirrors_of_the_deleted",
        "shared/store/remote/pull.py",
        "if mirror.place(path) not in there:",
        "if False:",
        COMMIT + "test_what_is_gone_in_the_store_goes_here",
        "what is deleted in the store is deleted on every machine",
    ),
    Mutation(
        "trials_in_the_store",
        "shared/store/remote/mirror.py",
        'if any(part.startswith(".") for part in path.relative_to(folder).parts):',
        "if False:",
        COMMIT + "test_what_is_unfinished_is_this_machines_own",
        "volumes of unfinished work are this machine's own",
    ),
    Mutation(
        "parts_in_mirrors",
        "shared/cli/calls/volume.py",
        "if shard.count > 1:",
        "if False:",
        COMMANDS + "test_parts_and_processes_of_several_machines_are_refused",
        "machines that could never put their parts together are told so",
    ),
)
