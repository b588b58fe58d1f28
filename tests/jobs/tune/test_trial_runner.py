"""The jobs of a trial as processes: which exits are retried, which are not, how they are stopped."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.tune import trial_runner as module
from jobs.tune.trial_runner import ATTEMPTS, Refused, TrialRunner
from shared.cli.progress import Reporter
from shared.errors import HalfrealError, Interrupted
from shared.store.locks import locked

STAY = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def pair(tmp_path: Path) -> TrialRunner:
    """Return the runner of a trial in its folder of the experiment."""
    found = TrialRunner(
        tmp_path / "volume" / "mine" / "trials" / "abc" / "0000", ["--recipe", "digits"], {}, Reporter("tune")
    )
    found.prepare()
    return found


@pytest.fixture
def act(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return `act(*scripts)`: these scripts run in turn in place of jobs; returns the list of jobs run."""

    def play(*scripts: str) -> list[str]:
        run: list[str] = []

        def start(job: str, words: list[str], changes: Any = None, **extra: Any) -> subprocess.Popen[Any]:
            run.append(job)
            return subprocess.Popen([sys.executable, "-c", scripts[len(run) - 1]], **extra)

        monkeypatch.setattr(module, "start", start)
        return run

    return play


def ends_with(code: int, said: str = "") -> str:
    """Return a script that writes to standard error and ends with an exit code."""
    return f"import sys; print({said!r}, file=sys.stderr); sys.exit({code})"


def test_the_folder_shares_real_and_classifier(pair: TrialRunner) -> None:
    """Relative links, valid after the volume is moved, lead to the experiment's images and classifier."""
    experiment = pair.folder.parent.parent.parent
    for name in ("real", "classifier"):
        assert (pair.folder / name).readlink() == Path("..", "..", "..", name)
        assert (pair.folder / name).resolve() == (experiment / name).resolve()
    assert (pair.folder.parent / "weights").resolve() == (experiment.parent / "weights").resolve()
    pair.prepare()  # a second worker finds them


def test_a_job_that_is_lost_is_started_again(pair: TrialRunner, act: Callable[..., list[str]]) -> None:
    """A job that is killed, or fails by accident, is run again and then finishes."""
    run = act("import os; os.kill(os.getpid(), 9)", ends_with(1), ends_with(0))
    assert pair.train(lambda: False)
    assert run == ["train_gan"] * 3


def test_a_job_that_fails_again_and_again_is_an_error(pair: TrialRunner, act: Callable[..., list[str]]) -> None:
    """After three failures the worker gives up and says why; the trial stays for another run."""
    run = act(*[ends_with(1, "error: no memory")] * ATTEMPTS)
    with pytest.raises(HalfrealError, match="no memory") as caught:
        pair.train(lambda: False)
    assert caught.value.exit_code == 1
    assert len(run) == ATTEMPTS


def test_a_refusal_is_not_tried_again(pair: TrialRunner, act: Callable[..., list[str]]) -> None:
    """Exit code 2 (training diverged, options that contradict each other) ends the trial with the job's own words."""
    run = act(ends_with(2, "error: training diverged: the penalty is nan\nlower --learning-rate"))
    with pytest.raises(Refused, match=r"^training diverged: the penalty is nan lower --learning-rate$"):
        pair.train(lambda: False)
    assert len(run) == 1


def test_a_refusal_in_a_json_log_is_read_all_the_same(pair: TrialRunner, act: Callable[..., list[str]]) -> None:
    """A trial inherits --log-format: its last error is an object, which has lines after it."""
    refused = {"event": "error", "fields": {"message": "training diverged: the penalty is nan\nlower it", "code": 2}}
    act(ends_with(2, f'{json.dumps(refused)}\n{{"event": "text", "fields": {{"message": "bye"}}}}'))
    with pytest.raises(Refused, match=r"^training diverged: the penalty is nan lower it$"):
        pair.train(lambda: False)


def test_what_a_lost_worker_left_running_is_waited_for(
    pair: TrialRunner, act: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process holds the artifact's lock (exit code 75) the worker waits; then it runs the job again."""
    monkeypatch.setattr(module, "PAUSE_S", 0)
    run = act(ends_with(75), ends_with(0))
    held, watched = locked(pair.folder / "gan" / "r00"), 0
    held.__enter__()

    def watch() -> bool:
        nonlocal watched
        watched += len(run) == 1
        if watched == 3:
            held.__exit__(None, None, None)
        return False

    assert pair.train(watch)
    assert len(run) == 2
    assert watched >= 3


def test_what_a_lost_worker_left_running_can_fall_behind(pair: TrialRunner, act: Callable[..., list[str]]) -> None:
    """A trial whose GAN another process still trains is pruned too where it falls behind."""
    act(ends_with(75))
    with locked(pair.folder / "gan" / "r00"):
        assert not pair.train(lambda: True)


def test_a_trial_that_falls_behind_is_stopped_gently(pair: TrialRunner, act: Callable[..., list[str]]) -> None:
    """Where `watch` asks for it the job gets SIGTERM and is not started again."""
    run = act(STAY)
    assert not pair.train(lambda: b"up" in (pair.folder / "log.txt").read_bytes())
    assert run == ["train_gan"]


def test_a_signal_to_the_worker_reaches_its_job(pair: TrialRunner, act: Callable[..., list[str]]) -> None:
    """A worker that gets a signal stops its job, waits for it and exits with 75."""
    act(STAY)

    def watch() -> bool:
        pair.reporter.stop.signal_name = "SIGTERM"
        return False

    with pytest.raises(Interrupted):
        pair.train(watch)


def test_snapshots_are_found_while_the_gan_trains_and_after(pair: TrialRunner) -> None:
    """Snapshots are in the staging folder while the GAN trains, then in the artifact; partial files are ignored."""
    draft = pair.folder / "gan" / ".r00-0123" / "snapshots"
    draft.mkdir(parents=True)
    (draft / "epoch-00004.safetensors").touch()
    (draft / ".epoch-00008.safetensors.part").touch()
    assert pair.snapshots() == {4: draft / "epoch-00004.safetensors"}
    draft.parent.rename(pair.folder / "gan" / "r00")
    assert pair.snapshots() == {4: pair.folder / "gan" / "r00" / "snapshots" / "epoch-00004.safetensors"}
