"""The arms: how many images of which kind, and which ones."""

import pytest
import torch

from jobs.train_mixed.arms import ARMS, ASKED, GROUPS, LEARNING_CURVE, SWEEP, chosen_arms
from jobs.train_mixed.mixing import Synthetic, training_set
from jobs.train_mixed.verdict import COMPARISONS
from shared.data.images import Images
from shared.errors import BadConfig, BadInput


def numbered(total: int, classes: int = 4, offset: int = 0) -> Images:
    """Return images of one pixel whose value, in four uint8 channels, is their index plus `offset`."""
    numbers = torch.arange(total) + offset
    digits = [(numbers // 256**power % 256) for power in range(4)]
    return Images(torch.stack(digits, dim=1).to(torch.uint8)[:, :, None, None], torch.arange(total) ** 2 % classes)


def drawn(total: int, offset: int = 10_000, asked: bool = True) -> Synthetic:
    """Return numbered synthetic images; the requested class is the label plus one, confidence rises from 0 to 1."""
    images = numbered(total, offset=offset)
    return Synthetic(
        images, (images.labels + 1) % 4 if asked else None, torch.linspace(0, 1, max(total, 1))[:total], total
    )


def numbers(images: Images) -> list[int]:
    """Return the indexes that `numbered` wrote into these images."""
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
    """70 % synthetic and 30 % real images are N together, for any N."""
    assert sum(ARMS["synthetic_70_real_30"].counts(total)) == total


def test_every_comparison_names_two_arms() -> None:
    """What the verdict compares are rows of the table of arms."""
    assert {name for row in COMPARISONS for name in (row.a, row.b)} <= ARMS.keys()


@pytest.mark.parametrize("seed", [0, 5])
def test_arms_with_the_same_real_share_use_the_same_real_images(seed: int) -> None:
    """The mixed arm is exactly the 30 % arm's real images plus synthetic ones: the comparison is paired."""
    real, synthetic = numbered(200), drawn(180)
    alone, n_real, _ = training_set("real_30", real, synthetic, seed)
    mixed, m_real, m_synthetic = training_set("synthetic_70_real_30", real, synthetic, seed)
    assert (n_real, m_real, m_synthetic) == (60, 60, 140)
    assert numbers(mixed)[:60] == numbers(alone)
    assert numbers(mixed)[60:] == list(range(10_000, 10_140))
    assert torch.equal(mixed.labels[:60], real.labels[torch.tensor(numbers(alone))])


def test_the_real_images_are_drawn_by_seed_without_repeats() -> None:
    """Another seed draws other real images; none is drawn twice; the arm of all real images has them all."""
    real, synthetic = numbered(200), drawn(0)
    draws = [numbers(training_set("real_30", real, synthetic, seed)[0]) for seed in (0, 1)]
    assert draws[0] != draws[1]
    assert len(set(draws[0])) == 60
    assert numbers(training_set("real_100", real, synthetic, 0)[0]) == list(range(200))


def test_the_real_images_are_stratified() -> None:
    """30 % of the real images are 30 % of each class, to within one image."""
    real = numbered(200, classes=7)
    chosen = training_set("real_30", real, drawn(0), 0)[0]
    whole, part = (torch.bincount(images.labels, minlength=7) for images in (real, chosen))
    assert ((part - 0.3 * whole).abs() <= 1).all()


def test_the_synthetic_arm_has_no_real_image() -> None:
    """The synthetic-only arm has no real image."""
    chosen, n_real, n_synthetic = training_set("synthetic_only", numbered(100), drawn(70, offset=500), 0)
    assert (n_real, n_synthetic, numbers(chosen)) == (0, 70, list(range(500, 570)))


def test_too_few_synthetic_images_are_refused() -> None:
    """An arm with too few synthetic images says how many it needs and what to run."""
    with pytest.raises(BadInput) as caught:
        training_set("synthetic_only", numbered(100), drawn(69), 0)
    needs = "arm synthetic_only needs 70 synthetic images; there are 69"
    assert str(caught.value) == f"{needs}\nrun synthesize with --share 0.7 or more"


def passing(total: int, usable: int) -> Synthetic:
    """Return the synthetic images that pass a filter."""
    whole = drawn(total)
    sure = torch.arange(total) < usable
    return Synthetic(whole.images, whole.asked, sure.float(), total).confident(0.9)


def test_a_share_that_suffices_is_named() -> None:
    """864 of 879 images pass, so 879 need 895 (894.3, rounded up): 0.712 of 1,257, rounded up."""
    with pytest.raises(BadInput) as caught:
        training_set("synthetic_70_real_30", numbered(1257), passing(879, 864), 0)
    assert str(caught.value).splitlines() == [
        "arm synthetic_70_real_30 needs 879 synthetic images; 864 of 879 synthetic images pass --min-confidence",
        "run synthesize with --share 0.72 or more, or lower --min-confidence",
    ]


def test_where_no_image_passes_no_share_suffices() -> None:
    """Then more images are no help, but a lower limit is."""
    with pytest.raises(BadInput, match="; 0 of 70 synthetic images pass --min-confidence; lower") as caught:
        training_set("synthetic_only", numbered(100), passing(70, 0), 0)
    assert "--share" not in str(caught.value)


def test_asked_labels_take_the_place_of_annotations() -> None:
    """The same images, in the same order, with the class that the generator was asked for."""
    real, synthetic = numbered(100), drawn(70)
    annotated = training_set("synthetic_only", real, synthetic, 0)[0]
    asked = training_set("synthetic_only_asked", real, synthetic, 0)[0]
    assert numbers(asked) == numbers(annotated)
    assert torch.equal(asked.labels, (annotated.labels + 1) % 4)


def test_nothing_can_be_asked_of_an_unconditional_generator() -> None:
    """Its arms with requested classes are dropped from a group, and refused if named."""
    assert not [name for name in chosen_arms("all", conditional=False) if ARMS[name].labels == ASKED]
    with pytest.raises(BadInput, match="asked for no class"):
        training_set("synthetic_only_asked", numbered(100), drawn(70, asked=False), 0)


def test_a_filter_keeps_the_confident() -> None:
    """Images at or above the least confidence stay, with their labels."""
    synthetic = drawn(101)
    kept = synthetic.confident(0.75)
    assert numbers(kept.images) == list(range(10_075, 10_101))
    assert kept.asked is not None
    assert torch.equal(kept.asked, (kept.images.labels + 1) % 4)
    assert len(synthetic.confident(0.0).images) == 101


def test_the_sweeps_add_up() -> None:
    """Each arm of the sweep has as many images as the real train split; the learning curve has its percentages."""
    for share, name in SWEEP.items():
        real, synthetic = ARMS[name].counts(1000)
        assert (real, synthetic) == (1000 - 10 * share, 10 * share)
    assert [ARMS[name].counts(1000)[0] for name in LEARNING_CURVE.values()] == [50, 100, 250, 500, 1000]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "want groups"),
        ("shrt", "unknown: 'shrt'"),
        ("short,real_31", "unknown: 'real_31'"),
        ("a,b", "unknown: 'a', 'b'"),
    ],
)
def test_unknown_arms_are_refused(text: str, says: str) -> None:
    """The error names only the wrong ones, and lists the groups and the arms."""
    with pytest.raises(BadConfig, match="short, fair, curve, sweep, all") as caught:
        chosen_arms(text, conditional=True)
    assert says in str(caught.value)


def test_groups_and_arms_join_in_the_order_of_the_table() -> None:
    """An arm named twice is trained once."""
    assert chosen_arms("synthetic_only,curve,real_5", conditional=True) == [
        name for name in ARMS if name in {"synthetic_only", *GROUPS["curve"]}
    ]
