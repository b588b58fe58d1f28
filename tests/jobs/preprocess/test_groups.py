"""Groups of related images stay in one split, near the fractions and stratified; official splits are kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.preprocess.groups import Grouping, joined, split_groups
from jobs.preprocess.splits import exact_indexes, split_indexes
from shared.errors import BadInput
from shared.store.artifacts import open_artifact
from tests.jobs.preprocess.source_files import done, everything, picture, preprocess
from tests.jobs.preprocess.test_validate import config

pytestmark = pytest.mark.usefixtures("as_if_sent")

BOTH = {"test": 0.2, "val": 0.1}

NAMES = "abcdefg"


def patients(count: int, images: int, classes: int, seed: int = 0) -> tuple[Any, Any]:
    """Return labels and groups: patients with 1 to `images` images, mostly of one class."""
    rng = np.random.default_rng(seed)
    labels, groups = [], []
    for patient in range(count):
        own = patient % classes
        for _ in range(int(rng.integers(1, images + 1))):
            labels.append(own if rng.random() < 0.8 else int(rng.integers(classes)))
            groups.append(patient)
    return np.array(labels), np.array(groups)


def torn(groups: list[Any], splits: list[str]) -> set[Any]:
    """Return the groups that are in several splits."""
    there: dict[Any, set[str]] = {}
    for group, split in zip(groups, splits, strict=True):
        there.setdefault(group, set()).add(split)
    return {group for group, found in there.items() if len(found) > 1}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [2, 7])
def test_groups_are_whole_and_fractions_near(seed: int, classes: int) -> None:
    """No group is torn, every class is in each split, and its part there is near the fraction."""
    labels, groups = patients(120, 12, classes, seed)
    splits = split_groups(labels, groups, BOTH, seed, NAMES)
    assert torn(groups.tolist(), splits) == set()
    for split, share in (*BOTH.items(), ("train", 0.7)):
        part = np.array([found == split for found in splits])
        assert abs(part.mean() - share) < 0.02
        for label in range(classes):
            of_class = labels == label
            assert part[of_class].any()
            assert abs(part[of_class].mean() - share) < 0.12


def test_the_draw_depends_on_the_seed_alone() -> None:
    """The same seed gives the same splits, another one others."""
    labels, groups = patients(60, 5, 3)
    assert split_groups(labels, groups, BOTH, 1, NAMES) == split_groups(labels, groups, BOTH, 1, NAMES)
    assert split_groups(labels, groups, BOTH, 1, NAMES) != split_groups(labels, groups, BOTH, 2, NAMES)


def test_groups_of_one_image_are_as_stratified_as_a_draw() -> None:
    """Each split then gets its fraction of each class."""
    labels = np.repeat([0, 1], [100, 300])
    splits = np.array(split_groups(labels, np.arange(400), BOTH, 0, NAMES))
    for split, share in BOTH.items():
        assert [int((splits[labels == label] == split).sum()) for label in (0, 1)] == [100 * share, 300 * share]


def test_a_rare_class_is_in_each_split() -> None:
    """Three groups of a class are one for each split, though its fractions of three are below one."""
    labels = np.array([0] * 200 + [1] * 3)
    splits = split_groups(labels, np.append(np.arange(200) // 10, [20, 21, 22]), BOTH, 0, NAMES)
    assert sorted(splits[-3:]) == ["test", "train", "val"]


def test_a_class_of_too_few_groups_is_refused() -> None:
    """One of two patients cannot be in three splits; the class is named."""
    with pytest.raises(BadInput, match="the class owl is in 2 groups, too few for one in each of test, val, train"):
        split_groups(np.repeat([0, 1], 9), np.repeat(np.arange(6), [2, 3, 2, 2, 5, 4]), BOTH, 0, ["cat", "owl"])


def test_copies_join_their_groups() -> None:
    """Images that share contents or a group, directly or over others, are one."""
    found = joined(["x", "y", "x", "z", "w"], ["a", "b", "c", "b", "d"]).tolist()
    assert (found[0] == found[2], found[1] == found[3], len(set(found))) == (True, True, 3)
    labels, groups = patients(60, 6, 2)
    contents = [str(index) for index in range(len(labels))]
    # a copy in the next group, so that all of them are chained in fives
    for index in range(1, len(labels)):
        if groups[index] != groups[index - 1] and groups[index] % 5:
            contents[index] = contents[index - 1]
    named = [f"p{group}" for group in groups]
    places = split_indexes(labels, contents, None, 0.1, 0.2, 0, Grouping(named, NAMES))
    where = {index: split for split, found in places.items() for index in found.tolist()}
    splits = [where[index] for index in range(len(labels))]
    assert torn(named, splits) == torn(contents, splits) == set()


def test_val_is_drawn_in_groups_from_an_official_train() -> None:
    """The official test stays whole, and no group of train is torn."""
    labels, groups = patients(80, 6, 2)
    partition = ["test" if group % 4 == 0 else "train" for group in groups]
    places = split_indexes(
        labels,
        [str(index) for index in range(len(labels))],
        partition,
        0.1,
        0.2,
        0,
        Grouping([str(g) for g in groups], NAMES),
    )
    assert {partition[index] for index in places["test"]} == {"test"}
    assert len(places["test"]) == partition.count("test")
    assert set(groups[places["val"]].tolist()) & set(groups[places["train"]].tolist()) == set()
    assert abs(len(places["val"]) / partition.count("train") - 0.1) < 0.02


@pytest.mark.parametrize("official", [False, True])
def test_an_exact_train_size_with_groups(official: bool) -> None:
    """Train has exactly its size, drawn from its groups; where these have fewer, the number is said."""
    labels, groups = patients(80, 6, 2)
    contents = [str(index) for index in range(len(labels))]
    contents[1] = contents[0]
    partition = ["test" if group % 4 == 0 else "train" for group in groups] if official else None
    named = Grouping([str(group) for group in groups], NAMES)
    exact = config(source="folder", limit_train=100)
    places = exact_indexes(labels, contents, partition, exact, ["a", "b"], named)
    assert len(places["train"]) == len({contents[index] for index in places["train"]}) == 100
    used = {split: set(groups[found].tolist()) for split, found in places.items()}
    assert len(set.union(*used.values())) == sum(map(len, used.values()))
    with pytest.raises(
        BadInput, match=r"--limit-train 1000: there are \d+ different images that may be in train; want"
    ):
        exact_indexes(labels, contents, partition, config(source="folder", limit_train=1000), ["a", "b"], named)


def write_patients(place: Path, split_of: dict[int, str] | None = None) -> None:
    """Write 20 patients with 1 to 6 images in two classes, as PATIENT_NUMBER.png, and a table of them."""
    place.mkdir(parents=True)
    lines = ["file,label,patient" + (",split" if split_of else "")]
    for patient in range(20):
        for number in range(1 + patient % 6):
            name = f"p{patient:02d}_{number}.png"
            picture(100 * patient + number).save(place / name)
            lines.append(f"{name},{'ab'[patient % 2]},{patient}" + (f",{split_of[patient]}" if split_of else ""))
    (place / "t.csv").write_text("\n".join(lines))


@pytest.mark.parametrize("words", [["--group-column", "patient"], ["--group-by", r"(p\d+)_"]])
@pytest.mark.parametrize("limit", [[], ["--limit", "50"], ["--limit-train", "30"]])
def test_no_patient_is_in_two_splits(tmp_path: Path, words: list[str], limit: list[str]) -> None:
    """By a column of a table or by the file's name, with limits too; the record has their number."""
    write_patients(tmp_path / "sources" / "set")
    result = preprocess(tmp_path, "--source", "csv", "--source-path", "set/t.csv", *words, *limit)
    assert result.exit_code == 0, result.output
    artifact = open_artifact(tmp_path / "e" / "real", "dataset", "preprocess")
    found = [(s.meta["origin"]["file"][:3], split) for split, held in everything(artifact).items() for s in held]
    assert torn([group for group, _ in found], [split for _, split in found]) == set()
    count = len({group for group, _ in found})
    assert f"groups: {count}, the largest of " in result.stderr
    assert artifact.facts["groups"] == {"count": count, "torn": 0}
    assert artifact.facts["split"] == "random, stratified, in whole groups"
    if "--limit-train" in limit:
        assert artifact.dataset.splits["train"].count == 30


