"""preprocess: which image goes to which split, how its pixels change, equal bytes for equal options."""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from sklearn.datasets import load_digits

from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.splits import split_indexes
from shared.errors import BadConfig, BadInput
from shared.format.sample import decode
from shared.sources.items import Source
from shared.sources.prepare import prepare
from shared.sources.published.sets import digits
from shared.sources.reading import Target
from shared.store.artifacts import Artifact, open_artifact

SIZES = {"train": 1257, "val": 180, "test": 360}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, run_job: Callable[..., Result]) -> Artifact:
    """Prepare the digits as the default recipe does."""
    root = tmp_path_factory.mktemp("digits")
    result = run_job("preprocess", root, "--shard-images", 500)
    assert result.exit_code == 0, result.output
    return open_artifact(root / "small" / "real", "dataset", "preprocess")


def tar_hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of each shard and of the manifest."""
    paths = [*sorted(folder.glob("*.tar")), folder / "manifest.json"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def a_config(**changes: Any) -> PreprocessOptions:
    """Return a valid config with these changes."""
    options = {
        "source": "digits",
        "source_path": None,
        "label": None,
        "limit": 0,
        "limit_seed": 0,
        "per_class": 0,
        "size_px": 16,
        "channels": 1,
        "crop": "none",
        "resize_filter": "box",
        "background": "white",
        "split": "auto",
        "val_fraction": 0.1,
        "test_fraction": 0.2,
        "max_rejected": 0.01,
        "verify_md5": True,
        "shard_images": 10,
        "seed": 0,
    }
    return PreprocessOptions(**(options | changes))


def test_digits_are_those_of_scikit_learn() -> None:
    """Source `digits` is scikit-learn's data set, its grey levels 0..16 stretched to 0..255 and rounded."""
    source, data = digits(Path(), a_config()), load_digits()
    assert source.classes == tuple("0123456789")
    assert [item.label for item in source.items] == data.target.tolist()
    for index in (0, 1000, 1796):
        expected = np.floor(data.images[index] * 255 / 16 + 0.5)  # no level is halfway between two integers
        assert np.array_equal(np.asarray(source.items[index].decode(source.items[index].read())), expected)


def test_digits_split_into_1257_180_360(real: Artifact) -> None:
    """A tenth and a fifth of 1,797 images, each rounded up, are 180 and 360; train gets the remaining 1,257."""
    assert {name: split.count for name, split in real.dataset.splits.items()} == SIZES
    assert (real.dataset.size_px, real.dataset.channels, real.dataset.classes) == (16, 1, list("0123456789"))


@pytest.mark.parametrize("split", SIZES)
def test_splits_are_stratified(split: str, real: Artifact) -> None:
    """Each split has each class in its proportion, to within one image."""
    whole = Counter(load_digits().target.tolist())
    counts = real.dataset.splits[split].class_counts
    for label, count in enumerate(counts):
        assert abs(count - whole[label] * SIZES[split] / 1797) <= 1


def test_splits_share_no_image(real: Artifact) -> None:
    """Every image of the source is in exactly one split, by the hash of its own pixels and its index."""
    origins = [
        (decode(key, members, "").meta["origin"]["index"], split)
        for split in SIZES
        for key, members in real.members(split)
    ]
    assert sorted(index for index, _ in origins) == list(range(1797))
    pixels = {split: {hashlib.sha256(m["png"]).digest() for _, m in real.members(split)} for split in SIZES}
    assert not pixels["train"] & pixels["test"]
    assert not pixels["train"] & pixels["val"]
    assert not pixels["val"] & pixels["test"]


def test_labels_follow_their_images(real: Artifact) -> None:
    """The label in a shard is the source's label of the image named in its json."""
    target = load_digits().target
    for key, members in real.members("val"):
        sample = decode(key, members, "")
        assert sample.label == target[sample.meta["origin"]["index"]]


