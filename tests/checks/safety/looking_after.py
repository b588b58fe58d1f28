"""Mistakes in what is advised and removed on a volume, and in who ends how."""

from tests.checks.mutation import Mutation

REPAIRS = "jobs/verify/repairs.py"
CONTENTS = "jobs/status/contents.py"
LEFTOVERS = "shared/store/volume/leftovers.py"
REPAIRED = "tests/jobs/verify/test_repairs.py::"
SAID = "tests/jobs/status/test_status.py::"
LEFT = "tests/shared/store/volume/test_leftovers.py::"
CLEANED = "tests/jobs/clean/test_clean.py::"

LOOKING_AFTER: tuple[Mutation, ...] = (
    Mutation(
        "advice_forgets_the_options",
        REPAIRS,
        "            return [*with_recipe, *flags]\n",
        "            return with_recipe\n",
        REPAIRED + "test_the_line_repairs_what_is_broken",
        "what is made again has the options that it was made with",
    ),
    Mutation(
        "advice_forgets_the_volume",
        REPAIRS,
        "flag = place_flags(data_root if data_root.absolute() == volume else volume)",
        'flag = ""',
        REPAIRED + "test_the_line_holds_wherever_it_is_pasted",
        "a line of advice names the volume",
    ),
    Mutation(
        "advice_removes_nothing",
        REPAIRS,
        'again = f"halfreal clean {names}{flag} --yes && {again}"',
        "pass",
        REPAIRED + "test_the_line_repairs_what_is_broken",
        "what is broken is made again, and not found complete by its sizes",
    ),
    Mutation(
        "what_was_made_from_it_is_forgotten",
        REPAIRS,
        "                pending.append(other)\n",
        "",
        REPAIRED + "test_what_was_made_from_an_edited_manifest_comes_after_it",
        "what was made from what was made from an edited manifest is made again, too",
    ),
    Mutation(
        "stale_work_is_the_present_one",
        CONTENTS,
        "if not stale and present and work.folder not in present:",
        "if False:",
        SAID + "test_work_on_two_requests_is_shown_apart",
        "work of an earlier request is not mistaken for that which somebody is at",
    ),
    Mutation(
        "work_from_another_input_is_gone_on_with",
        CONTENTS,
        "digest not in (opened[name].identity, opened[name].sha256)",
        "not digest",
        SAID + "test_work_from_another_input_is_stale",
        "work from inputs that are not there any more is called stale",
    ),
    Mutation(
        "locks_are_no_leftovers",
        LEFTOVERS,
        "if named := _LOCK.fullmatch(each):",
        "if (named := _LOCK.fullmatch(each)) and False:",
        CLEANED + "test_empty_locks_are_listed_and_go",
        "locks that nobody holds are listed and removed",
    ),
    Mutation(
        "a_lock_that_may_be_held_goes",
        LEFTOVERS,
        "replace(lock, held=held.alive is not False)",
        "replace(lock, held=bool(held.alive))",
        LEFT + "test_a_lock_that_may_be_held_stays",
        "a lock of another machine stays until it was silent long enough",
    ),
    Mutation(
        "a_lock_is_removed_by_its_name",
        LEFTOVERS,
        "            sweep([leftover.path])\n",
        "            remove_file(leftover.path)\n",
        LEFT + "test_a_lock_that_is_taken_meanwhile_stays",
        "a lock that somebody has taken since it was listed stays",
    ),
    Mutation(
        "clean_does_not_listen",
        "jobs/clean/command.py",
        "        listen(doubtful)\n",
        "",
        CLEANED + "test_work_of_a_machine_that_is_gone_goes[False]",
        "what a lost machine has left can be cleaned away",
    ),
    Mutation(
        "a_link_in_place_of_a_folder_is_followed",
        "shared/disk/durable.py",
        "() if folder.is_symlink() else os.walk(",
        "os.walk(",
        LEFT + "test_what_a_link_leads_to_stays",
        "nothing outside of a volume is removed through a link in it",
    ),
    Mutation(
        "plans_before_the_lock",
        "shared/cli/calls/perform.py",
        "    if before is not None:\n",
        "    if True:\n        _say(reporter, lines)\n    if before is not None:\n",
        "tests/shared/cli/test_busy.py::test_what_would_be_done_is_said_with_the_lock",
        "a job that ends with 75 says nothing of what it would do",
    ),
    Mutation(
        "replicates_are_estimated_one_by_one",
        "shared/cli/calls/perform.py",
        "among=len(todo)",
        "among=1",
        "tests/shared/cli/test_busy.py::test_a_run_knows_how_many_replicates_its_call_makes",
        "what all replicates of a call take of the disk is said",
    ),
    Mutation(
        "sigterm_is_not_heard_by_what_only_reads",
        "shared/cli/exit_codes.py",
        "signal.signal(signal.SIGTERM, signal.default_int_handler)",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",  # without any it would end pytest as well
        "tests/shared/cli/test_exit_codes.py::test_a_signal_ends_a_command_that_has_nothing_to_save",
        "a command that only reads ends with 75 at SIGTERM",
    ),
    Mutation(
        "an_address_is_a_path",
        "shared/cli/click_options.py",
        "if isinstance(value, str) and is_address(value):",
        "if False:",
        "tests/shared/cli/test_addresses.py::test_an_address_is_refused_as_it_was_typed",
        "no folder called s3: is made or looked for",
    ),
    Mutation(
        "refused_work_counts_its_time",
        "shared/cli/run.py",
        "        except BadInput:\n            raise\n",
        "",
        "tests/jobs/train_gan/test_checkpoints.py::test_without_any_whole_checkpoint_nothing_is_overwritten",
        "with both checkpoints damaged nothing is touched",
    ),
)
"""Mistakes in the advice of `verify`, in `status`, `clean`, locks, signals and addresses."""
