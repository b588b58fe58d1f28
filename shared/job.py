"""What a job is, what it is given and what it hands back; `shared.cli` does the rest."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.progress import Talk


@dataclass(frozen=True)
class Job:
    """A row in the table of jobs: its name, the artifact it writes and the jobs whose artifacts it reads."""

    name: str
    writes: str
    kind: str
    about: str
    reads: tuple["Job", ...] = ()
    gpu: bool = False


@dataclass(frozen=True)
class Result:
    """What a job hands to the commit: numbers for later jobs and the report, and the dataset if it wrote one."""

    facts: dict[str, Any]
    dataset: Any = None
    summary: str = ""


@dataclass(frozen=True)
class Run:
    """One run of a job: its input artifacts by name, the folder to write into, where the user's sources lie."""

    inputs: dict[str, Any]
    folder: Path
    sources: Path
    device: str
    talk: Talk

    @property
    def figures(self) -> Path:
        """The folder for pictures that people look at and no job reads."""
        path = self.folder / "figures"
        path.mkdir(exist_ok=True)
        return path
