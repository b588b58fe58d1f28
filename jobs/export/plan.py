"""What an export is asked for, and what follows from that: a build key and how the folder is filled."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.cli.progress import Reporter
from shared.store.staging import BuildKey


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The experiment's folder, the replicate, and the options as they were typed; None where they were not."""

    folder: Path
    replicate: int
    to: str
    labels: str | None = None
    min_confidence: float | None = None
    epoch: int | None = None


@dataclass(frozen=True)
class Plan:
    """The build key of an export, what fills its folder, and what says at the end what was written to a folder."""

    key: BuildKey
    write: Callable[[Path, Reporter], None]
    say: Callable[[Path, Reporter], None]
