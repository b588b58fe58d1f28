"""The standard augmentation: torchvision's own changes, one draw for a few images, targets mixed as images are."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

import shared.data.standard_augmentation as augmentation
from shared.data.augmentation import flip, translation
from shared.data.standard_augmentation import MIXUP_ALPHA, rand_augment, standard_augmentation

COPIES, CLASSES = 64, 5


def noise(count: int, channels: int = 1, size_px: int = 16) -> Tensor:
    """Return uint8 images (count, channels, size, size) of noise."""
    shape = count, channels, size_px, size_px
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def labels(count: int) -> Tensor:
    """Return the labels 0, 1, 2, ... again and again."""
    return torch.arange(count) % CLASSES


def unmixed(**_: Any) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Replace MixUp: images and labels are as they were."""
    return lambda images, given: (images, given)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that takes out all parts of the augmentation but one."""

    def keep(part: str) -> None:
        for name, change in {
            "RandAugment": lambda: monkeypatch.setattr(augmentation, "OPERATIONS", 0),
            "shifts": lambda: monkeypatch.setattr(augmentation, "translation", lambda images, params: images),
            "MixUp": lambda: monkeypatch.setattr(v2, "MixUp", unmixed),
        }.items():
            if name != part:
                change()

    return keep


@pytest.mark.parametrize("size_px", [8, 16, 33])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 2, 18])
def test_images_and_targets_are_what_a_step_takes(count: int, channels: int, size_px: int) -> None:
    """Float32 in [-1, 1] and probabilities, from many seeds, so that every operation meets grey images too."""
    images, given = noise(count, channels, size_px), labels(count)
    before = images.clone()
    augment = standard_augmentation(True, CLASSES)
    for seed in range(60 // count):
        changed, targets = augment(images, given, seed)
        assert (changed.dtype, changed.shape) == (torch.float32, images.shape)
        assert changed.abs().max() <= 1 + 1e-6
        assert targets.shape == (count, CLASSES)
        assert targets.min() >= 0
        assert torch.allclose(targets.sum(dim=1), torch.ones(count))
    assert torch.equal(images, before)
    assert torch.equal(given, labels(count))


def test_a_seed_gives_the_same_images_whatever_was_drawn_before() -> None:
    """Equal seeds give equal bits, other seeds other images and other shares of MixUp."""
    augment = standard_augmentation(False, CLASSES)
    first = augment(noise(18), labels(18), 7)
    torch.rand(5)
    second, other = augment(noise(18), labels(18), 7), augment(noise(18), labels(18), 8)
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))
    assert not any(torch.equal(*pair) for pair in zip(first, other, strict=True))


def test_what_others_draw_is_not_changed() -> None:
    """Torch's generator goes on where it was: dropout, say, draws the same with and without the augmentation."""
    augment = standard_augmentation(True, CLASSES)
    torch.manual_seed(1)
    wanted = torch.rand(4)
    torch.manual_seed(1)
    augment(noise(18), labels(18), 7)
    assert torch.equal(torch.rand(4), wanted)


def test_images_of_a_step_get_operations_of_their_own(alone: Callable[[str], None]) -> None:
    """Copies of one image become many: with one draw for all of them they would stay copies of each other."""
    alone("RandAugment")
    counts = []
    for seed in range(10):
        changed, _ = standard_augmentation(False, CLASSES)(noise(1).repeat(COPIES, 1, 1, 1), labels(COPIES), seed)
        counts.append(len(changed.flatten(1).unique(dim=0)))
    # 14 operations, 9 of them in two directions: a single one for each image would give 23 at most
    assert min(counts) > 25


