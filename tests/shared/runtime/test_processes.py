"""Several processes give the results of one, in order, and end with their parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from threading import Timer

import pytest

from shared.cli.progress import StopFlag
from shared.errors import BadInput, Interrupted
from shared.runtime.processes import AHEAD, CHUNK, processes

ROOT = Path(__file__).resolve().parents[3]
COUNT = 5 * CHUNK + 3


def _square(number: int) -> int:
    return number * number


def _inverse(number: int) -> float:
    return 1 / number


def _process(number: int) -> int:
    time.sleep(0.01)
    return os.getpid()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_results_come_in_order_for_any_number_of_processes(count: int) -> None:
    """Squares arrive as from map; no input gives no output; the pool can be used again."""
    with processes(count) as spread:
        assert list(spread(_square, range(COUNT))) == [number * number for number in range(COUNT)]
        assert list(spread(_square, [])) == []
        assert list(spread(partial(pow, 2), iter(range(5)))) == [1, 2, 4, 8, 16]


def test_several_processes_share_the_work() -> None:
    """Two other processes do chunks of the work."""
    with processes(2) as spread:
        done = set(spread(_process, range(COUNT)))
    assert len(done) == 2
    assert os.getpid() not in done


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_is_raised_where_the_results_are_read(count: int) -> None:
    """An exception of the function is raised unchanged, and nothing hangs."""
    with processes(count) as spread, pytest.raises(ZeroDivisionError):
        list(spread(_inverse, range(3, -3, -1)))


def test_reading_ahead_is_bounded() -> None:
    """No more items are read than the chunks in progress need, so memory does not grow."""
    taken = []

    def endless() -> Iterator[int]:
        while True:
            taken.append(len(taken))
            yield taken[-1]

    with processes(2) as spread:
        results = spread(_square, endless())
        assert [next(results) for _ in range(2 * CHUNK)] == [number * number for number in range(2 * CHUNK)]
    assert len(taken) <= (2 + 2 * AHEAD) * CHUNK


def test_the_processes_end_with_the_one_that_is_killed() -> None:
    """After SIGKILL of the parent every process exits within seconds."""
    code = (
        "import os, sys, time\n"
        "from shared.runtime.processes import processes\n"
        "from tests.shared.runtime.test_processes import _process\n"
        "with processes(2) as spread:\n"
        "    print(*set(spread(_process, range(200))), flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    workers = [int(word) for word in done.stdout.split()]
    assert len(workers) == 2, done.stderr
    for _ in range(100):
        if not any(Path(f"/proc/{worker}/stat").exists() for worker in workers):
            return
        time.sleep(0.1)
    pytest.fail(f"still there: {workers}")


def _dies_of(fatal: int, first: Path, number: int) -> int:
    """Return the square of a number; the process dies of `fatal`, and of 70 unless `first` is there."""
    if number == fatal or (number == 70 and not first.exists()):
        first.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


@pytest.mark.fault(7)
def test_a_process_that_dies_names_its_item(tmp_path: Path) -> None:
    """Killed for want of memory, say: the item is found among all that were under way, and named."""
    with (
        pytest.raises(BadInput, match=r"^number 150: the process that worked on it died twice"),
        processes(2, name=lambda number: f"number {number}") as spread,
    ):
        list(spread(partial(_dies_of, 150, tmp_path), range(COUNT)))


def test_a_process_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    """What was lost with a process is done again; the results are all there, in order."""
    with processes(2) as spread:
        squares = list(spread(partial(_dies_of, -1, tmp_path / "died"), range(COUNT)))
    assert (tmp_path / "died").exists()
    assert squares == [number * number for number in range(COUNT)]


def _waits(pipe: Path, number: int) -> int:
    """Read a pipe that nobody writes to."""
    with pipe.open("rb") as stream:
        return len(stream.read())


@pytest.mark.fault(9)
@pytest.mark.parametrize("count", [1, 2])
def test_a_signal_ends_a_read_that_does_not_end(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM is answered while this process, or another, waits for bytes; nothing that waits is left."""
    monkeypatch.setattr("shared.runtime.processes.GRACE_S", 0.1)
    os.mkfifo(tmp_path / "pipe")
    stop = StopFlag()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stop.listen()
    timer = Timer(1, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        with pytest.raises(Interrupted, match="SIGTERM"), processes(count, waiting=stop.at_once) as spread:
            list(spread(partial(_waits, tmp_path / "pipe"), range(COUNT)))
    finally:
        timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
    for _ in range(100):
        if not [process for process in active_children() if process.is_alive()]:
            return
        time.sleep(0.1)
    pytest.fail("a process waits on")
