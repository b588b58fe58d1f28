"""Every figure of an artifact, composed once: the job that makes it draws them to PNG, the report shows the same.

A function for each kind of artifact returns its figures by name, each with its alternative text.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.data.examples import Example
from shared.data.images import Images, load_learned, load_split
from shared.data.near_duplicates import images_of, load_pairs
from shared.data.sampling import apportion, spread
from shared.data.specs import UNLABELLED
from shared.format.manifest import Dataset
from shared.format.shards import preview
from shared.metrics.classification import confusion_of
from shared.metrics.over_replicates import class_distances
from shared.models.snapshots import (
    GRID_COLUMNS,
    draw_images,
    grid_images,
    latents_of,
    load_snapshot,
    real_next_to_generated,
    side_by_side,
)
from shared.plots import charts, figures, preparation
from shared.plots.classes import choices
from shared.plots.formatting import pair_title
from shared.plots.training import class_charts, panels
from shared.plots.training.panels import Progress
from shared.runtime.seeding import Stream, derive_seed
from shared.stats.class_choice import ClassChoice, by_size
from shared.store.artifacts import Artifact
from shared.store.records.classifier import ClassifierRecord
from shared.store.records.copies import ClosestPair
from shared.store.records.datasets import RealRecord, SyntheticRecord
from shared.store.records.gan import GanRecord
from shared.store.records.scores import OnTest, ScoresRecord
from shared.store.samples import places_of_draw

CPU = torch.device("cpu")  # the report needs no GPU, and a page must not depend on the machine that draws it

MOST_PAIRS = 10
"""Pairs of near-duplicates that are shown, the closest ones."""

SAMPLES_PER_CLASS, SYNTHETIC_SAMPLES = 10, 100
"""Real images of each class that are shown; synthetic images in all."""


class Picture(NamedTuple):
    """A figure, its alternative text, and whether it shows images, which no vector graphic should hold."""

    figure: Figure
    alt: str
    photo: bool = False


Pictures = dict[str, Picture]


def save_all(pictures: Pictures, folder: Path) -> None:
    """Write each picture into `folder` as `<name>.png`."""
    for name, picture in pictures.items():
        figures.save_png(picture.figure, folder / f"{name}.png")


def real_pictures(folder: Path, dataset: Dataset, examples: Sequence[Example]) -> Pictures:
    """Return the first images of each class of the real shards in `folder`, and how many of each split there are.

    Where there are `examples` of the preparation, these are shown before and after it.
    """
    train = dataset.splits["train"]
    choice = by_size(train.class_counts)
    samples = preview(folder, train, SAMPLES_PER_CLASS, choice.places)
    title = f"real train images, first 10 of each class, {dataset.size_px}x{dataset.size_px} px"
    # nothing may show the classes of unlabelled images
    counts = {name: split.class_counts for name, split in dataset.splits.items() if name != UNLABELLED}
    pictures = {}
    if examples:
        figure = preparation.before_and_after(examples, dataset.classes, dataset.preparation)
        alt = f"{len(examples)} images as they were, with what is cut out of them, above the same as they are learned."
        pictures["before_and_after"] = Picture(figure, alt, True)
    near = load_pairs(folder, MOST_PAIRS)
    if near:
        images = images_of(folder, dataset, near)
        above, below = (
            [images[key] for key in keys] for keys in zip(*((p.first, p.second) for p in near), strict=True)
        )
        names = [f"{pair.distance:.2f}\n{pair.first}\n{pair.second}" for pair in near]
        figure = figures.closest_pairs(above, below, names, "near-duplicates in different splits, distance of pixels")
        alt = f"The {len(near)} closest pairs of nearly equal images in different splits."
        pictures["near_duplicates"] = Picture(figure, alt, True)
    return pictures | {
        "samples": Picture(
            figures.class_rows(samples, dataset.classes, title, choice),
            f"Ten real images of each {'class' if choice.whole else 'of ' + choice.words}.",
            True,
        ),
        "class_balance": Picture(
            figures.class_balance(counts, dataset.classes, choice), f"Images per class in {', '.join(counts)}."
        ),
    }


def classifier_pictures(record: ClassifierRecord) -> Pictures:
    """Return the annotator's confusion matrix on test and the curve of its training."""
    title = f"annotator on {record.test.n:,} real test images"
    alt = f"Confusion matrix of the annotator, accuracy {record.test.accuracy:.3f}."
    choice = by_size(record.test.sizes()) if record.attributes else choices.of_table(record.test)
    matrix = confusion_of([record.test], choice.places, choice.count)
    return {
        "confusion": Picture(figures.confusion(matrix, record.classes, title, choice), alt),
        "curve": Picture(charts.classifier_curve(record), "Loss and F1 of the annotator over steps."),
    }


