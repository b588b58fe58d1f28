"""How commands fail: an error becomes at most three lines of 200 characters and an exit code of `shared.errors`."""

import errno
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from shared.cli.click_options import write_grouped
from shared.cli.options import nearest
from shared.cli.terminal.hints import TYPED, with_hint
from shared.disk.durable import FULL, PASSING
from shared.errors import BadInput, HalfrealError, Interrupted
from shared.runtime.interrupts import take_interrupts
from shared.runtime.job_processes import follow_starter
from shared.runtime.observe import log
from shared.runtime.observe.identity import identify, named
from shared.visible import visible

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
"""What the system says of places that this user may not use."""

NO_FILES = (errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.EFBIG)
"""What it says of links to themselves, too long names, devices or folders in place of files, and too large files."""

EXTRAS = {"gradio": "playground", "optuna": "tune", "mlflow": "track", "wandb": "track"}
EXTRAS |= dict.fromkeys(("onnx", "onnxruntime", "onnxscript"), "export")
"""Libraries that not every installation has, each with the extra of the package that brings it."""

STOPPED = "stopped; run the same command again to go on"

LINES, WIDTH = 3, 200
"""The room of an error on a terminal, and in the log of a pod."""

LONGEST_WORD = 160
"""Characters of a path or a value that are shown."""

LIST = re.compile(r"(?:[^,;:\n]{1,80}, ){4,}")
"""Names joined by commas."""


class ErrorHandlingCommand(click.Command):
    """A command whose errors take at most three lines and end in the exit codes of `shared.errors`.

    `-h` is as good as `--help`, which has options under headings where there are some.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        ours = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        self.context_settings = ours | dict(self.context_settings)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of a call, without colours where NO_COLOR is set; click itself looks for a terminal."""
        colours = {"color": False} if os.environ.get("NO_COLOR") else {}
        return super().make_context(info_name, args, parent, **(colours | extra))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of a call and store them: what is said of a mistake needs them, and a job's `--help`."""
        ctx.meta[TYPED] = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # click's parser leaves it out where a value is missing
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under headings."""
        write_grouped(self.get_params(ctx), ctx, formatter)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command; in standalone mode every error becomes a message and an exit code."""
        run: Any = super().main
        if not extra.pop("standalone_mode", True):
            return run(*args, standalone_mode=False, **extra)
        words = args[0] if args else extra.get("args")
        # whoever only reads ends as after Ctrl-C; a job that has work to save takes both signals later
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        follow_starter()
        log.begin(sys.argv[1:] if words is None else list(words))
        identify(named(self.name))
        # click's own standalone mode would print usage errors in its format and end with 1 for most errors
        return exit_with(lambda: run(*args, standalone_mode=False, **extra))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a signal that nobody waits for is an interruption, for which click would print a line."""
        try:
            take_interrupts()
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted(STOPPED) from error


class ErrorHandlingGroup(ErrorHandlingCommand, click.Group):
    """A command that has commands of its own; of a name that is none it says what was probably meant."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called."""
        names, word = self.list_commands(ctx), args[0]
        if word not in names and not word.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"No such command {word!r}{self.instead_of(word) or nearest(word, names)}", ctx)
        return super().resolve_command(ctx, args)

    def instead_of(self, word: str) -> str:
        """Return what to type in place of a word that many will try, as the end of a sentence; else nothing."""
        return ""


def exit_with(run: Callable[[], Any]) -> NoReturn:
    """End the process with what `run` returns, if that is a number; an error becomes a message and an exit code."""
    try:
        code = run()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        _end(0)
    except click.ClickException as error:
        _fail_usage(error)
    except HalfrealError as error:
        _fail(str(error), error.exit_code)
    except (Exception, KeyboardInterrupt) as error:
        # click wraps two kinds in Abort; one of them, EOFError, is a fault like any other
        cause = error.__cause__ if isinstance(error, click.Abort) and error.__cause__ else error
        _fail_expected(cause)
        message = " ".join(f"{type(cause).__name__}: {cause}".split())[:300]
        if debugging() and not log.is_json():
            raise
        _fail(message if debugging() else f"{message}\nunexpected; --debug shows where it happened", 1, cause)
    _end(code if isinstance(code, int) else 0)


def _fail_usage(error: click.ClickException) -> NoReturn:
    """End as click would, but in one line of message, and with 2 where click says 1."""
    if isinstance(error, click.BadParameter) and (variable := _variable(error)):
        error.param_hint = variable
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "halfreal"
    _fail(f"{with_hint(error)}\nsee: {command} --help", error.exit_code if error.exit_code != 1 else 2)


def _variable(error: click.BadParameter) -> str | None:
    """Return the variable that the wrong value came from; None where it was typed."""
    param, context = error.param, error.ctx
    if param is None or context is None or not param.name or param.envvar is None:
        return None
    if context.get_parameter_source(param.name) is not ParameterSource.ENVIRONMENT:
        return None
    names = [param.envvar] if isinstance(param.envvar, str) else param.envvar
    return next((name for name in names if os.environ.get(name)), None)


def _fail_expected(cause: BaseException) -> None:
    """End for an interruption, for what the system refuses and for a missing extra; return for any other error."""
    if isinstance(cause, KeyboardInterrupt):
        _fail(STOPPED, Interrupted.exit_code)
    if known := explained(cause):
        if debugging() and not log.is_json():
            traceback.print_exception(cause)
        _fail(str(known), known.exit_code, cause)


