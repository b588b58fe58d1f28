"""What a job is, what it is given and what it hands back; `shared.cli` does the rest."""

import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from shared.errors import BadConfig, BadInput
from shared.progress import Talk

Item = TypeVar("Item")


@dataclass(frozen=True)
class Job:
    """A row in the table of jobs: its name, the artifact it writes and the jobs whose artifacts it reads.

    With `parts` several processes, on any machines, may each do a part of its work; see `Part`. It takes the artifacts
    of the jobs in `extras` too where they stand and were made from what stands here. An `optional` job is run only
    when it is asked for.
    """

    name: str
    writes: str
    kind: str
    about: str
    reads: tuple["Job", ...] = ()
    gpu: bool = False
    parts: bool = False
    optional: bool = False
    extras: tuple["Job", ...] = ()


@dataclass(frozen=True)
class Part:
    """Which part of the work a process does: number `index` of `count`, from 0."""

    index: int
    count: int

    def mine(self, items: Iterable[Item]) -> list[Item]:
        """Return every `count`-th item, beginning with number `index`."""
        return list(items)[self.index :: self.count]


@dataclass(frozen=True)
class Result:
    """What a job hands to the commit: numbers for later jobs and the report, and the dataset if it wrote one."""

    facts: dict[str, Any]
    dataset: Any = None
    summary: str = ""


def _alone() -> None:
    """Do nothing: a process that does all of the work is alone."""


@dataclass(frozen=True)
class Run:
    """One run of a job: its input artifacts by name, the folder to write into, where the user's sources lie.

    A job with parts calls `alone` before it puts the parts together: it waits while another process does so.
    `threads` is how many cores it may use, for jobs that use processes; torch knows its own.
    """

    inputs: dict[str, Any]
    folder: Path
    sources: Path
    device: str
    talk: Talk
    part: Part = Part(0, 1)
    alone: Callable[[], object] = _alone
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


def leads() -> bool:
    """Whether this is the first, or only, of the processes that a launcher started together."""
    try:
        world, rank = (int(os.environ.get(name, fallback)) for name, fallback in (("WORLD_SIZE", "1"), ("RANK", "0")))
    except ValueError as error:
        raise BadConfig(f"RANK and WORLD_SIZE of the environment: {error}; unset them or use a launcher") from error
    return world <= 1 or rank == 0


RENDEZVOUS = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""The variables by which processes that train together find each other."""


def check_launch() -> None:
    """Raise BadConfig where the environment is that of one of several processes, but says too little to find them."""
    missing = [name for name in RENDEZVOUS if not os.environ.get(name)]
    together = not leads() or os.environ.get("WORLD_SIZE", "1") != "1" or "LOCAL_RANK" in os.environ
    if together and missing:
        there = [name for name in ("LOCAL_RANK", *RENDEZVOUS) if os.environ.get(name)]
        raise BadConfig(
            f"the environment has {', '.join(there)}, as of a process among several, but not {', '.join(missing)}\n"
            f"start it by halfreal launch or torchrun, or alone: env -u {' -u '.join(there)} halfreal ..."
        )


def open_inputs(row: Job, folder: Path) -> dict[str, Any]:
    """Open the artifacts that the job in `row` reads, by name, in the experiment's `folder`."""
    from shared.artifacts import open_artifact

    inputs = {read.writes: open_artifact(folder / read.writes, read.kind, read.name) for read in row.reads}
    check_lineage(inputs)
    for extra in row.extras:
        if (folder / extra.writes).exists():
            found = {extra.writes: open_artifact(folder / extra.writes, extra.kind, extra.name)}
            inputs |= found if _in_step(inputs | found) else {}
    return inputs


def _in_step(artifacts: dict[str, Any]) -> bool:
    try:
        check_lineage(artifacts)
    except BadInput:
        return False
    return True


def check_lineage(artifacts: dict[str, Any]) -> None:
    """Raise BadInput unless every artifact was made from just those of the others that stand here now.

    Else a verdict could rest on test images that the generator has seen, or a score on another generator.
    """
    from shared.artifacts import SAME_PLACE

    for artifact in artifacts.values():
        for source, digest in artifact.manifest.inputs.items():
            if source in artifacts and artifacts[source].sha256 != digest:
                raise BadInput(
                    f"{artifact.folder}: made from another {source!r} than the one that stands beside it\n"
                    f"bring them in step: halfreal run, or halfreal {artifact.manifest.job}{SAME_PLACE}"
                )


def write_diary(path: Path, started: float) -> None:
    """Write when and how long the run took, beside the manifest: it must not change the manifest's hash."""
    import resource

    from shared.files import write_json

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    finished_at = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(path, {"finished": finished_at, "seconds": round(time.monotonic() - started, 1), "peak_bytes": peak})
