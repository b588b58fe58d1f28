"""Import synthetic images: read them as preprocess reads real ones, prepare them alike, annotate and write them."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from itertools import chain, islice
from typing import Any

import numpy as np
import torch

from jobs.pipeline import PREPROCESS, TRAIN_CLASSIFIER
from jobs.synthesize.annotations import AnnotatedShard, Tally, dataset_of, joined
from jobs.synthesize.options import GIVEN, SynthesizeOptions
from jobs.synthesize.turns import InTurn, labels_of
from shared.cli.progress import ProgressBar
from shared.cli.run import Run
from shared.data.resizing import resized
from shared.errors import BadInput
from shared.format.manifest import Dataset
from shared.format.sample import Members, Sample, encode
from shared.format.shards import shard_name, shard_ranges, write_shard
from shared.models.fitting import CLASSIFIER_FILE, load_classifier, probabilities_of
from shared.runtime.devices import pick_device
from shared.runtime.processes import Spread, processes
from shared.sources.detect import find
from shared.sources.digests import Digests, Known, sorted_hash
from shared.sources.items import NO_CLASS, Item, Pixels, Source, plain
from shared.sources.reading import Target
from shared.sources.rejects import Rejected, Rejects
from shared.sources.table import SOURCES
from shared.sources.work import Unreadable, name_of, pixels_of
from shared.store.artifacts import Artifact
from shared.store.records.datasets import IMPORTED, Imported, RealRecord, SyntheticRecord
from shared.store.volume.room import need_of_images
from shared.store.work_shards import WorkShards

BATCH_IMAGES = 256
IMAGES_PER_PROCESS = 256
"""Images below which another process costs more than it saves."""


CONTENT = "sha256"
"""The column of a piece with the sha256 of each file that was taken."""


class ImportedShard(AnnotatedShard):
    """A shard of imported images: also what could not be read, with its class.

    `content` is the sha256 of the column with that of each file.
    """

    content: str
    rejected: list[Rejected]
    left_out: list[int]


def import_images(run: Run, config: SynthesizeOptions) -> tuple[Dataset, SyntheticRecord] | None:
    """Write the annotated images of a set as the split `train`; return the dataset's description and what is recorded.

    Images are prepared as the real ones were, then brought to the annotator's size by its own filter. Each part reads
    and prepares its own shards. Returns None while shards of other parts are missing.
    """
    real, annotator = run.input(PREPROCESS), run.input(TRAIN_CLASSIFIER)
    place = find(config.source_path, config.source, run.sources)
    run.reporter.info(f"importing {place}")
    with run.reporter.stop.at_once():
        source = SOURCES[config.source].read.get()(place, config.reading)
    said(run, source)
    items = InTurn.of(source, labels_of(place, source, real.dataset.classes, config, run), config.seed)
    rejects = Rejects(len(items), config.max_rejected)
    ranges = shard_ranges(len(items), config.shard_images)
    need = need_of_images(len(items), annotator.record.size_px, real.dataset.channels)
    run.check_room(need, f"{len(items):,} images")
    # the plan is part of the key: parts that saw different files must not share shards
    pieces = WorkShards(run, len(ranges), items.listing())
    shards = write_shards(run, pieces, ranges, items, rejects, config.max_pixels)
    if shards is None:
        return None
    rejects.rows = [row for shard in shards for row in shard.rejected]
    rejects.check(run.folder)
    rejects.store(run.folder)
    tally = joined(pieces, list(shards), len(real.dataset.classes))
    if not tally.images:
        raise BadInput(f"{place}: no image can be used; want at least one")
    preparation = {name: value for name, value in real.dataset.preparation.items() if name != "resizer"}
    dataset = dataset_of(list(shards), real, annotator, {**preparation, "prepared_at_px": real.dataset.size_px})
    columns = (pieces.read_column(number, CONTENT, shard.content) for number, shard in enumerate(shards))
    contents = Digests(np.frombuffer(b"".join(columns), np.uint8))
    left_out = Counter(label for shard in shards for label in shard.left_out)
    imported = Imported(
        name=place.name,
        source=config.source,
        images=len(contents),
        sha256=sorted_hash(contents),
        labels=config.labels,
        rejected=len(rejects.rows),
        ignored=source.ignored,
        left_out={real.dataset.classes[label]: count for label, count in sorted(left_out.items()) if label != NO_CLASS},
        equal_to_real=equal_to_real(run, real, contents),
    )
    labelled_by_set = config.labels == GIVEN
    record = tally.record(labelled_by_set, family=IMPORTED, imported=imported)
    return dataset, record


def said(run: Run, source: Source) -> None:
    """Say what is there and not taken, and that splits of the set's own make no difference."""
    for warning in source.warnings:
        run.reporter.info(f"warning: {warning}")
    if source.partition is not None:
        counts = Counter(source.partition)
        sizes = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        run.reporter.info(f"the set has splits of its own ({sizes}): all of its images are taken")


