"""Differentiable augmentation: the effect of each operation on an image, by hand."""

import pytest
import torch

from shared.data.augmentation import augment, colour, cutout, flip, params_per_image, translation
from shared.data.tables import AUGMENTATIONS

IMAGES = torch.rand(64, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


def chance(width: int, count: int = 64) -> torch.Tensor:
    """Return (count, width) numbers from [0, 1)."""
    return torch.rand(count, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, -1), (-2, 2)])
def test_translation_moves_by_whole_pixels(down: int, right: int) -> None:
    """On 16 px an image moves by -2 to 2 px in each direction; what comes in from outside is 0, mid grey."""
    numbers = torch.tensor([[(2 - down) / 5 + 0.01, (2 - right) / 5 + 0.01]])
    moved = translation(IMAGES[:1], numbers)
    expected = torch.zeros(1, 3, 16, 16)
    for row in range(16):
        for column in range(16):
            if 0 <= row - down < 16 and 0 <= column - right < 16:
                expected[0, :, row, column] = IMAGES[0, :, row - down, column - right]
    assert torch.equal(moved, expected)


def test_translation_reaches_every_shift_equally() -> None:
    """The 25 shifts of a 16 px image are about equally frequent."""
    marked = torch.zeros(5000, 1, 16, 16)
    marked[:, :, 8, 8] = 1
    places = translation(marked, chance(2, 5000)).flatten(1).argmax(dim=1)
    counts = torch.bincount(places, minlength=256)
    assert (counts > 0).sum() == 25
    assert counts[counts > 0].min() > 120


def test_cutout_blanks_a_square_of_half_the_side() -> None:
    """With its centre inside, 8x8 px become 0; at the border only the part inside does; the rest stays."""
    cut = cutout(IMAGES[:2], torch.tensor([[0.5, 0.5], [0.0, 0.0]]))
    blank = (cut == 0).all(dim=1)
    assert blank[0].sum() == 64
    assert blank[1].sum() == 16  # a centre in the corner: a quarter of the square
    assert blank[1][:4, :4].all()
    assert torch.equal(cut[:, :, 15, 15], IMAGES[:2, :, 15, 15])


def test_colour_in_the_middle_changes_nothing() -> None:
    """Chance 0.5 for each number: brightness + 0, saturation x 1, contrast x 1."""
    assert torch.allclose(colour(IMAGES, torch.full((64, 3), 0.5)), IMAGES, atol=1e-6)


def test_colour_by_hand() -> None:
    """Brightness adds chance - 0.5; saturation 0 leaves grey; contrast 0 halves the distance from the image's mean."""
    brighter = colour(IMAGES, torch.tensor([[0.75, 0.5, 0.5]]).expand(64, 3))
    assert torch.allclose(brighter, IMAGES + 0.25, atol=1e-6)
    grey = colour(IMAGES, torch.tensor([[0.5, 0.0, 0.5]]).expand(64, 3))
    assert torch.allclose(grey, IMAGES.mean(dim=1, keepdim=True).expand_as(IMAGES), atol=1e-6)
    flat = colour(IMAGES, torch.tensor([[0.5, 0.5, 0.0]]).expand(64, 3))
    mean = IMAGES.mean(dim=(1, 2, 3), keepdim=True)
    assert torch.allclose(flat, mean + (IMAGES - mean) / 2, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_change_lets_gradients_through(name: str, channels: int) -> None:
    """The gradient of the output reaches the image's pixels, so that the generator learns."""
    images = IMAGES[:, :channels].clone().requires_grad_()
    changed = augment(images, (name,), chance(params_per_image((name,))))
    assert changed.shape == images.shape
    (gradient,) = torch.autograd.grad(changed.square().sum(), images)
    assert torch.isfinite(gradient).all()
    assert (gradient != 0).double().mean() > 0.4


def test_changes_apply_in_turn() -> None:
    """Several names take their own numbers, in order."""
    names = ("colour", "translation")
    given = chance(params_per_image(names))
    expected = translation(colour(IMAGES, given[:, :3]), given[:, 3:])
    assert torch.equal(augment(IMAGES, names, given), expected)
    assert torch.equal(augment(IMAGES, (), chance(0)), IMAGES)


def test_flip_mirrors_half_of_the_images() -> None:
    """An image whose number is below one half is mirrored left and right, the others stay."""
    given = torch.tensor([[0.49], [0.5], [0.0], [0.99]])
    flipped = flip(IMAGES[:4], given)
    for place, mirrored in enumerate([True, False, True, False]):
        assert torch.equal(flipped[place], IMAGES[place].flip(-1) if mirrored else IMAGES[place])
