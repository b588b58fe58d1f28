import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.data.batches import BatchPlan, batches
from shared.data.images import Images, load_split, to_uint8, to_unit_range
from shared.data.pixels import Residence
from shared.errors import FormatError
from shared.format.manifest import MANIFEST
from shared.store.artifacts import Artifact, open_artifact

MakeDataset = Callable[..., Artifact]
each_way = pytest.mark.parametrize("residence", ["memory", "file", "streamed"])


def _noise(count: int, channels: int = 1, size_px: int = 16) -> list[bytes]:
    """Return the pixels of the train split, drawn again from numpy, as bytes in (channels, size, size) order."""
    chance = np.random.default_rng(0)
    shape = (size_px, size_px, channels)
    images = [chance.integers(0, 256, shape, dtype=np.uint8) for _ in range(count)]
    return [image.transpose(2, 0, 1).tobytes() for image in images]


def _indexes(known: list[bytes], images: Tensor) -> list[int]:
    """Return which samples these images are, by their pixels."""
    return [known.index(image.numpy().tobytes()) for image in images]


def _steps(dataset: Artifact, steps: int, batch_images: int, **options: Any) -> list[tuple[Tensor, Tensor]]:
    reading = {name: options.pop(name) for name in ("device", "residence", "label") if name in options}
    plan = BatchPlan(**({"batch_images": batch_images, "seed": 0} | options))
    return list(islice(batches(dataset, "train", plan, **reading), steps))


def _order(dataset: Artifact, steps: int, batch_images: int, world: int = 1, **options: Any) -> list[int]:
    """Return the samples of `steps` global batches in the order in which all ranks together read them."""
    known = _noise(dataset.dataset.splits["train"].count)
    ranks = [
        [
            _indexes(known, images)
            for images, _ in _steps(dataset, steps, batch_images, rank=rank, world=world, **options)
        ]
        for rank in range(world)
    ]
    return [index for step in zip(*ranks, strict=True) for part in step for index in part]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_split_in_memory_is_what_was_written(make_dataset: MakeDataset, channels: int) -> None:
    """Images are uint8 (N, channels, size, size) with every pixel as written, labels int64, in shard order."""
    data = load_split(make_dataset(train=6, channels=channels), "train")
    assert data.images.dtype == torch.uint8
    assert data.images.shape == (6, channels, 16, 16)
    assert _indexes(_noise(6, channels), data.images) == [0, 1, 2, 3, 4, 5]
    assert data.labels.dtype == torch.int64
    assert data.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_images_can_be_chosen_and_joined() -> None:
    """A subset has the images at the indexes, in their order; a sum has the first, then the second."""
    data = Images(torch.arange(4, dtype=torch.uint8).reshape(4, 1, 1, 1), torch.tensor([0, 1, 2, 3]))
    joined = data.subset(np.array([2, 0])) + data.subset([3])
    assert len(joined) == 3
    assert joined.labels.tolist() == [2, 0, 3]
    assert joined.images.flatten().tolist() == [2, 0, 3]
    assert len(data.subset([])) == 0


def test_all_256_values_survive_the_unit_range() -> None:
    """to_uint8 undoes to_unit_range; 0 is -1, 255 is 1, in float32."""
    values = torch.arange(256, dtype=torch.uint8)
    floats = to_unit_range(values)
    assert floats.dtype == torch.float32
    assert (floats.min().item(), floats.max().item()) == (-1.0, 1.0)
    assert torch.equal(to_uint8(floats), values)
    assert values.tolist() == list(range(256))


def test_pixels_are_rounded_and_clipped() -> None:
    """Values between two levels go to the nearer one, a tie to the even one, those outside [-1, 1] to its ends."""
    levels = torch.tensor([-7.0, -1.0, 0.0, 1.0, 7.0, 2 * 100.4 / 255 - 1, 2 * 100.6 / 255 - 1])
    assert to_uint8(levels).tolist() == [0, 0, 128, 255, 255, 100, 101]  # 0 is level 127.5: half to even


