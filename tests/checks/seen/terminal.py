"""Planted mistakes: what a person at a terminal is told, offered and shown."""

from tests.checks.mutation import Mutation

TYPING = "tests/shared/cli/terminal/test_typing_mistakes.py::"
COMPLETES = "tests/shared/cli/terminal/test_completion.py::"
SHOWS = "tests/jobs/commands/running/test_shown.py::"

TERMINAL = (
    Mutation(
        "case_counts_in_hints",
        "shared/cli/options.py",
        'return name.casefold().strip(f"-{LONG_DASHES}").replace("_", "-")',
        'return name.strip(f"-{LONG_DASHES}").replace("_", "-")',
        TYPING + "test_the_nearest_name",
        "a name is found in any case",
    ),
    Mutation(
        "the_volume_that_is_named_is_not_looked_at",
        "shared/cli/terminal/completion.py",
        'context.params.get("data_root") or Path("data")',
        'Path("data")',
        COMPLETES + "test_words_are_completed",
        "experiments are those of the volume that the call names",
    ),
    Mutation(
        "completion_is_installed_twice",
        "jobs/completion/command.py",
        "if place.line.encode() in before.splitlines():",
        "if not place.line:",
        COMPLETES + "test_a_line_is_added_once_and_said",
        "the same command again changes nothing of the user's",
    ),
    Mutation(
        "a_shell_that_completes_is_warned",
        "jobs/__main__.py",
        "if not ctx.resilient_parsing and not",
        "if not",
        COMPLETES + "test_nothing_is_said_or_imported_while_words_are_completed",
        "a shell that asks for words gets words alone",
    ),
    Mutation(
        "what_was_there_makes_a_run_look_quick",
        "jobs/commands/running/course.py",
        "share = self._to_do if self._made or self.at_work else 0.0",
        "share = 1.0",
        SHOWS + "test_what_was_done_before_makes_no_run_look_quick",
        "time is spent on what is made, not on what was there",
    ),
    Mutation(
        "the_last_words_of_a_job_are_lost",
        "jobs/commands/running/shown.py",
        "            self.bars.console.print(text, style=style, markup=False, soft_wrap=True)\n",
        "            pass\n",
        SHOWS + "test_a_terminal_shows_the_run_below_what_its_jobs_say",
        "what a job says of its failure is seen",
    ),
    Mutation(
        "a_log_without_a_reader_stops_the_work",
        "shared/runtime/observe/log.py",
        "with self._lock, suppress(BrokenPipeError):",
        "with self._lock:",
        SHOWS + "test_work_goes_on_where_nobody_reads_its_log",
        "a job whose starter was killed saves what it has",
    ),
    Mutation(
        "colours_in_spite_of_no_color",
        "shared/cli/exit_codes.py",
        'colours = {"color": False} if os.environ.get("NO_COLOR") else {}',
        "colours: dict[str, Any] = {}",
        "tests/shared/cli/test_exit_codes.py::test_no_color_is_obeyed",
        "NO_COLOR is obeyed",
    ),
)
