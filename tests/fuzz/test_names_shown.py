"""Names of the user's act nowhere: not as mathematics in a figure, not as escapes on a terminal, not as Markdown."""

import io
from html import unescape

import click
import pytest
from click.testing import CliRunner
from rich.table import Table
from rich.text import Text

from jobs.export.card import plain
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.progress import Reporter, open_console
from shared.errors import BadInput
from shared.plots import figures
from shared.stats.class_choice import by_size
from shared.visible import visible

MATHEMATICS = ("$x^{2}$", r"$\frac{$", "5$ and 6$", r"\$a")

ESCAPES = "a\x1b[2J\x07\r\x9b1mb\u202ec"
"""Clears the screen, rings, overwrites the line, makes bold, reverses what follows."""

SPELLED = r"a\x1b[2J\x07\r\x9b1mb\u202ec"


@pytest.mark.fault(23)
def test_a_dollar_in_a_name_is_a_letter() -> None:
    """Names of classes with two dollars, with broken TeX, with a backslash: drawn as they are."""
    drawn = figures.class_balance({"train": [3, 2, 2, 1]}, MATHEMATICS, by_size([3, 2, 2, 1]))
    drawn.axes[0].legend(["$a_b$"])
    drawn.axes[0].set_title(r"$\nothing{$")
    shown = unescape(figures.to_svg(drawn))
    for name in (*MATHEMATICS, "$a_b$", r"$\nothing{$"):
        assert f">{name}</" in shown


@pytest.mark.fault(24)
def test_what_acts_on_a_terminal_is_spelled_out() -> None:
    """Control characters, those of eight bits too, and what turns text around; letters of all scripts stay."""
    assert visible(ESCAPES) == SPELLED
    plain_ones = "Käfer 猫 \U0001f431\u200d\U0001f4bb\tzwei\nZeilen עברית"
    assert visible(plain_ones) == plain_ones


@pytest.mark.fault(24)
def test_names_do_not_act_in_logs_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """A line of a job and an error show them spelled out."""
    Reporter("preprocess").info(f"classes {ESCAPES}")
    assert capsys.readouterr().err == f"preprocess: classes {SPELLED}\n"

    @click.command(cls=ErrorHandlingCommand)
    def failing() -> None:
        raise BadInput(f"{ESCAPES}: one\nand what to do")

    result = CliRunner().invoke(failing, [])
    assert result.exit_code == 2
    assert result.stderr == f"error: {SPELLED}: one\nand what to do\n"


@pytest.mark.fault(24)
def test_names_do_not_act_in_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines, coloured texts and tables are spelled out, the console's own colours are not."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = open_console()
    console.file = io.StringIO()
    table = Table(box=None)
    table.add_column("class", no_wrap=True)
    table.add_row(Text(ESCAPES))
    console.print(table)
    console.print(Text(ESCAPES, style="bold"))
    console.print(ESCAPES, markup=False)
    shown = console.file.getvalue()
    assert shown.count(r"\x1b[2J") == 3
    assert not {"\x07", "\x9b", "\u202e"} & set(shown)
    assert "\x1b[1m" in shown
    assert "\x1b[2J" not in shown


@pytest.mark.fault(24)
def test_names_do_not_act_in_a_card() -> None:
    """Markdown has them as letters: no HTML, no link, no table, no heading, no escape."""
    assert plain("<script>x</script> [a](http://b) | `c` # ") == (r"\<script\>x\</script\> \[a\](http://b) \| \`c\` \#")
    assert plain(ESCAPES.replace("\r", "")) == r"a\\x1b\[2J\\x07\\x9b1mb\\u202ec"
