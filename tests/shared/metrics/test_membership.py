"""Membership: a memoriser is found, what knows nothing of the members is not, and no figure is given of too few."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.images import NO_LABEL, Images
from shared.data.resizing import resized
from shared.metrics import membership as attack
from shared.metrics.features import pairs
from shared.metrics.membership import (
    MOST_IMAGES,
    Attack,
    NonMembers,
    area,
    halves,
    matched,
    membership_test,
    nearest_image,
    nearest_point,
    prepare,
    true_positives,
)
from shared.metrics.neighbours import of_images, of_points
from shared.models import fitting
from shared.models.fit_options import FitConfig
from shared.runtime.observe.bars import Bar
from shared.stats.intervals import delong_auc
from shared.store.records.membership import MembershipTest

CPU = torch.device("cpu")
NOBODY = NonMembers(Images(torch.zeros(0, 1, 1, 1), torch.zeros(0)), "audit")
"""For tests of distances alone."""


@pytest.fixture(scope="module")
def digits() -> dict[str, Images]:
    """Return disjoint parts of scikit-learn's digits at 16 px: train, val, audit and others."""
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = torch.from_numpy(np.rint(data.images * (255 / 16)).astype(np.uint8))[:, None]
    images = Images(resized(pixels, 16, "bicubic"), torch.from_numpy(data.target).long())
    order = np.random.default_rng(4).permutation(len(images))
    cuts = {"train": 800, "val": 100, "audit": 400, "others": 497}
    ends = np.cumsum(list(cuts.values()))
    return {name: images.subset(part) for name, part in zip(cuts, np.split(order, ends[:-1]), strict=True)}


def attacked(
    digits: dict[str, Images], synthetic: Tensor, others: NonMembers | None = None
) -> dict[str, MembershipTest]:
    """Return the attack on the digits by these images."""
    others = others or NonMembers(digits["audit"], "audit")
    found = prepare(digits["train"], digits["val"], others, 10, 3, CPU)
    return {} if found is None else found.by(synthetic)


def prepared(digits: dict[str, Images]) -> Attack:
    """Return the attack on the digits, for any images: its classifier is what takes long."""
    found = prepare(digits["train"], digits["val"], NonMembers(digits["audit"], "audit"), 10, 3, CPU)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def attack_on_digits(digits: dict[str, Images]) -> Attack:
    """Prepare that attack once."""
    return prepared(digits)


def blurred(images: Tensor) -> Tensor:
    """Return images blurred over 3 px: those of a generator that is worse than real images and honest."""
    return torch.nn.functional.avg_pool2d(images.float(), 3, 1, 1, count_include_pad=False).to(torch.uint8)


