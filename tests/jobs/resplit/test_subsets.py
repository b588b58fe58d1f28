"""What preprocess keeps of the splits: audit images, a share of train and val, labels; nested, stratified, whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.preprocess.groups import Grouping
from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.subsets import Seeds, subsets
from shared.errors import BadInput
from shared.store.records.datasets import RealRecord
from tests.jobs.preprocess.source_files import done, fill, preprocess, samples

LABELS = np.repeat([0, 1, 2], [100, 60, 20])
CONTENTS = [f"content {number}" for number in range(len(LABELS))]


SEEDS = Seeds(0, 0)


def made(
    groups: Grouping | None = None, contents: list[str] = CONTENTS, seeds: Seeds = SEEDS, **options: float
) -> dict[str, Any]:
    """Return the splits after the draws; before them every tenth image is val, every tenth test."""
    place = np.arange(len(LABELS)) % 10
    if groups is not None:
        place = np.array([int(name) for name in groups.of]) % 10
    places = {"train": np.flatnonzero(place > 1), "val": np.flatnonzero(place == 1), "test": np.flatnonzero(place == 0)}
    return subsets(places, LABELS, contents, groups, PreprocessOptions(**options), seeds)


def counts(split: Any) -> list[int]:
    """Return the images of each class."""
    return np.bincount(LABELS[split], minlength=3).tolist()


def test_by_default_nothing_is_taken() -> None:
    """The splits are those that they were."""
    found = made()
    assert [*found] == ["train", "val", "test"]
    assert [len(split) for split in found.values()] == [144, 18, 18]


def test_each_share_is_of_every_class() -> None:
    """By hand: a tenth of 80, 48 and 16 train images, rounded up, and at least one image of each class of val."""
    found = made(train_val_fraction=0.1)
    assert (counts(found["train"]), counts(found["val"]), counts(found["test"])) == ([8, 5, 2], [1, 1, 1], [10, 6, 2])
    found = made(labelled_fraction=0.1)
    assert (counts(found["train"]), counts(found["unlabelled"])) == ([8, 5, 2], [72, 43, 14])
    found = made(audit_fraction=0.25)
    assert (counts(found["train"]), counts(found["audit"])) == ([60, 36, 12], [20, 12, 4])


def test_no_image_is_in_two_splits() -> None:
    """All three draws together: splits are disjoint, and audit images are of the train split that there was."""
    found = made(audit_fraction=0.2, train_val_fraction=0.5, labelled_fraction=0.5)
    together = np.concatenate([*found.values()])
    assert len(together) == len(np.unique(together))
    assert [*found] == ["train", "val", "test", "audit", "unlabelled"]
    before = made()
    assert {*found["train"], *found["audit"], *found["unlabelled"]} <= {*before["train"]}
    assert {*found["val"]} <= {*before["val"]}


@pytest.mark.parametrize("option", ["train_val_fraction", "labelled_fraction"])
def test_a_smaller_share_is_part_of_a_larger_one(option: str) -> None:
    """Shares are nested in train and in val, in groups as well."""
    for groups in (None, Grouping([str(number // 3) for number in range(len(LABELS))], "abc")):
        previous: dict[str, set[int]] = {"train": set(), "val": set()}
        for share in (0.02, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0):
            found = made(groups, **{option: share})
            for split, smaller in previous.items():
                assert smaller <= {*found[split].tolist()}
                previous[split] = {*found[split].tolist()}


def test_audit_images_depend_on_the_split_and_the_share_on_the_subset() -> None:
    """Replicates of one test split have the same audit images and each its own subset."""
    first, second, other = (
        made(seeds=seeds, audit_fraction=0.2, train_val_fraction=0.5)
        for seeds in (Seeds(0, 0), Seeds(0, 1), Seeds(1, 1))
    )
    assert (first["audit"] == second["audit"]).all()
    assert {*first["train"]} != {*second["train"]}
    assert {*second["audit"]} != {*other["audit"]}


def test_groups_and_copies_stay_together() -> None:
    """No group is in two splits, and a copy goes with its first image; every class is in each share."""
    groups = Grouping([str(number // 4) for number in range(len(LABELS))], "abc")
    found = made(groups, audit_fraction=0.2, train_val_fraction=0.4, labelled_fraction=0.3)
    owners = {name: {groups.of[place] for place in split.tolist()} for name, split in found.items()}
    assert all(not owners[one] & owners[other] for one in owners for other in owners if one < other)
    assert 0 not in counts(found["train"])
    contents = [f"content {number // 2}" for number in range(len(LABELS))]
    pairs = Grouping([str(number // 2) for number in range(len(LABELS))], "abc")
    halves = made(pairs, contents, labelled_fraction=0.3)["train"]
    assert {*halves.tolist()} == {place ^ 1 for place in halves.tolist()}


def test_the_draw_does_not_depend_on_the_order_of_images() -> None:
    """A set that is listed in another order gives the same images."""
    found = {CONTENTS[place] for place in made(labelled_fraction=0.2)["train"].tolist()}
    other = np.arange(len(LABELS))[::-1]
    place = other % 10
    places = {"train": np.flatnonzero(place > 1), "val": np.flatnonzero(place == 1), "test": np.flatnonzero(place == 0)}
    contents = [CONTENTS[number] for number in other.tolist()]
    turned = subsets(places, LABELS[other], contents, None, PreprocessOptions(labelled_fraction=0.2), Seeds(0, 0))
    assert {contents[place] for place in turned["train"].tolist()} == found


def test_a_share_that_leaves_nothing_is_refused() -> None:
    """Two images of a class are too few for an audit split with a class of its own, but one share is never empty."""
    labels, contents = np.array([0, 1, 0, 1, 0, 1]), list("abcdef")
    places = {"train": np.array([0, 1]), "val": np.array([2, 3]), "test": np.array([4, 5])}
    with pytest.raises(BadInput, match=r"--audit-fraction 0\.5: leaves no image for audit"):
        subsets(places, labels, contents, None, PreprocessOptions(audit_fraction=0.5), Seeds(0, 0))
    with pytest.raises(BadInput, match=r"--labelled-fraction 0\.5: leaves no image for unlabelled"):
        subsets(places, labels, contents, None, PreprocessOptions(labelled_fraction=0.5), Seeds(0, 0))


@pytest.mark.usefixtures("as_if_sent")
def test_the_splits_are_on_the_volume_and_on_record(tmp_path: Path) -> None:
    """The command writes the splits with their true labels, and says in its record what was drawn."""
    fill(tmp_path / "sources" / "folder", {"a": 40, "b": 20})
    words = ("--audit-fraction", "0.2", "--train-val-fraction", "0.5", "--labelled-fraction", "0.5")
    real = done(tmp_path, "--source", "folder", *words)
    assert {name: split.class_counts for name, split in real.dataset.splits.items()} == {
        "train": [6, 3],
        "val": [1, 1],
        "test": [8, 4],
        "audit": [5, 2],
        "unlabelled": [6, 3],
    }
    images = [sample.image.tobytes() for split in real.dataset.splits for sample in samples(real, split)]
    assert len({*images}) == len(images)
    record = RealRecord.model_validate(real.facts)
    assert (record.audit_fraction, record.train_val_fraction, record.labelled_fraction) == (0.2, 0.5, 0.5)
    assert record.resplit is None


@pytest.mark.parametrize("words", [["--audit-fraction", "1"], ["--train-val-fraction", "0"], ["--labelled-fraction=2"]])
def test_shares_that_are_none_are_refused(tmp_path: Path, words: list[str]) -> None:
    """An audit split of all of train, and a share of nothing or of more than all, are mistakes."""
    assert preprocess(tmp_path, *words).exit_code == 2
