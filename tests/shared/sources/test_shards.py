"""Shards as people have them: fields, keys, order, compression, patterns, splits, and halfreal's own."""

import json
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.errors import BadInput
from shared.sources.items import Item, Source
from shared.sources.reading import Reading
from shared.sources.shards.tars import webdataset
from tests.jobs.preprocess.source_files import done, fill
from tests.jobs.preprocess.test_tars import write_tar

PIXEL = BytesIO()
Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(PIXEL, "PNG")
PNG = PIXEL.getvalue()


def pairs(count: int, *, key: str = "{:03d}", labels: str = "ab") -> dict[str, bytes]:
    """Return the members of samples, each with a png and a cls of these labels in turn."""
    members: dict[str, bytes] = {}
    for index in range(count):
        name = key.format(index)
        members |= {f"{name}.png": PNG, f"{name}.cls": labels[index % len(labels)].encode()}
    return members


def counts(source: Source) -> dict[tuple[str, str], int]:
    """Return the number of images of each split and class."""
    splits = source.partition or [""] * len(source.items)
    return dict(Counter((split, source.classes[item.label]) for split, item in zip(splits, source.items, strict=True)))


def refused(place: Path, reading: Reading | None = None) -> str:
    """Return the message with which the shards are refused."""
    with pytest.raises(BadInput) as caught:
        webdataset(place, reading or Reading())
    return str(caught.value)


def reason(item: Item) -> str:
    """Return why an item cannot be used."""
    with pytest.raises(ValueError, match=r".") as caught:
        item.read()
    return str(caught.value)


def test_the_field_that_label_names_wins_over_cls(tmp_path: Path) -> None:
    """Without --label it is .cls where there is one, else the field `label`.

    With it no sample is labelled by .cls in silence.
    """
    members = pairs(12)
    for index in range(12):
        members[f"{index:03d}.json"] = json.dumps({"species": ["owl", "hawk", "crow"][index % 3]}).encode()
    write_tar(tmp_path / "0.tar", members)
    assert webdataset(tmp_path, Reading()).classes == ("a", "b")
    assert webdataset(tmp_path, Reading(label="species")).classes == ("crow", "hawk", "owl")
    del members["005.json"]
    write_tar(tmp_path / "0.tar", members)
    broken = webdataset(tmp_path, Reading(label="species")).items[5]
    assert reason(broken) == "no json; members: png, cls"
    assert "json has no field 'size'; it has fields: species" in refused(tmp_path, Reading(label="size"))


@pytest.mark.parametrize("key", ["cam.{:05d}", "z{}.7_001"])
def test_keys_with_a_dot_are_refused_shortly(tmp_path: Path, key: str) -> None:
    """WebDataset would take them for one sample, or for samples without an image: the message says what to do."""
    write_tar(tmp_path / "0.tar", pairs(3000, key=key))
    said = refused(tmp_path)
    assert "a key with a dot; WebDataset cuts keys at their first dot" in said
    assert "rename the files to have no dot but that of the suffix" in said
    assert len(said) < 500


def test_a_sample_may_have_more_images_after_its_key(tmp_path: Path) -> None:
    """7.png, 7.cls and 7.mask.png are one sample; dots in the names of folders are no part of a key."""
    members = pairs(6, key="v1.0/{:03d}")
    members |= {f"v1.0/{index:03d}.mask.{kind}": PNG for index in range(6) for kind in ("png", "json")}
    write_tar(tmp_path / "0.tar", members)
    assert counts(webdataset(tmp_path, Reading())) == {("", "a"): 3, ("", "b"): 3}


