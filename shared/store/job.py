"""The table of jobs is made of these rows: what a job reads and writes."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    from shared.store.records.base import Record

    R = TypeVarWithDefault("R", bound=Record, covariant=True, default=Record)
else:  # Python 3.11 has no defaults; a plain `Artifact` is one of which nothing but the dataset and the files is read
    R = TypeVar("R")

PLAIN = "base.Record"
"""The record of an artifact of which nothing is read: any facts will do."""


@dataclass(frozen=True)
class Job(Generic[R]):
    """A row in the table of jobs: its name, the artifact it writes and the jobs whose artifacts it reads.

    With `parts` several processes, on any machines, may each do a shard of its work; see `Shard`. A `replicated` job
    does all of its work once for each replicate, and writes an artifact for each; see `shared.store.replicates`. Every
    replicate reads the first one's artifact of the jobs in `first`. It also takes the artifacts of the jobs in
    `extras` where they exist and were made from the other inputs, and needs those of the jobs in `behind` where others
    of its inputs were made from them: there is no generator behind imported images. A job with `splits` is replicated
    where its options say so; who reads it sees on the volume whether it was. An `optional` job is run only on request.
    `record` names the type R of its artifact's record, `module.Class` in `shared.store.records`: a name, so that a
    command line does not import what it does not read. One with `additions` shows every number of its inputs, and is
    remade when some are added; other jobs read what stays (see `Artifact.identity`).
    """

    name: str
    writes: str
    kind: str
    about: str
    reads: tuple["Job[Record]", ...] = ()
    gpu: bool = False
    parts: bool = False
    replicated: bool = False
    splits: bool = False
    first: tuple["Job[Record]", ...] = ()
    optional: bool = False
    extras: tuple["Job[Record]", ...] = ()
    behind: tuple["Job[Record]", ...] = ()
    record: str = PLAIN
    additions: bool = False


def record_class(name: str) -> "type[Any]":
    """Return the record called `name`, `module.Class` in `shared.store.records`."""
    module, _, row = name.partition(".")
    found: type[Any] = getattr(import_module(f"shared.store.records.{module}"), row)
    return found
