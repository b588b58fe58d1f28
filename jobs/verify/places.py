"""What can be verified below a folder: artifacts, exports, and the unfinished work of jobs."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.export.staging import RECORD
from jobs.pipeline import ARTIFACTS
from shared.format.manifest import MANIFEST
from shared.store.unfinished import final_of

RUN_RECORD = "run.json"
"""What every job leaves next to its manifest."""

EXPORT = "export"
"""The command that writes exports, and the folder of an experiment in which they are."""

FOREIGN = ("sources", "weights")
"""Folders of a volume with what halfreal has not written; `halfreal weights verify` checks the latter."""


@dataclass(frozen=True)
class Place:
    """A folder with something to verify: the name of the manifest in it, or nothing where work is unfinished."""

    folder: Path
    manifest: str


def places(root: Path) -> Iterator[Place]:
    """Yield what there is to verify at and below the folder `root`, in the order of its names.

    An artifact that has lost its manifest is known by its run.json. Links are not followed.
    """
    for name, below, files in os.walk(root):
        folder = Path(name)
        if manifest := next((each for each in (MANIFEST, RECORD) if each in files), None):
            yield Place(folder, manifest)
        elif final_of(folder):
            yield Place(folder, "")
        elif RUN_RECORD in files:
            yield Place(folder, MANIFEST)
        else:
            foreign = FOREIGN if folder == root else ()
            below[:] = sorted(each for each in below if each not in foreign and _is_ours(each))
            continue
        below.clear()


def experiment_of(folder: Path, job: str) -> Path:
    """Return the folder of the experiment that an artifact of a job is in: replicates and exports are one deeper."""
    above = folder.parent
    of_replicates = {row.writes for row in ARTIFACTS if row.name == job}
    return above.parent if job == EXPORT or above.name in of_replicates else above


def _is_ours(name: str) -> bool:
    """Whether a folder of this name may have artifacts: caches and drafts, which are hidden, have none."""
    return not name.startswith(".") or final_of(Path(name)) is not None
