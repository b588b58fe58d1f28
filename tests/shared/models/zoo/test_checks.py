"""What is tried before any work: the memory of a step, by its numbers and against what the machine has."""

import re

import pytest
import torch
from torch import nn

from shared.errors import BadConfig
from shared.models.classifiers import build_classifier, spec_of
from shared.models.fit_options import FitConfig
from shared.models.inference import batch_for
from shared.models.sizes import check_classifier_size
from shared.models.tables import CLASSIFIERS
from shared.models.zoo.checks import _step, check_classifier
from shared.runtime import memory

CPU = torch.device("cpu")


def test_a_step_is_counted_by_hand() -> None:
    """Flatten, Linear(16, 8), Linear(8, 3) on two images of 4 x 4 px: what backward needs, and Adam's four numbers."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Linear(8, 3))
    probe = _step("", network, torch.zeros(2, 1, 4, 4), 3)
    # held: the flat images, the 8 hidden values, 3 log-probabilities; the gradient of the largest; the images
    numbers = (16 + 8 + 3) + 16 + 16
    assert probe.image_bytes == pytest.approx(4 * numbers, abs=24)  # and labels of eight bytes
    assert probe.weight_bytes == 4 * 4 * (16 * 8 + 8 + 8 * 3 + 3)


def test_what_is_not_computed_is_counted_as_if_it_were() -> None:
    """The estimate on "meta", where nothing is computed, is that of real images."""
    found = []
    for device in ("meta", "cpu"):
        with torch.device(device):
            network = build_classifier(spec_of(FitConfig(), size_px=32, channels=3, classes=4)).train()
            found.append(_step("small_cnn", network, torch.zeros(2, 3, 32, 32), 4))
    assert found[0].image_bytes == pytest.approx(found[1].image_bytes, rel=0.1)
    assert found[0].weight_bytes == found[1].weight_bytes


def test_a_batch_that_does_not_fit_is_refused_with_the_largest_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with 2 GB to give; that batch is accepted, one more is not."""
    monkeypatch.setattr(memory, "allowed_bytes", lambda: 2 * 10**9)
    with pytest.raises(BadConfig, match=r"--batch-images 64: a step of resnet18 on images of 512 px takes") as caught:
        check_classifier(FitConfig(network="resnet18"), 512, 3, 6, CPU)
    found = re.search(r"2\.0 GB are half of .*; want at most (\d+)$", str(caught.value))
    assert found is not None
    most = int(found[1])
    assert 4 <= most < 32
    check_classifier(FitConfig(network="resnet18", batch_images=most), 512, 3, 6, CPU)
    with pytest.raises(BadConfig, match=f"want at most {most}$"):
        check_classifier(FitConfig(network="resnet18", batch_images=most + 1), 512, 3, 6, CPU)


def test_a_network_that_fits_in_no_batch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice is then another network, or smaller images."""
    monkeypatch.setattr(memory, "allowed_bytes", lambda: 2 * 10**9)
    with pytest.raises(BadConfig, match=r"takes about 2\d\.\d GB\n.*; want smaller images .*, or a smaller --network"):
        check_classifier(FitConfig(network="rps_cnn"), 512, 3, 6, CPU)


@pytest.mark.parametrize(("size_px", "images"), [(16, 512), (128, 512), (256, 128), (512, 32), (10_000, 1)])
def test_large_images_are_asked_about_in_smaller_batches(size_px: int, images: int) -> None:
    """As many pixels at once as 512 images of 128 px have."""
    assert batch_for(size_px) == images


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("size_px", [48, 224, 512])
def test_sizes_that_are_accepted_work(name: str, size_px: int) -> None:
    """Without a number computed."""
    check_classifier_size(name, size_px)
    with torch.device("meta"):
        network = build_classifier(spec_of(FitConfig(network=name), size_px=size_px, channels=1, classes=3))
        assert network(torch.zeros(2, 1, size_px, size_px)).shape == (2, 3)


TOO = [
    ("small_cnn", 513, "images are 513 px wide, classifiers take at most 512"),
    ("convnext_tiny", 31, "--network convnext_tiny: images are 31 px wide, want 32 or more"),
    ("vit_b_16", 16, "--network vit_b_16: images are 16 px wide, want 32 in steps of 16"),
    ("vit_b_16", 72, "--network vit_b_16: images are 72 px wide, want 32 in steps of 16"),
    ("rps_cnn", 30, "want a multiple of 4"),
]


@pytest.mark.parametrize(("name", "size_px", "reason"), TOO)
def test_other_sizes_are_refused(name: str, size_px: int, reason: str) -> None:
    """With the network, the size and what is wanted; the network cannot take it indeed."""
    with pytest.raises(BadConfig, match=reason):
        check_classifier_size(name, size_px)
