"""Shards to shuffled float batches, against webdataset, stylegan3's zip, litdata and mosaicml-streaming."""

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from shared.runtime.cache_place import VARIABLE
from tests.bench.row import Row, Work, checkout
from tests.bench.rows.loader.streams import (
    Loader,
    litdata_loader,
    read,
    streaming_loader,
    write_litdata,
    write_streaming,
)
from tests.bench.rows.noise import coarse_noise

IMAGES, EPOCHS, BATCH = 4096, 3, 64


def dataset(folder: Path) -> Any:
    """Write 4,096 coarse noise images of 64x64 px as shards."""
    from shared.format.manifest import Dataset
    from shared.format.shards import write_split
    from shared.store.artifacts import open_artifact
    from shared.store.staging import BuildKey, stage

    with stage(folder / "real", BuildKey("bench", "dataset", {}), resumable=False) as work:
        split = write_split(work.folder, "train", coarse_noise(IMAGES), class_count=10, shard_images=1000)
        names = [str(i) for i in range(10)]
        work.commit(dataset=Dataset(classes=names, size_px=64, channels=3, preparation={}, splits={"train": split}))
    return open_artifact(folder / "real", "dataset", "bench")


@dataclass
class Features:
    """What a reader saw: the sum over all pixels in [-1, 1], of corners times labels, and whether images are shuffled.

    The corner is the first pixel of an image: the sum shows which label goes with which image, and their orientation.
    """

    images: int = 0
    pixels: float = 0.0
    corners: float = 0.0
    shuffled: bool = False

    def add(self, pixels: Any, labels: Any) -> None:
        """Count a batch of float images (N, 3, 64, 64) and labels (N,)."""
        if not self.images:
            self.shuffled = labels.tolist() != [place % 10 for place in range(len(labels))]
        self.images += len(labels)
        self.pixels += float(pixels.sum())
        self.corners += float(pixels[:, 0, 0, 0] @ labels.float())


