"""Generate, annotate and write in one pass: images go from the generator's batch straight into a shard."""

from collections.abc import Iterator

import torch

from jobs.pipeline import EVALUATE, PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN
from jobs.synthesize.annotations import AnnotatedShard, Tally, dataset_of, joined
from shared.cli.progress import ProgressBar
from shared.cli.run import Run
from shared.data.resizing import resized
from shared.data.sampling import apportion, spread
from shared.format.manifest import Dataset
from shared.format.sample import Members, encode
from shared.format.shards import shard_name, shard_ranges, write_shard
from shared.models.labelled_generator import LabelledGenerator
from shared.runtime.devices import pick_device
from shared.runtime.seeding import Stream, derive_seed
from shared.store.records.datasets import SyntheticRecord
from shared.store.volume.room import need_of_images
from shared.store.work_shards import WorkShards

BATCH_IMAGES = 256


def write_synthetic(run: Run, total: int, shard_images: int, seed: int) -> tuple[Dataset, SyntheticRecord] | None:
    """Write `total` annotated images as the split `train`; return the dataset's description and what is recorded.

    Images are written at the size that the annotator sees, brought there by its own filter. Returns None while shards
    of other parts are missing.
    """
    real, gan, annotator = run.input(PREPROCESS), run.input(TRAIN_GAN).record, run.input(TRAIN_CLASSIFIER)
    # shards are cut by number, not by class: each has the proportions of the whole
    ranges = shard_ranges(total, shard_images)
    need = need_of_images(total, annotator.record.size_px, real.dataset.channels)
    run.check_room(need, f"{total:,} images")
    pieces = WorkShards(run, len(ranges))
    shards = write_shards(run, pieces, ranges, total, seed)
    if shards is None:
        return None
    dataset = dataset_of(shards, real, annotator, {"generated_at_px": real.dataset.size_px})
    record = joined(pieces, shards, len(dataset.classes)).record(
        gan.conditional,
        snapshot=run.input(EVALUATE).record.chosen_snapshot,
        family=gan.family,
    )
    return dataset, record


def write_shards(
    run: Run, pieces: WorkShards, ranges: list[range], total: int, seed: int
) -> list[AnnotatedShard] | None:
    """Write the shard of each range of images that is of this part; return the records of all shards, or None."""
    todo, classes = pieces.todo(), len(run.input(PREPROCESS).dataset.classes)
    with run.reporter.bar("synthesize", sum(len(ranges[number]) for number in todo), "images") as bar:
        # networks are loaded only where there is work: the part that gathers the shards may have none
        work = Drawing(run, total, seed, bar) if todo else None
        for number in todo:
            assert work is not None
            tally = Tally(classes)
            path = run.folder / shard_name("train", number)
            shard = write_shard(path, work.samples(ranges[number], tally), classes)
            pieces.done(number, AnnotatedShard(shard=shard, **tally.stored(pieces, number)).facts())
    records = pieces.gather()
    return None if records is None else [AnnotatedShard.model_validate(record) for record in records]


class Drawing:
    """The chosen generator and the annotator of a run, which draw any of its `total` images and name them."""

    def __init__(self, run: Run, total: int, seed: int, bar: ProgressBar) -> None:
        snapshot, device = run.input(EVALUATE).record.chosen_snapshot.file, pick_device(run.device)
        self.source = LabelledGenerator(run.input(TRAIN_GAN), snapshot, run.input(TRAIN_CLASSIFIER), device)
        # the whole list on every part: place n has the same class however the work is cut
        self.asked = torch.from_numpy(spread(apportion(run.input(PREPROCESS).split("train").class_counts, total)))
        self.seed, self.bar = seed, bar

    def samples(self, places: range, tally: Tally) -> Iterator[Members]:
        """Yield the images at `places` as members; the label is the annotator's, not the class asked for.

        Labels are asked for in the train split's proportions; of an unconditional generator nothing is, so its samples
        have no `asked_label`. Batches begin at the first place, so that a shard does not depend on any other.
        """
        for start in range(places.start, places.stop, BATCH_IMAGES):
            batch = range(start, min(start + BATCH_IMAGES, places.stop))
            labels = self.asked[batch.start : batch.stop]
            # a latent for each place: any number of parts writes the same images, and latent_seed draws one again
            seeds = [derive_seed(self.seed, Stream.SYNTHETIC_LATENTS, place) for place in batch]
            drawn = self.source.draw(seeds, labels)
            tally.add(labels, drawn.given, drawn.confidence)
            # stored at the size that the annotator saw, so that a classifier learns from the annotated pixels
            images = resized(drawn.images, *self.source.annotator.input_format)
            for sample in self.source.samples(drawn, images, first=start):
                # a generator, so that a shard is written while its next batch is drawn, and none is held whole
                yield sample.key, encode(sample)
                self.bar.advance()
