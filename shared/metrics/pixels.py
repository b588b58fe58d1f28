"""Diversity, sharpness and contrast of a class's pixels, next to the real images' own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from shared.metrics.features.rows import Rows, block_rows
from shared.store.records.gan import GanRecord, HistoryRow
from shared.store.records.scores import ClassQualities, LossIndicator

QUALITIES = ("diversity", "sharpness", "contrast")

CATEGORIES = ((0.15, "Excellent"), (0.35, "Good"), (math.inf, "Needs Improvement"))
"""The category of a class by how far the worst of its ratios to the real images is from 1, at most."""

LEAST_IMAGES = 3
"""Images that a class needs for a category: two have a single distance, which is no estimate."""

MOST_IMAGES, PAIRS_IMAGES = 1000, 500
"""Images, at most, that are measured, and whose pairwise distances make the diversity."""

GREY = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in grey (ITU-R BT.601), as in Pillow."""

LOSS_CATEGORIES = ((1.5, "Excellent"), (3.0, "Good"), (math.inf, "Needs Improvement"))
"""The category of the smoothed generator loss, in units of log 2, as the digit-wise system has it."""

Qualities = dict[str, float]


def qualities(images: Tensor) -> Qualities:
    """Return diversity, sharpness and contrast of uint8 images (N, channels, S, S), as grey in [0, 1]; S at least 3.

    One image alone has no diversity, none has nothing. Diversity is the mean distance between two images, as a root
    mean square over pixels; sharpness the variance of an image's Laplacian (Pech-Pacheco et al. 2000), contrast the
    standard deviation of its pixels (RMS contrast, Peli 1990), both as means over images.
    """
    if not len(images):
        return {}
    measured = images[:MOST_IMAGES]
    rows = block_rows(measured)
    # pairs grow with the square of the images
    some = torch.cat([_grey(block).flatten(1) for block in measured[:PAIRS_IMAGES].split(rows)])
    pairs = {"diversity": float(torch.pdist(some).mean() / some.shape[1] ** 0.5)} if len(some) > 1 else {}
    sharpness, contrast = [], []
    for block in measured.split(rows):
        grey = _grey(block)
        laplacian = F.conv2d(grey, torch.tensor([[[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]]]).double())
        sharpness.append(laplacian.flatten(1).var(dim=1, correction=0))
        contrast.append(grey.flatten(1).std(dim=1, correction=0))
    return pairs | {
        "sharpness": float(torch.cat(sharpness).mean()),
        "contrast": float(torch.cat(contrast).mean()),
    }


def _grey(images: Tensor) -> Tensor:
    """Return uint8 images (N, channels, S, S) as grey (N, 1, S, S) in [0, 1], float64."""
    unit = images.double().div_(255)
    return unit if images.shape[1] == 1 else (unit * torch.tensor(GREY).double()[:, None, None]).sum(1, keepdim=True)


def class_qualities(images: Rows, labels: Tensor, classes: int) -> list[Qualities | None]:
    """Return the qualities of each class of uint8 images (N, C, S, S); None for a class of fewer than 3 images."""
    # no more of a class is read than is measured, and one class at a time
    by_class = [(labels == label).nonzero().flatten()[:MOST_IMAGES] for label in range(classes)]
    return [qualities(images[places]) if len(places) >= LEAST_IMAGES else None for places in by_class]


def category(ratios: Qualities) -> str:
    """Return the category of ratios to the real images' own values, 1 being as they are."""
    worst = max(abs(ratio - 1) for ratio in ratios.values())
    return next(name for limit, name in CATEGORIES if worst <= limit + 1e-9)  # 0.85 is 15 % away, to rounding


