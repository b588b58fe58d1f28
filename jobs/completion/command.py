"""The command `completion`: the script by which a shell completes the words of halfreal, printed or installed."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from shared.cli.exit_codes import ErrorHandlingCommand
from shared.disk.durable import make_folder, open_to_write, write_whole
from shared.visible import visible

PROGRAM, VARIABLE = "halfreal", "_HALFREAL_COMPLETE"
"""The command whose words are completed, and the variable by which its script asks click for them."""

MARK = "# completion of halfreal"
"""What ends the line in a file of the user's."""


@dataclass(frozen=True)
class Place:
    """Where the script of a shell belongs, and the file with the line that reads it; None where the shell finds it."""

    script: Path
    startup: Path | None = None
    line: str = ""


def place_of(shell: str) -> Place:
    """Return where the script of `shell` belongs for this user."""
    home = Path.home()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    if shell == "fish":
        return Place(config / "fish" / "completions" / f"{PROGRAM}.fish")
    script = data / PROGRAM / f"completion.{shell}"
    name = shlex.quote(str(script))
    if shell == "bash":
        return Place(script, home / ".bashrc", f"[ -r {name} ] && . {name}  {MARK}")
    started = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }"
    startup = Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
    return Place(script, startup, f"[ -r {name} ] && {{ {started}; . {name}; }}  {MARK}")


@click.command("completion", cls=ErrorHandlingCommand)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.option(
    "--install",
    is_flag=True,
    help="Write the script below your home, and for bash and zsh add a line to .bashrc or .zshrc that reads it; "
    "what is written is named.",
)
@click.pass_context
def main(context: click.Context, shell: str, install: bool) -> None:
    """Print the script by which SHELL completes commands, options, recipes and experiments; or install it."""
    made = get_completion_class(shell)
    assert made is not None
    script = made(context.find_root().command, {}, PROGRAM, VARIABLE).source()
    if not install:
        click.echo(script, nl=False)
        return
    for line in installed(place_of(shell), script):
        click.echo(visible(line))


def installed(place: Place, script: str) -> Iterator[str]:
    """Write the script where it belongs, and the line that reads it unless it is there; yield what was done."""
    make_folder(place.script.parent, parents=True)
    write_whole(place.script, script.encode())
    yield f"written: {place.script}"
    if place.startup is not None:
        before = place.startup.read_bytes() if place.startup.exists() else b""
        if place.line.encode() in before.splitlines():
            yield f"{place.startup} reads it already"
        else:
            # appended, so that a link stays one, and what is in the file stays
            with open_to_write(place.startup, append=True) as stream:
                stream.write((b"\n" if before and not before.endswith(b"\n") else b"") + f"{place.line}\n".encode())
            yield f"added to {place.startup}: {place.line}"
    yield f"open a new shell, then try: {PROGRAM} run --recipe <Tab>"
