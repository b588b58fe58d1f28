"""Read damaged files for as long as one likes: `python -m tests.checks.fuzz --minutes 30`.

Each reader of files that others made gets an equal share of the minutes, in a process of its own, with new damage for
every attempt: what a number damages is the same on every machine. `--reader NAME` tries one alone, `--first N` goes on
where an earlier run ended. Files that a reader gets wrong are kept under `--out`. Prints a line for each reader, and
exits with 1 if there is one that got a file wrong.
"""

import argparse
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from tests.fuzz.attempt import MOST_WAITED_S, attempt, damaged, peak_bytes
from tests.fuzz.readers import READERS, Files

KEPT = 20
"""Files that are kept of a reader that gets them wrong."""


def try_for(name: str, seconds: float, first: int, out: Path, answer: Connection) -> None:
    """Damage the files of a reader for this many seconds; send what came of each attempt, and at the end None."""
    reader, began, number = READERS[name], time.monotonic(), first
    if (whole := attempt(reader, reader.files())).kind != "read":
        raise AssertionError(f"{name}: its whole files are {whole.kind}")
    while time.monotonic() - began < seconds:
        files = damaged(reader, Random(number))
        answer.send((number, None, 0.0, 0))  # a fault that ends the process is of this number
        outcome = attempt(reader, files)
        answer.send((number, outcome, outcome.seconds, peak_bytes()))
        if outcome.wrong:
            keep(out / name.replace(" ", "-") / str(number), files)
        number += 1
    answer.send(None)


def keep(folder: Path, files: Files) -> None:
    """Write the files of an attempt, unless there are many already."""
    if folder.parent.exists() and len([*folder.parent.iterdir()]) >= KEPT:
        return
    for name, payload in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(payload)


def watch(name: str, seconds: float, first: int, out: Path) -> bool:
    """Try a reader in a process of its own and print what came of it; return whether all was well."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("fork")  # all is imported once
    process = context.Process(target=try_for, args=(name, seconds, first, out, theirs), daemon=True)
    process.start()
    theirs.close()
    counts, wrong, slowest, peak, number, ended = {"read": 0, "refused": 0}, {}, 0.0, 0, first, False
    began = time.monotonic()
    try:
        while ours.poll(2 * MOST_WAITED_S) or process.is_alive():
            if (sent := ours.recv()) is None:
                ended = True
                break
            number, outcome, took, used = sent
            slowest, peak = max(slowest, took), max(peak, used)
            if outcome and outcome.wrong:
                wrong.setdefault(outcome.wrong, number)
            elif outcome:
                counts[outcome.kind] += 1
    except EOFError:
        pass
    process.kill()
    process.join()
    if not ended:
        wrong[f"the process ended with {process.exitcode}"] = number
        keep(out / name.replace(" ", "-") / str(number), damaged(READERS[name], Random(number)))
    minutes = (time.monotonic() - began) / 60
    print(
        f"{name:16} {number - first + 1:9,} inputs {minutes:6.1f} min  read {counts['read']:9,}  refused "
        f"{counts['refused']:9,}  wrong {len(wrong)}  slowest {slowest:5.2f} s  most {peak / 2**20:6,.0f} MiB",
        flush=True,
    )
    for said, place in wrong.items():
        print(f"  {place}: {said}", flush=True)
    return not wrong


def main() -> int:
    """Try every reader."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--reader", choices=READERS)
    parser.add_argument("--first", type=int, default=0, help="the number of the first damage")
    parser.add_argument("--out", type=Path, default=Path("fuzz-wrong"))
    asked = parser.parse_args()
    names = [asked.reader] if asked.reader else [*READERS]
    well = [watch(name, 60 * asked.minutes / len(names), asked.first, asked.out) for name in names]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
