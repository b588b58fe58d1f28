"""The table of jobs is made of these rows: what a job reads and writes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A row in the table of jobs: its name, the artifact it writes and the jobs whose artifacts it reads.

    With `parts` several processes, on any machines, may each do a part of its work; see `Shard`. It takes the artifacts
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