def test_members_of_a_key_may_lie_apart(tmp_path: Path) -> None:
    """All images first and all labels then is the same set, with a line on how to sort it for other readers."""
    members = pairs(8)
    write_tar(tmp_path / "0.tar", dict(sorted(members.items(), key=lambda member: member[0][-3:], reverse=True)))
    source = webdataset(tmp_path, Reading())
    assert counts(source) == {("", "a"): 4, ("", "b"): 4}
    (line,) = source.warnings
    assert "members are not next to each other, put together: 8 (000, 001, 002, ...)" in line
    assert "tar --sort=name" in line
    write_tar(tmp_path / "0.tar", members)
    assert webdataset(tmp_path, Reading()).warnings == []


def test_a_member_that_is_there_twice_makes_its_sample_unusable(tmp_path: Path) -> None:
    """Which of the two is meant nobody can tell, and WebDataset refuses them too."""
    members = {**pairs(6), "./x.png": PNG, "./x.cls": b"a", "./x.PNG": PNG}
    write_tar(tmp_path / "0.tar", members)
    assert reason(webdataset(tmp_path, Reading()).items[-1]) == "png is there twice in the tar"


@pytest.mark.parametrize(
    ("name", "mode", "command"),
    [
        ("b.tar.gz", "w:gz", "gunzip"),
        ("b.tgz", "w:gz", "gunzip"),
        ("b.tar.bz2", "w:bz2", "bunzip2"),
        ("B.TAR.ZST", "w", "zstd -d"),
    ],
)
def test_compressed_shards_are_refused_by_name(tmp_path: Path, name: str, mode: str, command: str) -> None:
    """None is left out: alone, or next to tars that could be read."""
    write_tar(tmp_path / "set" / "a.tar", pairs(6))
    write_tar(tmp_path / "set" / name, pairs(6), mode)
    said = refused(tmp_path / "set")
    assert f"1 of 2 shards are compressed ({name})" in said
    assert f"unpack them: {command} {tmp_path / 'set'}/*." in said
    assert f"1 of 1 shards are compressed ({name})" in refused(tmp_path / "set" / name)


def test_a_pattern_with_braces_takes_its_files_and_names_those_that_are_missing(tmp_path: Path) -> None:
    """`data-{000..002}.tar`, as WebDataset's own examples write a set."""
    for number in range(4):
        write_tar(tmp_path / f"data-{number:03d}.tar", pairs(4))
    assert len(webdataset(tmp_path / "data-{000..002}.tar", Reading()).items) == 12
    said = refused(tmp_path / "data-{000..005}.tar")
    assert "2 of 6 files are missing (data-004.tar, data-005.tar)" in said


@pytest.mark.parametrize(
    "names",
    [
        {"train": "train-000.tar", "val": "val-000.tar", "test": "test-000.tar"},
        {"train": "im-train-00.tar", "val": "im-validation-00.tar", "test": "im-test-00.tar"},
        {"train": "train/00.tar", "val": "valid/00.tar", "test": "Test/00.tar"},
    ],
)
def test_names_and_folders_of_tars_are_splits(tmp_path: Path, names: dict[str, str]) -> None:
    """What looks like a split is one, and the source says so."""
    for split, name in names.items():
        write_tar(tmp_path / name, pairs(8 if split == "train" else 4))
    source = webdataset(tmp_path, Reading())
    assert counts(source) == {(split, name): 4 if split == "train" else 2 for split in names for name in "ab"}
    assert "splits train 8, val 4, test 4 as the f" in " ".join(source.notes)
    # one of them alone is no partition
    assert webdataset(tmp_path / names["train"], Reading()).partition is None


def test_a_tar_of_no_split_next_to_those_of_splits_is_named(tmp_path: Path) -> None:
    """Its images would be in all splits or in none, which only the user can say."""
    for name in ("train-0", "test-0", "extra"):
        write_tar(tmp_path / f"{name}.tar", pairs(6))
    assert "extra.tar, key 000 has no split, others have one" in refused(tmp_path)


