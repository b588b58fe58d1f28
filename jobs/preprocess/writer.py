"""Read, split, prepare and write the images of a source; what cannot be read is put aside with its reason."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jobs.preprocess.config import PreprocessConfig
from jobs.preprocess.images import prepare
from jobs.preprocess.items import Item, Source
from jobs.preprocess.splits import choose, split_indexes
from shared.errors import BadInput
from shared.files import sha256, write_whole
from shared.format.manifest import Dataset
from shared.format.sample import Sample
from shared.format.shards import write_split
from shared.job import Run

REJECTED = "rejected.jsonl"

UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, MemoryError)
"""What Pillow's readers raise on broken files (struct.error and DecompressionBombError are caught by their bases)."""


@dataclass
class Rejects:
    """Images that could not be read: where they came from and why."""

    total: int
    allowed: float
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, item: Item, error: BaseException) -> None:
        """Put an image aside."""
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        self.rows.append({"origin": item.origin, "reason": reason})

    def payload(self) -> bytes:
        """Return the rows as JSON lines."""
        return "".join(json.dumps(row, sort_keys=True) + "\n" for row in self.rows).encode()

    def check(self, run: Run) -> None:
        """Write the rows beside the artifact and raise BadInput if there are more than allowed."""
        if len(self.rows) <= self.allowed * self.total:
            return
        path = run.folder.parent / f"real-{REJECTED}"
        write_whole(path, self.payload())
        first = self.rows[0]
        raise BadInput(
            f"{len(self.rows):,} of {self.total:,} images cannot be read, more than --max-rejected {self.allowed:.1%}\n"
            f"the first: {first['origin'].get('file', first['origin'])}: {first['reason']}\n"
            f"all of them, with reasons: {path}; mend or remove them, or raise --max-rejected"
        )


def write_dataset(run: Run, config: PreprocessConfig, source: Source) -> tuple[Dataset, dict[str, Any]]:
    """Write every split of `source` as shards into the run's folder; return the dataset's description and facts."""
    partition = _partition(run, config, source)
    labels = np.array([item.label for item in source.items])
    chosen = choose(labels, partition, config.limit, config.per_class, config.limit_seed)
    rejects = Rejects(len(chosen), config.max_rejected)
    readable, contents = _read_all(run, source, chosen, rejects)
    rejects.check(run)
    official = [partition[index] for index in readable] if partition is not None else None
    places, duplicates = split_indexes(
        labels[readable], contents, official, config.val_fraction, config.test_fraction, config.seed
    )
    with run.talk.bar("prepare", len(readable), "images") as bar:

        def samples(split: str) -> Iterator[Sample]:
            number = 0
            for place in places[split].tolist():
                item = source.items[readable[place]]
                image = _prepared(item, config, rejects)
                bar.advance()
                if image is not None:
                    meta = {"origin": {**item.origin, "sha256": contents[place]}}
                    yield Sample(key=f"{split}-{number:08d}", image=image, label=item.label, meta=meta)
                    number += 1

        splits = {
            split: write_split(
                run.folder, split, samples(split), class_count=len(source.classes), shard_images=config.shard_images
            )
            for split in places
        }
    rejects.check(run)
    if rejects.rows:
        write_whole(run.folder / REJECTED, rejects.payload())
    dataset = Dataset(
        classes=list(source.classes),
        size_px=config.size_px,
        channels=3 if config.channels == 3 else 1,
        preparation=config.preparation,
        splits=splits,
    )
    how = "random, stratified" if partition is None else "official"
    facts = {"source": config.source, "mirrors": source.mirrors, "split": how, "rejected": len(rejects.rows)}
    return dataset, facts | duplicates


def _partition(run: Run, config: PreprocessConfig, source: Source) -> Any:
    """Return the official split of each item, or None where the split is to be random."""
    if config.split == "official" and source.partition is None:
        raise BadInput(f"--split official: the source {config.source} has no official partition; take random or auto")
    if config.split == "random" and source.partition is not None:
        run.talk.say("warning: a random split of a set with an official one; related images may stand in two splits")
        return None
    return source.partition


def _read_all(run: Run, source: Source, chosen: Any, rejects: Rejects) -> tuple[list[int], list[str]]:
    """Return the indexes of the items that can be read and the sha256 of what each holds."""
    readable: list[int] = []
    contents: list[str] = []
    for index in run.talk.each(chosen.tolist(), "read", len(chosen), "images"):
        item = source.items[index]
        try:
            contents.append(sha256(item.read()))
        except OSError as error:
            rejects.add(item, error)
        else:
            readable.append(index)
    return readable, contents


def _prepared(item: Item, config: PreprocessConfig, rejects: Rejects) -> Any:
    """Return the item's pixels, or None, put aside, if they cannot be read."""
    try:
        with item.decode(item.read()) as image:
            return prepare(image, config.size_px, config.channels, config.crop, config.resize_filter, config.background)
    except UNREADABLE as error:
        rejects.add(item, error)
        return None
