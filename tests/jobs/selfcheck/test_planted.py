"""The planted generators, and the real images that they are made of."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jobs.pipeline import PREPROCESS
from jobs.selfcheck.controls import CONTROLS
from jobs.selfcheck.pieces import chosen_of_pool, plant
from jobs.selfcheck.planted import kept_classes
from jobs.selfcheck.sets import RealSets, cut, load_digits, source_of
from jobs.train_mixed.mixing import real_part
from shared.data.images import Images
from shared.errors import BadInput
from shared.metrics.copies import pixel_copies
from shared.metrics.neighbours import of_images
from shared.runtime.seeding import replicate_seed
from shared.store.artifacts import as_output

SEED = 3


@pytest.fixture(scope="module")
def digits() -> RealSets:
    """Return the digits, cut."""
    return load_digits(SEED)


def contents(images: Images) -> list[bytes]:
    """Return what tells an image from others."""
    return [image.numpy().tobytes() for image in images.images]


def test_the_sets_share_no_image(digits: RealSets) -> None:
    """No image used for training, selection or addition is in the test set; all digits are used."""
    parts = [digits.train, digits.val, digits.pool, digits.test]
    assert [len(part) for part in parts] == [150, 150, 300, 1197]
    seen = [set(contents(part)) for part in parts]
    assert all(not (a & b) for place, a in enumerate(seen) for b in seen[place + 1 :])


def test_an_experiment_is_cut_in_three(make_dataset: Any) -> None:
    """A third of each class is the train set, the others are the pool; val and test are as they are."""
    real = as_output(PREPROCESS, make_dataset(train=36, val=5, test=30, channels=3))
    sets = cut(real, SEED, "mine")
    assert [len(part) for part in (sets.train, sets.pool, sets.val, sets.test)] == [12, 24, 5, 30]
    assert torch.bincount(sets.train.labels).tolist() == [4, 4, 4]
    assert not set(contents(sets.train)) & set(contents(sets.pool))
    assert len({*contents(sets.train), *contents(sets.pool)}) == 36
    assert contents(cut(real, SEED + 1, "mine").train) != contents(sets.train)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"train": 17, "val": 5, "test": 30}, r"too few train images of owl \(5\); want 6 or more of each class"),
        ({"train": 18, "val": 5, "test": 29}, "test has 29 images, want at least 30"),
        ({"train": 18, "test": 30}, "val has 0 images, want at least 1"),
    ],
)
def test_an_experiment_that_is_too_small_is_refused(
    make_dataset: Any, tmp_path: Path, sizes: dict[str, int], said: str
) -> None:
    """The error names the class or the split, and what is wanted."""
    make_dataset(tmp_path / "small" / "real", **sizes)
    with pytest.raises(BadInput, match=said):
        source_of(tmp_path / "small")


@pytest.mark.parametrize("name", CONTROLS)
def test_a_planted_set_is_as_large_as_train_and_repeatable(digits: RealSets, name: str) -> None:
    """As many images as train has, of its shape; the same from the same seed, others in another replicate."""
    made, again, other = (plant(digits, name, replicate, SEED) for replicate in (0, 0, 1))
    assert made.images.shape == digits.train.images.shape
    assert made.images.dtype == torch.uint8
    assert 0 <= int(made.labels.min()) <= int(made.labels.max()) < 10
    assert torch.equal(made.images, again.images)
    assert torch.equal(made.labels, again.labels)
    assert not torch.equal(made.images, other.images)


def test_a_perfect_generator_gives_other_real_images(digits: RealSets) -> None:
    """They are of the pool with their own labels, in the proportions of its classes, in mixed order."""
    made = plant(digits, "held_out", 0, SEED)
    known = dict(zip(contents(digits.pool), digits.pool.labels.tolist(), strict=True))
    assert [known[content] for content in contents(made)] == made.labels.tolist()
    assert len(set(contents(made))) == len(made)
    chosen = digits.pool.subset(chosen_of_pool(digits, replicate_seed(SEED, 0)))
    assert set(contents(chosen)) == set(contents(made))
    assert contents(chosen) != contents(made)


def test_wrong_labels_are_as_many_as_they_should_be(digits: RealSets) -> None:
    """A tenth is wrong with label noise; shuffled ones keep the numbers of the classes; noise has every class."""
    known = dict(zip(contents(digits.pool), digits.pool.labels.tolist(), strict=True))

    def wrong(made: Images) -> float:
        return float(
            np.mean([known[content] != label for content, label in zip(contents(made), made.labels, strict=True)])
        )

    assert wrong(plant(digits, "label_noise", 0, SEED)) == 0.1
    shuffled, real = plant(digits, "shuffled", 0, SEED), plant(digits, "held_out", 0, SEED)
    assert wrong(shuffled) > 0.8
    assert torch.equal(torch.bincount(shuffled.labels), torch.bincount(real.labels))
    assert len(plant(digits, "noise", 0, SEED).labels.unique()) == 10


def test_a_generator_that_varies_is_perfect_in_every_second_replicate(digits: RealSets) -> None:
    """The labels are right in replicates 0 and 2, shuffled in 1 and 3."""
    known = dict(zip(contents(digits.pool), digits.pool.labels.tolist(), strict=True))
    right = [
        np.mean([known[content] == label for content, label in zip(contents(made), made.labels.tolist(), strict=True)])
        for made in (plant(digits, "varying", replicate, SEED) for replicate in range(4))
    ]
    assert right[0] == right[2] == 1
    assert max(right[1], right[3]) < 0.2


def test_half_of_the_classes_are_left_out(digits: RealSets) -> None:
    """Only the first half of the classes is there, of five the first two, with their own labels."""
    made = plant(digits, "half_of_classes", 0, SEED)
    assert made.labels.unique().tolist() == [0, 1, 2, 3, 4]
    known = dict(zip(contents(digits.pool), digits.pool.labels.tolist(), strict=True))
    assert [known[content] for content in contents(made)] == made.labels.tolist()
    assert [kept_classes(classes) for classes in (2, 5, 10)] == [1, 2, 5]


def test_copies_are_of_all_train_images_or_of_the_arms_own(digits: RealSets) -> None:
    """Copies are every train image once; those of the arm's own are the 30 % that the arm `real_30` has."""
    assert sorted(contents(plant(digits, "copies", 1, SEED))) == sorted(contents(digits.train))
    own = real_part(digits.train, 0.3, replicate_seed(SEED, 1))
    made = contents(plant(digits, "own_copies", 1, SEED))
    assert set(made) == set(contents(own))
    assert len(own) == 45