def test_equal_options_give_equal_bytes(real: Artifact, tmp_path: Path, run_job: Callable[..., Result]) -> None:
    """Equal source, options and seed give byte-equal shards and manifest; another seed gives other shards."""
    again, other = tmp_path / "again", tmp_path / "other"
    assert run_job("preprocess", again, "--shard-images", 500).exit_code == 0
    assert run_job("preprocess", other, "--shard-images", 500, "--seed", 1).exit_code == 0
    first = tar_hashes(real.folder)
    assert len(first) == 3 + 1 + 1 + 1  # 1,257 images in three shards of at most 500, val, test, the manifest
    assert tar_hashes(again / "small" / "real") == first
    assert not set(tar_hashes(other / "small" / "real").values()) & set(first.values())


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_number_of_processes(
    real: Artifact, tmp_path: Path, run_job: Callable[..., Result]
) -> None:
    """Three processes write the same shards and manifest as one, byte for byte."""
    assert run_job("preprocess", tmp_path, "--shard-images", 500, "--threads", 3).exit_code == 0
    assert tar_hashes(tmp_path / "small" / "real") == tar_hashes(real.folder)


def test_preparation_is_recorded(real: Artifact) -> None:
    """The manifest says how images were cropped and resized, because scores depend on it."""
    used = real.dataset.preparation
    assert (used["crop"], used["resize_filter"], used["resizer"], used["antialias"]) == ("none", "bicubic", "Pillow", 1)


def ramp(width: int, height: int) -> Image.Image:
    """Return a grey image whose pixel at (x, y) is 10 x + y."""
    rows = [[10 * x + y for x in range(width)] for y in range(height)]
    return Image.fromarray(np.array(rows, np.uint8))


@pytest.mark.parametrize(
    ("width", "height", "size_px", "expected"),
    [
        (4, 2, 2, [[10, 20], [11, 21]]),  # one column goes at each side
        (2, 4, 2, [[1, 11], [2, 12]]),  # one row goes above and below
        (5, 2, 2, [[10, 20], [11, 21]]),  # an odd surplus of three: one column left, two right
        (3, 3, 3, [[0, 10, 20], [1, 11, 21], [2, 12, 22]]),  # nothing to cut or resize
    ],
)
def test_center_crop_takes_the_middle_square(width: int, height: int, size_px: int, expected: list[list[int]]) -> None:
    """With crop "center" the largest centred square is cut out and nothing is distorted."""
    pixels = prepare(ramp(width, height), Target(size_px=size_px, channels=1, crop="center", resize_filter="bicubic"))
    assert pixels.shape == (size_px, size_px, 1)
    assert pixels[:, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("resize_filter", "expected"),
    [("box", [[5, 25], [7, 27]]), ("nearest", [[11, 31], [13, 33]])],
)
def test_squeezing_averages_by_the_filter(resize_filter: str, expected: list[list[int]]) -> None:
    """With crop "none" the whole image is squeezed: by box each 2x2 block's mean, by nearest its last pixel."""
    pixels = prepare(ramp(4, 4), Target(size_px=2, channels=1, crop="none", resize_filter=resize_filter))
    means = np.array([[5.5, 25.5], [7.5, 27.5]])  # of 0 10 1 11, 20 30 21 31, ...
    assert np.abs(pixels[:, :, 0] - (means if resize_filter == "box" else np.array(expected))).max() <= 0.5


def test_a_squeezed_image_keeps_its_edges() -> None:
    """With crop "none" the outermost columns still count; with "center" they are gone."""
    bright_left = Image.fromarray(np.repeat(np.array([[255, 0, 0, 0]], np.uint8), 2, axis=0))
    assert prepare(bright_left, Target(size_px=2, channels=1, crop="none", resize_filter="box"))[0, 0, 0] == 128
    assert prepare(bright_left, Target(size_px=2, channels=1, crop="center", resize_filter="box")).max() == 0


RED_PALETTE = Image.new("P", (2, 2), 1)
RED_PALETTE.putpalette([0, 0, 0, 255, 0, 0])


