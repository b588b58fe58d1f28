"""The typing mistakes that docs/terminal.md answers, and the hints that it has no row for."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import COMMANDS, FIRST
from jobs.__main__ import main as halfreal
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.options import nearest

PAGE = Path(__file__).resolve().parents[4] / "docs" / "terminal.md"

ROWS = re.findall(r"^\| <code>(.+?)</code> \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(autouse=True)
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder whose volume has the experiments `digits` and `mine`."""
    monkeypatch.chdir(tmp_path)
    for name in ("digits", "mine", ".hidden", "weights"):
        (tmp_path / "data" / name).mkdir(parents=True)
    return tmp_path / "data"


def answered(line: str) -> Result:
    """Return the result of a line that a user types."""
    return CliRunner().invoke(halfreal, shlex.split(line)[1:], prog_name="halfreal")


@pytest.mark.parametrize(("typed", "answer"), ROWS, ids=[typed for typed, _ in ROWS])
def test_a_typing_mistake_is_answered_as_the_page_says(typed: str, answer: str) -> None:
    """Exit code 2, at most three lines, and the answer first."""
    result = answered(typed)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) <= 3
    assert " ".join(result.stderr.split()).startswith(f"error: {answer}")


def test_the_page_has_the_twenty_most_likely_mistakes() -> None:
    """The rows above are void without a table."""
    assert len(dict(ROWS)) >= 20


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("halfreal train_gan --epochs", "requires an argument. see: halfreal train_gan --help"),
        ("halfreal train_gan --epochs 1,000", "'1,000'; want a whole number without a comma see:"),
        ("halfreal train_gan --epochs many", "'many'; want a whole number see:"),
        ("halfreal run train_gan", "(train_gan); did you mean halfreal train_gan? see:"),
        ("halfreal run --recipe Digits", "did you mean digits?"),
        ("halfreal run --nonsense", "No such option '--nonsense' see:"),
        ("halfreal preprocess --zigzag", "No such option '--zigzag' see:"),
        ("halfreal preprocess --experiment digits extra", "(extra) see:"),
        ("halfreal weights fetsch", "No such command 'fetsch'; did you mean fetch?"),
        ("halfreal sample --experiment mnie", "no such experiment; did you mean mine?"),
        ("halfreal unheard", "No such command 'unheard' see: halfreal --help"),
        ("halfreal run --set steps=9", "for instance train_classifier.steps=9 or train_mixed.steps=9"),
        ("halfreal run --set nonsense", "want job.option=value, for instance train_gan.epochs=10"),
        ("halfreal sample --classes 7", "No such option '--classes'; did you mean --class?"),
        ("halfreal judge photos fakes --heldout kept", "No such option '--heldout'; did you mean --held-out?"),
        ("halfreal sample --latent-scale 1,4", "'1,4'; want a number without a comma, such as 1.4"),
        ("halfreal export --to onx", "did you mean onnx?"),
    ],
)
def test_what_is_said_of_other_mistakes(typed: str, said: str) -> None:
    """A hint where something is like it, none where nothing is, and the help of the command that was called."""
    result = answered(typed)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_an_experiment_that_is_there_gets_no_hint(volume: Path) -> None:
    """One that has not run yet is told what to run, as ever, and so is one on a volume with no other."""
    for words in ("--experiment mine", f"--data-root {volume / 'elsewhere'}"):
        result = answered(f"halfreal results {words}")
        assert "no such experiment" not in result.stderr
        assert "run first: halfreal train_mixed" in result.stderr


@pytest.mark.parametrize(
    ("name", "names", "said"),
    [
        ("epoch", ["epochs", "width"], "; did you mean epochs?"),
        ("EPOCHS", ["epochs", "width"], "; did you mean epochs?"),
        ("data_root", ["--data-root", "--device"], "; did you mean --data-root?"),
        ("\u2013\u2013seed", ["--seed", "--set"], "; did you mean --seed?"),
        ("tra", ["train_gan", "train_mixed", "tune"], "; did you mean train_gan or train_mixed?"),
        ("cta", ["cat", "dog"], "; did you mean cat?"),
        ("nonsense", ["epochs", "width"], ""),
        ("", ["epochs"], ""),
        ("epoch", [], ""),
    ],
)
def test_the_nearest_name(name: str, names: list[str], said: str) -> None:
    """One that differs by little, in case and dashes by much; else those that it begins; else none."""
    assert nearest(name, names) == said


def test_a_prefix_makes_no_names_alike() -> None:
    """What all names have in common does not count."""
    assert nearest("HALFREAL_SED", ["HALFREAL_SEED", "HALFREAL_TUNE"], "HALFREAL_") == "; did you mean HALFREAL_SEED?"
    assert nearest("HALFREAL_X", ["HALFREAL_SEED", "HALFREAL_TUNE"], "HALFREAL_") == ""


def test_halfreal_alone_shows_what_most_people_need() -> None:
    """Five commands, how to see all of them, and exit code 0."""
    result = answered("halfreal")
    shown = re.findall(r"^  (\w+)  ", result.output, re.MULTILINE)
    assert result.exit_code == 0
    assert shown == [name for name, row in COMMANDS.items() if row.heading == FIRST]
    assert len(shown) == 5
    assert "halfreal --help" in result.output


def test_help_has_every_command_under_a_heading() -> None:
    """All commands, each once, with what it does."""
    shown = answered("halfreal --help").output
    assert sorted(re.findall(r"^  ([a-z_]+) ", shown, re.MULTILINE)) == sorted(COMMANDS)
    for heading in {row.heading for row in COMMANDS.values()}:
        assert f"\n{heading}:\n" in shown


def commands(command: click.Command, words: str) -> dict[str, click.Command]:
    """Return every command of halfreal, by the words that call it."""
    if not isinstance(command, click.Group):
        return {words: command}
    context = click.Context(command)
    names = command.list_commands(context)
    below = [commands(command.get_command(context, name) or command, f"{words} {name}") for name in names]
    return {words: command} | {call: each for found in below for call, each in found.items()}


@pytest.mark.parametrize(("words", "command"), commands(halfreal, "halfreal").items(), ids=lambda value: str(value))
def test_h_is_as_good_as_help(words: str, command: click.Command) -> None:
    """Everywhere; and each command answers mistakes in the same way."""
    assert isinstance(command, ErrorHandlingCommand)
    short, long = answered(f"{words} -h"), answered(f"{words} --help")
    assert (short.exit_code, short.output) == (0, long.output)
    assert short.output.startswith(f"Usage: {words}")


def test_options_are_under_headings() -> None:
    """Those of a command first, those that many have last, with --help as the very last."""
    shown = answered("halfreal sample --help").output
    headings = re.findall(r"^(\w[\w ]*):$", shown, re.MULTILINE)
    assert headings == ["Options", "Experiment"]
    assert shown.index("--count") < shown.index("Experiment:") < shown.index("--data-root") < shown.index("--help")
