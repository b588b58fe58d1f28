"""Work in forked processes: torch is imported once, so that an attempt takes as long as its work alone."""

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from jobs.__main__ import main as halfreal
from shared.disk import steps

PATIENCE_S = 300
"""After how long an attempt counts as hanging."""


class HangsError(Exception):
    """A process that did not end."""


def attempt(work: Callable[[], int], environment: Mapping[str, str], log: Path) -> int:
    """Do `work` in a process of a group of its own; return its exit code, or minus the signal that ended it.

    When it has ended nothing of its group goes on, as on a machine that is switched off. HangsError after PATIENCE_S.
    """
    pid = _fork(work, environment, log, os.setsid)
    try:
        if not _ended(pid, PATIENCE_S):
            raise HangsError(log.read_text(encoding="utf-8", errors="replace")[-2000:])
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status)


def command(words: Sequence[str]) -> int:
    """Return the exit code of `halfreal words...`, in this process."""
    try:
        halfreal.main(args=list(words), prog_name="halfreal")
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _fork(
    work: Callable[[], int],
    environment: Mapping[str, str],
    log: Path,
    first: Callable[[], object] = lambda: None,
    printed: Path | None = None,
    given: Path | None = None,
) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        first()
        _redirect(0, given or Path(os.devnull), os.O_RDONLY)
        _redirect(1, printed or log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        _redirect(2, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        sys.stdin = os.fdopen(0, closefd=False)
        os.environ.update(environment)
        steps.watch()
        code = work()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _redirect(descriptor: int, path: Path, flags: int) -> None:
    opened = os.open(path, flags, 0o666)
    os.dup2(opened, descriptor)
    os.close(opened)


def _ended(pid: int, seconds: float) -> bool:
    """Whether a process has ended within that time; it is not waited for."""
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


class Job:
    """A job as `shared.runtime.job_processes.start` starts it, forked: what its callers use of Popen."""

    def __init__(
        self,
        job: str,
        words: list[str],
        changes: Mapping[str, str] | None = None,
        *,
        stdin: int | None = None,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        text: bool = False,
    ) -> None:
        self.returncode: int | None = None
        self._text, self._pid = text, 0
        self._scratch = Path(tempfile.mkdtemp(prefix="halfreal-job-"))
        self._command, self._changes = [job, *words], dict(changes or {})
        self._printed = self._scratch / "out" if stdout == subprocess.PIPE else _path(stdout)
        self._said = self._scratch / "err" if stderr == subprocess.PIPE else _path(stderr)
        if stdin != subprocess.PIPE:
            self._begin(None)

    def _begin(self, given: Path | None) -> None:
        self._pid = _fork(lambda: command(self._command), self._changes, self._said, printed=self._printed, given=given)

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self.returncode is None and self._pid:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; TimeoutExpired where it runs longer."""
        if self.poll() is None and self._pid:
            if not _ended(self._pid, PATIENCE_S if timeout is None else timeout):
                raise subprocess.TimeoutExpired(self._command, timeout or PATIENCE_S)
            self.poll()
        return self.returncode or 0

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None and self._pid:
            os.kill(self._pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        if self.poll() is None and self._pid:
            os.kill(self._pid, signal.SIGKILL)

    def communicate(self, given: str | None = None, timeout: float | None = None) -> tuple[Any, Any]:
        """Return what it printed and what it said, after it has ended."""
        if given is not None:
            path = self._scratch / "in"
            path.write_text(given, encoding="utf-8")
            self._begin(path)
        self.wait(timeout)
        texts = [path.read_bytes() if path.exists() else b"" for path in (self._printed, self._said)]
        printed, said = [text.decode() for text in texts] if self._text else texts
        return printed, said


def _path(stream: int | IO[bytes] | None) -> Path:
    """Return the path of an open file, or that of this process's standard error."""
    return Path("/proc/self/fd/2") if stream is None or isinstance(stream, int) else Path(stream.name)
