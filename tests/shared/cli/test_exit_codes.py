"""How a job fails: exit codes are an interface, a message has at most three lines and says what to do."""

import errno
import json
import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.run import Run
from shared.errors import BadInput, Busy, FormatError, HalfrealError, Interrupted

BAD_OPTIONS = {
    "unknown option": (["--stepz", "2"], "No such option", "--help"),
    "wrong type": (["--steps", "many"], "'many'; want a whole number", "--help"),
    "missing value": (["--steps"], "requires an argument", "--help"),
    "stray word": (["surplus"], "unexpected extra argument", "--help"),
    "below the range": (["--seed", "-1"], "-1 is not in the range", "--help"),
    "refused by the config": (["--steps", "0"], "steps=0", "want at least 1"),
    "unknown recipe": (["--recipe", "nope"], "recipe 'nope': not found", "take one of digits"),
    "no such recipe file": (["--recipe", "gone.toml"], "recipe 'gone.toml': not found", "take one of digits"),
    "experiment outside": (["--experiment", "../up"], "experiment '../up'", "want letters"),
    "hidden experiment": (["--experiment", ".git"], "experiment '.git'", "want letters"),
    "missing input": (["--experiment", "none"], "none/real: does not exist", "run first: halfreal preprocess"),
}


def _assert_polite(laboratory: Any, outcome: Any, code: int, *phrases: str) -> None:
    """Check that the run ended with `code`, said `phrases` in at most three lines and made nothing."""
    assert outcome.exit_code == code
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("error: ")
    assert len(outcome.stderr.splitlines()) <= 3
    assert "Traceback" not in outcome.stderr
    for phrase in phrases:
        # a long path of a test's folder moves where a line breaks
        assert phrase in " ".join(outcome.stderr.split())
    assert not (laboratory.final / "manifest.json").exists()


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_a_bad_option_ends_with_2_and_says_what_to_do(laboratory: Any, case: str) -> None:
    """Retrying cannot help: exit code 2, the value, what was expected, and the body is not called."""
    words, *phrases = BAD_OPTIONS[case]
    _assert_polite(laboratory, laboratory.call(*words), 2, *phrases)
    assert laboratory.runs == []


def test_a_wrong_environment_variable_ends_with_2(laboratory: Any) -> None:
    """The variable and its wrong value are in the message, also when a container set it."""
    outcome = laboratory.call(HALFREAL_TINY_STEPS="many")
    _assert_polite(laboratory, outcome, 2, "HALFREAL_TINY_STEPS: 'many'; want a whole number", "--help")


BAD_RECIPES = {
    "unknown option": ("[tiny]\nstepz = 2", "[tiny] has no option 'stepz'", "it has seed, steps, threads, word"),
    "unknown job": ("[tinny]\nsteps = 2", "'tinny' is no table of a job", "the jobs are tiny"),
    "option outside a table": ("steps = 2", "'steps' is no table of a job", "the jobs are tiny"),
    "wrong type": ("[tiny]\nsteps = 'many'", "'many'; want a whole number", "--help"),
    "wrong seed": ("seed = 'luck'", "`seed`, `threads`, `replicates` a whole number"),
    "wrong about": ("about = 3", "want `about`"),
    "not TOML": ("[tiny\nsteps = 2", "cannot be read as TOML"),
}


@pytest.mark.parametrize("case", BAD_RECIPES)
def test_a_bad_recipe_ends_with_2_and_says_what_to_do(laboratory: Any, case: str) -> None:
    """A recipe is checked as a whole before anything runs, so a misspelt option cannot be ignored."""
    text, *phrases = BAD_RECIPES[case]
    laboratory.recipe(text)
    _assert_polite(laboratory, laboratory.call(), 2, *phrases)
    assert laboratory.runs == []


@pytest.mark.parametrize("value", ["1.5", "true"])
def test_a_recipe_value_of_another_type_ends_with_2(laboratory: Any, value: str) -> None:
    """A fraction or a boolean is no count, as on the command line."""
    laboratory.recipe(f"[tiny]\nsteps = {value}")
    _assert_polite(laboratory, laboratory.call(), 2, "steps")


