"""Photos to shards of small PNGs: 178x218 px JPEGs, centre crop, 64x64 px, antialiased; the same pixels everywhere."""

import io
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.bench.row import Row, Work, checkout, quiet

COUNT, SIZE_PX = 1536, 64


@dataclass(frozen=True)
class Photos:
    """A folder for each of two classes, and where results go."""

    photos: Path
    out: Path

    def fresh(self, name: str) -> Path:
        """Return an empty folder."""
        shutil.rmtree(self.out / name, ignore_errors=True)
        (self.out / name).mkdir(parents=True)
        return self.out / name


def photos(folder: Path, count: int = COUNT) -> Photos:
    """Write `count` JPEGs of CelebA's size and weight, about 7 kB each, all different."""
    chance = np.random.default_rng(0)
    for number in range(count):
        soft = Image.fromarray(chance.integers(64, 192, (14, 11, 3), np.uint8)).resize(
            (178, 218), Image.Resampling.BICUBIC
        )
        noisy = np.asarray(soft).astype(np.int16) + chance.normal(0, 2, (218, 178, 3)).astype(np.int16)
        place = folder / "photos" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(place / f"{number:06d}.jpg", quality=90)
    return Photos(folder / "photos", folder / "out")


def prepare_ours(made: Photos, resize_filter: str, workers: int) -> Work:
    """Return the whole of preprocess: the scan for duplicates, the split, shards, hashes, flushed to disk."""
    from jobs.preprocess.options import PreprocessOptions
    from jobs.preprocess.writer import write_dataset
    from shared.cli.progress import Reporter
    from shared.cli.run import Run
    from shared.sources.folders import folder

    defaults = {"source": "folder", "source_path": None, "label": None, "limit": 0, "limit_seed": 0, "per_class": 0}
    size = {"size_px": SIZE_PX, "channels": 3, "crop": "center", "resize_filter": resize_filter, "background": "white"}
    split = {"split": "auto", "val_fraction": 0.1, "test_fraction": 0.2, "max_rejected": 0.0, "verify_md5": True}
    config = PreprocessOptions(**defaults, **size, **split, shard_images=1000, seed=0)

    def work() -> Callable[[], dict[str, NDArray[np.uint8]]]:
        out = made.fresh(f"ours-{workers}")
        run = Run({}, out, made.photos, "cpu", Reporter("bench"), threads=workers)
        write_dataset(run, config, folder(made.photos, config.reading))
        return partial(_from_ours, out)

    return work


def _from_ours(out: Path) -> dict[str, NDArray[np.uint8]]:
    """Return the pixels of each photo by its name, which its json member holds."""
    import json

    contents = _contents(out)
    photos = {name: Path(json.loads(contents[f"{name}.json"])["origin"]["file"]).stem for name in _pictures(contents)}
    return {photo: _pixels(contents[f"{name}.png"]) for name, photo in photos.items()}


def _from_tars(out: Path) -> dict[str, NDArray[np.uint8]]:
    """Return the pixels of each photo by its name, which is its key."""
    contents = _contents(out)
    return {name: _pixels(contents[f"{name}.png"]) for name in _pictures(contents)}


def _contents(out: Path) -> dict[str, bytes]:
    """Return the members of all archives of a folder, by name."""
    members = {}
    for path in sorted(out.glob("*.tar")):
        with tarfile.open(path) as tar:
            members |= {member.name: tar.extractfile(member).read() for member in tar}
    return members


def _pictures(contents: dict[str, bytes]) -> list[str]:
    return [name.removesuffix(".png") for name in contents if name.endswith(".png")]


def _pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)))


def _torchvision(made: Photos, resize_filter: str) -> Work:
    """ImageFolder, torchvision's crop and antialiased resize of Pillow images, webdataset's ShardWriter."""
    import webdataset
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import InterpolationMode, v2

    how = InterpolationMode[resize_filter.upper()]
    change = v2.Compose([v2.CenterCrop(178), v2.Resize(SIZE_PX, interpolation=how)])

    def work() -> Callable[[], dict[str, NDArray[np.uint8]]]:
        out = made.fresh("torchvision")
        data = ImageFolder(str(made.photos), transform=change)
        with webdataset.ShardWriter(
            f"{out}/%05d.tar", maxcount=1000, verbose=0, opener=lambda path: Path(path).open("wb")
        ) as sink:
            for (path, _), (image, label) in zip(data.samples, data, strict=True):
                sink.write({"__key__": Path(path).stem, "png": image, "cls": label, "json": {"file": path}})
        return partial(_from_tars, out)

    return work


