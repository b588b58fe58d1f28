"""Run the benchmarks: `make bench`, or `python -m tests.bench [ROW ...]` for some of them.

Each row does the same work on the same data with halfreal and with the tools that a user would pick instead, in
alternating rounds. Their results are compared before anything is timed. Printed is each peer's time over halfreal's:
the median and range over the rounds, and the ratio of processor times.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any


def show(name: str, found: dict[str, Any]) -> None:
    """Print one row's table."""
    seconds = statistics.median(found["seconds"])
    print(f"{name}: {found['about']}")
    print(f"  {'halfreal':28} {found['count'] / seconds:12,.1f} {found['unit']}/s")
    for peer, row in found["peers"].items():
        pace = found["count"] / statistics.median(row["seconds"])
        ratio = f"{row['ratio']:6.2f}x [{row['low']:.2f} .. {row['high']:.2f}]"
        cpu = "" if row["processor_ratio"] is None else f"processor {row['processor_ratio']:.2f}x"
        print(f"  {peer:28} {pace:12,.1f} {found['unit']}/s  {ratio}  {cpu}")
    for how in ("skipped", "failed"):
        for peer, reason in found[how].items():
            print(f"  {peer:28} {how}: {reason}")
    print(flush=True)


def _positive(word: str) -> int:
    """Return the number in `word`, which is 1 or more."""
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number}, want 1 or more")
    return number


def main() -> None:
    """Measure the rows named on the command line, or all; print tables and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows to measure [default: all]")
    parser.add_argument("--rounds", type=_positive, default=5, help="measured rounds of each row [default: 5]")
    parser.add_argument("--threads", type=_positive, default=os.cpu_count(), help="of every side [default: all cores]")
    parser.add_argument("--json", type=Path, default=Path(".bench/results.json"), help="where the figures go")
    parser.add_argument("--list", action="store_true", help="list the rows")
    given = parser.parse_args()
    # Before numpy and torch are imported; as jobs do, waiting threads sleep.
    os.environ |= {"OMP_NUM_THREADS": str(given.threads), "OMP_WAIT_POLICY": "PASSIVE", "WDS_SECURE": "1"}

    from shared.format.files import write_json
    from tests.bench.row import measure
    from tests.bench.table import ROWS

    unknown = [name for name in given.rows if name not in ROWS]
    if unknown:
        parser.error(f"no row {unknown[0]!r}; there are {', '.join(ROWS)}")
    if given.list:
        print("\n".join(f"{name:22} {row.about}; against {', '.join(row.peers)}" for name, row in ROWS.items()))
        return
    machine = {"machine": platform.machine(), "python": platform.python_version(), "threads": given.threads}
    results: dict[str, Any] = {"machine": machine, "rows": {}}
    try:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        write_json(given.json, results)
    except OSError as error:
        parser.error(f"--json {given.json}: cannot be written ({error.strerror})")
    for name in given.rows or ROWS:
        with tempfile.TemporaryDirectory() as folder:
            found = results["rows"][name] = measure(ROWS[name], Path(folder), given.rounds)
        show(name, found)
        write_json(given.json, results)
    sys.exit(any(found["failed"] for found in results["rows"].values()))


if __name__ == "__main__":
    main()
