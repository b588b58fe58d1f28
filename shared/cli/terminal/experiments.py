"""The experiments on a volume by name, for completion, and for whoever names one that is not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.cli.options import nearest
from shared.errors import MissingArtifact

RESERVED = ("compare", "selfcheck", "sources", "trackers", "weights")
"""Folders of the volume that are no experiments."""


def experiment_names(volume: Path) -> list[str]:
    """Return the names of the folders of a volume that can be experiments, finished or not."""
    try:
        folders = [path.name for path in volume.iterdir() if path.is_dir()]
    except OSError:
        return []
    return sorted(name for name in folders if not name.startswith(".") and name not in RESERVED)


@contextmanager
def named_where_absent(folder: Path) -> Iterator[None]:
    """Where the experiment in `folder` is not there at all, have what fails for that name those that are."""
    try:
        yield
    except MissingArtifact as error:
        others = [] if folder.exists() else experiment_names(folder.parent)
        if not others or not str(error).startswith(str(folder)):
            raise
        raise MissingArtifact(
            f"{folder}: no such experiment{nearest(folder.name, others)}\n"
            f"there are {', '.join(others)}; halfreal run --experiment {folder.name} makes it"
        ) from error
