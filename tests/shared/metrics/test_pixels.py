"""Diversity, sharpness and contrast: by hand, and relative to the real images."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage, spatial

from shared.metrics.pixels import (
    category,
    class_qualities,
    compare_few,
    compared,
    loss_indicator,
    loss_indicators,
    qualities,
)
from shared.store.records.gan import GanRecord, HistoryRow, Resolved

GOLDEN = Path(__file__).parents[1] / "store" / "golden_records"
NOISE = torch.randint(0, 256, (40, 1, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def losses(*values: float) -> list[HistoryRow]:
    """Return the history of these generator losses."""
    return [
        HistoryRow(epoch=epoch, step=epoch, images_seen=epoch, losses={"generator_loss": value})
        for epoch, value in enumerate(values)
    ]


def test_diversity_is_the_mean_distance_of_two_images() -> None:
    """The mean Euclidean distance over pairs, by scipy, per pixel."""
    flat = NOISE.numpy().reshape(40, -1) / 255
    assert qualities(NOISE)["diversity"] == pytest.approx(spatial.distance.pdist(flat).mean() / 16, rel=1e-9)


def test_diversity_of_equal_images_is_0_and_of_opposites_1() -> None:
    """Copies of one image do not differ; with two black images and a white one two pairs in three differ by 1."""
    assert qualities(NOISE[:1].repeat(5, 1, 1, 1))["diversity"] == 0
    shades = torch.tensor([0, 0, 255], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 8, 8)
    assert qualities(shades)["diversity"] == pytest.approx(2 / 3)


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    """Equal to scipy's Laplacian in the interior; 0 for a plane, larger for a sharper edge."""
    expected = [ndimage.laplace(image[0] / 255)[1:-1, 1:-1].var() for image in NOISE.numpy()]
    assert qualities(NOISE)["sharpness"] == pytest.approx(np.mean(expected), rel=1e-9)
    ramp = torch.arange(16, dtype=torch.uint8).mul(16).expand(3, 1, 16, 16)
    assert qualities(ramp)["sharpness"] == pytest.approx(0, abs=1e-12)


def test_contrast_is_the_spread_of_pixels() -> None:
    """The standard deviation of an image's pixels: 0 for a flat one, 0.5 where half is black and half white."""
    halves = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    halves[:, :, :4] = 255
    assert qualities(halves)["contrast"] == pytest.approx(0.5)
    assert qualities(torch.full((3, 1, 8, 8), 77, dtype=torch.uint8))["contrast"] == pytest.approx(0, abs=1e-12)


def test_colour_counts_as_grey() -> None:
    """Three equal channels have the qualities of a single one."""
    grey, colour = qualities(NOISE), qualities(NOISE.repeat(1, 3, 1, 1))
    assert colour == pytest.approx(grey, rel=1e-6)


def test_a_class_of_fewer_than_three_images_has_no_qualities() -> None:
    """Two images have a single distance, which is no estimate."""
    found = class_qualities(NOISE[:5], torch.tensor([0, 0, 0, 2, 2]), 3)
    assert [each is None for each in found] == [False, True, True]
    rows = compared(found, class_qualities(NOISE, torch.arange(40) % 3, 3), ["a", "b", "c"])
    assert [row.category is None for row in rows] == [False, True, True]


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ((1.0, 1.0, 1.0), "Excellent"),
        ((0.85, 1.15, 1.0), "Excellent"),
        ((0.84, 1.0, 1.0), "Good"),
        ((1.0, 1.35, 0.65), "Good"),
        ((1.0, 1.0, 1.36), "Needs Improvement"),
        ((0.2, 1.0, 1.0), "Needs Improvement"),
    ],
)
def test_the_worst_ratio_gives_the_category(ratios: tuple[float, float, float], expected: str) -> None:
    """Within 15 % of the real value is Excellent, within 35 % Good."""
    assert category(dict(zip(("diversity", "sharpness", "contrast"), ratios, strict=True))) == expected