def _half_written(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _cut_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes()[:-20])


def _later_version(folder: Path) -> None:
    fields = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(fields | {"version": 3}))


def _cut_shard(folder: Path) -> None:
    shard = folder / "train-00000.tar"
    shard.write_bytes(shard.read_bytes()[:3072])


BAD_INPUTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "half written": (_half_written, "is unfinished: it has no manifest.json", "run first: halfreal preprocess"),
    "manifest cut off": (_cut_manifest, "manifest.json: is not JSON", "make it again: halfreal"),
    "later version": (_later_version, "format version 3, this build reads 1 and 2", "make it again: halfreal"),
    "shard cut off": (_cut_shard, "train-00000.tar: 3072 bytes", "halfreal preprocess --force"),
    "removed": (shutil.rmtree, "real: does not exist", "run first: halfreal preprocess"),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_a_bad_input_ends_with_2_and_names_the_job_to_run(laboratory: Any, case: str) -> None:
    """An absent, unfinished, damaged or too new input is never read; the message has path and next step."""
    damage, *phrases = BAD_INPUTS[case]
    damage(laboratory.volume / "digits" / "real")
    _assert_polite(laboratory, laboratory.call(), 2, *phrases)
    assert laboratory.runs == []


def test_a_file_where_the_volume_should_be_ends_with_2(laboratory: Any, tmp_path: Path) -> None:
    """The data root is a folder."""
    (tmp_path / "file").touch()
    outcome = laboratory.call("--data-root", str(tmp_path / "file"))
    _assert_polite(laboratory, outcome, 2, "is a file", "--help")


@pytest.mark.parametrize("words", [[], ["--force"]])
def test_a_folder_of_the_user_in_the_way_is_never_touched(laboratory: Any, words: list[str]) -> None:
    """A folder without a manifest where the artifact belongs stops the job, even with --force."""
    laboratory.final.mkdir()
    (laboratory.final / "thesis.txt").write_text("mine")
    outcome = laboratory.call(*words)
    assert (laboratory.final / "thesis.txt").read_text() == "mine"
    _assert_polite(laboratory, outcome, 2, "in the way and not an artifact", "move it away")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput("what came"), 2),
        (FormatError("what came"), 2),
        (Busy("what came"), 75),
        (Interrupted("what came"), 75),
        (HalfrealError("what came"), 1),
        (RuntimeError("what came"), 1),
        (MemoryError("what came"), 1),
        (OSError(28, "what came"), 1),
        (OSError(28, "what came", "a.tar"), 1),
        (PermissionError(13, "what came"), 1),
        (PermissionError(13, "what came", "a.tar"), 2),
        (PermissionError(1, "what came", "a.tar"), 2),
        (OSError(30, "what came", "a.tar"), 2),
        (FileNotFoundError(2, "what came", "a.tar"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_exit_code_says_whether_to_try_again(laboratory: Any, error: Exception, code: int) -> None:
    """2 is never retried, 75 is unfinished, everything else is an error that a retry may cure."""
    laboratory.body = _raiser(error)
    _assert_polite(laboratory, laboratory.call(), code, "what came")


def test_a_forbidden_place_is_named(laboratory: Any) -> None:
    """A permission error is reported with its path and what to do, in one line."""
    laboratory.body = _raiser(PermissionError(13, "Permission denied", "/data/a.tar"))
    said = "error: /data/a.tar: Permission denied; let this user use it, or choose another place\n"
    assert laboratory.call().stderr == said


@pytest.mark.parametrize("filename", [None, "/data/a.tar"])
def test_a_full_disk_says_what_to_do(laboratory: Any, filename: str | None) -> None:
    """A retry helps once there is space; an error on an open file has no path."""
    laboratory.body = _raiser(OSError(28, "No space left on device", filename))
    outcome = laboratory.call()
    where = f"{filename}: " if filename else ""
    assert outcome.stderr == f"error: {where}No space left on device; make room, then run the same command again\n"


@pytest.mark.fault(1)
@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOLCK])
def test_a_disk_that_may_answer_the_next_time_is_tried_again(laboratory: Any, number: int) -> None:
    """Network file systems say so for a moment: exit code 1, which is retried, and nothing unexpected."""
    laboratory.body = _raiser(OSError(number, os.strerror(number), "/data/a.tar"))
    outcome = laboratory.call()
    said = f"error: /data/a.tar: {os.strerror(number)}; run the same command again, the disk may answer then\n"
    assert (outcome.exit_code, outcome.stderr) == (1, said)


