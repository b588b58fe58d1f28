"""The figures of the page, drawn anew from manifests, shards and snapshots."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from markupsafe import Markup
from matplotlib.figure import Figure

from shared.cli.progress import Reporter
from shared.data.images import load_split
from shared.data.sampling import apportion, spread
from shared.format.shards import preview
from shared.models.snapshots import draw_images, grid_images, latents_of, load_snapshot, real_next_to_generated
from shared.plots import charts, figures
from shared.runtime.seeding import Stream, derive_seed
from shared.store.artifacts import Artifact


@dataclass(frozen=True)
class Picture:
    """A figure as HTML: inline SVG for charts, an inline PNG for images; `alt` is what a blind reader gets."""

    html: Markup
    alt: str


def chart(figure: Figure, alt: str) -> Picture:
    """Return a chart as inline SVG."""
    opening = Markup('<svg role="img" aria-label="{}" ').format(alt)
    return Picture(opening + Markup(figures.to_svg(figure).removeprefix("<svg ")), alt)


def photo(figure: Figure, alt: str) -> Picture:
    """Return a figure of images as inline PNG."""
    data = b64encode(figures.to_png(figure)).decode()
    return Picture(Markup('<img src="data:image/png;base64,{}" alt="{}">').format(data, alt), alt)


def draw_all(inputs: dict[str, Artifact], reporter: Reporter) -> dict[str, Picture]:
    """Return every picture of the page by name; a signal stops it between two sections."""
    sections = (_verdict, _synthetic, _scores, _gan, _real)
    pictures: dict[str, Picture] = {}
    for draw in reporter.each(sections, "draw", len(sections), "sections"):
        pictures |= draw(inputs)
    return pictures


def _verdict(inputs: dict[str, Artifact]) -> dict[str, Picture]:
    facts = inputs["mixed"].facts
    means = ", ".join(f"{arm['arm']} {100 * arm['accuracy']['mean']:.1f} %" for arm in facts["arms"])
    pictures = {"arms": chart(charts.arms_chart(facts), f"Test accuracy of each arm: {means}.")}
    for place, arm in zip("ab", _headline_arms(facts), strict=False):
        pictures[f"confusion_{place}"] = _arm_confusion(facts, arm, inputs["real"].dataset.classes)
    if facts["worth"]:
        alt = "Accuracy over the number of real images, and the arms with synthetic images."
        pictures["learning_curve"] = chart(charts.learning_curve(facts), alt)
    return pictures


def _headline_arms(facts: dict[str, Any]) -> list[str]:
    """Return the two arms that the verdict's first sentence compares, or none."""
    return [facts["comparisons"][0][side] for side in "ab"] if facts["comparisons"] else []


def _arm_confusion(facts: dict[str, Any], arm: str, classes: list[str]) -> Picture:
    """Draw the confusion matrix of an arm, summed over its seeds."""
    found = [row["test"]["confusion"] for row in facts["rows"] if row["arm"] == arm]
    title = f"{arm}: {facts['protocol']['n_test']:,} real test images, sum over {len(found)} seeds"
    return chart(figures.confusion(np.sum(found, axis=0), classes, title), f"Confusion matrix of the arm {arm}.")


