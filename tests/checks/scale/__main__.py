"""Measure what is promised of large sets: `python -m tests.checks.scale [ROW ...]`.

Prints each row's value next to what is promised, and exits with 1 where one falls short or cannot be measured. All rows
take about half an hour on 2 free cores; `memory`, `pairs` and `together` take most of it.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.checks.scale import memory, opening, pairs, reading, source, together
from tests.checks.scale.row import Row

ROWS = {
    "classes": Row(
        "classes in the first 60 batches of a class-ordered set, streamed", reading.mixed_classes, "of 10", least=9.9
    ),
    "ranks": Row("share of a split that each of 4 ranks reads in an epoch", reading.read_by_rank, most=0.27),
    "resume": Row("share that is read before the first batch at 98 % of an epoch", reading.read_on_resume, most=0.05),
    "second": Row("pictures that the second reader of a split decodes", reading.decoded_again, most=0),
    "together": Row("memory of 2 ranks over that of one", together.memory_together, "x", most=1.15),
    "opening": Row(
        "largest share of 10 MB, 1 s and 200 MB that opening 100,000 shards of 1,000 classes takes",
        opening.opening,
        most=1,
    ),
    "parts": Row("reads of the source by 4 parts over those of one process", source.reads_of_parts, "x", most=1.05),
    "pairs": Row(
        "peak of PRDC, and of copies by features and pixels, of 100,000 against 100,000 images",
        pairs.largest_peak,
        "GB",
        most=pairs.MOST_GB,
    ),
    "memory": Row("peak of a job at 160,000 images over that at 20,000", memory.growth, "x", most=1.3),
}


def main(names: list[str]) -> int:
    """Measure the rows of these names, or all; return the exit code."""
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        print(f"no row {unknown[0]!r}; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    kept = True
    for name in names or ROWS:
        row, folder, started = ROWS[name], Path(tempfile.mkdtemp(prefix="scale-")), time.monotonic()
        try:
            value = row.measure(folder)
        except RuntimeError as error:
            kept = False
            print(f"{name}: {row.about}: cannot be measured: {error}", flush=True)
            continue
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        kept &= row.holds(value)
        said = "kept" if row.holds(value) else "FALLS SHORT"
        taken = time.monotonic() - started
        print(f"{name}: {row.about}: {value:.3f} {row.unit}, {row.bar}: {said} ({taken:.0f} s)", flush=True)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
