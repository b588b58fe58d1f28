"""docs/faults.md: each fault has tests that inject it, and names them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PAGE = ROOT / "docs" / "faults.md"

MARKED = re.compile(r"((?:^@.*\n(?:^[ )\]}].*\n)*)+)^(?:async )?def (test_\w+)\(", re.MULTILINE)
"""A test with its decorators, which may go over several lines."""

NUMBER = re.compile(r"pytest\.mark\.fault\((\d+)\)")

WHOLE_FILE = re.compile(r"^pytestmark = (.*(?:\n .*)*)", re.MULTILINE)
"""Marks of every test in a file."""


def rows() -> dict[int, list[str]]:
    """Return the cells of each row of the page, by the fault's number."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d+ \|", line)]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {int(row[0]): row for row in cells}


def marked() -> set[tuple[int, str]]:
    """Return each fault's number with a test that is marked as injecting it."""
    found: set[tuple[int, str]] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        tests = [(decorators, test) for decorators, test in MARKED.findall(text)]
        tests += [
            (marks, test) for marks in WHOLE_FILE.findall(text) for test in re.findall(r"^def (test_\w+)", text, re.M)
        ]
        found |= {(int(number), test) for marks, test in tests for number in NUMBER.findall(marks)}
    return found


def test_the_page_and_the_marks_name_the_same_tests() -> None:
    """A row is whole and names tests that carry its number; each fault has a row and a test that injects it."""
    named = {(number, test) for number, row in rows().items() for test in re.findall(r"`(test_\w+)`", row[-1])}
    assert named - marked() == set()
    assert [number for number, row in rows().items() if len(row) != 6 or not all(row)] == []
    assert {number for number, _ in marked()} == rows().keys() == set(range(1, 30))


def test_marks_are_found_wherever_they_are_among_the_decorators() -> None:
    """Several marks and decorators of several lines belong to the test below them, and to no other."""
    source = '@pytest.mark.slow\n@pytest.mark.parametrize(\n    "a",\n    [1],\n)\n@pytest.mark.fault(7)\ndef test_one('
    ((decorators, test),) = MARKED.findall(f"def test_zero():\n    pass\n\n\n{source}a):\n    pass\n")
    assert (NUMBER.findall(decorators), test) == (["7"], "test_one")
