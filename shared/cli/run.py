"""What a job is given and what it hands back; `shared.cli.job` does the rest."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.cli.progress import Reporter
from shared.cli.recipes import Recipe
from shared.disk.durable import make_folder
from shared.errors import BadInput
from shared.format.outside import parse_json, read_regular
from shared.limits import MANIFEST_BYTES
from shared.runtime.observe.observation import peak_bytes
from shared.store.identity import Extends
from shared.store.job import Job, R
from shared.store.work_shards import WHOLE, Shard

if TYPE_CHECKING:
    from shared.format.manifest import Dataset
    from shared.store.artifacts import Artifact
    from shared.store.records.base import Record
    from shared.store.volume.room import Need


@dataclass(frozen=True)
class Result:
    """What a job hands to the commit: what later jobs and the report read, and the dataset if it wrote one."""

    record: "Record"
    dataset: "Dataset | None" = None
    summary: str = ""


def _nothing() -> None:
    """Do nothing, since this process does all of the work, or another one keeps the time."""


@dataclass(frozen=True)
class Run:
    """One run of a job: its input artifacts by place, the folder to write into, the folder of the user's sources.

    A job with parts calls `exclusive` before it gathers the pieces: it waits while another process does so. One that
    goes on after a stop calls `keep_time` where it has saved its work, so that no time is lost from the sum. `threads`
    is how many cores it may use, for jobs that use processes; torch has its own setting. `replicate` is the one that
    is made, from 0, and `first_seed` the seed of number 0. `previous` is the artifact that this one replaces; one that
    the job only adds numbers to is what it `extends`. Replicates that are finished are not looked at where the run is
    `forced`. It is one of `among` replicates that the call makes.
    """

    inputs: "dict[str, Artifact]"
    folder: Path
    sources: Path
    device: str
    reporter: Reporter
    shard: Shard = WHOLE
    exclusive: Callable[[], object] = _nothing
    keep_time: Callable[[], object] = _nothing
    threads: int = 1
    replicate: int = 0
    first_seed: int = 0
    previous: "Artifact | None" = None
    extends: "Artifact | None" = None
    forced: bool = False
    among: int = 1

    def check_room(self, need: "Need", what: str) -> None:
        """Say what the work on `what` takes of the disk; BadInput where it cannot fit. See `volume.room`."""
        from shared.store.volume.room import check_room

        check_room(self.folder, need, what, self.reporter.info, self.among)

    def input(self, row: Job[R]) -> "Artifact[R]":
        """Return the artifact of the job in `row`, which this job reads."""
        from shared.store.artifacts import input_of

        return input_of(self.inputs, row)

    def inputs_of(self, row: Job[R]) -> "list[Artifact[R]]":
        """Return the artifacts of all replicates of the job in `row`, in order, which this job reads."""
        from shared.store.artifacts import inputs_of

        return inputs_of(self.inputs, row)

    @property
    def experiment(self) -> Path:
        """The folder of the experiment."""
        from shared.store.lineage import experiment_folder

        return experiment_folder(self.inputs)

    @property
    def weights(self) -> Path:
        """The folder of the weights of feature extractors."""
        return self.sources.parent / "weights"

    @property
    def figures(self) -> Path:
        """The folder for pictures that people look at and no job reads."""
        path = self.folder / "figures"
        make_folder(path)
        return path


Body = Callable[[Run, Any], Result | None]
"""The function of a job; None while the shards of other processes are missing."""


@dataclass(frozen=True)
class Step:
    """What a command does: `body` makes each artifact of `row`, as `how` says."""

    row: Job
    body: Body
    how: "How"


@dataclass(frozen=True)
class Additions:
    """What an artifact goes without while a file is missing from the volume, and gets once it is there.

    `lacking(options, data_root)` says what it will go without, a line each, before the work. `addable(record,
    data_root)` names what a finished artifact lacks and could have now: then its job is called to extend it.
    """

    lacking: Callable[[Any, Path], list[str]]
    addable: Callable[["Record", Path], list[str]]


@dataclass(frozen=True)
class How:
    """How the artifacts of a step are made.

    With `resumes` the staging folder of an interrupted run stays for the next run with the same build key. `extends`
    names the options of which a larger value goes on from what was made with a smaller one. `preload`
    are the modules that processes with a replicate each have imported before they begin. The step comes `after` others
    whose artifacts it gathers. `additions` are what the artifacts may get later. One that `divides` makes an artifact
    in parts, one on each GPU, where a machine has more of them than there are artifacts to be made.
    """

    resumes: bool = False
    extends: Extends | None = None
    preload: tuple[str, ...] = ()
    after: tuple[Step, ...] = ()
    additions: Additions | None = None
    divides: bool = False


class Diary:
    """`run.json` in the folder of an artifact: what making it took, over all of the runs that it took.

    `started` is when this run began, by the monotonic clock. It is no part of the manifest, whose hash must depend on
    the work alone.
    """

    def __init__(self, folder: Path, started: float) -> None:
        self._path, self._started = folder / "run.json", started
        self._earlier_s, self._earlier_bytes = _earlier(self._path)

    def keep(self) -> None:
        """Write what was taken until now, for a run that goes on where this one is killed."""
        self._write({})

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep what was taken where the work stops before its end; what is refused stays as it is found."""
        try:
            yield
        except BadInput:
            raise
        except BaseException:
            # the error that stopped the work is the one to be heard of, such as a full disk
            with suppress(OSError):
                self.keep()
            raise

    def finish(self, recipe: Recipe, more: Mapping[str, float]) -> None:
        """Write when the work was finished, what it took, its recipe, and `more`."""
        printed = recipe.published
        published = None if printed is None else asdict(printed)
        finished_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._write({"finished": finished_at, **more, "recipe": recipe.name, "published": published})

    def _write(self, more: Mapping[str, object]) -> None:
        from shared.format.files import write_json

        seconds = self._earlier_s + time.monotonic() - self._started
        write_json(
            self._path,
            {"seconds": round(seconds, 1), "peak_bytes": max(self._earlier_bytes, peak_bytes())} | dict(more),
        )


def _earlier(path: Path) -> tuple[float, int]:
    """Return the seconds and the peak memory of earlier runs on the same work."""
    try:
        found = parse_json(read_regular(path, MANIFEST_BYTES))
        seconds, peak = float(found["seconds"]), int(found["peak_bytes"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):  # none before, or edited: not worth a failure
        return 0.0, 0
    return (seconds, peak) if math.isfinite(seconds) else (0.0, 0)