def test_groups_that_the_official_splits_tear_are_warned_of(tmp_path: Path) -> None:
    """With their number; the splits stay, and a random split keeps the groups whole."""
    splits = {patient: ("train", "train", "val", "test")[patient % 4] for patient in range(20)}
    write_patients(tmp_path / "sources" / "set", splits)
    text = (tmp_path / "sources/set/t.csv").read_text().replace("p05_1.png,b,5,train", "p05_1.png,b,5,test")
    (tmp_path / "sources/set/t.csv").write_text(text)
    words = ["--source", "csv", "--source-path", "set/t.csv", "--group-column", "patient"]
    result = preprocess(tmp_path, *words)
    assert result.exit_code == 0, result.output
    assert "warning: groups with images in more than one official split: 1 (5); scores may be too good" in result.stderr
    assert done(tmp_path, *words).facts["groups"] == {"count": 20, "torn": 1}
    assert done(tmp_path, *words, "--split", "random", "--force").facts["groups"] == {"count": 20, "torn": 0}


def with_splits(place: Path, **counts: int) -> None:
    """Write this many images of two classes into folders of these splits."""
    for number, (split, count) in enumerate(counts.items()):
        for index in range(count):
            path = place / split / "ab"[index % 2] / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(1000 * number + index).save(path)


