"""What a job is given and what it hands back; `shared.cli.job` does the rest."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.cli.progress import Reporter
from shared.store.work_shards import WHOLE, Shard


@dataclass(frozen=True)
class Result:
    """What a job hands to the commit: numbers for later jobs and the report, and the dataset if it wrote one."""

    facts: dict[str, Any]
    dataset: Any = None
    summary: str = ""


def _not_shared() -> None:
    """Do nothing: a process that does all of the work is alone."""


@dataclass(frozen=True)
class Run:
    """One run of a job: its input artifacts by name, the folder to write into, where the user's sources lie.

    A job with parts calls `exclusive` before it puts the parts together: it waits while another process does so.
    `threads` is how many cores it may use, for jobs that use processes; torch knows its own.
    """

    inputs: dict[str, Any]
    folder: Path
    sources: Path
    device: str
    reporter: Reporter
    shard: Shard = WHOLE
    exclusive: Callable[[], object] = _not_shared
    threads: int = 1

    @property
    def weights(self) -> Path:
        """The folder of the weights of feature extractors."""
        return self.sources.parent / "weights"

    @property
    def figures(self) -> Path:
        """The folder for pictures that people look at and no job reads."""
        path = self.folder / "figures"
        path.mkdir(exist_ok=True)
        return path


def write_run_record(path: Path, started: float) -> None:
    """Write when and how long the run took, beside the manifest: it must not change the manifest's hash."""
    import resource

    from shared.format.files import write_json

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    finished_at = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(path, {"finished": finished_at, "seconds": round(time.monotonic() - started, 1), "peak_bytes": peak})
