"""synthesize: the snapshot and latents of the training images, and their annotation."""

from collections import Counter

import numpy as np
import pytest
import torch

from shared.format.sample import Sample, decode
from shared.models.fitting import load_classifier
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from tests.experiment.conftest import Tiny
from tests.experiment.tiny import SEEN_PX, TRAIN, enlarged

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def samples(tiny: Tiny) -> list[Sample]:
    """Every synthetic sample, in reading order."""
    return [decode(key, members, "synthetic") for key, members in tiny.made["synthetic"].members("train")]


def pixels(samples: list[Sample]) -> torch.Tensor:
    """Return the stored images (N, 1, S, S)."""
    return torch.from_numpy(np.stack([sample.image.transpose(2, 0, 1) for sample in samples]))


def test_no_latent_that_scored_a_snapshot_makes_a_training_image(tiny: Tiny, samples: list[Sample]) -> None:
    """Training images are fresh: their latents neither chose the snapshot nor were scored on test."""
    scored = {seed for arguments, _ in tiny.latents.calls for seed in arguments[0]}
    drawn = [sample.meta["origin"]["latent_seed"] for sample in samples]
    assert len(set(drawn)) == len(drawn) == 3 * TRAIN
    assert not scored & set(drawn)


def test_stored_images_are_those_that_the_annotator_saw(tiny: Tiny, samples: list[Sample]) -> None:
    """A sample is the chosen snapshot's image, resized by Pillow to the annotator's size with its filter."""
    chosen = tiny.made["scores"].facts["chosen"]["file"]
    network = load_snapshot(tiny.made["gan"], chosen, CPU)
    origins = [sample.meta["origin"] for sample in samples]
    latents = latents_of([origin["latent_seed"] for origin in origins], tiny.made["gan"].facts["latent"])
    drawn = draw_images(network, latents, torch.tensor([origin["asked_label"] for origin in origins]))
    stored = pixels(samples)
    assert stored.shape[-1] == SEEN_PX
    assert torch.equal(stored, enlarged(drawn))


def test_the_annotator_names_what_is_stored(tiny: Tiny, samples: list[Sample]) -> None:
    """On a stored image it gives the stored label and confidence."""
    network = load_classifier(tiny.made["classifier"], CPU)
    with torch.no_grad():
        probabilities = network(pixels(samples).float() / 127.5 - 1).softmax(dim=1)
    assert probabilities.argmax(dim=1).tolist() == [sample.label for sample in samples]
    confidence = [sample.meta["annotation"]["confidence"] for sample in samples]
    assert probabilities.max(dim=1).values.tolist() == pytest.approx(confidence, abs=1e-4)


def test_the_classes_asked_for_are_those_of_train(tiny: Tiny, samples: list[Sample]) -> None:
    """Each class is three times as frequent as in the train split, since three times as many images are made."""
    asked = Counter(sample.meta["origin"]["asked_label"] for sample in samples)
    assert [asked[label] for label in range(3)] == [
        3 * n for n in tiny.made["real"].dataset.splits["train"].class_counts
    ]
