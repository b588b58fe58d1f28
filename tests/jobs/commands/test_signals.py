"""What `run`, `study` and `judge` do with the job that runs when a signal comes: nothing goes on behind their back."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from jobs.commands import run
from jobs.commands.run import to_its_end
from shared.cli.progress import StopFlag
from shared.errors import Interrupted
from shared.runtime import job_processes

SAVES = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(75)); print(flush=True)"
REFUSES = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)"


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process that is ready for signals and sleeps."""
    with subprocess.Popen([sys.executable, "-c", f"{request.param}; time.sleep(60)"], stdout=subprocess.PIPE) as made:
        assert made.stdout is not None
        made.stdout.readline()
        yield made
        made.kill()


@pytest.mark.parametrize("process", [SAVES], indirect=True, ids=["saves"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_either_signal_is_passed_on(process: subprocess.Popen[bytes], name: str) -> None:
    """Whoever sends SIGINT to one process alone stops the job as well."""
    stop = StopFlag()
    stop.signal_name = name
    with pytest.raises(Interrupted, match="train_gan stopped; run the same command again"):
        to_its_end(process, "train_gan", stop)
    assert process.returncode == 75


@pytest.mark.parametrize("process", [SAVES, REFUSES], indirect=True, ids=["saves", "refuses"])
def test_a_second_signal_leaves_nothing_at_work(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is told once more, and killed where that does not end it."""

    def again(process: subprocess.Popen[bytes]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "wait", again)
    monkeypatch.setattr(job_processes, "PATIENCE_S", 0.5)
    with pytest.raises(KeyboardInterrupt):
        to_its_end(process, "train_gan", StopFlag())
    assert process.returncode in (75, -signal.SIGKILL)