def noise(images: Tensor) -> Tensor:
    """Return as many images of noise."""
    return torch.randint(0, 256, images.shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_copies_of_all_training_images_give_every_member_away(
    digits: dict[str, Images], attack_on_digits: Attack
) -> None:
    """Near 1 in both spaces; every figure says of how many images it is."""
    found = attack_on_digits.by(digits["train"].images)
    assert set(found) == {"pixels", "classifier"}
    for space in found.values():
        assert space.auc > 0.99
        assert space.auc_low > 0.97
        assert 350 < space.n_members == space.n_non_members <= 400
        assert space.n_synthetic == 800
        assert (space.non_members, space.confounded, space.grouped) == ("audit", False, None)


def test_unlabelled_images_are_members(digits: dict[str, Images], monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of them alone are found among all that a generator learned from; the classifier has labels of the rest."""
    seen: list[Images] = []

    def fit(train: Images, *rest: object, **named: object) -> fitting.Fitted:
        seen.append(train)
        return fitting.fit(train, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(attack, "fit", fit)
    whole = digits["train"]
    hidden = torch.arange(len(whole)) >= 200
    learned = {**digits, "train": Images(whole.images, whole.labels.masked_fill(hidden, NO_LABEL))}
    prepared_once = prepared(learned)
    copied, honest = (prepared_once.by(images) for images in (whole.images[hidden], digits["others"].images))
    for space in ("pixels", "classifier"):
        # of 800 members 200 are labelled, and no nearer than other images
        assert 0.8 < copied[space].auc < 0.95
        assert honest[space].auc_low < 0.5 < honest[space].auc_high
    assert [bool((images.labels != NO_LABEL).all()) for images in seen] == [True]
    assert 80 < len(seen[0]) < 120


@pytest.mark.parametrize("change", [lambda images: images, blurred, noise])
def test_what_knows_nothing_of_the_members_is_at_chance(
    change: Callable[[Tensor], Tensor], digits: dict[str, Images], attack_on_digits: Attack
) -> None:
    """Other real images, sharp and blurred, and noise: the interval has 0.5 in both spaces."""
    found = attack_on_digits.by(change(digits["others"].images))
    assert set(found) == {"pixels", "classifier"}
    for space in found.values():
        assert space.auc_low < 0.5 < space.auc_high
        assert space.auc_high - space.auc_low < 0.1


def test_the_classifier_has_seen_no_image_that_is_attacked(
    digits: dict[str, Images], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It learns from the other half of train; it has seen neither the members nor the non-members."""
    seen: list[Images] = []
    compared: list[Tensor] = []

    def fit(train: Images, val: Images, *rest: object, **named: object) -> fitting.Fitted:
        seen.extend([train, val])
        return fitting.fit(train, val, *rest, **named)  # type: ignore[arg-type]

    def nearest(real: Tensor, synthetic: Tensor, bar: Bar) -> NDArray[np.float64]:
        compared.append(real)
        return nearest_image(real, synthetic, bar)

    monkeypatch.setattr(attack, "CLASSIFIER", FitConfig(steps=1, measure_every=1))
    monkeypatch.setattr(attack, "fit", fit)
    monkeypatch.setattr(attack, "nearest_image", nearest)
    attacked(digits, digits["others"].images[:10])
    learned_from = {image.numpy().tobytes() for images in seen for image in images.images}
    assert 380 < len(seen[0]) <= 400  # half of each class
    assert torch.equal(seen[1].images, digits["val"].images)
    members, non_members = compared
    for images, split in ((members, "train"), (non_members, "audit")):
        bytes_of = {image.numpy().tobytes() for image in images}
        assert not bytes_of & learned_from
        assert bytes_of <= {image.numpy().tobytes() for image in digits[split].images}


def test_equal_images_are_in_one_half() -> None:
    """A classifier would have seen a member by its copy, even one with another label."""
    images = torch.randint(0, 256, (20, 1, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    twice = Images(torch.cat([images, images]), torch.cat([torch.arange(20) % 2, torch.zeros(20).long()]))
    first, second = halves(twice, 0)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(40))
    assert {place % 20 for place in first} & {place % 20 for place in second} == set()
    assert len(first) == len(second) == 20
    assert not np.array_equal(first, halves(twice, 1)[0])


def test_members_and_non_members_have_equal_shares_of_classes() -> None:
    """A class that is rare on one side is as rare on the other; a class that one side lacks is left out."""
    members, non_members = np.repeat([0, 1, 2], [50, 50, 5]), np.repeat([0, 1, 3], [10, 40, 7])
    first, second = matched(members, non_members, 0)
    assert np.bincount(members[first], minlength=4).tolist() == [10, 40, 0, 0]
    assert np.bincount(non_members[second], minlength=4).tolist() == [10, 40, 0, 0]
    first, second = matched(members, non_members, 0, most=25)
    assert np.bincount(members[first]).tolist() == np.bincount(non_members[second]).tolist() == [5, 20]
    assert not np.array_equal(first, matched(members, non_members, 1, most=25)[0])
    assert MOST_IMAGES * 0.001 >= 10


def test_related_images_leave_out_features_and_too_few_leave_out_all(digits: dict[str, Images]) -> None:
    """The classifier would have seen images that are related to members; one member is no attack."""
    found = attacked(digits, digits["others"].images, NonMembers(digits["audit"], "test", True, True))
    assert set(found) == {"pixels"}
    assert (found["pixels"].non_members, found["pixels"].confounded, found["pixels"].grouped) == ("test", True, True)
    assert attacked(digits, digits["others"].images, NonMembers(digits["audit"].subset([0]), "audit")) == {}
    with pytest.raises(ValueError, match="1 members and 3 non-members, want at least 2 of each"):
        membership_test(np.ones(1), np.ones(3), 9, NOBODY)


def test_the_area_is_that_of_nearer_members() -> None:
    """By hand: of 4 pairs the member is nearer in 3, and as near in one."""
    found = membership_test(np.array([1.0, 2.0]), np.array([2.0, 3.0]), 9, NOBODY)
    assert found.auc == pytest.approx(3.5 / 4)


def test_an_interval_is_never_of_zero_width() -> None:
    """All members nearer, or all as near: about 3 / n of room is left; elsewhere it is DeLong's interval."""
    near, far = np.zeros(100), np.ones(100)
    assert area(near, far)[::2] == (1, 1)
    assert 0.94 < area(near, far)[1] < 0.99
    assert area(near, near)[0] == 0.5
    assert area(near, near)[1] < 0.5 < area(near, near)[2]
    chance = np.random.default_rng(0)
    sides = chance.normal(size=1000), chance.normal(0.3, size=900)
    assert area(*sides) == pytest.approx(delong_auc(*sides), abs=2e-3)


def half_past(count: int) -> NDArray[np.float64]:
    """Return 0.5, 1.5 and so on."""
    return np.arange(count).astype(np.float64) + 0.5


@pytest.mark.parametrize(("rate", "fewest"), [(0.01, 1000), (0.001, 10_000)])
def test_a_rate_of_fewer_than_ten_non_members_is_not_given(rate: float, fewest: int) -> None:
    """999 non-members have no threshold at 1 %, 9,999 none at 0.1 %."""
    members = np.arange(50).astype(np.float64)
    assert true_positives(members, half_past(fewest - 1), rate) is None
    # ten non-members are nearer than the eleventh, which is at 10.5: so are the members from 0 to 10
    assert true_positives(members, half_past(fewest), rate) == pytest.approx(11 / 50)


def test_the_threshold_is_that_of_non_members() -> None:
    """No more of them are taken for members than the rate allows, however many members there are; ties are not."""
    chance = np.random.default_rng(2)
    non_members = chance.normal(size=2000)
    assert true_positives(non_members, non_members, 0.01) == pytest.approx(0.01)
    assert true_positives(np.zeros(10), np.zeros(2000), 0.01) == 0
    found = membership_test(np.full(300, -9.0), non_members, 9, NOBODY)
    assert found.tpr_at == {"0.01": 1.0, "0.001": None}


def test_distances_are_those_of_the_whole_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks as at once, by the searches of the copy test; a block is all that is held of the matrix."""
    chance = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (70, 1, 12, 12), generator=chance, dtype=torch.uint8)
    points = torch.randn(70, 5, generator=chance)
    monkeypatch.setattr(attack, "BLOCK_REAL", 8)
    monkeypatch.setattr(pairs, "TILE_ROWS", 8)
    monkeypatch.setattr(pairs, "TILE_COLUMNS", 16)
    held: list[int] = []
    multiply = torch.mm

    def counted(first: Tensor, second: Tensor, out: Tensor) -> Tensor:
        held.append(len(out) * out.shape[1])
        return multiply(first, second, out=out)

    monkeypatch.setattr(torch, "mm", counted)
    found = nearest_point(points[:30], points[30:])
    assert max(held) == 8 * 16
    assert found == pytest.approx(torch.cdist(points[:30].double(), points[30:].double()).amin(dim=1).numpy())
    assert found == pytest.approx(of_points(points[:30].double(), points[30:].double()).distances.numpy())
    assert nearest_image(images[:30], images[30:]) == pytest.approx(
        of_images(images[:30], images[30:]).distances.numpy(), abs=1e-3
    )