def _seen(epochs: int, stream: Any) -> Features:
    """Return the features of the next `epochs` epochs of ours."""
    from shared.data.images import to_unit_range

    seen = Features()
    for _ in range(epochs * IMAGES // BATCH):
        images, labels = next(stream)
        seen.add(to_unit_range(images), labels)
    return seen


def _whole(real: Any, epochs: int) -> Work:
    """Return a reader that starts with shards on disk, and with nothing decoded."""
    from shared.data.batches import BatchPlan, batches

    def work() -> Features:
        # on the disk that the shards are on; every round decodes again
        with TemporaryDirectory(dir=real.folder.parent) as cache:
            os.environ[VARIABLE] = cache
            try:
                return _seen(epochs, batches(real, "train", BatchPlan(batch_images=BATCH, seed=0)))
            finally:
                del os.environ[VARIABLE]

    return work


def _resident(real: Any, epochs: int) -> Work:
    """Return a reader of images in memory, as in every epoch but the first."""
    from shared.data.batches import BatchPlan, batches

    endless = batches(real, "train", BatchPlan(batch_images=BATCH, seed=0))
    _seen(1, endless)
    return lambda: _seen(epochs, endless)


def _webdataset(real: Any, epochs: int) -> Work:
    """Shuffled shards and a shuffle buffer of the whole set, PNG decoded by Pillow."""
    import torch
    import webdataset

    def work() -> Features:
        shards = [str(path) for path, _ in real.shards("train")]
        seen = Features()
        for epoch in range(epochs):
            data = webdataset.WebDataset(shards, shardshuffle=len(shards), seed=epoch).shuffle(IMAGES, seed=epoch)
            for images, labels in data.decode("rgb8").to_tuple("png", "cls").batched(BATCH):
                pixels = torch.from_numpy(np.stack(list(images))).permute(0, 3, 1, 2).float() / 127.5 - 1
                seen.add(pixels, torch.as_tensor(labels))
        return seen

    return work


def _webdataset_raw(real: Any, epochs: int) -> Work:
    """Return the same on shards of pixels as they are, with nothing to decode."""
    import torch
    import webdataset

    from shared.format.sample import decode

    raw = real.folder.parent / "raw"
    raw.mkdir(exist_ok=True)
    shards = []
    for path, info in real.shards("train"):
        shards.append(str(raw / path.name))
        with webdataset.TarWriter((raw / path.name).open("wb")) as sink:
            for key, members in real.shard_members(path, info):
                sink.write({"__key__": key, "bin": decode(key, members, "").image.tobytes(), "cls": members["cls"]})

    def work() -> Features:
        seen = Features()
        for epoch in range(epochs):
            data = webdataset.WebDataset(shards, shardshuffle=len(shards), seed=epoch).shuffle(IMAGES, seed=epoch)
            for images, labels in data.to_tuple("bin", "cls").batched(BATCH):
                whole = np.frombuffer(b"".join(images), np.uint8).reshape(-1, 64, 64, 3)
                pixels = torch.from_numpy(whole.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
                seen.add(pixels, torch.as_tensor([int(label) for label in labels]))
        return seen

    return work


def _stylegan3(real: Any, epochs: int) -> Work:
    """Its ImageFolderDataset on a zip of uncompressed PNGs, as its training reads them, through a DataLoader."""
    import torch

    place = checkout("HALFREAL_STYLEGAN3", "NVlabs/stylegan3", "training/dataset.py")
    if str(place) not in sys.path:
        sys.path.append(str(place))
    from training.dataset import ImageFolderDataset

    path = real.folder.parent / "images.zip"
    _write_zip(real, path)
    data = ImageFolderDataset(str(path), use_labels=True)

    def work() -> Features:
        seen = Features()
        for epoch in range(epochs):
            chance = torch.Generator().manual_seed(epoch)
            for images, labels in torch.utils.data.DataLoader(data, BATCH, shuffle=True, generator=chance):
                seen.add(images.float() / 127.5 - 1, labels.argmax(dim=1))
        return seen

    return work


def _write_zip(real: Any, path: Path) -> None:
    """Write the images as dataset_tool.py does: uncompressed PNG, stored, labels in dataset.json."""
    from PIL import Image

    from shared.format.sample import decode

    labels = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for key, members in real.members("train"):
            sample, buffer = decode(key, members, ""), io.BytesIO()
            Image.fromarray(sample.image).save(buffer, "png", compress_level=0, optimize=False)
            archive.writestr(f"{key}.png", buffer.getvalue())
            labels.append([f"{key}.png", sample.label])
        archive.writestr("dataset.json", json.dumps({"labels": labels}))


def _peer(write: Callable[[Any], Path], make: Loader, real: Any, epochs: int) -> Work:
    """Return a loader with an index, on raw pixels, from its start."""
    folder = write(real)

    def work() -> Features:
        seen = Features()
        for epoch in range(epochs):
            for images, labels in read(make(folder, BATCH, epoch)):
                seen.add(images.float() / 127.5 - 1, labels)
        return seen

    return work


def _same_images(ours: Features, theirs: Features) -> None:
    """As many images, the same pixels, each with its own label, and both in a new order."""
    assert ours.images == theirs.images
    assert abs(ours.pixels - theirs.pixels) <= 1e-6 * ours.images * 3 * 64 * 64, (ours, theirs)
    assert abs(ours.corners - theirs.corners) <= 1e-4 * ours.images, (ours, theirs)
    assert ours.shuffled
    assert theirs.shuffled


def _row(about: str, ours: Any, epochs: int) -> Row:
    peers = {"webdataset, PNG": _webdataset, "webdataset, raw": _webdataset_raw, "stylegan3, zip": _stylegan3}
    peers |= {f"{name}, raw": partial(_peer, write, make) for name, (write, make) in INDEXED.items()}
    made = {name: partial(peer, epochs=epochs) for name, peer in peers.items()}
    about = f"shards of 64x64 px to shuffled float batches, {about}"
    return Row(about, IMAGES * epochs, "images", dataset, partial(ours, epochs=epochs), made, _same_images)


INDEXED = {"litdata": (write_litdata, litdata_loader), "mosaicml-streaming": (write_streaming, streaming_loader)}

ROWS = {
    "load-first": _row("the first epoch", _whole, 1),
    "load": _row("3 epochs with the first", _whole, EPOCHS),
    "load-later": _row("a later epoch", _resident, 1),
}
