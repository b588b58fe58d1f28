"""The arms: how many images of which kind, and which ones."""

import pytest
import torch

from jobs.train_mixed.arms import ARMS, training_set
from jobs.train_mixed.verdict import COMPARISONS
from shared.errors import BadInput
from shared.loading import Images


def numbered(total: int, classes: int = 4, offset: int = 0) -> Images:
    """Return images of one pixel whose number, in four uint8 channels, is their place plus `offset`."""
    numbers = torch.arange(total) + offset
    digits = [(numbers // 256**power % 256) for power in range(4)]
    return Images(torch.stack(digits, dim=1).to(torch.uint8)[:, :, None, None], torch.arange(total) ** 2 % classes)


def numbers(images: Images) -> list[int]:
    """Return the places that `numbered` wrote into these images."""
    weights = 256 ** torch.arange(4)
    return (images.images.flatten(1).long() * weights).sum(dim=1).tolist()


@pytest.mark.parametrize(
    ("total", "arm", "real", "synthetic"),
    [
        (1257, "real_100", 1257, 0),
        (1257, "real_30", 378, 0),  # 1,257 - floor(0.7 * 1,257) = 1,257 - floor(879.9)
        (1257, "synthetic_70_real_30", 378, 879),
        (1257, "synthetic_only", 0, 879),
        (162770, "synthetic_70_real_30", 48831, 113939),  # CelebA's train split
        (162770, "synthetic_only", 0, 113939),
        (10, "synthetic_70_real_30", 3, 7),  # 0.7 * 10 is below 7 in floating point
    ],
)
def test_counts_by_hand(total: int, arm: str, real: int, synthetic: int) -> None:
    """Of N real train images an arm takes floor(0.7 N) synthetic ones and N - floor(0.7 N) real ones."""
    assert ARMS[arm].counts(total) == (real, synthetic)


@pytest.mark.parametrize("total", [1257, 162770, 10, 11, 99, 100, 101])
def test_the_mixed_arm_has_exactly_as_many_images_as_there_are_real_ones(total: int) -> None:
    """70 % synthetic and 30 % real images are N together, whatever N is."""
    assert sum(ARMS["synthetic_70_real_30"].counts(total)) == total


def test_every_comparison_names_two_arms() -> None:
    """What the verdict compares are rows of the table of arms."""
    assert {name for row in COMPARISONS for name in (row.a, row.b)} <= ARMS.keys()


@pytest.mark.parametrize("seed", [0, 5])
def test_arms_with_the_same_real_share_use_the_same_real_images(seed: int) -> None:
    """The mixed arm is exactly the 30 % arm's real images plus synthetic ones: the comparison is paired."""
    real, synthetic = numbered(200), numbered(180, offset=10_000)
    alone, n_real, _ = training_set(ARMS["real_30"], real, synthetic, seed)
    mixed, m_real, m_synthetic = training_set(ARMS["synthetic_70_real_30"], real, synthetic, seed)
    assert (n_real, m_real, m_synthetic) == (60, 60, 140)
    assert numbers(mixed)[:60] == numbers(alone)
    assert numbers(mixed)[60:] == list(range(10_000, 10_140))
    assert torch.equal(mixed.labels[:60], real.labels[torch.tensor(numbers(alone))])


def test_the_real_part_is_a_draw_from_the_seed_without_repeats() -> None:
    """Another seed draws other real images; none is drawn twice; all real is all of them."""
    real, synthetic = numbered(200), numbered(0)
    draws = [numbers(training_set(ARMS["real_30"], real, synthetic, seed)[0]) for seed in (0, 1)]
    assert draws[0] != draws[1]
    assert len(set(draws[0])) == 60
    assert numbers(training_set(ARMS["real_100"], real, synthetic, 0)[0]) == list(range(200))


def test_the_real_part_is_stratified() -> None:
    """30 % of the real images are 30 % of each class, to within one image."""
    real = numbered(200, classes=7)
    chosen = training_set(ARMS["real_30"], real, numbered(0), 0)[0]
    whole, part = (torch.bincount(images.labels, minlength=7) for images in (real, chosen))
    assert ((part - 0.3 * whole).abs() <= 1).all()


def test_the_synthetic_arm_has_no_real_image() -> None:
    """Synthetic only means that no real image is among them."""
    chosen, n_real, n_synthetic = training_set(ARMS["synthetic_only"], numbered(100), numbered(70, offset=500), 0)
    assert (n_real, n_synthetic, numbers(chosen)) == (0, 70, list(range(500, 570)))


def test_too_few_synthetic_images_are_refused() -> None:
    """An arm that needs more synthetic images than there are says how many it needs and what to run."""
    with pytest.raises(BadInput, match=r"has 69 images, this arm needs 70; run synthesize with --share 0\.7"):
        training_set(ARMS["synthetic_only"], numbered(100), numbered(69), 0)