def compared(drawn: list[Qualities | None], real: list[Qualities | None], names: list[str]) -> list[ClassQualities]:
    """Return a row for each class: its qualities, their ratios to those of real images, its category."""
    rows = []
    for name, mine, own in zip(names, drawn, real, strict=True):
        if mine is None or own is None:
            rows.append(ClassQualities(class_name=name, qualities=mine, ratios=None, category=None))
            continue
        # real images without any contrast, say of one colour, leave nothing to compare with
        ratios = {key: mine[key] / own[key] if own[key] else math.inf for key in QUALITIES}
        finite = all(math.isfinite(ratio) for ratio in ratios.values())
        rows.append(
            ClassQualities(
                class_name=name,
                qualities=mine,
                ratios=ratios if finite else None,
                category=category(ratios) if finite else None,
            )
        )
    return rows


@dataclass(frozen=True)
class QualitiesOfFew:
    """The qualities of some images next to those of real ones; `reasons` says by name why a value is None."""

    qualities: dict[str, float | None]
    real_qualities: dict[str, float | None]
    ratios: dict[str, float | None]
    category: str | None
    reasons: dict[str, str]


def compare_few(images: Tensor, real: Tensor) -> QualitiesOfFew:
    """Return the qualities of uint8 `images`, their ratios to those of `real` ones, and the category; 1 or more images.

    What one image has is there, which `class_qualities` leaves out; the category is that of `compared`. Reasons are
    named as the qualities; those of the real images begin with "real_", those of ratios end with "_ratio".
    """
    mine, own = qualities(images), qualities(real)
    ratios = {name: mine[name] / own[name] if name in mine and own.get(name) else None for name in QUALITIES}
    known = {name: ratio for name, ratio in ratios.items() if ratio is not None}
    reasons = _lacking(mine, len(images), "") | _lacking(own, len(real), "real_")
    reasons |= {f"{name}_ratio": "the real images have 0" for name in QUALITIES if own.get(name) == 0}
    if min(len(images), len(real)) < LEAST_IMAGES:
        reasons["category"] = f"it needs {LEAST_IMAGES} images, generated and real"
    elif len(known) < len(QUALITIES):
        reasons["category"] = "it needs all three ratios"
    return QualitiesOfFew(
        qualities={name: mine.get(name) for name in QUALITIES},
        real_qualities={name: own.get(name) for name in QUALITIES},
        ratios=ratios,
        category=None if "category" in reasons else category(known),
        reasons=reasons,
    )


def _lacking(found: Qualities, count: int, prefix: str) -> dict[str, str]:
    """Return why qualities are not there, of `count` images."""
    if count == 0:
        return {f"{prefix}{name}": "there are no images" for name in QUALITIES}
    why = "it is a distance between images, and there is one"
    return {f"{prefix}{name}": why for name in QUALITIES if name not in found}


def loss_indicators(record: GanRecord) -> dict[str, LossIndicator] | None:
    """Return the loss indicator of a GAN, "all", or of each class that has one of its own, by the class's name.

    Smoothed over epochs. None for losses other than cross-entropy, whose generator loss has no fixed scale.
    """
    if record.resolved.loss != "cross_entropy":
        return None
    return {name: loss_indicator(rows) for name, rows in record.class_epoch_losses.items()}


def loss_indicator(history: Sequence[HistoryRow]) -> LossIndicator:
    """Return the smoothed generator loss at the end of a history and its category.

    It says how well the discriminator told the last images apart, not how good they are: log 2 is what it loses when
    it cannot tell at all.
    """
    smoothed = smoothed_generator_losses(history)[-1]
    named = next(name for limit, name in LOSS_CATEGORIES if smoothed <= limit * math.log(2))
    return LossIndicator(smoothed_generator_loss=smoothed, category=named)


def smoothed_generator_losses(history: Sequence[HistoryRow], smoothing: float = 0.9) -> list[float]:
    """Return the exponentially smoothed generator loss after each row of a history."""
    losses = [row.losses["generator_loss"] for row in history]
    return list(accumulate(losses, lambda smoothed, loss: smoothing * smoothed + (1 - smoothing) * loss))