@each_way
@pytest.mark.parametrize("world", [1, 2, 3])
def test_each_sample_comes_exactly_once_per_epoch(make_dataset: MakeDataset, world: int, residence: Residence) -> None:
    """Over all ranks, four batches of six are the 24 samples, as are the next four, in another order."""
    order = _order(make_dataset(train=24), 8, 6, world, residence=residence)
    first, second = order[:24], order[24:]
    assert sorted(first) == sorted(second) == list(range(24))
    assert first != second
    assert first != list(range(24))


@each_way
@pytest.mark.parametrize("world", [1, 2, 4])
def test_batches_run_across_the_ends_of_epochs(make_dataset: MakeDataset, world: int, residence: Residence) -> None:
    """Ten samples in batches of four: five full batches are two whole epochs, no tail is dropped."""
    dataset = make_dataset(train=10)
    order = _order(dataset, 5, 4, world, residence=residence)
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
    shapes = {images.shape for images, _ in _steps(dataset, 5, 4, world=world, residence=residence)}
    assert shapes == {(4 // world, 1, 16, 16)}


@each_way
def test_a_batch_may_be_larger_than_the_split(make_dataset: MakeDataset, residence: Residence) -> None:
    """A batch of seven of three samples has two whole epochs and the first of a third."""
    order = _order(make_dataset(train=3), 3, 7, residence=residence)
    assert [sorted(order[at : at + 3]) for at in range(0, 21, 3)] == [[0, 1, 2]] * 7


@each_way
def test_every_number_of_processes_reads_the_same_order(make_dataset: MakeDataset, residence: Residence) -> None:
    """The global batch does not depend on how many ranks share it."""
    dataset = make_dataset(train=13)
    orders = [_order(dataset, 5, 6, world, residence=residence) for world in (1, 2, 3, 6)]
    assert orders[1:] == orders[:1] * 3


@each_way
@pytest.mark.parametrize("world", [1, 2])
@pytest.mark.parametrize("start", [1, 3, 4, 7])
def test_a_resumed_run_reads_on_where_it_stopped(
    make_dataset: MakeDataset, start: int, world: int, residence: Residence
) -> None:
    """From `start` on the batches are those of an uninterrupted run, also in a later epoch."""
    dataset = make_dataset(train=10)
    whole = _order(dataset, 9, 4, world, residence=residence)
    assert _order(dataset, 9 - start, 4, world, start=start, residence=residence) == whole[4 * start :]


@each_way
def test_the_order_depends_on_the_seed_alone(make_dataset: MakeDataset, residence: Residence) -> None:
    """Equal seeds give equal orders, regardless of earlier draws by torch and Python; other seeds give others."""
    dataset = make_dataset(train=24)
    first = _order(dataset, 4, 6, seed=1, residence=residence)
    torch.rand(3)
    assert _order(dataset, 4, 6, seed=1, residence=residence) == first
    assert _order(dataset, 4, 6, seed=2, residence=residence) != first


@each_way
def test_labels_stay_with_their_images(make_dataset: MakeDataset, residence: Residence) -> None:
    """In every batch the label is that of its image: the index modulo three classes."""
    dataset = make_dataset(train=9)
    for images, labels in _steps(dataset, 3, 4, residence=residence, device=torch.device("cpu")):
        assert images.dtype == torch.uint8
        assert labels.dtype == torch.int64
        assert labels.tolist() == [index % 3 for index in _indexes(_noise(9), images)]


@pytest.mark.parametrize("channels", [1, 3])
def test_torch_never_gets_read_only_memory(
    make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch, channels: int
) -> None:
    """Arrays are copied from Pillow's read-only buffer, about which torch would warn on standard error."""
    writable = []
    from_numpy = torch.from_numpy

    def checked(array: Any) -> Tensor:
        writable.append(array.flags.writeable)
        return from_numpy(array)

    monkeypatch.setattr(torch, "from_numpy", checked)
    _steps(make_dataset(train=4, channels=channels), 1, 4, residence="file")
    assert writable
    assert all(writable)


def test_a_batch_that_does_not_divide_by_ranks_is_refused() -> None:
    """Four images do not divide into three equal parts."""
    with pytest.raises(FormatError, match="batch of 4 images does not divide into 3"):
        BatchPlan(batch_images=4, seed=0, world=3)


def _all(dataset: Artifact, residence: Residence) -> Iterator[Any]:
    return islice(batches(dataset, "train", BatchPlan(batch_images=4, seed=0), residence=residence), 2)


@each_way
@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"size_px": 8}, r"image is \(16, 16, 1\), the manifest says \(8, 8, 1\)"),
        ({"channels": 3}, r"image is \(16, 16, 1\), the manifest says \(16, 16, 3\)"),
    ],
    ids=["size", "channels"],
)
def test_an_image_that_is_not_what_the_manifest_says_is_refused(
    make_dataset: MakeDataset, claims: dict[str, Any], words: str, residence: Residence
) -> None:
    """An image of another size or number of channels raises FormatError that names the sample."""
    dataset = make_dataset(train=8, claims=claims)
    with pytest.raises(FormatError, match=f"sample 'train0.*{words}"):
        list(_all(dataset, residence))


