"""Calls in processes of their own: exit codes, how many at a time, signals, and a parent that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.runtime.pool import Pool


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Return a pool whose processes share no import."""
    return Pool(())


def leave(folder: Path, name: str, code: int) -> None:
    """Note that the call runs, and how many others do; end with `code`."""
    (folder / f"{name}.running").touch()
    (folder / f"{name}.others").write_text(str(len(list(folder.glob("*.running"))) - 1))
    time.sleep(0.1)
    (folder / f"{name}.running").unlink()
    sys.exit(code)


def meet(folder: Path, name: str, other: str) -> None:
    """Wait until the other call has begun."""
    (folder / name).touch()
    wait_for((folder / other).exists)


def save_when_asked(folder: Path, name: str) -> None:
    """Wait for SIGTERM, then save and end with 75; a second one would end it before it has saved."""
    signal.signal(signal.SIGTERM, lambda *_: (folder / f"{name}.asked").write_text("once"))
    (folder / f"{name}.begun").touch()
    while not (folder / f"{name}.asked").exists():
        time.sleep(0.02)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(0.5)
    (folder / f"{name}.saved").touch()
    sys.exit(75)


def fail() -> str:
    """End without an answer."""
    sys.exit(3)


def test_exit_codes_are_in_the_order_of_the_calls(pool: Pool, tmp_path: Path) -> None:
    """Each call's own exit code comes back; with a count of 1 none runs next to another."""
    calls = [(tmp_path, str(number), code) for number, code in enumerate((0, 2, 0))]
    assert pool.run(leave, calls, 1, lambda: "") == [0, 2, 0]
    assert [path.read_text() for path in tmp_path.glob("*.others")] == ["0", "0", "0"]


def test_calls_run_next_to_each_other(pool: Pool, tmp_path: Path) -> None:
    """With a count of 2 each of two calls sees the other begin."""
    assert pool.run(meet, [(tmp_path, "a", "b"), (tmp_path, "b", "a")], 2, lambda: "") == [0, 0]


def test_sigterm_is_passed_on_once_and_no_call_begins_after_it(pool: Pool, tmp_path: Path) -> None:
    """Running calls save and end with their code; one that waited has none."""
    calls = [(tmp_path, name) for name in ("a", "b", "c")]

    def stop() -> str:
        return "SIGTERM" if all((tmp_path / f"{name}.begun").exists() for name in ("a", "b")) else ""

    assert pool.run(save_when_asked, calls, 2, stop) == [75, 75, None]
    assert sorted(path.name for path in tmp_path.glob("*.saved")) == ["a.saved", "b.saved"]


def test_an_answer_comes_from_another_process(pool: Pool) -> None:
    """The value of the call comes back; None where the process ended without one."""
    assert pool.ask(os.getpid) != os.getpid()
    assert pool.ask(fail) is None


def test_calls_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the process that waits ends the calls too: nothing is left to run in its place."""
    script = (
        "import sys\nfrom pathlib import Path\n"
        "import tests.shared.runtime.test_pool as here\nfrom shared.runtime.pool import Pool\n"
        "if __name__ == '__main__':\n"
        "    Pool(()).run(here.write_forever, [(Path(sys.argv[1]),)], 1, lambda: '')\n"
    )
    path = tmp_path / "parent.py"
    path.write_text(script)
    alive = tmp_path / "alive"
    parent = subprocess.Popen([sys.executable, path, alive], env=os.environ | {"PYTHONPATH": str(Path.cwd())})
    try:
        wait_for(alive.exists)
    finally:
        parent.kill()
        parent.wait()
    wait_for(lambda: time.time() - alive.stat().st_mtime > 1)


def write_forever(path: Path) -> None:
    """Touch a file again and again."""
    while True:
        path.touch()
        time.sleep(0.05)


def wait_for(condition: object) -> None:
    """Wait until a condition holds, at most 30 seconds."""
    until = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)