@pytest.mark.parametrize("channels", [1, 3])
def test_an_operation_is_torchvisions(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One operation of ours on copies makes all that v2.RandAugment at its usual magnitude makes of the image alone."""
    monkeypatch.setattr(augmentation, "OPERATIONS", 1)
    image = noise(1, channels, 8)
    image[..., 0, :] = image[..., -1, :] = image[..., 0] = image[..., -1] = 70
    peer = v2.RandAugment(num_ops=1, fill=70)
    torch.manual_seed(0)
    reachable = {peer(image[0]).numpy().tobytes() for _ in range(600)}
    changed = [rand_augment(image.repeat(COPIES, 1, 1, 1)) for _ in range(30)]
    assert {pixels.numpy().tobytes() for pixels in torch.cat(changed)} == reachable
    assert len(reachable) > 12  # on grey images several operations do nothing


@pytest.mark.parametrize("size_px", [16, 33])
def test_shifts_and_mirrors_are_torchvisions(size_px: int) -> None:
    """Every shift and every mirror is what transforms v2 make of the image, to the last bit."""
    images = torch.rand(1, 3, size_px, size_px) * 2 - 1
    reach = max(int(size_px / 8 + 0.5), 1)
    numbers = (torch.arange(2 * reach + 1) + 0.5) / (2 * reach + 1)
    for down, row in zip(range(reach, -reach - 1, -1), numbers, strict=True):
        for right, column in zip(range(reach, -reach - 1, -1), numbers, strict=True):
            theirs = v2.functional.affine(images, angle=0.0, translate=[right, down], scale=1.0, shear=[0.0, 0.0])
            assert torch.equal(translation(images, torch.stack([row, column])[None]), theirs)
    mirrored = v2.functional.horizontal_flip(images)
    for number, expected in ((0.49, mirrored), (0.5, images)):
        assert torch.equal(flip(images, torch.tensor([[number]])), expected)


@pytest.mark.parametrize("mirrors", [True, False])
def test_only_mirrorable_classes_are_mirrored(mirrors: bool, alone: Callable[[str], None]) -> None:
    """A bright pixel left of a dark one is mirrored in half of the images, or in none; most images are shifted."""
    alone("shifts")
    images = torch.full((400, 1, 16, 16), 120, dtype=torch.uint8)
    images[:, 0, 8, 7], images[:, 0, 8, 8] = 255, 0
    moved, _ = standard_augmentation(mirrors, CLASSES)(images, labels(400), 0)
    bright, dark = (value.flatten(1).argmax(dim=1) for value in (moved, -moved))
    assert set((bright - dark).abs().tolist()) == {1}
    share = (bright > dark).double().mean().item()
    assert 0.4 < share < 0.6 if mirrors else share == 0
    assert len(set((bright // 16).tolist())) == 5  # by up to an eighth of 16 px, up and down
    assert len(set((bright % 16).tolist())) == (6 if mirrors else 5)


@pytest.mark.parametrize("part", ["shifts", "RandAugment"])
def test_what_comes_in_is_the_background(
    part: str, alone: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images of one colour stay so: their own colour comes in from outside, in every channel."""
    alone(part)
    if part == "RandAugment":
        monkeypatch.setattr(augmentation, "OPERATIONS", 1)  # a second one meets other colours in its group
    for colour in torch.tensor([[0, 200, 90], [255, 255, 255]], dtype=torch.uint8):
        images = colour[None, :, None, None].repeat(COPIES, 1, 16, 16)
        moved, _ = standard_augmentation(False, CLASSES)(images, labels(COPIES), 0)
        assert torch.equal(moved, moved[:, :, 8:9, 8:9].expand_as(moved))


def test_targets_are_mixed_as_images_are(alone: Callable[[str], None]) -> None:
    """An image of constant brightness per class says by its brightness which probabilities it should have."""
    alone("MixUp")
    shades = torch.tensor([0, 40, 100, 180, 255])
    images = shades[labels(20)].to(torch.uint8)[:, None, None, None].expand(20, 1, 8, 8)
    augment = standard_augmentation(False, CLASSES)
    largest = []
    for seed in range(300):
        mixed, targets = augment(images, labels(20), seed)
        brightness = (mixed.mean(dim=(1, 2, 3)) + 1) * 127.5
        assert torch.allclose(brightness, targets @ shades.float(), atol=1e-3)
        assert (targets > 0).sum(dim=1).max() <= 2
        largest.append(targets[0, 0].item())  # the share of its own class, or 1 less that of its partner's
    shares = torch.tensor(largest, dtype=torch.float64)
    # Beta(a, a) has the mean 1/2 and the variance 1 / (4 (2 a + 1)): 0.179 for a = 0.2, 0.083 for a = 1
    assert MIXUP_ALPHA == 0.2
    assert shares.mean().item() == pytest.approx(0.5, abs=0.08)
    assert shares.var().item() == pytest.approx(1 / (4 * (2 * MIXUP_ALPHA + 1)), abs=0.025)