def gan_pictures(record: GanRecord, progress: Progress) -> Pictures:
    """Return the losses of both networks, of those of each class where there are several pairs, and the progress."""
    classes = len(record.class_histories or {})
    losses = charts.gan_losses(record.epoch_losses, classes)
    pictures = {"losses": Picture(losses, "Losses of both networks over epochs and iterations.")}
    if record.class_histories:
        alt = f"Losses of the networks of {classes} classes."
        pictures["class_losses"] = Picture(class_charts.class_losses(record.class_epoch_losses), alt)
    alt = f"Images from the same latents after {len(progress.epochs)} of the epochs up to {progress.last}."
    pictures["progress"] = Picture(panels.strip(progress), alt, True)
    return pictures


def scores_pictures(
    record: ScoresRecord,
    real: Artifact[RealRecord],
    gan: Artifact[GanRecord],
    others: Sequence[ScoresRecord] = (),
) -> Pictures:
    """Return the score of every snapshot; if it was scored on test, also what the chosen snapshot draws.

    `others` are other replicates: their curves are drawn thin, and scores by class are means over all of them.
    """
    curve = f"Fréchet distance per snapshot; epoch {record.chosen_snapshot.epoch} is the lowest"
    alt = f"{curve}; thin lines: {len(others)} other replicates." if others else f"{curve}."
    pictures = {"scores": Picture(charts.score_curve(record, others), alt)}
    fid = record.other_fid
    if fid is not None:
        drawn = [other for other in others if other.other_fid == fid]
        pictures["fid"] = Picture(charts.score_curve(record, drawn, fid), f"{fid} per snapshot.")
    if record.on_test is None:
        return pictures
    classes, choice = real.dataset.classes, scored_classes([record, *others], real)
    pictures |= _qualities(record, gan.record) | _class_scores(
        [record, *others], choice, classes, gan.record.conditional
    )
    title = f"left real test images, right generated after epoch {record.chosen_snapshot.epoch}"
    names, by_class = (choice.names(classes), ", by class") if gan.record.conditional else ([], "")
    both = real_next_to_generated(real, gan, record.chosen_snapshot.file, choice.places)
    figure = figures.image_rows(both, len(both) // len(choice.places), choice.caption(title), names)
    pictures["real_and_generated"] = Picture(figure, f"Real and generated images side by side{by_class}.", True)
    return pictures | _closest(record, record.on_test, real, gan) | _grids(record, gan, classes, choice)


def imported_scores_pictures(
    record: ScoresRecord,
    real: Artifact[RealRecord],
    synthetic: Artifact[SyntheticRecord],
    others: Sequence[ScoresRecord] = (),
) -> Pictures:
    """Return the scores by class of imported images, some of these next to real ones, and those closest to real ones.

    `others` are other replicates: scores by class are means over all of them.
    """
    size_px, resize_filter = synthetic.dataset.size_px, synthetic.preparation.resize_filter
    stored, choice = load_split(synthetic, "train"), scored_classes([record, *others], real)
    names = choice.names(real.dataset.classes)
    test = load_split(real, "test").at(size_px, resize_filter)
    by_class = ([part.first_of(label, 5) for label in choice.places] for part in (test, stored))
    both = side_by_side(*by_class)
    title = choice.caption("left real test images, right imported ones")
    figure = figures.image_rows(both, len(both) // len(names), title, names)
    pictures = _class_scores([record, *others], choice, real.dataset.classes, synthetic.record.agreement is not None)
    pictures["real_and_generated"] = Picture(figure, "Real and imported images side by side, by class.", True)
    assert record.on_test is not None  # imported images have scores on test
    pairs, used = record.on_test.copies["pixels"].closest, record.on_test.test_protocols[record.extractor]
    # a record holds places in the draw that was scored
    drawn = places_of_draw(len(stored), used.n_synthetic, used.seed)
    train = load_learned(real).at(size_px, resize_filter)
    return pictures | _pairs(stored.pixels[[drawn[pair.synthetic] for pair in pairs]], train, pairs)


def scored_classes(records: Sequence[ScoresRecord], real: Artifact[RealRecord]) -> ClassChoice:
    """Return the classes to show of scores on test, means over records."""
    on_test = [record.on_test for record in records if record.on_test is not None]
    distances = class_distances(on_test, records[0].chosen_score)
    return choices.of_distances(distances, real.dataset.classes, real.split("train").class_counts)


def _class_scores(
    records: Sequence[ScoresRecord], choice: ClassChoice, classes: Sequence[str], labelled: bool
) -> Pictures:
    """Draw the distance of each class of the choice, a mean over records.

    `labelled` says whether images have labels of their own.
    """
    score, on_test = records[0].chosen_score, [record.on_test for record in records if record.on_test is not None]
    # images of an unconditional generator are of no class but the annotator's
    annotated = "" if labelled else ", synthetic ones by the annotator's class"
    n_real = on_test[0].test_protocols[records[0].extractor].n_real
    title = f"against {n_real:,} real test images of all classes{annotated}"
    alt = "Fréchet distance of each class of the synthetic images, and of as many real train images."
    distances, names = class_distances(on_test, score), choice.names(classes)
    shown = {name: distances[name] for name in names if name in distances}
    few = len(names) - len(shown)
    title = choice.caption(title) + (f"\ntoo few images for a distance: {few} of them" if few else "")
    return {"class_scores": Picture(charts.class_bars(shown, score, title), alt)} if shown else {}


def _qualities(record: ScoresRecord, gan: GanRecord) -> Pictures:
    """Draw qualities and category of each class after each snapshot, and the loss indicator where the GAN has one."""
    pictures = {}
    if any(qualities.ratios for row in record.rows for qualities in row.classes):
        annotated = "" if gan.conditional else ", by the annotator's class"
        title = f"ratio to {record.protocol.n_real:,} real {record.protocol.reference} images{annotated}"
        figure = class_charts.quality_curves(record.rows, record.chosen_snapshot.epoch, title)
        alt = "Diversity, sharpness and contrast of each class per snapshot."
        pictures["qualities"] = Picture(figure, alt)
        figure = class_charts.categories(record.rows, f"category of the worst of the three{annotated}")
        pictures["categories"] = Picture(figure, "Category of each class per snapshot.")
    if record.loss_indicators:
        figure = class_charts.loss_indicators(gan.class_epoch_losses)
        alt = "Smoothed generator loss over epochs, with the limits of its categories."
        pictures["loss_indicators"] = Picture(figure, alt)
    return pictures


def _closest(record: ScoresRecord, on_test: OnTest, real: Artifact[RealRecord], gan: Artifact[GanRecord]) -> Pictures:
    """Draw again the synthetic images that lie closest to training images: their latents are known by place."""
    # a record holds places, not pixels: the same seeds and labels as `evaluate` used give the same images
    pairs, used = on_test.copies["pixels"].closest, on_test.test_protocols[record.extractor]
    places = [pair.synthetic for pair in pairs]
    asked = torch.from_numpy(spread(apportion(real.split("train").class_counts, used.n_synthetic)))
    latents = latents_of([derive_seed(used.seed, Stream.TEST_LATENTS, place) for place in places], gan.record.latent)
    drawn = draw_images(load_snapshot(gan, record.chosen_snapshot.file, CPU), latents, asked[places])
    return _pairs(drawn, load_learned(real), pairs)


def _pairs(drawn: Tensor, train: Images, pairs: Sequence[ClosestPair]) -> Pictures:
    """Show the synthetic images `drawn` of some pairs above those of all `train` images that they lie closest to."""
    title = "synthetic (above) and nearest train image (below), distance of pixels"
    nearest = train.pixels[[pair.train for pair in pairs]]
    figure = figures.closest_pairs(drawn, nearest, [pair_title(pair) for pair in pairs], title)
    return {"closest_pairs": Picture(figure, "Synthetic images above the training images closest to them.", True)}


def _grids(record: ScoresRecord, gan: Artifact[GanRecord], classes: list[str], choice: ClassChoice) -> Pictures:
    """Draw the sample grids of the snapshots with the worst and the best score; the latter alone if they are one."""
    pictures = {}
    shown = {
        record.worst_snapshot.file: ("worst", record.worst_snapshot),
        record.chosen_snapshot.file: ("chosen", record.chosen_snapshot),
    }
    for what, snapshot in shown.values():
        images = grid_images(load_snapshot(gan, snapshot.file, CPU), choice.places, gan.record.latent)
        title = f"{what} snapshot, epoch {snapshot.epoch}, fixed latents"
        names, alt = [], str(len(images))
        if gan.record.conditional:
            title, names, alt = choice.caption(title), choice.names(classes), "Ten of each class"
        figure = figures.image_rows(images, GRID_COLUMNS, title, names)
        alt = f"Generated images at the {what} snapshot: {alt}."
        pictures[f"grid_{what}"] = Picture(figure, alt, True)
    return pictures


def synthetic_pictures(folder: Path, dataset: Dataset, record: SyntheticRecord) -> Pictures:
    """Return annotated images of the synthetic shards in `folder`, the labels and the annotator's confidence."""
    classes, choice = dataset.classes, choices.of_labels(record.annotated_counts, record.asked_counts)
    each = max(SYNTHETIC_SAMPLES // len(choice.places), 1)
    samples = preview(folder, dataset.splits["train"], each, choice.places)
    counts = {"annotated": record.annotated_counts}
    if record.asked_counts is not None:
        counts = {("asked" if record.imported is None else "given"): record.asked_counts} | counts
    return {
        "annotated": Picture(
            figures.annotated_grid(samples, classes, choice),
            f"{len(samples)} synthetic images with class and confidence.",
            True,
        ),
        "labels": Picture(
            figures.class_balance(counts, classes, choice, "synthetic images"),
            f"Synthetic images per class, {' and '.join(counts)}.",
        ),
        "confidence": Picture(
            figures.confidence_histogram(record),
            f"Histogram of the annotator's confidence, median {record.confidence_median:.3f}.",
        ),
    }