def _synthetic(inputs: dict[str, Artifact]) -> dict[str, Picture]:
    synthetic = inputs["synthetic"]
    classes, facts = synthetic.dataset.classes, synthetic.facts
    samples = preview(synthetic.folder, synthetic.dataset.splits["train"], per_class=max(100 // len(classes), 1))
    counts = {"asked": facts["asked_counts"], "annotated": facts["annotated_counts"]}
    counts = {name: found for name, found in counts.items() if found is not None}
    return {
        "annotated": photo(
            figures.annotated_grid(samples, classes), f"{len(samples)} synthetic images with class and confidence."
        ),
        "labels": chart(
            figures.class_balance(counts, classes, "synthetic images"),
            "Synthetic images per class, asked and annotated.",
        ),
        "confidence": chart(
            figures.confidence_histogram(facts),
            f"Histogram of the annotator's confidence, median {facts['confidence_median']:.3f}.",
        ),
    }


def _scores(inputs: dict[str, Artifact]) -> dict[str, Picture]:
    real, gan, facts = inputs["real"], inputs["gan"], inputs["scores"].facts
    chosen = facts["chosen"]
    both = real_next_to_generated(real, gan, chosen["file"])
    title = f"left real test images, right generated after epoch {chosen['epoch']}"
    used = facts["test_protocols"][facts["chosen_score"].split("_", 1)[1]]
    by_class = f"all classes: {used['n_synthetic']:,} generated against {used['n_real']:,} real test images"
    drawn = [row for row in facts["rows"] if any(each["ratios"] for each in row["classes"])]
    quality = (
        {"qualities": chart(charts.quality_curves(facts), "Diversity, sharpness, contrast per snapshot.")}
        if drawn
        else {}
    )
    return quality | {
        "closest": _closest(inputs),
        "by_class": chart(
            charts.class_bars(facts["test"][f"{facts['chosen_score']}_by_class"], facts["chosen_score"], by_class),
            "Fréchet distance of each class of the chosen snapshot.",
        ),
        "score_curve": chart(
            charts.score_curve(facts), f"Fréchet distance per snapshot; epoch {chosen['epoch']} is the lowest."
        ),
        "both": photo(
            figures.named_rows(both, real.dataset.classes, title), "Real and generated images side by side, by class."
        ),
    }


def _closest(inputs: dict[str, Artifact]) -> Picture:
    """Draw again the synthetic images that lie closest to training images: their latents are known by place."""
    real, gan, scores = inputs["real"], inputs["gan"], inputs["scores"]
    pairs = scores.facts["copies"]["pixels"]["closest"]
    places = [pair["synthetic"] for pair in pairs]
    options = scores.manifest.options
    asked = torch.from_numpy(spread(apportion(real.dataset.splits["train"].class_counts, options["images"])))
    latents = latents_of(
        [derive_seed(options["seed"], Stream.TEST_LATENTS, place) for place in places], gan.facts["latent"]
    )
    network = load_snapshot(gan, scores.facts["chosen"]["file"], torch.device("cpu"))
    mine = draw_images(network, latents, asked[places])
    theirs = load_split(real, "train").images[[pair["train"] for pair in pairs]]
    alt = "Synthetic images above the training images that they lie closest to."
    return photo(figures.closest_pairs(mine, theirs, [pair["distance"] for pair in pairs]), alt)


def _gan(inputs: dict[str, Artifact]) -> dict[str, Picture]:
    gan, chosen = inputs["gan"], inputs["scores"].facts["chosen"]
    classes = inputs["real"].dataset.classes
    worst = inputs["scores"].facts["worst"]
    shown = {worst["file"]: "worst", chosen["file"]: "chosen"}
    grids = {}
    for name, what in shown.items():
        epoch = next(row["epoch"] for row in gan.facts["snapshots"] if row["file"] == name)
        images = grid_images(load_snapshot(gan, name, torch.device("cpu")), len(classes), gan.facts["latent"])
        figure = figures.named_rows(images, classes, f"{what} snapshot, epoch {epoch}, fixed latents")
        grids[f"grid_{what}"] = photo(figure, f"Ten generated images of each class at the {what} snapshot.")
    grids.setdefault("grid_worst", grids["grid_chosen"])
    if "class_histories" in gan.facts:
        found = gan.facts["class_histories"]
        grids["class_losses"] = chart(charts.class_losses(found), f"Losses of the networks of {len(found)} classes.")
    return grids | {"losses": chart(charts.gan_losses(gan.facts["history"]), "Losses of both networks over epochs.")}


def _real(inputs: dict[str, Artifact]) -> dict[str, Picture]:
    real, facts = inputs["real"], inputs["classifier"].facts
    info = real.dataset
    samples = preview(real.folder, info.splits["train"], per_class=10)
    counts = {name: split.class_counts for name, split in info.splits.items()}
    confusion = facts["test"]["confusion"]
    return {
        "samples": photo(
            figures.class_rows(samples, info.classes, "real train images, first 10 of each class"),
            "Ten real images of each class.",
        ),
        "balance": chart(figures.class_balance(counts, info.classes), "Images per class in train, val and test."),
        "classifier_curve": chart(charts.classifier_curve(facts), "Loss and F1 of the annotator over steps."),
        "confusion": chart(
            figures.confusion(confusion, info.classes, f"annotator on {facts['test']['n']:,} real test images"),
            f"Confusion matrix of the annotator, accuracy {facts['test']['accuracy']:.3f}.",
        ),
    }
