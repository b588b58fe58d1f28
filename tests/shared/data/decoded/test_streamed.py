"""Pixels for which there is no room: read by their places in the shards, in the same order as all others."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shared.data.batches import BatchPlan, batches
from shared.data.decoded import residence, streamed
from shared.data.images import load_split
from shared.data.resizing import resized
from shared.errors import FormatError
from shared.runtime import memory
from shared.store.artifacts import Artifact, open_artifact

MakeDataset = Callable[..., Artifact]
GOLDEN = Path(__file__).resolve().parents[3] / "golden"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the bytes of each sample that is read from a shard, as it is."""
    found: list[int] = []
    read_at = streamed.read_at

    def counted(path: Path, row: np.void) -> Any:
        found.append(int(row["bytes"]))
        return read_at(path, row)

    monkeypatch.setattr(streamed, "read_at", counted)
    return found


@pytest.mark.fault(6)
def test_a_split_for_which_there_is_no_room_is_streamed(
    make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[int]
) -> None:
    """In a small container, neither in a file nor in memory: what is asked for is read, pixels and labels are equal."""
    dataset = make_dataset(train=24, channels=3)
    held = load_split(dataset, "train", "memory")
    monkeypatch.setattr(residence, "SMALL_BYTES", 0)
    monkeypatch.setattr(memory, "container_bytes", lambda root: 2000)
    monkeypatch.setenv("HALFREAL_CACHE_GB", "0")
    data = load_split(dataset, "train")
    assert data.pixels.residence == "streamed"
    assert not (tmp_path / ".cache").exists()
    assert reads == []
    assert torch.equal(data.labels, held.labels)
    assert torch.equal(data.pixels[[7, 3, 23]], held.images[[7, 3, 23]])
    assert len(reads) == 3
    assert torch.equal(data.images, held.images)
    smaller = data.at(8, "box")
    assert smaller.pixels.residence == "streamed"
    assert torch.equal(smaller.images, resized(held.images, 8, "box"))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_datasets_of_every_version_are_streamed(version: str) -> None:
    """One of version 1 has no index: it is made."""
    dataset = open_artifact(GOLDEN / version, "dataset", "preprocess")
    for split in dataset.dataset.splits:
        held, found = load_split(dataset, split, "memory"), load_split(dataset, split, "streamed")
        assert torch.equal(found.images, held.images)
        assert torch.equal(found.labels, held.labels)


def test_a_run_that_goes_on_reads_nothing_before(make_dataset: MakeDataset, reads: list[int]) -> None:
    """At 98 % of an epoch the first batch costs its own images, and those that are decoded ahead."""
    dataset = make_dataset(train=200)
    plan = BatchPlan(batch_images=2, seed=0, start=98)
    stream = batches(dataset, "train", plan, residence="streamed")
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert len(reads) <= 2 * (1 + 4 + 1)
    whole = list(islice(batches(dataset, "train", BatchPlan(batch_images=2, seed=0), residence="memory"), 100))
    again = list(islice(batches(dataset, "train", plan, residence="streamed"), 2))
    for (images, labels), (wanted, named) in zip(again, whole[98:], strict=True):
        assert torch.equal(images, wanted)
        assert torch.equal(labels, named)


def test_each_of_four_ranks_reads_its_own_images(make_dataset: MakeDataset, reads: list[int]) -> None:
    """Each reads a quarter of an epoch, at most 0.27 of the bytes of all shards with the index."""
    dataset = make_dataset(train=400)
    total = sum(info.bytes + (info.index.bytes if info.index else 0) for _, info in dataset.shards("train"))
    index = sum(info.index.bytes for _, info in dataset.shards("train") if info.index)
    for rank in range(4):
        reads.clear()
        stream = batches(dataset, "train", BatchPlan(batch_images=8, seed=0, rank=rank, world=4), residence="streamed")
        taken = sum(len(labels) for _, labels in islice(stream, 50))
        stream.close()  # type: ignore[attr-defined]
        ahead = len(reads) - taken
        assert taken == 100
        assert ahead <= 2 * 5
        assert sum(reads[:taken]) + index <= 0.27 * total


@pytest.mark.parametrize("way", ["memory", "file", "streamed"])
def test_classes_mix_in_shards_that_are_sorted_by_class(make_dataset: MakeDataset, tmp_path: Path, way: Any) -> None:
    """Batches have the classes of a random draw, although each shard has one class."""
    from shared.format.manifest import Dataset
    from shared.format.sample import Sample
    from shared.format.shards import write_split
    from shared.store.staging import BuildKey, stage

    pixel = np.zeros((4, 4, 1), np.uint8)
    samples = (Sample(key=f"s{i:05d}", image=pixel, label=i // 100, meta={}) for i in range(1000))
    with stage(tmp_path / "volume" / "real", BuildKey("preprocess", "dataset", {}), resumable=False) as work:
        split = write_split(work.folder, "train", samples, class_count=10, shard_images=100)
        described = Dataset(classes=[*"abcdefghij"], size_px=4, channels=1, preparation={}, splits={"train": split})
        dataset = work.commit(dataset=described)
    stream = batches(dataset, "train", BatchPlan(batch_images=64, seed=0), residence=way)
    assert np.mean([len(labels.unique()) for _, labels in islice(stream, 60)]) >= 9.9


def test_an_altered_sample_is_refused_when_it_is_read(make_dataset: MakeDataset) -> None:
    """By the sum in the index; the error names the shard and says what to do."""
    dataset = make_dataset(train=8)
    path = dataset.folder / "train-00001.tar"
    payload = bytearray(path.read_bytes())
    payload[700] ^= 1
    path.write_bytes(payload)
    data = load_split(dataset, "train", "streamed")
    assert len(data.pixels[:4]) == 4
    with pytest.raises(FormatError, match=r"train-00001\.tar: .* altered since it was written(.|\n)*make it again"):
        data.pixels[4:5]
