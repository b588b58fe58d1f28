"""Read, split, prepare and write the images of a source; what cannot be read is put aside with its reason."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.partition import partition_of, say_groups, say_lacking, say_unequal, split_kind
from jobs.preprocess.phases.phase import Phases
from jobs.preprocess.phases.preparing import Packing, Prepare, Prepared, Preparing
from jobs.preprocess.phases.reading import Digesting
from jobs.preprocess.placing import Indexes, Placed, Placing, Readable, copies_of, say_copies
from jobs.preprocess.splits import choose, in_drawn_order
from jobs.preprocess.subsets import Seeds
from shared.attributes import presence_counts
from shared.cli.progress import ProgressBar
from shared.cli.run import Run
from shared.errors import BadInput, HalfrealError
from shared.format.files import sha256
from shared.format.manifest import Dataset, ShardInfo
from shared.format.sample import Members
from shared.format.shards import join, shard_name, shard_ranges, write_shard
from shared.runtime.processes import processes
from shared.runtime.seeding import replicate_seed
from shared.sources.items import NO_CLASS, Source, some
from shared.sources.rejects import Rejected, Rejects
from shared.sources.table import SOURCES
from shared.sources.work import Unreadable, digest, name_of
from shared.store.records.base import Record
from shared.store.records.datasets import RealRecord
from shared.store.volume.room import Need, need_of_images

IMAGES_PER_PROCESS = 256
"""Images below which another process costs more than it saves."""


class WrittenShard(Record):
    """What a part leaves of a shard: the shard, None if no image of it could be prepared, and those that could not."""

    shard: ShardInfo | None
    rejected: list[Rejected]


@dataclass(frozen=True)
class Task:
    """A shard to write: its split and number there, its images' places in the split, and among the readable ones."""

    split: str
    number: int
    places: range
    items: NDArray[np.int64]


class Written(NamedTuple):
    """What describes a dataset, its record, and the images of its train split."""

    dataset: Dataset
    record: RealRecord
    train: Readable


