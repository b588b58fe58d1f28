"""Jobs as processes of their own: start one, set its options by environment variables, wait for its exit code."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def variables(options: Mapping[str, Any]) -> dict[str, str]:
    """Return options by `job.option` as the environment variables that set them, which beat any recipe."""
    return {f"HALFREAL_{name}".replace(".", "_").upper(): str(value) for name, value in options.items()}


def start(job: str, words: list[str], changes: Mapping[str, str] | None = None, **extra: Any) -> subprocess.Popen[Any]:
    """Start `halfreal job words...` with these changes to the environment; `extra` is handed to Popen."""
    # -P: a folder called jobs in the user's working directory must not be imported in place of this one
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-P", "-m", f"jobs.{job}", *words]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path} | dict(changes or {}), **extra)


def wait(process: subprocess.Popen[Any], seconds: float = 0.2) -> int | None:
    """Return the exit code, as a shell reports it, or None if the process still runs after `seconds`."""
    try:
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    return code if code >= 0 else 128 - code


def end(process: subprocess.Popen[Any]) -> int:
    """Ask a process to save and exit, if it still runs, and wait until it has; return its exit code."""
    if process.poll() is None:
        process.terminate()
    return process.wait()
