"""Check one file of an artifact, in any process."""

import hashlib
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from shared.errors import FormatError
from shared.format.checks.shard import Pictures, check_shard
from shared.format.checks.tensors import check_tensors
from shared.format.files import open_listed, read_whole
from shared.format.manifest import FileInfo, ShardInfo
from shared.format.records import index_name

TENSORS = ".safetensors"

A_LINK = "is a link: want a file, which nobody changes from elsewhere"


@dataclass(frozen=True)
class Task:
    """A file to check, `name` in `folder`: a shard of a split, or another one; unfinished work has no record of it."""

    folder: Path
    name: str
    info: FileInfo | None = None
    split: str = ""
    pictures: Pictures | None = None


@dataclass(frozen=True)
class Checked:
    """What a task found: the numbers of a shard's keys (see `check_shard`), and what is wrong with which file."""

    task: Task
    keys: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    problems: tuple[tuple[str, str], ...] = ()


def check(task: Task) -> Checked:
    """Check one file."""
    path = task.folder / task.name
    names = [task.name]
    if isinstance(task.info, ShardInfo) and task.info.index is not None:
        names.append(index_name(task.name))
    if links := tuple((name, A_LINK) for name in names if is_linked(task.folder, name)):
        return Checked(task, problems=links)
    try:
        if isinstance(task.info, ShardInfo):
            report = check_shard(path, task.info, task.pictures)
            return Checked(task, report.keys, tuple(report.problems))
        if task.info is not None:
            check_bytes(path, task.info)
        if path.suffix == TENSORS:
            check_tensors(path)
    except FormatError as error:
        return Checked(task, problems=((task.name, str(error)),))
    except FileNotFoundError:  # a listed one is a FormatError: unfinished work goes on, or was finished meanwhile
        return Checked(task)
    except OSError as error:
        return Checked(task, problems=((task.name, f"cannot be read ({error.strerror})"),))
    return Checked(task)


def is_linked(folder: Path, name: str) -> bool:
    """Whether the file `name` in `folder`, or a folder between the two, is a link: its bytes may be elsewhere."""
    path = folder / name
    return any(each.is_symlink() for each in (path, *path.parents) if each != folder and each.is_relative_to(folder))


def check_bytes(path: Path, info: FileInfo) -> None:
    """Raise FormatError unless a file has the size and the hash of its record; it is never in memory as a whole."""
    if not path.exists():
        read_whole(path, info.bytes, info.sha256)  # which fetches it, or says that it is missing
        return
    with open_listed(path, info.bytes) as stream:
        digest = hashlib.file_digest(cast("BufferedReader", stream), "sha256").hexdigest()
    if digest != info.sha256:
        raise FormatError(f"{path}: altered since it was written (its sha256 is not the manifest's)")