@pytest.mark.parametrize(
    ("image", "channels", "expected"),
    [
        (Image.new("RGB", (2, 2), (255, 0, 0)), 1, [76]),  # ITU-R 601: 0.299 * 255
        (Image.new("RGB", (2, 2), (0, 255, 0)), 1, [149]),  # 0.587 * 255 = 149.7, which Pillow cuts or rounds
        (Image.new("L", (2, 2), 77), 3, [77, 77, 77]),
        (Image.new("RGBA", (2, 2), (9, 8, 7, 255)), 3, [9, 8, 7]),
        (Image.new("1", (2, 2), 1), 1, [255]),
        (RED_PALETTE, 3, [255, 0, 0]),
        (RED_PALETTE, 1, [76]),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else None,
)
def test_every_mode_becomes_grey_or_colour(image: Image.Image, channels: int, expected: list[int]) -> None:
    """Grey, colour, palette, alpha and bitmap images all become uint8 with one or three channels."""
    pixels = prepare(image, Target(size_px=2, channels=channels, crop="center", resize_filter="bicubic"))
    assert pixels.shape == (2, 2, channels)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_a_split_is_a_partition_that_depends_on_the_seed() -> None:
    """The three splits cover every index once; the same seed gives the same split, another seed another."""
    labels = np.array([0] * 50 + [1] * 30 + [2] * 20)
    different = [str(index) for index in range(100)]
    first, second, other = (split_indexes(labels, different, None, 0.1, 0.2, seed) for seed in (1, 1, 2))
    assert {name: len(found) for name, found in first.items()} == {"train": 70, "val": 10, "test": 20}
    assert sorted(np.concatenate(list(first.values())).tolist()) == list(range(100))
    assert Counter(labels[index] for index in first["test"]) == {0: 10, 1: 6, 2: 4}
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["test"], other["test"])


@pytest.mark.parametrize(
    "labels", [[0] * 30 + [1], [0, 1, 2, 3, 4] * 3, []], ids=["a class of one", "fewer val images than classes", "none"]
)
def test_a_class_too_small_to_split_is_refused(labels: list[int]) -> None:
    """Where a class is too small for every split the error says how many images are needed."""
    with pytest.raises(BadInput, match=r"at least 3 images of each class|--test-fraction 0\.27 gives 5"):
        split_indexes(np.array(labels, int), [str(index) for index in range(len(labels))], None, 0.1, 0.2, seed=0)


@pytest.mark.parametrize(("val", "test"), [(0.0, 0.2), (0.2, 1.0), (0.5, 0.5), (-0.1, 0.2), (0.7, 0.4)])
def test_fractions_that_leave_a_split_empty_are_refused(val: float, test: float) -> None:
    """Both fractions lie between 0 and 1 and leave something to train on."""
    with pytest.raises(BadConfig, match=r"val_fraction=.*test_fraction="):
        a_config(val_fraction=val, test_fraction=test)


def test_a_background_that_is_no_colour_is_refused() -> None:
    """The background is a colour that Pillow knows."""
    with pytest.raises(BadConfig, match="--background reddish"):
        a_config(background="reddish")


def test_a_source_that_cannot_be_split_ends_with_code_2(
    tmp_path: Path, run_job: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source with too few images ends with 2, in at most three lines, and leaves no artifact."""
    source = digits(Path(), a_config())
    few = Source(source.classes, source.items[:20])
    monkeypatch.setattr("shared.sources.published.sets.digits", lambda folder, config: few)
    result = run_job("preprocess", tmp_path)
    assert result.exit_code == 2
    assert "cannot draw 4 of 20 images" in result.stderr
    assert len(result.stderr.splitlines()) <= 3
    assert not (tmp_path / "small" / "real").exists()


def test_figures_are_drawn(real: Artifact) -> None:
    """Figures of the preparation, samples and class balance are saved with the shards, and not in the manifest."""
    names = {path.name for path in (real.folder / "figures").iterdir()}
    assert names == {"before_and_after.png", "samples.png", "class_balance.png"}
    assert all(info.name not in names for info in real.manifest.files)
