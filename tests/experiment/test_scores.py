"""evaluate: the latents and real images that score a snapshot, and the references of the copy test."""

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.data.images import Images, load_split
from shared.metrics.copies import copy_test, pixel_copies
from shared.metrics.features.frechet import frechet_distance, moments
from shared.metrics.neighbours import of_images, of_points
from shared.models.fitting import features_of, load_classifier
from tests.experiment.conftest import Tiny
from tests.experiment.tiny import EVALUATED, TEST, TRAIN, enlarged

SNAPSHOTS = 3
CPU = torch.device("cpu")


def features(tiny: Tiny, images: Tensor) -> np.ndarray:
    """Return the features of stored images in the experiment's classifier."""
    return features_of(load_classifier(tiny.made["classifier"], CPU), enlarged(images))


def distance(tiny: Tiny, images: Tensor, split: str) -> float:
    """Return the Fréchet distance of images to a split of the real ones."""
    real = load_split(tiny.made["real"], split).images
    return frechet_distance(*moments(features(tiny, images)), *moments(features(tiny, real)))


def test_every_snapshot_is_scored_with_the_same_latents(tiny: Tiny) -> None:
    """Scores then differ because of the snapshots, not of the draws."""
    seeds = [arguments[0] for arguments, _ in tiny.latents.calls]
    assert len(seeds) == SNAPSHOTS + 1
    assert seeds[0] == seeds[1] == seeds[2]
    assert len(set(seeds[0])) == EVALUATED


def test_the_chosen_snapshot_is_scored_with_fresh_latents(tiny: Tiny) -> None:
    """Other latents than those that chose it: the reported best is no lucky draw."""
    seeds = [arguments[0] for arguments, _ in tiny.latents.calls]
    assert len(set(seeds[-1])) == EVALUATED
    assert not set(seeds[0]) & set(seeds[-1])


def test_the_snapshot_is_chosen_on_val(tiny: Tiny) -> None:
    """Each snapshot's row is its distance to val; the chosen one has the lowest, which does not hold on test."""
    facts, drawn = tiny.made["scores"].facts, tiny.drawn.returned
    on_val = [distance(tiny, images, "val") for images in drawn[:SNAPSHOTS]]
    assert [row["frechet_classifier"] for row in facts["rows"]] == pytest.approx(on_val, rel=1e-3)
    assert facts["chosen"]["epoch"] == int(np.argmin(on_val)) + 1
    assert on_val != pytest.approx([distance(tiny, images, "test") for images in drawn[:SNAPSHOTS]], rel=1e-2)


def test_scores_see_images_as_the_classifier_does(tiny: Tiny) -> None:
    """Scores on test compare the fresh images with test, the floor compares train with test.

    Images are resized to the classifier's size by its own filter.
    """
    facts, fresh = tiny.made["scores"].facts, tiny.drawn.returned[SNAPSHOTS]
    train = load_split(tiny.made["real"], "train").images
    assert facts["test"]["frechet_classifier"] == pytest.approx(distance(tiny, fresh, "test"), rel=1e-3)
    assert facts["real"]["frechet_classifier"] == pytest.approx(distance(tiny, train, "test"), rel=1e-3)


def test_the_classes_asked_for_are_those_of_train(tiny: Tiny) -> None:
    """Requested labels have the proportions of the train split, and are the same for every snapshot."""
    asked = [arguments[2] for arguments, _ in tiny.drawn.calls]
    shares = np.array(tiny.made["real"].dataset.splits["train"].class_counts) / TRAIN
    assert all(torch.equal(labels, asked[0]) for labels in asked)
    assert np.abs(asked[0].bincount().numpy() - shares * EVALUATED).max() < 1


@pytest.mark.parametrize("space", ["pixels", "classifier"])
def test_copies_are_searched_in_train_relative_to_test(space: str, tiny: Tiny) -> None:
    """Distances from each fresh image to its nearest train image, relative to those of test images."""
    splits = {split: load_split(tiny.made["real"], split).images for split in ("test", "train")}
    sides = (tiny.drawn.returned[SNAPSHOTS], splits["test"], splits["train"])
    if space == "pixels":
        real = [Images(images, torch.zeros(len(images), dtype=torch.int64)) for images in sides[1:]]
        wanted, (to_train, to_test) = (
            pixel_copies(sides[0], *real),
            [of_images(sides[0], each) for each in sides[:0:-1]],
        )
    else:
        points = [torch.from_numpy(features(tiny, images)).double() for images in sides]
        wanted, (to_train, to_test) = copy_test(*points), [of_points(points[0], each) for each in points[:0:-1]]
    found = tiny.made["scores"].facts["copies"][space]
    assert (found["n_synthetic"], found["n_held_out"], found["n_train"]) == (EVALUATED, TEST, TRAIN)
    for name in ("nearer", "copy_rate", "memorisation", "memorisation_held_out"):
        assert found[name] == pytest.approx(getattr(wanted, name), abs=1e-4), name
    # the first pair is that of the image which is nearest to train, relative to test
    first = int((to_train.distances / to_test.distances.clamp(min=1e-9)).argmin())
    assert found["closest"][0]["synthetic"] == first
    assert found["closest"][0]["train"] == int(to_train.places[first])
    assert found["closest"][0]["distance"] == pytest.approx(float(to_train.distances[first]), rel=1e-3, abs=1e-6)