def explained(error: BaseException) -> HalfrealError | None:
    """Return what to say of an error of the system or of Python in which a user can do something; None for others."""
    if isinstance(error, OSError):
        return from_os_error(error)
    if isinstance(error, ModuleNotFoundError) and (extra := EXTRAS.get(str(error.name))):
        return BadInput(f"{error.name} is not installed; install halfreal with it: pip install 'halfreal[{extra}]'")
    return None


def from_os_error(error: OSError) -> HalfrealError | None:
    """Return what to say where the system refuses a file or has no room for it; None for any other error.

    A missing file is an unexpected error: it may be the user's mistake or ours.
    """
    where = f"{error.filename}: " if error.filename is not None else ""
    if error.errno in FULL:
        return HalfrealError(f"{where}{error.strerror}; make room, then run the same command again")
    if error.errno in PASSING and where:
        return HalfrealError(f"{where}{error.strerror}; run the same command again, the disk may answer then")
    if error.errno in FORBIDDEN and where:
        return BadInput(f"{where}{error.strerror}; let this user use it, or choose another place")
    if error.errno in NO_FILES and where:
        return BadInput(f"{where}{error.strerror}; put a file or folder there that can be used, or name another")
    if error.errno == errno.ENOENT and not where:  # of the current folder, or one for temporary files
        return BadInput(f"{error.strerror}; change to a folder that is there, and let TMPDIR name one to write to")
    return None


def debugging() -> bool:
    """Whether an unexpected error should show its traceback."""
    return "--debug" in sys.argv or os.environ.get("HALFREAL_DEBUG", "") not in ("", "0")


def code_of(error: BaseException) -> int:
    """Return the exit code that a command ends with where it raises `error`."""
    error = explained(error) or error
    if isinstance(error, HalfrealError):
        return error.exit_code
    return Interrupted.exit_code if isinstance(error, KeyboardInterrupt) else 1


def _fail(message: str, code: int, cause: BaseException | None = None) -> NoReturn:
    """Say why the command ends and end it; with --debug a JSON log has the traceback of `cause`, all of it."""
    where = {"traceback": "".join(traceback.format_exception(cause))} if cause is not None and debugging() else {}
    level = "warning" if code == Interrupted.exit_code else "error"
    text = shortened(f"error: {message}")
    log.say(log.ERROR, shortened(message), level=level, text=text, code=code, **where)
    _end(code)


def shortened(message: str) -> str:
    """Return the first three lines of a message, each of at most 200 characters, whoever wrote it.

    A longer line goes on in the next one while there is room; else a list in it loses its later names, or the line its
    middle: it begins with where, and ends with what to do.
    """
    # one place for all messages: what a user's files hold, and how long their paths are, no sentence can foresee
    lines = [line for line in visible(message).splitlines() if line.strip()][:LINES]
    spare = LINES - len(lines)
    fitted: list[str] = []
    for line in lines:
        part = _fitted(line, 1 + spare)
        spare -= len(part) - 1
        fitted += part
    return "\n".join(fitted)


def _fitted(line: str, most: int) -> list[str]:
    """Return a line as at most `most` lines."""
    if len(line) <= WIDTH:
        return [line]
    line = re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda word: _cut(word[0], LONGEST_WORD), line)
    for room in range(WIDTH * most, 0, -WIDTH // 20):
        wrapped = _wrapped(_cut(_with_shorter_list(line, room), room))
        if len(wrapped) <= most:
            return wrapped
    return [_cut(line, WIDTH)]


def _with_shorter_list(line: str, room: int) -> str:
    """Return a line with fewer names in its longest list, so that it takes `room` characters, if that is enough."""
    longest = max(LIST.finditer(line), key=lambda found: len(found[0]), default=None)
    if len(line) <= room or longest is None:
        return line
    names = longest[0].removesuffix(", ").split(", ")
    for kept in range(len(names) - 1, 2, -1):
        shown = ", ".join([*names[:kept], f"... ({len(names) - kept:,} more), "])
        shorter = line[: longest.start()] + shown + line[longest.end() :]
        if len(shorter) <= room:
            break
    return shorter


def _cut(text: str, room: int) -> str:
    """Return a text of at most `room` characters, without its middle where it has more."""
    if len(text) <= room:
        return text
    head = room // 2
    return f"{text[: head - 3]}...{text[len(text) - (room - head) :]}"


def _wrapped(line: str) -> list[str]:
    """Return a line as lines of at most WIDTH characters, broken after a clause rather than between two words."""
    lines = []
    while len(line) > WIDTH:
        ends = ([found.end() - 1 for found in re.finditer(mark, line[: WIDTH + 1])] for mark in ("; ", "[:,] ", " "))
        end = next((max(places) for places in ends if places and max(places) > WIDTH // 3), WIDTH)
        lines.append(line[:end])
        line = line[end:].lstrip()
    return [*lines, line]


def _end(code: int) -> NoReturn:
    """End the process with `code`; one of several that train together leaves the process group first."""
    log.finish()
    if "torch" in sys.modules and os.environ.get("WORLD_SIZE", "1") != "1":
        from shared.runtime.process_group import leave

        if leave(code):
            # without the interpreter's cleanup: threads of torch that still run sometimes abort the process in it,
            # and a launcher would see SIGABRT instead of the code
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    sys.exit(code)