@pytest.mark.parametrize("name", ["shifted", "mirrored", "recontrasted"])
def test_changed_copies_are_no_equal_images_and_lie_at_distance_0(digits: RealSets, name: str) -> None:
    """None equals a train image, but as a minimum over shifts, mirrors and contrasts they are at no distance."""
    made = plant(digits, name, 0, SEED)
    # a symmetric digit is its own mirror image
    assert len(set(contents(made)) & set(contents(digits.train))) <= 2
    assert float(of_images(made.images, digits.train.images).distances.max()) < 0.05


def test_blends_are_of_two_images_of_a_class(digits: RealSets) -> None:
    """Each is 70 % of a train image of its label and 30 % of another one."""
    made = plant(digits, "blends", 0, SEED)
    train = digits.train
    for image, label in zip(made.images[:10], made.labels[:10].tolist(), strict=True):
        own = train.images[train.labels == label].float()
        pairs = (0.7 * own[:, None] + 0.3 * own[None] - image).abs().amax(dim=(2, 3, 4))
        first, second = divmod(int(pairs.argmin()), len(own))
        assert float(pairs.min()) <= 0.51
        assert first != second


def test_the_copy_test_flags_the_copies_alone(digits: RealSets) -> None:
    """By pixels, in every form; no other control is flagged."""
    flagged = {
        name: pixel_copies(plant(digits, name, 0, SEED).images, digits.test, digits.train).flagged for name in CONTROLS
    }
    copied = {"copies", "own_copies", "shifted", "mirrored", "recontrasted", "blends"}
    assert flagged == {name: name in copied for name in CONTROLS}
    assert flagged == {name: control.copies for name, control in CONTROLS.items()}
