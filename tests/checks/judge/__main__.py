"""Judge synthetic emoji whose worth is known: `python -m tests.checks.judge --out FOLDER [--data-root FOLDER]`.

HALFREAL_TEST_DATA names the folder with `emoji`. Each set of `emoji.SETS` is judged with and without held-out images;
pages and numbers are written below `--out`. Prints what is expected and what was said, and exits with 1 where an answer
is wrong. `--only NAME,...` takes some of the sets; `--set JOB.OPTION=VALUE` is passed on.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.checks.judge.emoji import SETS, Made, Sizes, make_sets

ROOT = Path(__file__).resolve().parents[3]

NEVER_WITHOUT_HELD_OUT = "helped"

FIRST_LINE = "the generator may have seen the test images"


@dataclass(frozen=True)
class Answer:
    """What judge said of a set, with held-out images or without, and what was wrong with that."""

    made: Made
    held_out: bool
    results: Mapping[str, Any]
    seconds: float

    @property
    def outcome(self) -> str:
        """The headline's outcome."""
        return str(self.results["headline"]["outcome"])

    @property
    def copies(self) -> bool:
        """Whether copies were flagged."""
        return bool(self.results["copies"]["flagged"])

    @property
    def wanted(self) -> str:
        """The outcomes that are right, in words."""
        return " or ".join(self.outcomes)

    @property
    def outcomes(self) -> list[str]:
        """The outcomes that are right."""
        right = self.made.outcomes
        return list(right) if self.held_out else ["not held out" if name == "helped" else name for name in right]

    def wrong(self) -> list[str]:
        """Return what is wrong with the answer, a line each."""
        told = self.results["first_line"]
        lines = {
            f"outcome {self.outcome}, want {self.wanted}": self.outcome not in self.outcomes,
            f"copies flagged: {self.copies}": self.copies != self.made.copies,
            f"first line {told!r}": told != (None if self.held_out else FIRST_LINE),
            "called like for like": self.results["headline"]["like_for_like"] != self.held_out,
        }
        return [line for line, is_wrong in lines.items() if is_wrong]

    def row(self) -> list[str]:
        """Return the answer as a row of a table."""
        found = self.results["headline"]
        score = next(value["mean"] for name, value in self.results["scores"].items() if name.startswith("frechet"))
        points = f"{100 * found['difference']:+.1f} ({100 * found['low']:+.1f} to {100 * found['high']:+.1f})"
        said = [self.made.name, "with" if self.held_out else "without", self.wanted, self.outcome, points]
        flagged = "yes" if self.copies else "no"
        return [*said, flagged, f"{score:.2f}", f"{self.seconds:.0f} s", "; ".join(self.wrong()) or "right"]


HEADINGS = ("set", "held-out", "expected", "outcome", "points", "copies", "Fréchet", "time", "verdict")


def judge(made: Made, held_out: bool, arguments: argparse.Namespace) -> Answer:
    """Return what judge says of a set; its page and numbers are written."""
    name = f"{made.name}-{'held-out' if held_out else 'alone'}"
    numbers = arguments.out / f"{name}.json"
    sets = arguments.out / "sets"
    words = ["judge", "real", made.name, *(["--held-out", "held-out"] if held_out else [])]
    words += ["--data-root", arguments.data_root or arguments.out / "volume", "--experiment", name]
    words += ["--out", arguments.out / f"{name}.html", "--json", numbers]
    words += [word for pair in arguments.set for word in ("--set", pair)]
    started = time.monotonic()
    with (arguments.out / f"{name}.log").open("w", encoding="utf-8") as log:
        subprocess.run(
            [sys.executable, "-m", "jobs", *map(str, words)],
            cwd=sets,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=True,
        )
    return Answer(made, held_out, json.loads(numbers.read_text("utf-8")), time.monotonic() - started)


def wrong_order(answers: Sequence[Answer]) -> list[str]:
    """Return where a better set has not the smaller distance: other real ones, then a style, then noise."""
    scores = {
        answer.made.name: next(v["mean"] for n, v in answer.results["scores"].items() if n.startswith("frechet"))
        for answer in answers
        if answer.held_out
    }
    order = [name for name in ("other", "pencil", "noise") if name in scores]
    pairs = pairwise(order)
    return [f"the distance of {a} is not below that of {b}" for a, b in pairs if not scores[a] < scores[b]]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text with columns of equal width."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def main(words: Sequence[str] | None = None) -> int:
    """Make the sets, judge each, print the table; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.checks.judge", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--only", default=",".join(made.name for made in SETS))
    parser.add_argument("--set", action="append", default=[], metavar="JOB.OPTION=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(words)
    arguments.out = arguments.out.absolute()
    data = os.environ.get("HALFREAL_TEST_DATA")
    if data is None:
        print("HALFREAL_TEST_DATA is not set; want the folder with emoji", file=sys.stderr)
        return 2
    make_sets(Path(data) / "emoji", arguments.out / "sets", Sizes(), arguments.seed)
    chosen = [made for made in SETS if made.name in arguments.only.split(",")]
    answers = []
    for made in chosen:
        for held_out in (True, False):
            answers.append(judge(made, held_out, arguments))
            print(f"{made.name}: {made.about}; {'  '.join(answers[-1].row()[1:])}", file=sys.stderr, flush=True)
    wrong = [line for answer in answers for line in answer.wrong()] + wrong_order(answers)
    print(table([HEADINGS, *(answer.row() for answer in answers)]))
    for line in wrong_order(answers):
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
