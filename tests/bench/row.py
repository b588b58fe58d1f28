"""What a benchmark is: the same work done by halfreal and by each tool that a user would pick instead."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Work = Callable[[], Any]


class Missing(Exception):
    """A peer that is not installed; the message says how to install it."""


@dataclass(frozen=True)
class Row:
    """A benchmark: the same work on `count` times `unit`, done by halfreal and by each peer.

    `prepare` makes in an empty folder what all sides need; `ours` and each of `peers` turn that into the work to be
    timed. A peer raises ImportError or Missing where it is not here. `check(our result, a peer's result)` fails an
    assertion where the two differ; before anything is timed it runs on the results of the first `compared` times. Work
    that goes to a pool of `processes` is not in the processor time that this one sees, which then is left out.
    """

    about: str
    count: int
    unit: str
    prepare: Callable[[Path], Any]
    ours: Callable[[Any], Work]
    peers: dict[str, Callable[[Any], Work]]
    check: Callable[[Any, Any], None]
    processes: bool = False
    compared: int = 1


def checkout(variable: str, what: str, file: str) -> Path:
    """Return the folder of a peer that is not packaged and holds `file`, from an environment variable; else Missing."""
    folder = os.environ.get(variable, "")
    if not folder:
        raise Missing(f"not packaged: set {variable} to a checkout of {what}")
    if not Path(folder, file).is_file():
        raise Missing(f"{variable}={folder} is no checkout of {what}: there is no {file}")
    return Path(folder)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what a peer and its processes print from the table."""
    kept = [(stream, os.dup(stream)) for stream in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream, _ in kept:
            os.dup2(nowhere, stream)
        yield
    finally:
        for stream, copy in kept:
            os.dup2(copy, stream)
            os.close(copy)
        os.close(nowhere)


def measure(row: Row, folder: Path, rounds: int) -> dict[str, Any]:
    """Return times and ratios of one row: rounds that alternate after one unmeasured round, in which all must agree.

    A ratio is the peer's time over ours in the same round; reported are its median and range, and the ratio of the
    processor times of all rounds, which other work on the machine does not change. A peer that is not here is skipped;
    one that breaks, or has another result, is left out of the row and named as failed.
    """
    made = row.prepare(folder)
    ours = row.ours(made)
    works, skipped, failed = {"halfreal": ours}, {}, {}
    for name, make in row.peers.items():
        try:
            works[name] = make(made)
        except (ImportError, Missing) as error:
            skipped[name] = str(error)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    answers = [ours() for _ in range(row.compared)]
    for name in list(works)[1:]:
        try:
            for answer in answers:
                row.check(answer, works[name]())
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
            del works[name]
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for number in range(rounds):
        for name in list(works) if number % 2 else list(works)[::-1]:
            taken[name].append(_timed(works[name]))
    own = taken.pop("halfreal")
    return {
        "about": row.about,
        "count": row.count,
        "unit": row.unit,
        "rounds": rounds,
        "seconds": [wall for wall, _ in own],
        "skipped": skipped,
        "failed": failed,
        "peers": {name: _compared(own, theirs, row.processes) for name, theirs in taken.items()},
    }


def _timed(work: Work) -> tuple[float, float]:
    """Return the seconds that `work` takes on the clock, and on processors, those of processes it waited for too."""
    clock, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return time.perf_counter() - clock, sum(after[:4]) - sum(before[:4])


def _compared(ours: list[tuple[float, float]], theirs: list[tuple[float, float]], processes: bool) -> dict[str, Any]:
    ratios = [their[0] / our[0] for our, their in zip(ours, theirs, strict=True)]
    spent = [sum(times[1] for times in side) for side in (ours, theirs)]
    return {
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "processor_ratio": None if processes else spent[1] / max(spent[0], 1e-9),
        "seconds": [wall for wall, _ in theirs],
    }
