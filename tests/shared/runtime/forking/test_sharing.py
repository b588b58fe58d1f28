"""A server that several processes share: who is forked from it, what it imports once, and what happens without it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from jobs.pipeline import PIPELINE
from shared.runtime import job_processes
from shared.runtime.forking.forked import VARIABLE, fork, passed_on, sharing
from shared.runtime.pool import Pool

ASKS = """
from shared.runtime.job_processes import follow_starter
from shared.runtime.pool import Pool
from tests.shared.runtime.forking import test_sharing as here
follow_starter()
print(*Pool(["wave"]).ask(here.parents))
"""
"""A process that `start` starts, as far as a server is concerned: it prints what the process that it asks for says."""


def parent() -> int:
    """Return the process that forked this one."""
    return os.getppid()


def parents() -> tuple[int, bool, str]:
    """Return the process that forked this one, whether it has a module that nobody else imports, and its last word."""
    return os.getppid(), "wave" in sys.modules, sys.argv[-1]


def state() -> tuple[list[str], bool]:
    """Return the names of the threads of the process that forked this one, and whether that has begun with a GPU."""
    import torch

    names = [(task / "comm").read_text().strip() for task in Path(f"/proc/{os.getppid()}/task").iterdir()]
    return names, getattr(torch._C, "_cuda_isInBadFork", bool)()


def surroundings() -> tuple[str | None, list[str], str]:
    """Return what this process has of the one that asked for it."""
    return os.environ.get("HALFREAL_TOLD"), sys.argv, os.environ["OMP_NUM_THREADS"]


def leave(code: int) -> None:
    """End with a code, having said something on both streams."""
    print("to output")
    print("to error", file=sys.stderr)
    sys.exit(code)


def wait_to_be_let_go(path: Path) -> str:
    """Return a word once there is a file."""
    while not path.exists():
        os.sched_yield()
    return "went on"


@pytest.fixture
def server() -> Iterator[None]:
    """Share a server with what the test starts."""
    with sharing():
        yield


@pytest.mark.usefixtures("server")
def test_processes_that_a_run_starts_share_the_imports_of_one() -> None:
    """What one asked for is there for the next; the words are those of who asks."""
    given = passed_on()
    environment = os.environ | {name: str(file) for name, file in given.items()} | {"PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", ASKS, "word"]
    said = subprocess.run(command, env=environment, pass_fds=[*given.values()], stdout=subprocess.PIPE, check=True)
    forked_by, has, word = Pool(()).ask(parents)
    assert (has, word) == (True, sys.argv[-1])
    assert said.stdout.decode().split() == [str(forked_by), "True", "word"]


def test_a_job_has_the_server_of_who_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """`start` hands it on, by a descriptor and a variable; without a server there is neither."""
    started: list[tuple[str | None, list[int]]] = []

    def noted(command: list[str], env: dict[str, str], pass_fds: list[int]) -> None:
        started.append((env.get(VARIABLE), pass_fds[1:]))  # the first one is the lifeline

    with sharing(), monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", noted)
        job_processes.start("report", [])
        (file,) = passed_on().values()
    monkeypatch.setattr(subprocess, "Popen", noted)
    job_processes.start("report", [])
    assert started == [(str(file), [file]), (None, [])]


@pytest.mark.usefixtures("server")
def test_other_threads_are_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries read the number of threads when they are imported: it holds for all that is forked from there."""
    forked_by = []
    for threads in ("1", "2", "1"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        forked_by.append(Pool(()).ask(parent))
    assert forked_by[0] == forked_by[2] != forked_by[1]


@pytest.mark.usefixtures("server")
def test_work_on_a_gpu_has_a_server_of_its_own() -> None:
    """It is forked from no process that other jobs use."""
    assert Pool((), private=True).ask(parent) != Pool(()).ask(parent)


def test_elsewhere_than_on_linux_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries of macOS start threads by themselves: jobs begin there as if they were called alone."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with sharing():
        assert passed_on() == {}


@pytest.mark.usefixtures("server")
def test_a_server_that_was_killed_is_replaced() -> None:
    """A run goes on where its server was killed for want of memory: the imports are paid for again, that is all."""
    server = Pool(()).ask(parent)
    os.kill(server, signal.SIGKILL)
    other = Pool(()).ask(parent)
    assert other != server


@pytest.mark.usefixtures("server")
def test_work_outlives_the_server(tmp_path: Path) -> None:
    """A process that was forked before its server died is waited for, and did not fail if its call returned."""
    server = Pool(()).ask(parent)
    process = fork((), True, os.environ, wait_to_be_let_go, tmp_path / "go")
    os.kill(server, signal.SIGKILL)
    (tmp_path / "go").touch()
    while process.exitcode is None:
        process.hear()
    assert (process.answer, process.exitcode) == ("went on", 0)


@pytest.mark.usefixtures("server")
def test_a_process_is_lost_where_nobody_knows_how_it_ended(tmp_path: Path) -> None:
    """Killed with its server, it counts as killed, which is to be tried again."""
    server = Pool(()).ask(parent)
    process = fork((), True, os.environ, wait_to_be_let_go, tmp_path / "never")
    os.kill(server, signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)
    while process.exitcode is None:
        process.hear()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.usefixtures("server")
def test_what_a_process_says_goes_to_who_asked(capfd: pytest.CaptureFixture[str]) -> None:
    """Not to the server's own streams, which are those of the process that started it."""
    assert Pool(()).run(leave, [(3,)], 1, lambda: "") == [3]
    assert capfd.readouterr() == ("to output\n", "to error\n")


@pytest.mark.usefixtures("server")
def test_signals_to_the_whole_group_leave_the_server() -> None:
    """Ctrl-C reaches it as well; those that it forked save their work, and it tells how they ended."""
    server = Pool(()).ask(parent)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(server, number)
    assert Pool(()).ask(parent) == server


@pytest.mark.usefixtures("server")
def test_a_signal_right_after_the_fork_is_not_lost(tmp_path: Path) -> None:
    """The server does not heed it, the process does, from its first moment."""
    for _ in range(5):
        process = fork((), True, os.environ, wait_to_be_let_go, tmp_path / "never")
        process.terminate()
        while process.exitcode is None:
            process.hear()
        assert process.exitcode == -signal.SIGTERM


def test_a_process_has_the_environment_of_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of the server, or of a process that was forked before."""
    monkeypatch.setenv("HALFREAL_TOLD", "before")
    with sharing():
        assert Pool(()).ask(surroundings) == ("before", sys.argv, "1")
        monkeypatch.setenv("HALFREAL_TOLD", "now")
        assert Pool(()).ask(surroundings) == ("now", sys.argv, "1")
        monkeypatch.delenv("HALFREAL_TOLD")
        assert Pool(()).ask(surroundings) == (None, sys.argv, "1")


@pytest.mark.long
@pytest.mark.usefixtures("server")
def test_nothing_runs_in_the_server_when_it_forks() -> None:
    """All that the jobs import leaves no thread but jemalloc's, which minds forks: no team of OpenMP, no GPU."""
    commands = [import_module(f"jobs.{row.name}.__main__").main for row in PIPELINE]
    modules = [module for command in commands for step in command.steps for module in step.how.preload]
    threads, on_gpu = Pool(modules).ask(state)
    assert len(modules) > 10
    assert len([name for name in threads if name != "jemalloc_bg_thd"]) == 1
    assert not on_gpu