def _stylegan3(made: Photos) -> Work:
    """dataset_tool.py: centre crop, Lanczos, uncompressed PNG, zip."""
    place = checkout("HALFREAL_STYLEGAN3", "NVlabs/stylegan3", "dataset_tool.py")
    if str(place) not in sys.path:
        sys.path.append(str(place))
    import dataset_tool

    def work() -> Callable[[], dict[str, NDArray[np.uint8]]]:
        out = made.fresh("stylegan3") / "photos.zip"
        words = ["--source", str(made.photos), "--dest", str(out), "--transform", "center-crop"]
        with quiet():
            dataset_tool.convert_dataset([*words, "--resolution", f"{SIZE_PX}x{SIZE_PX}"], standalone_mode=False)
        return partial(_from_zip, made.photos, out)

    return work


def _from_zip(place: Path, out: Path) -> dict[str, NDArray[np.uint8]]:
    names = [path.stem for path in sorted(place.rglob("*.jpg"))]
    with zipfile.ZipFile(out) as archive:
        files = sorted(name for name in archive.namelist() if name.endswith(".png"))
        pictures = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in files]
    return dict(zip(names, pictures, strict=True))


def _img2dataset(made: Photos, workers: int, interpolation: str) -> Work:
    """img2dataset on file:// addresses: centre crop, OpenCV's resize, PNG, webdataset."""
    import img2dataset

    os.environ |= {"NO_ALBUMENTATIONS_UPDATE": "1", "WANDB_MODE": "disabled"}
    table = made.out.parent / "photos.txt"
    table.write_text("".join(f"{path.resolve().as_uri()}\n" for path in sorted(made.photos.rglob("*.jpg"))), "utf-8")

    def work() -> Callable[[], dict[str, NDArray[np.uint8]]]:
        out = made.fresh(f"img2dataset-{workers}")
        with quiet():
            img2dataset.download(
                url_list=str(table), output_folder=str(out), output_format="webdataset", input_format="txt",
                image_size=SIZE_PX, resize_mode="center_crop", resize_only_if_bigger=False, encode_format="png",
                encode_quality=1, downscale_interpolation=interpolation, processes_count=workers, thread_count=8,
                number_sample_per_shard=512, enable_wandb=False, disable_all_reencoding=False, timeout=10,
            )  # fmt: skip
        return partial(_from_tars, out)

    return work


def same_pixels(ours: Any, theirs: Any) -> None:
    """Every photo is there with the same pixels."""
    first, second = ours(), theirs()
    assert len(first) >= COUNT
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def as_many_pixels(ours: Any, theirs: Any) -> None:
    """As many pictures of the same size; the pixels differ, since the peer has another resampler."""
    first, second = (list(side().values()) for side in (ours, theirs))
    assert len(first) == len(second) >= COUNT
    assert all(image.shape == (SIZE_PX, SIZE_PX, 3) for image in [*first, *second])


def _row(about: str, resize_filter: str, workers: int, peers: dict[str, Any], check: Any, times: int = 1) -> Row:
    ours = partial(prepare_ours, resize_filter=resize_filter, workers=workers)
    many, make = COUNT * times, partial(photos, count=COUNT * times)
    return Row(f"JPEG 178x218 to PNG 64x64 in shards, {about}", many, "images", make, ours, peers, check, workers > 1)


ROWS = {
    "prepare": _row(
        "Lanczos, one process", "lanczos", 1,
        {"torchvision + ShardWriter": partial(_torchvision, resize_filter="lanczos"), "stylegan3": _stylegan3},
        same_pixels,
    ),
    "prepare-bilinear": _row(
        "bilinear, one process", "bilinear", 1,
        {"torchvision + ShardWriter": partial(_torchvision, resize_filter="bilinear")}, same_pixels,
    ),
    "prepare-bicubic": _row(
        "bicubic, one process", "bicubic", 1,
        {"torchvision + ShardWriter": partial(_torchvision, resize_filter="bicubic")}, same_pixels,
    ),
    "prepare-two": _row(
        "bilinear, two processes", "bilinear", 2,
        {"img2dataset (area)": partial(_img2dataset, workers=2, interpolation="area")}, as_many_pixels, 8,
    ),
    "prepare-scaling": _row(
        "Lanczos, two processes", "lanczos", 2,
        {"halfreal, one process": partial(prepare_ours, resize_filter="lanczos", workers=1)}, same_pixels, 6,
    ),
}  # fmt: skip
