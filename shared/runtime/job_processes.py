"""Jobs as processes of their own: start one, set its options, wait for its exit code, ask it for its options.

A job that was started here stops, saving its work, when the process that started it is gone, however that ended.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

from shared.errors import BadConfig, HalfrealError
from shared.runtime.forking.forked import passed_on, take_over
from shared.runtime.interrupts import interrupts_wait

ROOT = Path(__file__).resolve().parents[2]

OPTIONS_FLAG = "--options-json"
"""The hidden flag with which a job answers about its options and does nothing else; see `ask`."""

Changes = Mapping[str, object]
"""Options of one job by name, which beat its recipe and the environment."""

LIFELINE = "HALFREAL_LIFELINE"
"""The variable that tells a job the file descriptor of a pipe which its starter holds open; see `follow_starter`."""

PATIENCE_S = 10.0
"""Seconds that a process has to stop without saving, and to stop those that it started, before it is killed."""


def variables(options: Mapping[str, object]) -> dict[str, str]:
    """Return options by `job.option` as the environment variables that set them, which beat any recipe."""
    return {f"HALFREAL_{name}".replace(".", "_").upper(): str(value) for name, value in options.items()}


def start(job: str, words: list[str], changes: Mapping[str, str] | None = None, **extra: Any) -> subprocess.Popen[Any]:
    """Start `halfreal job words...` with these changes to the environment; `extra` is handed to Popen."""
    # -P: a folder called jobs in the user's working directory must not be imported in place of this one
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-P", "-m", f"jobs.{job}", *words]
    given = {LIFELINE: _lifeline()} | passed_on()
    told = {"PYTHONPATH": path} | {name: str(file) for name, file in given.items()}
    environment = os.environ | told | dict(changes or {})
    with interrupts_wait():
        return subprocess.Popen(command, env=environment, pass_fds=[*given.values()], **extra)


@cache
def _lifeline() -> int:
    """Return the end to read of a pipe whose other end is open for as long as this process lives."""
    # no other process inherits the end to write: Python closes it in all that it starts
    reader, _ = os.pipe()
    return reader


def follow_starter() -> None:
    """Ask this process to stop, by SIGTERM, once the process that started it by `start` is gone, even by SIGKILL.

    Until then it uses the server of forks that its starter shares with it, if any.
    """
    take_over()
    lifeline = os.environ.pop(LIFELINE, None)
    if lifeline is not None:
        Thread(target=_follow, args=[int(lifeline)], daemon=True).start()


def _follow(lifeline: int) -> None:
    # nobody writes: this returns when the last holder of the other end has ended
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def wait(process: subprocess.Popen[Any], seconds: float = 0.2) -> int | None:
    """Return the exit code, as a shell reports it, or None if the process still runs after `seconds`."""
    try:
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    return code if code >= 0 else 128 - code  # Popen gives a signal's number as a negative code


def end(process: subprocess.Popen[Any]) -> int:
    """Ask a process to save and exit, if it still runs, and wait until it has; return its exit code."""
    if process.poll() is None:
        process.terminate()
    return process.wait()


def end_at_once(process: subprocess.Popen[Any]) -> None:
    """Make a process that was asked to save and exit stop without saving, and wait until it has.

    Nothing may go on working behind a command that said that it stopped.
    """
    process.terminate()
    try:
        process.wait(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Answer:
    """The description of a job's options, by name: the name of the type of each, its default, its owner if any.

    `resolved` has, for each question, every option that has a value, or the reason why the job refuses them.
    """

    types: dict[str, str]
    defaults: dict[str, object]
    owners: dict[str, str]
    resolved: list[dict[str, object] | str]

    def options(self, question: int = 0) -> dict[str, object]:
        """Return the resolved options of one question; BadConfig with the job's reason where it refuses them."""
        answer = self.resolved[question]
        if isinstance(answer, str):
            raise BadConfig(answer)
        return answer


def ask(questions: Mapping[str, Sequence[Changes]], words: Sequence[str]) -> dict[str, Answer]:
    """Return the answers of jobs, by name, if called with `words`; each gets all its questions in one process.

    On its standard input a job reads `{"words": [...], "questions": [{option: value}, ...]}`. It prints the fields of
    Answer and `"answers": [...]` with, for each question, `{"options": {...}}`, every option as it resolved, or
    `{"refused": reason}`. So a job can check options of another one without importing it.
    """
    pipe = subprocess.PIPE
    processes = {  # they start side by side
        job: start(job, [OPTIONS_FLAG], text=True, stdin=pipe, stdout=pipe, stderr=pipe) for job in questions
    }
    try:
        return {job: _read(job, process, words, questions[job]) for job, process in processes.items()}
    finally:
        for process in processes.values():
            end(process)


def _read(job: str, process: "subprocess.Popen[str]", words: Sequence[str], questions: Sequence[Changes]) -> Answer:
    request = {"words": list(words), "questions": [dict(changes) for changes in questions]}
    printed, said = process.communicate(json.dumps(request))
    if process.returncode:
        raise HalfrealError(f"{job} {OPTIONS_FLAG} failed (exit code {process.returncode}): {said.strip()[-300:]}")
    fields = json.loads(printed)
    answers = [answer.get("refused") or answer["options"] for answer in fields["answers"]]
    return Answer(fields["types"], fields["defaults"], fields["owners"], answers)
