"""Is anything lost where a job dies? `python -m tests.checks.crash_points`.

Each job of a small experiment is run undisturbed, which counts its durable steps (see `shared.disk.steps`). Then it is
ended by SIGKILL before each of them, and run again: every file of the volume must be as in the undisturbed run, and
nothing else be there. With `--with ENOSPC` or `EIO` that error is raised instead. A stopped check goes on where it
was: `--out` has a line for each point.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.checks.crash_points.points import Bench, Counted, Point, benches, numbers, row, to_line
from tests.checks.crash_points.stages import STAGES, Stage

HEADER = "| what is ended | steps | ended at | equal afterwards | kinds of steps |\n|---|---|---|---|---|"


def main() -> int:
    """Run the check; exit code 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.checks.crash_points", description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", help="stages whose names begin so, separated by commas; all by default")
    parser.add_argument("--every", type=int, default=1, help="only each n-th step of a stage")
    parser.add_argument("--with", dest="fail_with", choices=("kill", "ENOSPC", "EIO"), default="kill")
    parser.add_argument("--out", type=Path, help="file of the points that are done; the same one goes on")
    asked = parser.parse_args()
    begins = tuple(asked.jobs.split(",")) if asked.jobs else ("",)
    stages = [stage for stage in STAGES if stage.name.startswith(begins)]
    in_store = any(stage.in_store for stage in stages)
    with tempfile.TemporaryDirectory(prefix="halfreal-crash-") as scratch, benches(Path(scratch), in_store) as bench:
        bench.import_everything()
        done = {stage.name: _stage(bench, stage, asked.every, asked.fail_with, asked.out) for stage in stages}
    print(HEADER)
    for name, (counted, points) in done.items():
        print("| " + " | ".join(map(str, (name, *row(counted, points)))) + " |")
    every = [point for _, points in done.values() for point in points]
    wrong = [point for point in every if point.wrong]
    print(f"{len(every)} points, {len(every) - len(wrong)} equal afterwards")
    return 1 if wrong or not every else 0


def _stage(bench: Bench, stage: Stage, every: int, fail_with: str, out: Path | None) -> tuple[Counted, list[Point]]:
    """Disturb one stage at each step that has not been done, and say what is wrong."""
    counted, began = bench.count(stage), time.monotonic()
    points = [point for point in _known(out) if (point.stage, point.fail_with) == (stage.name, fail_with)]
    known = {point.number for point in points}
    for number in numbers(len(counted.kinds), every):
        if number in known:
            continue
        point = bench.disturb(stage, counted, number, fail_with)
        points.append(point)
        if out is not None:
            with out.open("a", encoding="utf-8") as lines:
                lines.write(to_line(point))
        for line in point.wrong[:8]:
            print(f"{stage.name}, step {number} ({point.kind}): {line}", flush=True)
    took = f"{len(counted.kinds)} steps, {len(points)} points, {time.monotonic() - began:.0f} s"
    print(f"{stage.name}: {took}", file=sys.stderr, flush=True)
    return counted, points


def _known(out: Path | None) -> Sequence[Point]:
    if out is None or not out.exists():
        return []
    return [Point(**json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main())