def write_shards(
    run: Run,
    pieces: WorkShards,
    ranges: list[range],
    items: InTurn,
    rejects: Rejects,
    max_pixels: int,
) -> list[ImportedShard] | None:
    """Write the shards that are of this part; return the records of all shards, or None while some are missing."""
    todo = pieces.todo()
    count = sum(len(ranges[number]) for number in todo)
    with (
        run.reporter.bar("import", count, "images") as bar,
        processes(
            min(run.threads, count // IMAGES_PER_PROCESS),
            pixels_of.__module__,
            waiting=run.reporter.stop.at_once,
            name=name_of,
        ) as each,
    ):
        work = Importing(run, pieces, each, bar, max_pixels) if todo else None
        for number in todo:
            assert work is not None
            record = work.write(number, items.take(ranges[number]), ranges[number].start)
            rejects.rows += record.rejected
            rejects.check(run.folder)
            pieces.done(number, record.facts())
    records = pieces.gather()
    return None if records is None else [ImportedShard.model_validate(record) for record in records]


class Importing:
    """The annotator of a run, and how its real images were prepared."""

    def __init__(self, run: Run, pieces: WorkShards, each: Spread[Any, Any], bar: ProgressBar, max_pixels: int) -> None:
        self.run, self.pieces, self.each, self.bar = run, pieces, each, bar
        self.real, annotator = run.input(PREPROCESS), run.input(TRAIN_CLASSIFIER)
        self.target = target_of(self.real, max_pixels)
        self.annotator = load_classifier(annotator, pick_device(run.device))
        self.annotator_sha256 = sha256(annotator.read(CLASSIFIER_FILE)).hexdigest()

    def write(self, number: int, items: list[tuple[Item, int]], first: int) -> ImportedShard:
        """Write the images of a shard, numbered from `first`, and return its record."""
        classes = len(self.real.dataset.classes)
        tally, contents, aside, left_out = Tally(classes), bytearray(), Rejects(len(items), 1.0), []
        results = self.each(partial(pixels_of, self.target), (item for item, _ in items))

        def readable() -> Iterator[tuple[int, Item, int, str, Pixels]]:
            for place, ((item, label), result) in enumerate(zip(items, results, strict=True), start=first):
                self.bar.advance()
                if isinstance(result, Unreadable):
                    aside.add(item, result)
                    left_out.append(label)
                else:
                    contents.extend(bytes.fromhex(result[0]))
                    yield place, item, label, *result

        members = self._members(readable(), tally)
        beginning = next(members, None)  # a shard without any image is not written
        path = self.run.folder / shard_name("train", number)
        shard = write_shard(path, chain([beginning], members), classes) if beginning else None
        counted = tally.stored(self.pieces, number)
        content = self.pieces.write_column(number, CONTENT, bytes(contents))
        return ImportedShard(shard=shard, **counted, content=content, rejected=aside.rows, left_out=left_out)

    def _members(self, readable: Iterator[tuple[int, Item, int, str, Pixels]], tally: Tally) -> Iterator[Members]:
        """Yield the samples of images, annotated a batch at a time."""
        while batch := list(islice(readable, BATCH_IMAGES)):
            images = torch.from_numpy(np.stack([pixels for *_, pixels in batch])).permute(0, 3, 1, 2).contiguous()
            confidence, given = probabilities_of(self.annotator, images).cpu().max(dim=1)
            # a set has labels of its own for all of its images or for none
            asked = torch.tensor([label for _, _, label, _, _ in batch])
            tally.add(None if NO_CLASS in asked else asked, given, confidence)
            # stored at the size that the annotator saw, so that a classifier learns from the annotated pixels
            stored = resized(images, *self.annotator.input_format).permute(0, 2, 3, 1).numpy()
            for (place, item, label, content, _), pixels, named, sure in zip(
                batch, stored, given.tolist(), confidence.tolist(), strict=True
            ):
                own: dict[str, object] = {} if label == NO_CLASS else {"asked_label": label}
                yield self._sample(f"synthetic-{place:08d}", item, pixels, named, sure, {"sha256": content, **own})

    def _sample(
        self, key: str, item: Item, pixels: Pixels, named: int, sure: float, found: dict[str, object]
    ) -> Members:
        origin = {**item.origin, "generator_sha256": IMPORTED, **found}
        # further digits are rounding noise of float32, which differs with the device
        annotation = {"classifier_sha256": self.annotator_sha256, "confidence": round(sure, 6)}
        meta: dict[str, object] = {"origin": origin, "annotation": annotation}
        return key, encode(Sample(key=key, image=pixels, label=named, meta=meta))


def target_of(real: Artifact[RealRecord], max_pixels: int) -> Target:
    """Return how the real images were prepared, for images of at most `max_pixels`."""
    info = real.dataset
    told = {name: str(info.preparation[name]) for name in ("crop", "resize_filter", "background")}
    return Target(size_px=info.size_px, channels=info.channels, max_pixels=max_pixels, **told)


def equal_to_real(run: Run, real: Artifact[RealRecord], contents: Digests) -> dict[str, int]:
    """Return how many of the images with these contents are also in each real split, and warn of them."""
    known = Known(contents)
    counted = {
        split: known.equal(content for _, members in real.members(split) if (content := _content(members)))
        for split in real.dataset.splits
    }
    found = {split: count for split, count in counted.items() if count}
    if found:
        counts = ", ".join(f"{count:,} of {plain(split)}" for split, count in found.items())
        run.reporter.info(f"warning: synthetic images whose files are those of real images: {counts}; they are copies")
    return found


def _content(members: dict[str, bytes]) -> str:
    """Return the hash of the file that a real sample was made from, empty where it does not say."""
    origin = json.loads(members["json"]).get("origin", {})
    return str(origin.get("sha256", ""))