def write_dataset(run: Run, config: PreprocessOptions, source: Source) -> Written | None:
    """Write every split of `source` as shards into the run's folder; return what there is to say of it.

    The parts divide the images twice: each hashes some, all agree on duplicates and splits by the hashes of all, and
    each prepares some shards; within a part the run's threads are as many processes. Returns None while pieces of other
    parts are missing.
    """
    # first, since the job may fail on just what they say
    for warning in source.warnings:
        run.reporter.info(f"warning: {warning}")
    for note in source.notes:
        run.reporter.info(note)
    partition = partition_of(run, config, source)
    labels = np.array([item.label for item in source.items], dtype=np.int64)
    chosen = choose(labels, partition, config.limit, config.per_class, config.limit_seed)
    # before anything is read: a class without images is known already
    _check_classes(config, source, partition, _for_train(source, partition, chosen, labels))
    run.check_room(need_of(config, source, len(chosen)), f"{len(chosen):,} images")
    rejects = Rejects(len(chosen), config.max_rejected)
    # processes, not threads: the code around Pillow holds the interpreter lock
    count, waiting = min(run.threads, len(chosen) // IMAGES_PER_PROCESS), run.reporter.stop.at_once
    with processes(count, digest.__module__, waiting=waiting, name=name_of) as spread:
        placing = Placing(Phases(run), spread, drawing(config, run), source, partition, rejects, seeds_of(config, run))
        made = placed_and_written(placing, config, chosen, labels)
    if made is None:
        return None
    (readable, places, moved, also_real), tasks, records = made
    # an image may be readable as bytes and still not decode, so rejects are counted again after preparation
    rejects.rows += [rejected for record in records for rejected in record.rejected]
    rejects.check(run.folder)
    rejects.store(run.folder)
    copies = copies_of(readable.take(np.sort(np.concatenate(list(places.values())))), rejects)
    say_copies(run, source, copies)
    groups = say_groups(
        run, config, source, {split: readable.indexes[found].tolist() for split, found in places.items()}
    )
    dataset = _describe(config, source, _shards(places, tasks, records))
    say_lacking(run, config, dataset)
    say_unequal(run, dataset)
    if config.train_size and dataset.splits["train"].count < len(places["train"]):
        raise HalfrealError(f"{config.train_size.flag}: the images changed while they were read; run it again")
    # again: what is left of a class after unreadable images were put aside
    _check_classes(config, source, partition, dataset.splits["train"].class_counts)
    record = RealRecord(
        source=config.source,
        mirrors=config.mirrors,
        split=split_kind(config, source, partition),
        rejected=len(rejects.rows),
        ignored=source.ignored,
        duplicates=len(copies),
        duplicates_with_other_label=sum(copy.label != first.label for copy, first in copies),
        moved_to_the_split_of_their_copy=sum(moved.values()),
        groups=groups,
        held_out=config.held_out is not None,
        held_out_also_real=also_real,
    )
    return Written(dataset, with_subsets(record, config), readable.take(places["train"]))


def need_of(config: PreprocessOptions, source: Source, images: int) -> Need:
    """Return what the work on this many images takes of the disk, until it is finished."""
    shards = need_of_images(images, config.size_px, config.channels)
    # of a source that is read in its own order each image is written twice: as it comes, and where it goes
    return shards + shards if source.in_order else shards


def placed_and_written(
    placing: Placing, config: PreprocessOptions, chosen: NDArray[np.int64], labels: NDArray[np.int64]
) -> tuple[Placed, list[Task], list[WrittenShard]] | None:
    """Return where each of the chosen images goes, and the shards with their records; None while pieces are missing."""
    digesting = Digesting(placing.phases, placing.spread, placing.source, chosen)
    placed = placing.place(digesting, labels)
    if placed is None:
        return None
    tasks = [
        task
        for split, found in placed.places.items()
        for task in tasks_of(split, in_drawn_order(found, placing.seeds.splits), config.shard_images)
    ]
    readable = placed.readable
    # the plan is part of the key: parts that saw different files must not share shards
    plan = [digesting.phase.pieces.plan, sha256(readable.indexes.tobytes()), readable.contents.hash()]
    prepare: Prepare | None = Preparing(placing.spread, config.target, readable, digesting)
    if placing.source.in_order:
        taken = np.sort(np.concatenate([*placed.places.values()]))
        prepare = Packing(
            placing.phases, Preparing(placing.spread, config.target, readable, digesting), taken, plan
        ).packed()
    records = None if prepare is None else write_shards(placing.phases, config, tasks, readable, prepare, plan)
    return None if records is None else (placed, tasks, records)


def with_subsets(record: RealRecord, config: PreprocessOptions) -> RealRecord:
    """Return the record with what was drawn of the splits."""
    return record.model_copy(
        update={
            "resplit": None if config.resplit == "none" else config.resplit,
            "audit_fraction": config.audit_fraction,
            "train_val_fraction": config.train_val_fraction,
            "labelled_fraction": config.labelled_fraction,
        }
    )


def seeds_of(config: PreprocessOptions, run: Run) -> Seeds:
    """Return the seeds of this replicate's draws: those of test and audit are the first one's where only train varies.

    Without replicates both are the job's own.
    """
    return Seeds(run.first_seed if config.resplit == "train" else config.seed, config.seed)


def drawing(config: PreprocessOptions, run: Run) -> PreprocessOptions:
    """Return the options with the seeds by which this replicate draws its split."""
    if config.resplit == "all" and config.train_size:
        # a train split of an exact size is drawn from this seed, and must be another one in each replicate, too
        return replace(config, limit_seed=replicate_seed(config.limit_seed, run.replicate))
    return replace(config, seed=seeds_of(config, run).splits)


def _shards(splits: Iterable[str], tasks: list[Task], records: list[WrittenShard]) -> dict[str, list[ShardInfo]]:
    """Return the shards of each split, without those of which no image could be prepared."""
    shards: dict[str, list[ShardInfo]] = {split: [] for split in splits}
    for task, record in zip(tasks, records, strict=True):
        if record.shard:
            shards[task.split].append(record.shard)
    return shards


def _describe(config: PreprocessOptions, source: Source, shards: dict[str, list[ShardInfo]]) -> Dataset:
    """Return the description of the dataset for its manifest."""
    return Dataset(
        classes=list(source.classes),
        attributes=list(source.attributes),
        size_px=config.size_px,
        channels=3 if config.channels == 3 else 1,
        preparation=config.preparation,
        splits={split: join(written, len(source.classes)) for split, written in shards.items()},
    )


def tasks_of(split: str, items: NDArray[np.int64], shard_images: int) -> list[Task]:
    """Return the shards of a split that holds `items` in this order."""
    cut = shard_ranges(len(items), shard_images)
    return [Task(split, number, places, items[places.start : places.stop]) for number, places in enumerate(cut)]


def write_shards(
    phases: Phases, config: PreprocessOptions, tasks: list[Task], readable: Readable, prepare: Prepare, plan: object
) -> list[WrittenShard] | None:
    """Write the shards that are of this part; return the records of all, or None while some are missing.

    An image is numbered by its place, also where others are rejected. `plan` is what the images depend on.
    """
    run = phases.run
    shards = [[task.split, sha256(task.items.tobytes())] for task in tasks]
    phase = phases.begin("piece", len(tasks), [plan, shards])

    def write(todo: list[int]) -> None:
        with run.reporter.bar("prepare", sum(len(tasks[number].items) for number in todo), "images") as bar:
            # one stream over all shards keeps every process busy across their ends
            results = prepare(place for number in todo for place in tasks[number].items.tolist())
            for number in todo:
                task, rejects = tasks[number], Rejects(len(readable), config.max_rejected)
                made = _members(task, readable, results, rejects, bar)
                first = next(made, None)  # a shard without any image is not written
                path = run.folder / shard_name(task.split, task.number)
                shard = write_shard(path, chain([first], made), len(readable.source.classes)) if first else None
                phase.pieces.done(number, WrittenShard(shard=shard, rejected=rejects.rows).facts())

    phase.divide(write)
    records = phase.pieces.gather()
    return None if records is None else [WrittenShard.model_validate(record) for record in records]


def _members(
    task: Task, readable: Readable, results: Iterator[Prepared], rejects: Rejects, bar: ProgressBar
) -> Iterator[Members]:
    """Yield the encoded samples of a shard, the next ones of `results`; put aside what cannot be read."""
    # not strict: `results` goes on with the images of the next shard
    for place, image, members in zip(task.places, task.items.tolist(), results, strict=False):
        bar.advance()
        if isinstance(members, Unreadable):
            rejects.add(readable.item(image), members)
        else:
            yield f"{task.split}-{place:08d}", members


def _for_train(source: Source, partition: Sequence[str] | None, chosen: Indexes, labels: Indexes) -> list[int]:
    """Return how many of the chosen images of each class may be in train, given the labels of all."""
    may_be = [partition is None or partition[index] == "train" for index in chosen.tolist()]
    there = labels[chosen][np.array(may_be, np.bool_)]
    counts: list[int] = np.bincount(there[there != NO_CLASS], minlength=len(source.classes)).tolist()
    return counts


def _check_classes(
    config: PreprocessOptions, source: Source, partition: Sequence[str] | None, counts: Sequence[int]
) -> None:
    """Raise BadInput unless each class has images to learn from, given the `counts` of those for train.

    Some combinations of several attributes may have none: there must be images with and without each attribute.
    """
    names, sizes = list(source.classes), list(counts)
    if source.attributes:
        names = [name for attribute in source.attributes for name in (f"not {attribute}", attribute)]
        sizes = [size for pair in presence_counts(counts, len(source.attributes)) for size in pair]
    empty = [name for name, size in zip(names, sizes, strict=True) if not size]
    if not empty:
        return
    part = "taken" if partition is None else "taken of the official train part"
    advice = {
        "add images of each class": True,
        "take another --label": SOURCES[config.source].label is not None,
        "raise --limit": bool(config.limit),
        "say --split random": partition is not None,
    }
    raise BadInput(
        f"{config.source_path or config.source}: {len(empty):,} of {len(names):,} classes have no image that "
        f"can be used ({some(empty)}) among the {sum(counts):,} {part}\n"
        f"want images of every class to learn from; {', or '.join(do for do, fits in advice.items() if fits)}"
    )