def test_real_images_compared_with_themselves_are_excellent() -> None:
    """Every ratio is 1."""
    found = class_qualities(NOISE, torch.arange(40) % 2, 2)
    for row in compared(found, found, ["a", "b"]):
        assert row.ratios == pytest.approx(dict.fromkeys(("diversity", "sharpness", "contrast"), 1.0))
        assert row.category == "Excellent"


def test_a_real_class_without_contrast_has_no_ratio() -> None:
    """A ratio to 0 is undefined: there is no category, and the row can still be stored."""
    flat = class_qualities(torch.zeros(3, 1, 8, 8, dtype=torch.uint8), torch.zeros(3), 1)
    (row,) = compared(class_qualities(NOISE, torch.zeros(40), 1), flat, ["a"])
    assert (row.ratios, row.category) == (None, None)


def test_few_images_have_what_they_can_have() -> None:
    """The same values, ratios and category as a class; without a pair no diversity, and the reason for each gap."""
    (row,) = compared(
        class_qualities(NOISE[:9], torch.zeros(9), 1), class_qualities(NOISE[9:], torch.zeros(31), 1), ["a"]
    )
    many = compare_few(NOISE[:9], NOISE[9:])
    assert (many.qualities, many.ratios, many.category) == (row.qualities, row.ratios, row.category)
    assert (many.real_qualities, many.reasons) == (qualities(NOISE[9:]), {})
    two, one = compare_few(NOISE[:2], NOISE[9:]), compare_few(NOISE[:1], NOISE[9:])
    assert two.qualities["diversity"] is not None
    assert two.reasons == {"category": "it needs 3 images, generated and real"}
    assert one.qualities == qualities(NOISE[:1]) | {"diversity": None}
    assert (one.ratios["diversity"], one.category) == (None, None)
    assert one.reasons == two.reasons | {"diversity": "it is a distance between images, and there is one"}


def test_real_images_without_a_value_leave_no_ratio() -> None:
    """No real image, one, or ones without any contrast: said of each value that is missing."""
    none = compare_few(NOISE, NOISE[:0])
    assert none.real_qualities == none.ratios == dict.fromkeys(("diversity", "sharpness", "contrast"))
    assert none.reasons["real_contrast"] == "there are no images"
    assert compare_few(NOISE, NOISE[:1]).reasons.keys() == {"real_diversity", "category"}
    flat = compare_few(NOISE, torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
    assert flat.ratios["contrast"] is None
    assert flat.reasons["contrast_ratio"] == "the real images have 0"
    assert (flat.category, flat.reasons["category"]) == (None, "it needs all three ratios")


def test_the_loss_indicator_smooths() -> None:
    """A moving average of weights 0.9 and 0.1; log 2 is Excellent, four times that needs improvement."""
    history = losses(1.0, 2.0)
    assert loss_indicator(history).smoothed_generator_loss == pytest.approx(1.1)
    assert loss_indicator(losses(math.log(2))).category == "Excellent"
    assert loss_indicator(losses(2 * math.log(2))).category == "Good"
    assert loss_indicator(losses(4 * math.log(2))).category == "Needs Improvement"


def test_only_cross_entropy_has_a_loss_indicator() -> None:
    """A Wasserstein loss has no scale; a GAN of each class has an indicator for each."""
    facts = json.loads((GOLDEN / "per_class" / "gan.json").read_bytes())["facts"]
    record = GanRecord.model_validate(facts | {"history": [row.facts() for row in losses(0.7)]})
    by_class = {name: loss_indicator(rows) for name, rows in (record.class_histories or {}).items()}
    assert len(by_class) == 10
    assert loss_indicators(record) == by_class
    of_epochs = dict.fromkeys(by_class, losses(1.0, 2.0))
    rarer = record.model_copy(update={"losses": losses(1.0, 2.0), "class_losses": of_epochs})
    assert {indicator.smoothed_generator_loss for indicator in (loss_indicators(rarer) or {}).values()} == {1.1}
    alone = record.model_copy(update={"class_histories": None})
    assert loss_indicators(alone) == {"all": loss_indicator(losses(0.7))}
    assert loss_indicators(alone.model_copy(update={"resolved": Resolved(loss="wasserstein")})) is None