def test_debug_shows_where_the_system_refused(laboratory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback precedes the message, since it may be a bug; the exit code stays."""
    monkeypatch.setenv("HALFREAL_DEBUG", "1")
    laboratory.body = _raiser(PermissionError(13, "Permission denied", "/data/a.tar"))
    outcome = laboratory.call()
    assert outcome.exit_code == 2
    assert "Traceback" in outcome.stderr
    assert "in body" in outcome.stderr
    assert "error: /data/a.tar: Permission denied" in outcome.stderr.splitlines()[-1]


def test_a_message_never_takes_more_than_three_lines(laboratory: Any) -> None:
    """Lines of a job's message beyond the third are not shown."""
    laboratory.body = _raiser(BadInput("one\ntwo\nthree\nfour"))
    assert laboratory.call().stderr == "error: one\ntwo\nthree\n"


LONG = {
    "one long line": "x.csv: " + "this sentence goes on, and has clauses; " * 40 + "remove the file",
    "many names": f"x.csv: no column 'a'; it has {', '.join(f'column{n}' for n in range(3000))}; give --label",
    "three long lines": "\n".join(
        f"{word} " + "words that say little " * 30 + "end" for word in ("one", "two", "three")
    ),
    "a long path": f"/{'folder/' * 300}x.csv: does not exist",
    "no spaces": "x" * 5000,
    "many lines": "\n".join(["line"] * 500),
    "a long path and names": f"/{'folder/' * 30}: {', '.join(map(str, range(1000)))}",
}


@pytest.mark.parametrize("case", LONG)
def test_a_message_never_takes_more_than_three_lines_of_200_characters(laboratory: Any, case: str) -> None:
    """In one place for every command, no matter what a file holds: the beginning and the end stay."""
    laboratory.body = _raiser(BadInput(LONG[case]))
    said = laboratory.call().stderr
    lines = said.splitlines()
    assert 1 <= len(lines) <= 3
    assert max(map(len, lines)) <= 200
    assert said.startswith(f"error: {LONG[case][:5]}")
    if case != "many lines":
        assert said.rstrip()[-4:] == LONG[case][-4:]


def test_a_long_list_says_how_many_names_are_left_out(laboratory: Any) -> None:
    """The first names show what kind they are, and what to do stays."""
    laboratory.body = _raiser(BadInput(LONG["many names"]))
    said = laboratory.call().stderr
    assert "it has column0, column1," in said
    shown = max(int(name) for name in re.findall(r"column(\d+)", said) if name != "2999")
    assert f"... ({2999 - shown - 1:,} more), column2999; give --label" in said


def test_a_long_line_breaks_after_a_clause(laboratory: Any) -> None:
    """A message of one long line goes on in the next, and loses nothing where three lines are enough."""
    message = "where: " + "a" * 120 + "; what was wanted, in some words: " + "b" * 60 + "; what to do"
    laboratory.body = _raiser(BadInput(message))
    first, second = laboratory.call().stderr.splitlines()
    assert f"{first} {second}" == f"error: {message}"
    assert first.endswith("a;")


def _raiser(error: BaseException) -> Callable[[Run, Any], None]:
    def body(run: Run, config: Any) -> None:
        raise error

    return body


def test_an_unexpected_error_says_how_to_see_more(laboratory: Any) -> None:
    """Without --debug an unexpected error is one line and a hint."""
    laboratory.body = _raiser(ZeroDivisionError("by nothing"))
    outcome = laboratory.call()
    assert outcome.stderr == "error: ZeroDivisionError: by nothing\nunexpected; --debug shows where it happened\n"


def test_a_long_unexpected_error_keeps_its_hint(laboratory: Any) -> None:
    """Torch's long errors are truncated, the hint stays."""
    laboratory.body = _raiser(RuntimeError("one\ntwo\nthree\nfour"))
    _assert_polite(laboratory, laboratory.call(), 1, "RuntimeError: one", "--debug")


def test_a_file_that_ends_too_early_is_not_an_interruption(laboratory: Any) -> None:
    """EOFError in a body (a truncated archive) is an unexpected error: 1, not 75."""
    laboratory.body = _raiser(EOFError("archive ends"))
    outcome = laboratory.call()
    assert outcome.exit_code == 1
    assert "EOFError: archive ends" in outcome.stderr


def test_the_second_signal_stops_at_once(laboratory: Any) -> None:
    """KeyboardInterrupt, which the second Ctrl-C raises, ends with 75 as well."""
    laboratory.body = _raiser(KeyboardInterrupt())
    outcome = laboratory.call()
    assert outcome.exit_code == 75
    assert outcome.stderr.strip() == "error: stopped; run the same command again to go on"


FAILING = """
import sys
from shared.store.job import Job
from shared.cli.job import job
from shared.cli.options import JobOptions
def body(run, config):
    raise ZeroDivisionError("by nothing")
main = job(Job("tiny", "toy", "model", ""), JobOptions)(body)
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("words", "environment", "shown"),
    [
        ([], {}, False),
        (["--debug"], {}, True),
        ([], {"HALFREAL_DEBUG": "1"}, True),
        ([], {"HALFREAL_DEBUG": "0"}, False),
    ],
)
def test_debug_shows_the_traceback(
    python: Callable[..., Any], tmp_path: Path, words: list[str], environment: dict[str, str], shown: bool
) -> None:
    """With --debug or HALFREAL_DEBUG=1 the traceback is shown; the exit code is 1 in any case."""
    done = python(FAILING, "--data-root", tmp_path, *words, **environment)
    assert done.returncode == 1
    assert ("Traceback" in done.stderr) is shown
    assert "ZeroDivisionError: by nothing" in done.stderr


def test_force_never_touches_the_staging_folder_of_a_running_process(laboratory: Any) -> None:
    """During a run the same command with --force is Busy (75), and the first run's work stays."""

    def body(run: Run, config: Any) -> None:
        (run.folder / "half").touch()
        laboratory.body = lambda run, config: None
        assert laboratory.call("--force", resumes=True).exit_code == 75
        assert (run.folder / "half").exists()

    laboratory.body = body
    outcome = laboratory.call(resumes=True)
    assert outcome.exit_code == 0
    assert (laboratory.final / "half").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", ["clean", "status", "verify"])
def test_a_signal_ends_a_command_that_has_nothing_to_save(
    name: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 75 and one line, as a job ends; whoever started it knows that it did not fail."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have told pytest to ignore
    monkeypatch.setattr(f"jobs.{name}.command.bring_all", lambda volume: os.kill(os.getpid(), number))
    ended = CliRunner().invoke(halfreal, [name, "--data-root", str(tmp_path)])
    assert (ended.exit_code, ended.stdout) == (75, "")
    assert ended.stderr == "error: stopped; run the same command again to go on\n"


@pytest.mark.parametrize(("value", "coloured"), [("", True), ("1", False)])
def test_no_color_is_obeyed(value: str, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where NO_COLOR is set nothing is coloured, on a terminal either (https://no-color.org)."""
    monkeypatch.setenv("NO_COLOR", value)

    @click.command(cls=ErrorHandlingCommand)
    def speak() -> None:
        click.secho("said", fg="yellow")

    assert CliRunner().invoke(speak, color=True).output == ("\x1b[33msaid\x1b[0m\n" if coloured else "said\n")
