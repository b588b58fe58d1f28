"""Artifacts whose manifests were read, and what is wrong with these and with the names in their folders."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.export.staging import CARD, RECORD
from jobs.pipeline import ARTIFACTS
from jobs.verify.files import A_LINK, TENSORS, Task, is_linked
from jobs.verify.places import Place
from shared.errors import FormatError
from shared.format.checks.shard import Pictures
from shared.format.files import sha256
from shared.format.manifest import FileInfo, Manifest, Split, parse_manifest
from shared.format.outside import read_regular
from shared.format.presence import compare_names
from shared.limits import MANIFEST_BYTES
from shared.store.job import record_class
from shared.store.records.base import parse_record


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file; `job` is the one that makes its artifact again, where that is known and of use.

    It `spreads` where what was made from the artifact may be wrong, too.
    """

    path: Path
    what: str
    job: str = ""
    spreads: bool = False


@dataclass(frozen=True)
class Opened:
    """A folder to verify: its manifest and what names it, or neither where its work is unfinished."""

    place: Place
    manifest: Manifest | None = None
    sha256: str = ""

    @property
    def folder(self) -> Path:
        """The folder."""
        return self.place.folder

    @property
    def job(self) -> str:
        """The job that makes it again; nothing where that is not known."""
        return self.manifest.job if self.manifest is not None else ""

    @property
    def files(self) -> int:
        """How many files there are to check, without reading pages; none is counted of unfinished work."""
        if self.manifest is None:
            return 0
        splits = self.manifest.dataset.splits.values() if self.manifest.dataset else ()
        return len(self.listed) + sum(len(split.shards) for split in splits)

    @property
    def listed(self) -> list[FileInfo]:
        """The files that the manifest lists by name; people fill in the card of an export."""
        files = self.manifest.files if self.manifest is not None else []
        return [info for info in files if self.place.manifest != RECORD or info.name != CARD]

    @property
    def splits(self) -> dict[str, Split]:
        """The splits of a dataset; none of anything else."""
        dataset = self.manifest.dataset if self.manifest is not None else None
        return dataset.splits if dataset is not None else {}

    def is_replaced(self) -> bool:
        """Whether another artifact has taken the place of this one since it was opened."""
        try:
            return sha256(read_regular(self.folder / self.place.manifest, MANIFEST_BYTES)) != self.sha256
        except OSError:
            return True

    def problems(self) -> list[Problem]:
        """Return what is wrong with the record, and which shards are missing or not listed."""
        assert self.manifest is not None
        path = self.folder / self.place.manifest
        pages = [page.name for page in self.manifest.dataset.pages] if self.manifest.dataset else []
        own = [self.place.manifest, *pages]
        found = [Problem(self.folder / name, A_LINK, self.job) for name in own if is_linked(self.folder, name)]
        row = next((row for row in ARTIFACTS if (row.name, row.kind) == (self.job, self.manifest.kind)), None)
        try:
            if row is not None:
                parse_record(record_class(row.record), self.manifest.facts, str(path))
            _, extra = compare_names(self.folder, self.manifest)  # what is missing is found when it is read
            unlisted = "not listed by the manifest; move it away"
            found += [Problem(self.folder / name, unlisted) for name in extra]
        except FormatError as error:
            found.append(problem(path, error, self.job))
        except FileNotFoundError:  # removed meanwhile
            return []
        return found

    def tasks(self, decode: bool, problems: list[Problem]) -> Iterator[Task]:
        """Yield the files to check; a page that cannot be read is added to `problems`."""
        if self.manifest is None:
            names = sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob(f"*{TENSORS}"))
            yield from (Task(self.folder, name) for name in names)
            return
        yield from (Task(self.folder, info.name, info) for info in self.listed)
        for name, split in self.splits.items():
            assert self.manifest.dataset is not None
            pictures = Pictures.of(self.manifest.dataset) if decode else None
            counts = [0] * len(split.class_counts)
            try:
                for shard in split.shards:
                    counts = [total + count for total, count in zip(counts, shard.class_counts, strict=True)]
                    yield Task(self.folder, shard.name, shard, name, pictures)
            except FormatError as error:
                problems.append(problem(self.folder / self.place.manifest, error, self.job))
                continue
            if counts != split.class_counts:
                what = f"counts other classes in {name} than its shards have"
                problems.append(Problem(self.folder / self.place.manifest, what, self.job))


def opened(place: Place, problems: list[Problem]) -> Opened | None:
    """Return what is in a place; None, and the reason among `problems`, where its manifest cannot be read."""
    if not place.manifest:
        return Opened(place)
    path = place.folder / place.manifest
    try:
        payload = read_regular(path, MANIFEST_BYTES)
        return Opened(place, parse_manifest(payload, path), sha256(payload))
    except FormatError as error:
        problems.append(problem(path, error, job_of(place.folder)))
    except FileNotFoundError:
        problems.append(Problem(path, "missing: the artifact does not count as one", job_of(place.folder)))
    except OSError as error:
        problems.append(Problem(path, f"cannot be read ({error.strerror})", job_of(place.folder)))
    return None


def problem(path: Path, error: FormatError, job: str = "") -> Problem:
    """Return an error as a problem with the file that it names first, `path` where it names none."""
    named, _, what = str(error).partition(": ")
    names_a_file = bool(what) and Path(named).parent == path.parent
    return Problem(Path(named), what, job) if names_a_file else Problem(path, str(error).removeprefix(f"{path} "), job)


def job_of(folder: Path) -> str:
    """Return the job that writes an artifact of this folder's name; nothing for another name."""
    names = {folder.name, folder.parent.name}
    return next((row.name for row in ARTIFACTS if row.writes in names), "")
