"""What a row of the scale check is, and how a piece of work is measured in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Row:
    """A promise: `measure(folder)` returns a number that must be at most `most`, or at least `least`, in `unit`."""

    about: str
    measure: Callable[[Path], float]
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def bar(self) -> str:
        """What is promised, in words."""
        return f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"

    def holds(self, value: float) -> bool:
        """Whether a measured value keeps the promise."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)


MEASURED = """
import json, os, sys
def counted(name):
    with open("/proc/self/io") as lines:
        return int(dict(line.split(": ") for line in lines)[name])
def peak_bytes():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
def answer(**values):
    print(json.dumps(values))
"""
"""What the code of a measured process begins with: bytes that it has read by system calls, the peak of its memory."""


def started(code: str, *words: object, **variables: str) -> "subprocess.Popen[str]":
    """Start Python code in a process of its own; `words` are its arguments, `variables` its environment."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | variables
    return subprocess.Popen(
        [sys.executable, "-P", "-c", MEASURED + code, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return what a process answered in its last line; RuntimeError with what it said where it failed."""
    said, complained = process.communicate()
    if process.returncode:
        raise RuntimeError(f"ended with {process.returncode}:\n{complained}")
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return answer


def run(code: str, *words: object, **variables: str) -> dict[str, Any]:
    """Run Python code in a process of its own and return what it answered."""
    return ended(started(code, *words, **variables))


UNFINISHED = 75
"""The exit code of a part that cannot go on before others have done theirs."""


def job(*words: object, **variables: str) -> None:
    """Run a command of halfreal; RuntimeError with what it said where it failed, not where other parts are missing."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    done = subprocess.run(
        [sys.executable, "-P", "-m", "jobs", *map(str, words)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    if done.returncode not in (0, UNFINISHED):
        raise RuntimeError(f"halfreal {' '.join(map(str, words))} ended with {done.returncode}:\n{done.stderr}")


Measured = dict[str, float]
"""What a piece of work took: `seconds`, `processor` seconds, and `peak_mb` of its largest process."""

WAIT = """
import json, os, resource, subprocess, sys, time
clock = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
spent, taken = os.times(), time.monotonic() - clock
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps({"seconds": taken, "processor": spent.children_user + spent.children_system, "peak_mb": peak}))
sys.exit(done)
"""


def timed(*words: object) -> Measured:
    """Run Python with these words; return what it took, its own processes included."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    # a process between, whose only child it is: the peak of a process's children is that of all that it ever had
    done = subprocess.run(
        [sys.executable, "-c", WAIT, sys.executable, *map(str, words)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stderr}")
    found: Measured = json.loads(done.stdout.splitlines()[-1])
    return found


def timed_job(*words: object) -> Measured:
    """Run a command of halfreal; return what it took."""
    return timed("-P", "-m", "jobs", *words)
