"""Between two images: latents along an arc, classes mixed in their embeddings."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial import geometric_slerp
from torch import nn

from shared.models.gans.build import build_generator
from shared.models.gans.interpolation import along_arc, draw_between, mixes_classes
from shared.models.snapshots import draw_images

SHARES = torch.linspace(0, 1, 5)


def generator(name: str, **more: Any) -> Any:
    """Return an untrained generator of three classes, each with scales of its own."""
    torch.manual_seed(0)
    spec = {"name": name, "size_px": 16, "channels": 1, "classes": 3, "latent": 8, "width": 4} | more
    made = build_generator(spec)
    for module in made.modules():
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight)
    return made.eval()


def test_the_arc_is_scipys() -> None:
    """On the unit sphere."""
    chance = torch.Generator().manual_seed(0)
    first, last = torch.nn.functional.normalize(torch.randn(2, 8, generator=chance, dtype=torch.float64))
    expected = geometric_slerp(first.numpy(), last.numpy(), SHARES.double().numpy())
    assert np.allclose(along_arc(first, last, SHARES.double()).numpy(), expected)


def test_latents_on_the_way_are_as_long_as_the_ends() -> None:
    """Half-way between (3, 0) and (0, 3) is (2.12, 2.12), of length 3; a straight line would give 2.12."""
    between = along_arc(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 3.0]), SHARES)
    assert torch.allclose(between.norm(dim=1), torch.full((5,), 3.0))
    assert torch.allclose(between[2], torch.tensor([4.5, 4.5]).sqrt())


def test_from_a_latent_to_itself_is_no_way() -> None:
    """There is no angle to divide by."""
    latent = torch.tensor([1.0, -2.0, 0.5])
    assert torch.equal(along_arc(latent, latent, SHARES), latent.expand(5, 3))


@pytest.mark.parametrize("name", ["class_dcgan", "dcgan"])
def test_the_ends_are_the_classes_and_the_middle_is_their_mean(name: str) -> None:
    """The middle is what a class whose embeddings are the mean of both would look like; nothing stays changed."""
    network = generator(name)
    latents = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    drawn = draw_between(network, latents, (0, 2), SHARES)
    ends = draw_images(network, latents, torch.tensor([0, 0, 0, 0, 2]))
    assert (drawn[[0, 4]].int() - ends[[0, 4]].int()).abs().max() <= 1  # batches of one round in another order
    for module in network.modules():
        if isinstance(module, nn.Embedding):
            module.weight.data[1] = (module.weight[0] + module.weight[2]) / 2
    middle = draw_images(network, latents, torch.ones(5, dtype=torch.int64))[2]
    assert (drawn[2].int() - middle.int()).abs().max() <= 1
    assert not torch.equal(drawn[2], drawn[0])


def test_generators_of_single_classes_change_half_way() -> None:
    """There is nothing between them."""
    member = {"name": "dcgan", "size_px": 16, "channels": 1, "classes": 0, "latent": 8, "width": 4}
    torch.manual_seed(0)
    network = build_generator({"name": "per_class", "classes": 3, "member": member}).eval()
    assert (mixes_classes(network), mixes_classes(generator("dcgan"))) == (False, True)
    latents = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    expected = draw_images(network, latents, torch.tensor([1, 1, 2, 2, 2]))
    assert (draw_between(network, latents, (1, 2), SHARES).int() - expected.int()).abs().max() <= 1


def test_a_mixture_of_generators_mixes_classes_too() -> None:
    """Each latent is drawn by its own member, whichever members the others have."""
    member = {"name": "class_dcgan", "size_px": 16, "channels": 1, "classes": 3, "latent": 8, "width": 4}
    torch.manual_seed(0)
    network = build_generator({"name": "mixture", "generators": 2, "member": member}).eval()
    latents = torch.randn(5, 10, generator=torch.Generator().manual_seed(1))
    labels = torch.ones(5, dtype=torch.int64)
    assert len(network.chosen(latents, labels).unique()) == 2
    expected = draw_images(network, latents, labels)
    assert (draw_between(network, latents, (1, 1), SHARES).int() - expected.int()).abs().max() <= 1
