"""Removing finished artifacts, each by the name that somebody typed."""

from dataclasses import dataclass
from pathlib import Path

from jobs.export.staging import RECORD
from jobs.status.contents import State, statuses
from jobs.verify.places import RUN_RECORD
from shared.disk.durable import remove_tree, rename, sync_folder
from shared.errors import BadConfig, Busy, MissingArtifact
from shared.format.manifest import MANIFEST
from shared.objects.address import is_address
from shared.objects.fetching import is_remote
from shared.store.lineage import STUDY_FOLDER
from shared.store.locks import locked
from shared.store.replicates import replicate_name


def named_artifact(data_root: Path, name: str) -> Path:
    """Return the artifact or export called `name`, such as digits/gan/r00; BadInput for anything else."""
    path, parts = data_root / name, Path(name).parts
    if not parts or ".." in parts or Path(name).is_absolute() or is_address(name):
        raise BadConfig(f"{name!r}: want the name of an artifact on the volume, such as digits/gan/{replicate_name(0)}")
    if len(parts) < 2 or not any((path / name).is_file() for name in (MANIFEST, RECORD, RUN_RECORD)):
        there = ", ".join(f"{parts[0]}/{each.place}" for each in statuses(data_root / parts[0]) if each.is_there)
        raise MissingArtifact(f"{path}: no finished artifact; {f'want one of {there}' if there else 'there is none'}")
    if is_remote(path):
        raise BadConfig(f"{path}: its volume is in an object store; remove it there")
    return path


@dataclass(frozen=True)
class Dependents:
    """The places of the artifacts of an experiment that were made from one of it.

    Damaged ones cannot be asked what they were made from: they are `unknown`.
    """

    known: list[str]
    unknown: list[str]

    @property
    def words(self) -> str:
        """What to say of them after the artifact's name; nothing if there are none."""
        said = f"; made from it: {', '.join(self.known)}" if self.known else ""
        return said + (f"; damaged, perhaps made from it: {', '.join(self.unknown)}" if self.unknown else "")


def made_from(data_root: Path, path: Path) -> Dependents:
    """Return what was made from the artifact at `path`.

    Raises Busy where something of the experiment is being made: it may be from this one.
    """
    parts = path.relative_to(data_root).parts
    experiment = data_root.joinpath(*parts[: 3 if parts[1] == STUDY_FOLDER else 1])
    place, there = path.relative_to(experiment).as_posix(), statuses(experiment)
    for each in there:
        if each.state is State.RUNNING:
            raise Busy(f"{experiment / each.place}: is being made, perhaps from {path}; run this again afterwards")
    others = [each for each in there if each.place != place]
    known = [each.place for each in others if place in each.inputs]
    return Dependents(known, [each.place for each in others if each.state is State.BROKEN])


def remove_artifact(path: Path) -> None:
    """Remove an artifact: it is gone at once, whole; its files go afterwards."""
    aside = path.parent / f".{path.name}-removed"
    with locked(path):
        remove_tree(aside, strict=True)
        rename(path, aside)
        sync_folder(path.parent)
        remove_tree(aside, strict=True)
