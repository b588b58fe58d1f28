import io
import os
import signal
import sys
from collections.abc import Callable

import pytest

import shared.cli.progress
from shared.cli.progress import LOG_EVERY_S, Reporter
from shared.errors import Interrupted


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the progress bar's clock."""
    made = Clock()
    monkeypatch.setattr(shared.cli.progress.time, "monotonic", made)
    return made


def test_a_line_has_share_rate_and_time_left(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """600 of 2,400 images in 12 s are 25 % at 50 images/s, so 36 s remain; stdout stays empty."""
    with Reporter("train_gan").bar("epoch 1", 2400, "images") as bar:
        clock.now += 12
        bar.advance(600, "loss 0.5")
    said = capsys.readouterr()
    assert said.err == "train_gan: epoch 1: 600/2,400 images (25 %), 50.0 images/s, 0:36 left loss 0.5\n"
    assert said.out == ""


@pytest.mark.parametrize(
    ("seconds", "clocked"), [(59, "0:59"), (59.6, "1:00"), (61, "1:01"), (3599.7, "1:00:00"), (3725, "1:02:05")]
)
def test_the_time_left_is_written_as_a_clock(
    clock: Clock, capsys: pytest.CaptureFixture[str], seconds: float, clocked: str
) -> None:
    """Minutes and seconds, with hours if needed; with half of the work done, the time left is the time taken."""
    with Reporter("job").bar("work", 2, "steps") as bar:
        clock.now += max(seconds, LOG_EVERY_S)
        bar.advance()
    assert f", {clocked} left" in capsys.readouterr().err


def test_there_is_one_line_per_interval(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """35 steps of one second give three lines, after 10, 20 and 30 seconds."""
    with Reporter("job").bar("work", 35, "steps") as bar:
        for _ in range(35):
            clock.now += 1
            bar.advance()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in lines] == ["10/35", "20/35", "30/35"]


def test_work_of_an_earlier_run_does_not_count_for_the_rate(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """After 900 skipped, 20 in 10 s are 2 per second, so the remaining 80 take 40 s."""
    with Reporter("job").bar("work", 1000, "steps") as bar:
        bar.skip(900)
        clock.now += 10
        bar.advance(20)
    assert "920/1,000 steps (92 %), 2.0 steps/s, 0:40 left" in capsys.readouterr().err


def test_without_any_progress_the_time_left_is_unknown(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a rate no estimate is shown."""
    with Reporter("job").bar("work", 10, "steps") as bar:
        clock.now += 10
        bar.advance(0)
    assert "0/10 steps (0 %), 0.0 steps/s, time left unknown" in capsys.readouterr().err


def test_slow_work_says_what_a_piece_takes(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Rates that would be rounded to nothing are turned round."""
    with Reporter("job").bar("fit", 10, "fits") as bar:
        clock.now += 177
        bar.advance()
    assert "1/10 fits (10 %), 177 s each, 26:33 left" in capsys.readouterr().err


def test_each_yields_every_item_and_counts_it(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Items are yielded in order; each advances the bar by one after its use."""
    seen = []
    for item in Reporter("job").each("abc", "read", 3, "files"):
        clock.now += 6
        seen.append(item)
    assert seen == ["a", "b", "c"]
    assert "job: read: 2/3 files (67 %)" in capsys.readouterr().err


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_a_terminal_gets_a_bar_with_rate_and_time_left(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """On a terminal the bar shows title, count, rate and time left, and log lines stay away."""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    reporter = Reporter("job")
    with reporter.bar("read files", 40, "files") as bar:
        clock.now += 10
        bar.advance(20, "so far so good")
        reporter.terminal.refresh()
    shown = terminal.getvalue()
    for part in ("read files", "20/40", "2.0 files/s", "0:10 left", "so far so good"):
        assert part in shown
    assert "job: " not in shown


def _signal(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_the_work_at_its_next_step(name: str) -> None:
    """The signal only sets a flag; the next `advance` raises Interrupted (75), which names the signal."""
    reporter = Reporter("job")
    reporter.stop.listen()
    with reporter.bar("work", 3, "steps") as bar:
        bar.advance()
        _signal(getattr(signal, name))()
        assert reporter.stop.signal_name == name
        with pytest.raises(Interrupted, match=f"stopped by {name}; run the same command again") as caught:
            bar.advance()
    assert caught.value.exit_code == 75
    assert bar.done == 2


def test_the_second_signal_stops_at_once() -> None:
    """The same signal again does not wait for the next step; another one is the same wish, passed on by a parent."""
    reporter = Reporter("job")
    reporter.stop.listen()
    _signal(signal.SIGINT)()
    try:
        _signal(signal.SIGTERM)()
    except KeyboardInterrupt:
        pytest.fail("stopped at once")
    assert reporter.stop.signal_name == "SIGINT"
    with pytest.raises(KeyboardInterrupt):
        _signal(signal.SIGINT)()


def test_a_bar_that_does_not_stop_leaves_it_to_the_caller() -> None:
    """With stops=False the caller reads `stop.by`, saves, and exits by itself."""
    reporter = Reporter("job")
    reporter.stop.listen()
    with reporter.bar("work", 3, "steps", stops=False) as bar:
        _signal(signal.SIGTERM)()
        bar.advance()
        assert reporter.stop.signal_name == "SIGTERM"
        with pytest.raises(Interrupted, match="SIGTERM"):
            reporter.stop.raise_if_set()


def test_no_signal_no_interruption() -> None:
    """Without a signal the bar runs to its end."""
    with Reporter("job").bar("work", 3, "steps") as bar:
        for _ in range(3):
            bar.advance()
    assert bar.done == 3


def test_stopping_for_another_process_says_so() -> None:
    """Where another rank received the signal, the message does not claim one here."""
    with pytest.raises(Interrupted, match="stopped by a signal to another process"):
        Reporter("job").stop.raise_if_set()
