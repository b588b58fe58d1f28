"""Read, split, prepare and write the images of a source; what cannot be read is put aside with its reason."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from jobs.preprocess.items import Item, Source, named, plain, some
from jobs.preprocess.known import KNOWN
from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.splits import choose, leaders_of, split_indexes
from jobs.preprocess.work import Unreadable, digest, prepared
from shared.cli.progress import ProgressBar
from shared.cli.run import Run
from shared.errors import BadInput
from shared.format.files import write_whole
from shared.format.manifest import Dataset, ShardInfo
from shared.format.shards import Members, join, shard_name, write_shard
from shared.runtime.processes import Spread, processes
from shared.store.work_shards import WorkShards

REJECTED = "rejected.jsonl"

WORTH_A_PROCESS = 256
"""Images below which another process costs more than it saves."""


@dataclass
class Rejects:
    """Images that could not be read: where they came from and why."""

    total: int
    allowed: float
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, item: Item, why: Unreadable) -> None:
        """Put an image aside."""
        self.rows.append({"origin": item.origin, "reason": why.reason})

    def payload(self) -> bytes:
        """Return the rows as JSON lines."""
        return "".join(f"{_line(row)}\n" for row in self.rows).encode()

    def check(self, run: Run) -> None:
        """Write the rows beside the artifact and raise BadInput if there are more than allowed."""
        if len(self.rows) <= self.allowed * self.total:
            return
        path = _report(run)
        write_whole(path, self.payload())
        first = self.rows[0]
        raise BadInput(
            f"{len(self.rows):,} of {self.total:,} images cannot be read, more than --max-rejected {self.allowed:.1%}\n"
            f"the first: {named(first['origin'])}: {first['reason']}\n"
            f"those found so far, with reasons: {path}; mend or remove them, or raise --max-rejected"
        )


def _report(run: Run) -> Path:
    """Return where the rows go when they are too many, beside the artifact that is not made."""
    return run.folder.parent / f"real-{REJECTED}"


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True)


@dataclass(frozen=True)
class Task:
    """A shard to write: its split and number there, its images' places in the split, and among the readable ones."""

    split: str
    number: int
    places: range
    items: list[int]


