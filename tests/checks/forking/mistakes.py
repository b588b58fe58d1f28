"""Planted mistakes: processes that are forked from the server which a run shares with its jobs."""

from tests.checks.mutation import Mutation

SERVER, FORKED = "shared/runtime/forking/server.py", "shared/runtime/forking/forked.py"
SHARING = "tests/shared/runtime/forking/test_sharing.py::"

FORKING = (
    Mutation(
        "every_job_imports_by_itself",
        "shared/runtime/job_processes.py",
        "{LIFELINE: _lifeline()} | passed_on()",
        "{LIFELINE: _lifeline()}",
        SHARING + "test_a_job_has_the_server_of_who_starts_it",
        "the jobs of a run share one import of torch",
    ),
    Mutation(
        "a_server_that_nobody_takes",
        "shared/runtime/job_processes.py",
        "    take_over()\n",
        "",
        SHARING + "test_processes_that_a_run_starts_share_the_imports_of_one",
        "a job uses the server that it was given",
    ),
    Mutation(
        "threads_of_another_job",
        SERVER,
        "request.bound != self.bound",
        "False",
        SHARING + "test_other_threads_are_another_server",
        "a job has the number of threads that it was told",
    ),
    Mutation(
        "a_lost_server_loses_the_run",
        FORKED,
        "with suppress(OSError, EOFError):  # a server may",
        "if True:  # a server may",
        SHARING + "test_a_server_that_was_killed_is_replaced",
        "a run goes on without its server",
    ),
    Mutation(
        "killed_counts_as_done",
        FORKED,
        "0 if self._ended_well else -signal.SIGKILL",
        "0",
        SHARING + "test_a_process_is_lost_where_nobody_knows_how_it_ended",
        "work whose end nobody saw is done again",
    ),
    Mutation(
        "words_go_to_the_server",
        SERVER,
        "enumerate(files, start=1)",
        "enumerate(files[:1], start=1)",
        SHARING + "test_what_a_process_says_goes_to_who_asked",
        "what a job says reaches the bars and logs of its run",
    ),
    Mutation(
        "a_signal_ends_the_server",
        SERVER,
        "SIGNALS = (signal.SIGINT, signal.SIGTERM)",
        "SIGNALS = (signal.SIGINT,)",
        SHARING + "test_signals_to_the_whole_group_leave_the_server",
        "how a job ended is known after a signal to the whole group",
    ),
    Mutation(
        "a_failed_job_is_complete",
        "shared/cli/calls/perform.py",
        "        sys.exit(code)  # that process has said why\n",
        "        return\n",
        "tests/jobs/commands/running/test_forked.py::test_a_job_ends_as_the_process_that_made_its_artifact",
        "a job that failed in a process of its own ends with that code",
    ),
    Mutation(
        "gpus_after_a_fork",
        "shared/cli/calls/perform.py",
        ", private=may_use_gpu(row, common.device))",
        ")",
        "tests/jobs/commands/running/test_forked.py::test_a_job_that_may_use_a_gpu_is_not_forked",
        "no job on a GPU is forked from what other jobs use",
    ),
    Mutation(
        "settings_of_the_server",
        SERVER,
        "        os.environ.clear()\n",
        "",
        SHARING + "test_a_process_has_the_environment_of_who_asks",
        "a job has the settings that it was given, and no others",
    ),
)