def test_fields_give_split_and_group(tmp_path: Path) -> None:
    """--split-column and --group-column name fields of the json here, and beat the names of files."""
    members = pairs(8)
    for index in range(8):
        members[f"{index:03d}.json"] = json.dumps(
            {"part": ["train", "test"][index % 4 > 1], "who": index // 2}
        ).encode()
    write_tar(tmp_path / "train-0.tar", members)
    source = webdataset(tmp_path, Reading(split_column="part", group_column="who"))
    assert counts(source) == {(split, name): 2 for split in ("train", "test") for name in "ab"}
    assert source.groups == ["0", "0", "1", "1", "2", "2", "3", "3"]


def test_labels_follow_the_rules_of_every_source(tmp_path: Path) -> None:
    """Numbers are in numeric order, -1 is no class, spaces and Unicode forms make no difference, letter case does."""
    write_tar(tmp_path / "0.tar", pairs(24, labels="2019"))
    assert webdataset(tmp_path, Reading()).classes == ("0", "1", "2", "9")
    members = pairs(6) | {"u.png": PNG, "u.cls": b"-1", "v.png": PNG, "v.cls": b" a\n"}
    write_tar(tmp_path / "0.tar", members)
    source = webdataset(tmp_path, Reading())
    assert (counts(source), source.ignored) == ({("", "a"): 4, ("", "b"): 3}, 1)
    write_tar(tmp_path / "0.tar", pairs(6, labels="aA"))
    assert "A and a differ only in letter case" in refused(tmp_path)


def test_a_tar_of_class_folders_is_refused_with_the_source_that_reads_it(tmp_path: Path) -> None:
    """Without any label in it, a tar is no shard."""
    write_tar(tmp_path / "0.tar", {f"{name}/{index}.png": PNG for name in ("cat", "dog") for index in range(4)})
    said = refused(tmp_path)
    assert "none of 8 samples has a label (.cls, .json)" in said
    assert said.endswith("where folders in the tar are the classes say --source folder")


def test_without_labels_images_alone_are_read(tmp_path: Path) -> None:
    """Where nobody asks for labels, none is missed."""
    write_tar(tmp_path / "0.tar", {f"{index}.png": PNG for index in range(4)})
    assert len(webdataset(tmp_path, Reading(labelled=False, least_classes=0)).items) == 4


def test_own_shards_are_read_with_their_class_names_and_splits(tmp_path: Path) -> None:
    """The labels in them are numbers; names, order and splits are those of the manifest next to them."""
    fill(tmp_path / "photos", {"zebra": 20, "ant": 24})
    made = done(tmp_path, "--source", "folder", "--source-path", str(tmp_path / "photos"))
    folder = tmp_path / "e" / "real"
    source = webdataset(folder, Reading())
    assert source.classes == ("ant", "zebra")
    assert counts(source) == {
        (split, name): count
        for split, held in made.dataset.splits.items()
        for name, count in zip(made.dataset.classes, held.class_counts, strict=True)
    }
    assert "as the manifest says" in " ".join(source.notes)
    # one shard, and a pattern of them, have the names too
    assert webdataset(folder / "train-00000.tar", Reading()).classes == ("ant", "zebra")
    assert webdataset(folder / "{train,val}-00000.tar", Reading()).classes == ("ant", "zebra")
    write_tar(folder / "other.tar", pairs(4))
    assert "other.tar: not in its manifest.json, which has the class names" in refused(folder)
    (folder / "other.tar").unlink()
    shard = folder / "val-00000.tar"
    payload = shard.read_bytes()
    shard.write_bytes(payload[:-512])
    assert "its manifest.json says" in refused(folder)
    shard.unlink()
    assert "val-00000.tar: is missing, its manifest.json lists it" in refused(folder)


def test_a_manifest_of_another_tool_changes_nothing(tmp_path: Path) -> None:
    """manifest.json is a common name."""
    write_tar(tmp_path / "0.tar", pairs(6))
    for text in ("{}", "[1]", "no json"):
        (tmp_path / "manifest.json").write_text(text)
        assert webdataset(tmp_path, Reading()).classes == ("a", "b")
