"""A step of a GAN that does not fit the memory is refused before anything is trained, with the batch that fits."""

from typing import Any

import pytest
import torch
from torch import Tensor

from shared.errors import BadConfig
from shared.models.gans.build import build_discriminator, build_generator
from shared.models.gans.step_memory import check_gan_step
from shared.runtime import memory

CPU = torch.device("cpu")
MB = 1_000_000


def specs(size_px: int, norm: str = "none") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return generator and discriminator of the networks `class` for colour images of three classes."""
    shape = {"size_px": size_px, "channels": 3, "classes": 3, "width": 4}
    return {"name": "class_dcgan", "latent": 8, **shape}, {"name": "projection", "norm": norm, **shape}


def kept(size_px: int, images: int) -> int:
    """Return the bytes that a real step of generator and critic keeps for gradients, by its graph, weights left out."""
    generator, discriminator = (
        build(spec) for build, spec in zip((build_generator, build_discriminator), specs(size_px), strict=True)
    )
    weights = {each.untyped_storage().data_ptr() for net in (generator, discriminator) for each in net.parameters()}
    held: dict[int, Tensor] = {}

    def note(tensor: Tensor) -> Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    labels = torch.arange(images) % 3
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        fakes = generator(torch.randn(images, 8), labels)
        discriminator(fakes, labels)
        discriminator(torch.rand(images, 3, size_px, size_px), labels)
    return sum(each.untyped_storage().nbytes() for place, each in held.items() if place not in weights)


@pytest.mark.parametrize("penalised", [0, 1, 2])
def test_the_largest_batch_that_fits_is_said(penalised: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fits itself, and one image more does not; a penalty for each image leaves room for fewer."""
    monkeypatch.setattr(memory, "allowed_bytes", lambda: 100 * MB)
    with pytest.raises(BadConfig, match=r"--batch-images 4096: a step of my networks on images of 64 px") as error:
        check_gan_step("my networks", specs(64), 4096, 3, penalised, CPU)
    most = int(str(error.value).rpartition(" ")[2])
    check_gan_step("my networks", specs(64), most, 3, penalised, CPU)
    with pytest.raises(BadConfig):
        check_gan_step("my networks", specs(64), most + 1, 3, penalised, CPU)
    assert {0: 60, 1: 30, 2: 20}[penalised] < most < {0: 240, 1: 120, 2: 80}[penalised]


def test_what_is_reckoned_is_what_a_step_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a penalty an image costs what its layers keep in a real step, within a tenth."""
    each = (kept(32, 8) - kept(32, 4)) / 4
    monkeypatch.setattr(memory, "allowed_bytes", lambda: 50 * MB)
    with pytest.raises(BadConfig) as error:
        check_gan_step("networks", specs(32), 10**6, 3, 0, CPU)
    most = int(str(error.value).rpartition(" ")[2])
    assert most * each == pytest.approx(50 * MB, rel=0.1)


def test_where_no_batch_fits_smaller_networks_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the message names what makes them smaller: the size of images and the width, not a classifier's option."""
    monkeypatch.setattr(memory, "allowed_bytes", lambda: 1000)
    with pytest.raises(BadConfig, match=r"want smaller images \(--size-px\), or fewer channels \(--width\)"):
        check_gan_step("networks", specs(256), 2, 3, 1, CPU)