@pytest.mark.parametrize("residence", ["memory", "file"])  # the index of a stream says that the sample was altered
def test_a_label_outside_the_classes_is_refused(make_dataset: MakeDataset, residence: Residence) -> None:
    """A shard that is as recorded, but holds label 7 of three classes, raises FormatError that names the sample."""
    made = make_dataset(train=4)
    shard, page, manifest = (made.folder / name for name in ("train-00000.tar", "train-shards-00000.json", MANIFEST))
    payload, listed = shard.read_bytes(), page.read_bytes()
    shard.write_bytes(payload[:512] + b"7" + payload[513:])  # the first member's content follows its header
    old, new = (hashlib.sha256(content).hexdigest() for content in (payload, shard.read_bytes()))
    page.write_bytes(listed.replace(old.encode(), new.encode()))
    old, new = (hashlib.sha256(content).hexdigest() for content in (listed, page.read_bytes()))
    manifest.write_text(manifest.read_text().replace(old, new))
    dataset = open_artifact(made.folder, "dataset", "preprocess")
    with pytest.raises(FormatError, match=r"sample 'train0000': label 7, .* classes 0\.\.2"):
        list(_all(dataset, residence))


@each_way
def test_an_altered_shard_is_refused(make_dataset: MakeDataset, residence: Residence) -> None:
    """One flipped bit in any shard of the split stops the reading."""
    dataset = make_dataset(train=8)
    path = dataset.folder / "train-00001.tar"
    payload = bytearray(path.read_bytes())
    payload[600] ^= 1
    path.write_bytes(payload)
    with pytest.raises(FormatError, match=r"train-00001\.tar: .*altered"):
        list(_all(dataset, residence))


def test_an_unknown_split_is_refused(make_dataset: MakeDataset) -> None:
    """The error lists the splits that there are."""
    with pytest.raises(FormatError, match="no split 'holdout', it has train"):
        load_split(make_dataset(train=4), "holdout")


@pytest.mark.parametrize("residence", [None, "file"])
def test_batches_of_an_unknown_split_are_refused(make_dataset: MakeDataset, residence: Residence | None) -> None:
    """Batches says the same as load_split."""
    with pytest.raises(FormatError, match="no split 'holdout', it has train"):
        next(batches(make_dataset(train=4), "holdout", BatchPlan(batch_images=4, seed=0), residence=residence))


@each_way
def test_batches_of_an_empty_split_are_refused(make_dataset: MakeDataset, residence: Residence) -> None:
    """An empty split has no batch; the error names the split."""
    with pytest.raises(FormatError, match="train"):
        next(batches(make_dataset(train=0, val=1), "train", BatchPlan(batch_images=4, seed=0), residence=residence))
