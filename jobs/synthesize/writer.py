"""Generate, annotate and write in one pass: images go from the generator's batch straight into a shard."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from jobs.pipeline import EVALUATE, PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN
from jobs.synthesize.annotations import AnnotatedShard, Tally, dataset_of, joined
from jobs.synthesize.options import SynthesizeOptions
from shared.cli.progress import ProgressBar
from shared.cli.run import Run
from shared.data.resizing import resized
from shared.data.sampling import apportion, spread
from shared.format.manifest import Dataset
from shared.format.sample import Members, encode
from shared.format.shards import shard_name, shard_ranges, write_shard
from shared.models.labelled_generator import LabelledGenerator, Synthetic
from shared.runtime.devices import pick_device
from shared.runtime.seeding import Stream, derive_seed
from shared.store.records.datasets import SyntheticRecord
from shared.store.volume.room import need_of_images
from shared.store.work_shards import WorkShards

BATCH_IMAGES = 256

MOST_DRAWS = 20
"""How often an image is drawn at most until the annotator gives it the class asked for; the last one is kept.

A generator that never draws a class must not be asked for ever.
"""


def write_synthetic(run: Run, total: int, config: SynthesizeOptions) -> tuple[Dataset, SyntheticRecord] | None:
    """Write `total` annotated images as the split `train`; return the dataset's description and what is recorded.

    Images are written at the size that the annotator sees, brought there by its own filter. Returns None while shards
    of other parts are missing.
    """
    real, gan, annotator = run.input(PREPROCESS), run.input(TRAIN_GAN).record, run.input(TRAIN_CLASSIFIER)
    if config.only_agreeing and not gan.conditional:
        # no error: the options are checked before the GAN is trained, and whether it is conditional is known after that
        run.reporter.info("--only-agreeing: the generator was asked for no class, so no image is dropped")
    # shards are cut by number, not by class: each has the proportions of the whole
    ranges = shard_ranges(total, config.shard_images)
    need = need_of_images(total, annotator.record.size_px, real.dataset.channels)
    run.check_room(need, f"{total:,} images")
    pieces = WorkShards(run, len(ranges))
    shards = write_shards(run, pieces, ranges, total, config)
    if shards is None:
        return None
    dataset = dataset_of(shards, real, annotator, {"generated_at_px": real.dataset.size_px})
    tally = joined(pieces, shards, len(dataset.classes))
    record = tally.record(
        gan.conditional,
        snapshot=run.input(EVALUATE).record.chosen_snapshot,
        family=gan.family,
        dropped_counts=tally.dropped.tolist() if config.only_agreeing and gan.conditional else None,
        latent_scale=None if config.latent_scale == 1 else config.latent_scale,
    )
    return dataset, record


def write_shards(
    run: Run, pieces: WorkShards, ranges: list[range], total: int, config: SynthesizeOptions
) -> list[AnnotatedShard] | None:
    """Write the shard of each range of images that is of this part; return the records of all shards, or None."""
    todo, classes = pieces.todo(), len(run.input(PREPROCESS).dataset.classes)
    with run.reporter.bar("synthesize", sum(len(ranges[number]) for number in todo), "images") as bar:
        # networks are loaded only where there is work: the part that gathers the shards may have none
        work = Drawing(run, total, config, bar) if todo else None
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

    def __init__(self, run: Run, total: int, config: SynthesizeOptions, bar: ProgressBar) -> None:
        snapshot, device = run.input(EVALUATE).record.chosen_snapshot.file, pick_device(run.device)
        self.source = LabelledGenerator(run.input(TRAIN_GAN), snapshot, run.input(TRAIN_CLASSIFIER), device)
        # the whole list on every part: place n has the same class however the work is cut
        self.asked = torch.from_numpy(spread(apportion(run.input(PREPROCESS).split("train").class_counts, total)))
        self.config, self.bar = config, bar

    def samples(self, places: range, tally: Tally) -> Iterator[Members]:
        """Yield the images at `places` as members; the label is the annotator's, not the class asked for.

        Labels are asked for in the train split's proportions; of an unconditional generator nothing is, so its samples
        have no `asked_label`. Batches begin at the first place, so that a shard does not depend on any other.
        """
        for start in range(places.start, places.stop, BATCH_IMAGES):
            batch = range(start, min(start + BATCH_IMAGES, places.stop))
            drawn = self.draw(batch, tally)
            tally.add(drawn.asked, drawn.given, drawn.confidence)
            # stored at the size that the annotator saw, so that a classifier learns from the annotated pixels
            images = resized(drawn.images, *self.source.annotator.input_format)
            for sample in self.source.samples(drawn, images, first=start):
                # a generator, so that a shard is written while its next batch is drawn, and none is held whole
                yield sample.key, encode(sample)
                self.bar.advance()

    def draw(self, places: range, tally: Tally) -> Synthetic:
        """Return an image for each of `places`; with `only_agreeing` those that were dropped for others are counted."""

        def seeds(chosen: Sequence[int], *again: int) -> list[int]:
            # a latent for each place: any number of parts writes the same images, and latent_seed draws one again
            return [derive_seed(self.config.seed, Stream.SYNTHETIC_LATENTS, place, *again) for place in chosen]

        draw = partial(self.source.draw, scale=self.config.latent_scale)
        drawn = draw(seeds(places), self.asked[places.start : places.stop])
        if not (self.config.only_agreeing and self.source.conditional):
            return drawn
        return agreeing(draw, drawn, lambda wrong, again: seeds([places[place] for place in wrong], again), tally)


def agreeing(
    draw: Callable[[list[int], Tensor], Synthetic],
    drawn: Synthetic,
    seeds: Callable[[list[int], int], list[int]],
    tally: Tally,
) -> Synthetic:
    """Return the images with others in place of those whose annotation is not the class asked for.

    `draw` is given latent seeds and labels. `seeds` gives the latent seeds of the images at some places when they are
    drawn for the second time, the third, ...: it is given their places and 1, 2, ... Images that are dropped are
    counted in `tally`.
    """
    for again in range(1, MOST_DRAWS):
        wrong = (drawn.given != drawn.asked).nonzero().flatten()
        if not len(wrong):
            break
        tally.drop(drawn.asked[wrong])
        drawn = drawn.with_others(wrong, draw(seeds(wrong.tolist(), again), drawn.asked[wrong]))
    return drawn