def write_dataset(run: Run, config: PreprocessOptions, source: Source) -> tuple[Dataset, dict[str, Any]] | None:
    """Write every split of `source` as shards into the run's folder; return the dataset's description and facts.

    Each part reads every item, so that all agree on duplicates and splits, and prepares its own shards; within a part
    the run's threads are as many processes. Returns None while shards of other parts are missing.
    """
    for warning in source.warnings:
        run.reporter.info(f"warning: {warning}")
    partition = _partition(run, config, source)
    labels = np.array([item.label for item in source.items], dtype=np.int64)
    chosen = choose(labels, partition, config.limit, config.per_class, config.limit_seed)
    _check_classes(config, source, partition, _for_train(source, partition, chosen.tolist()))
    rejects = Rejects(len(chosen), config.max_rejected)
    with processes(min(run.threads, len(chosen) // WORTH_A_PROCESS), digest.__module__) as each:
        readable, contents = _read_all(run, each, source, chosen, rejects)
        rejects.check(run)
        official = [partition[index] for index in readable] if partition is not None else None
        places, moved = split_indexes(
            labels[readable], contents, official, config.val_fraction, config.test_fraction, config.seed
        )
        tasks = [task for split, mine in places.items() for task in tasks_of(split, mine.tolist(), config.shard_images)]
        found = [(source.items[index], content) for index, content in zip(readable, contents, strict=True)]
        records = write_shards(run, each, config, tasks, found, len(source.classes))
    if records is None:
        return None
    rejects.rows += [row for record in records for row in record["rejected"]]
    rejects.check(run)
    copies = _copies(found, rejects)
    _say_copies(run, source, copies)
    for stale in (_report(run), run.folder / REJECTED):
        stale.unlink(missing_ok=True)
    if rejects.rows:
        write_whole(run.folder / REJECTED, rejects.payload())
    shards: dict[str, list[ShardInfo]] = {split: [] for split in places}
    for task, record in zip(tasks, records, strict=True):
        shards[task.split] += [ShardInfo(**record["shard"])] if record["shard"] else []
    dataset = Dataset(
        classes=list(source.classes),
        size_px=config.size_px,
        channels=3 if config.channels == 3 else 1,
        preparation=config.preparation,
        splits={split: join(written, len(source.classes)) for split, written in shards.items()},
    )
    _check_classes(config, source, partition, dataset.splits["train"].class_counts)
    how = "random, stratified" if partition is None else "official"
    return dataset, {
        "source": config.source,
        "mirrors": config.mirrors,
        "split": how,
        "rejected": len(rejects.rows),
        "ignored": source.ignored,
        "duplicates": len(copies),
        "duplicates_with_other_label": sum(copy.label != first.label for copy, first in copies),
        "moved_to_the_split_of_their_copy": moved,
    }


def tasks_of(split: str, items: list[int], shard_images: int) -> list[Task]:
    """Return the shards of a split that holds `items` in this order."""
    starts = range(0, len(items), shard_images)
    cut = [range(start, min(start + shard_images, len(items))) for start in starts]
    return [Task(split, number, places, items[places.start : places.stop]) for number, places in enumerate(cut)]


def write_shards(
    run: Run,
    each: Spread[Any, Any],
    config: PreprocessOptions,
    tasks: list[Task],
    found: list[tuple[Item, str]],
    class_count: int,
) -> list[dict[str, Any]] | None:
    """Write the shards that are of this part; return the records of all, or None while some are missing.

    `each` applies a function to items; `found` are the readable items and the sha256 of each. A record has the shard's
    own, None where no image of it could be prepared, and the rows of those that could not. An image has the number of
    its place, whatever becomes of others.
    """
    plan = [[item.label, item.origin, content] for item, content in found]
    pieces = WorkShards(run, len(tasks), [plan, [[task.split, task.items] for task in tasks]])
    todo = pieces.todo()
    with run.reporter.bar("prepare", sum(len(tasks[number].items) for number in todo), "images") as bar:
        results = each(partial(prepared, config), (found[index] for number in todo for index in tasks[number].items))
        for number in todo:
            task, rejects = tasks[number], Rejects(len(found), config.max_rejected)
            made = _members(task, [found[index][0] for index in task.items], results, rejects, bar)
            first = next(made, None)
            path = run.folder / shard_name(task.split, task.number)
            shard = write_shard(path, chain([first], made), class_count) if first else None
            pieces.done(number, {"shard": shard and shard.model_dump(), "rejected": rejects.rows})
    return pieces.gather()


def _members(
    task: Task,
    items: list[Item],
    results: Iterator[dict[str, bytes] | Unreadable],
    rejects: Rejects,
    bar: ProgressBar,
) -> Iterator[Members]:
    """Yield the encoded samples of a shard, the next ones of `results`; put aside what cannot be read."""
    for place, item, members in zip(task.places, items, results, strict=False):
        bar.advance()
        if isinstance(members, Unreadable):
            rejects.add(item, members)
        else:
            yield f"{task.split}-{place:08d}", members


def _partition(run: Run, config: PreprocessOptions, source: Source) -> Any:
    """Return the official split of each item, or None where the split is to be random."""
    if config.split == "random" and source.partition is not None:
        run.reporter.info(
            "warning: a random split of a set with an official one; related images may stand in two splits"
        )
        return None
    return source.partition


def _for_train(source: Source, partition: Any, chosen: list[int]) -> list[int]:
    """Return how many of the chosen images of each class may stand in train."""
    found = Counter(source.items[index].label for index in chosen if partition is None or partition[index] == "train")
    return [found[label] for label in range(len(source.classes))]


def _check_classes(config: PreprocessOptions, source: Source, partition: Any, counts: Sequence[int]) -> None:
    """Raise BadInput unless each class has images to learn from, given the `counts` of those for train."""
    empty = [name for name, count in zip(source.classes, counts, strict=True) if not count]
    if not empty:
        return
    part = "taken" if partition is None else "taken of the official train part"
    advice = {
        "add images of each class": True,
        "take another --label": KNOWN[config.source].label is not None,
        "raise --limit": bool(config.limit),
        "say --split random": partition is not None,
    }
    raise BadInput(
        f"{config.source_path or config.source}: {len(empty):,} of {len(source.classes):,} classes have no image that "
        f"can be used ({some(empty)}) among the {sum(counts):,} {part}\n"
        f"want images of every class to learn from; {', or '.join(do for do, fits in advice.items() if fits)}"
    )


def _copies(found: list[tuple[Item, str]], rejects: Rejects) -> list[tuple[Item, Item]]:
    """Return each image that is equal to an earlier one, with the first such; not those that were put aside."""
    aside = {_line(row["origin"]) for row in rejects.rows}
    leaders = leaders_of([content for _, content in found]).tolist()
    pairs = [
        (item, found[leader][0])
        for (item, _), leader in zip(found, leaders, strict=True)
        if item is not found[leader][0]
    ]
    return [pair for pair in pairs if _line(pair[0].origin) not in aside]


def _say_copies(run: Run, source: Source, copies: list[tuple[Item, Item]]) -> None:
    """Say how many images are copies of others, and warn of those that have another label."""
    if copies:
        example = " equals ".join(named(item.origin) for item in copies[0])
        run.reporter.info(
            f"images that are copies of others: {len(copies):,} ({example}); equal ones stand in one split"
        )
    torn = [pair for pair in copies if pair[0].label != pair[1].label]
    if torn:
        example = " equals ".join(f"{named(item.origin)} ({plain(source.classes[item.label])})" for item in torn[0])
        run.reporter.info(
            f"warning: images equal to one with another label: {len(torn):,} ({example}); "
            "both are kept: remove what has the wrong label"
        )


def _read_all(
    run: Run, each: Spread[Any, Any], source: Source, chosen: Any, rejects: Rejects
) -> tuple[list[int], list[str]]:
    """Return the indexes of the items that can be read and the sha256 of what each holds."""
    readable: list[int] = []
    contents: list[str] = []
    digests = each(digest, (source.items[index] for index in chosen.tolist()))
    for index, found in zip(chosen.tolist(), run.reporter.each(digests, "read", len(chosen), "images"), strict=True):
        if isinstance(found, Unreadable):
            rejects.add(source.items[index], found)
        else:
            readable.append(index)
            contents.append(found)
    return readable, contents