def sizes(root: Path, *words: str) -> tuple[dict[str, int], str]:
    """Return the size of each split and what was said."""
    result = preprocess(root, "--source", "folder", "--source-path", str(root / "set"), *words)
    assert result.exit_code == 0, result.output
    artifact = open_artifact(root / "e" / "real", "dataset", "preprocess")
    return {name: split.count for name, split in artifact.dataset.splits.items()}, result.stderr


def test_a_set_with_its_own_splits_keeps_them(tmp_path: Path) -> None:
    """Unless a random split is asked for, which is warned of."""
    with_splits(tmp_path / "set", train=40, valid=10, test=16)
    assert sizes(tmp_path)[0] == {"train": 40, "val": 10, "test": 16}
    assert sizes(tmp_path, "--split", "official", "--force")[0] == {"train": 40, "val": 10, "test": 16}
    random, said = sizes(tmp_path, "--split", "random", "--force")
    assert random == {"train": 45, "val": 7, "test": 14}
    assert "warning: a random split of a set with an official one" in said


def test_val_is_drawn_where_there_is_none(tmp_path: Path) -> None:
    """The official test stays; val gets its fraction of train."""
    with_splits(tmp_path / "set", train=40, test=16)
    assert sizes(tmp_path)[0] == {"train": 36, "val": 4, "test": 16}


def test_val_is_the_test_split_where_there_is_none(tmp_path: Path) -> None:
    """The images that the set keeps apart decide; that is said."""
    with_splits(tmp_path / "set", train=40, val=16)
    found, said = sizes(tmp_path)
    assert found == {"train": 36, "val": 4, "test": 16}
    assert "no test split: the official val is the test split, and val is drawn from train" in said


def test_a_class_that_a_split_lacks_is_warned_of(tmp_path: Path) -> None:
    """An own test split may have images of some classes alone."""
    with_splits(tmp_path / "set", train=40, val=10, test=16)
    (tmp_path / "set/train/c").mkdir()
    for index in range(9):
        picture(9000 + index).save(tmp_path / "set/train/c" / f"{index}.png")
    assert "warning: classes without an image in test: 1 (c); nothing is known of them there" in sizes(tmp_path)[1]
    assert "classes without an image" not in sizes(tmp_path, "--split", "random", "--force")[1]


@pytest.mark.parametrize(
    ("counts", "words", "error"),
    [
        ({"val": 20, "test": 20}, [], "has the splits test, val and no train; add it, or say --split random"),
        ({"train": 40}, ["--split", "official"], "has no splits, but --split official wants them; say --split auto"),
    ],
)
def test_splits_that_cannot_be_kept_are_refused(
    tmp_path: Path, counts: dict[str, int], words: list[str], error: str
) -> None:
    """What is missing, and what to say instead."""
    with_splits(tmp_path / "set", **counts)
    result = preprocess(tmp_path, "--source", "folder", "--source-path", str(tmp_path / "set"), *words)
    assert (result.exit_code, error in result.stderr) == (2, True)
