"""Random splits: each replicate has its own real images, and who reads them finds them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.pipeline import PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN
from shared.errors import BadInput
from shared.store.artifacts import Artifact, inputs_of, open_output
from shared.store.lineage import open_inputs
from shared.store.records.datasets import RealRecord
from tests.jobs.preprocess.source_files import fill, picture, preprocess, samples

pytestmark = pytest.mark.usefixtures("as_if_sent")

SOURCE = ("--source", "folder")


def splits(root: Path, *words: str, replicates: int = 3) -> list[Artifact[RealRecord]]:
    """Run preprocess for some replicates, which must succeed, and open their splits."""
    if not (root / "sources").exists():
        fill(root / "sources" / "folder", {"a": 40, "b": 20})
    result = preprocess(root, *SOURCE, "--replicates", str(replicates), *words)
    assert result.exit_code == 0, result.output
    return [open_output(PREPROCESS, root / "e", number) for number in range(replicates)]


def images(real: Artifact[RealRecord], *names: str) -> set[bytes]:
    """Return the images of some splits, all of them without names."""
    return {sample.image.tobytes() for name in names or real.dataset.splits for sample in samples(real, name)}


def test_each_replicate_has_its_own_split_of_the_same_images(tmp_path: Path) -> None:
    """Same images and sizes, other ones in test; within a replicate no test image is learned from.

    Each replicate is made in a process of its own here.
    """
    found = splits(tmp_path, "--resplit", "--processes", "2")
    assert [real.folder.name for real in found] == ["r00", "r01", "r02"]
    assert len({frozenset(images(real)) for real in found}) == 1
    assert len({frozenset(images(real, "test")) for real in found}) == 3
    assert len({str([split.class_counts for split in real.dataset.splits.values()]) for real in found}) == 1
    for real in found:
        assert not images(real, "test") & images(real, "train", "val")
        assert real.record.resplit == "all"


def test_the_first_split_is_that_without_replicates(tmp_path: Path) -> None:
    """r00 has the base seed: it is the split that one experiment without --resplit has."""
    first = splits(tmp_path, "--resplit", replicates=2)[0]
    preprocess(tmp_path, *SOURCE, "--experiment", "plain")
    plain = open_output(PREPROCESS, tmp_path / "plain")
    assert plain.dataset == first.dataset


def test_more_replicates_keep_those_that_there_are(tmp_path: Path) -> None:
    """Asked for again with more, the first ones stay as they are."""
    before = [real.sha256 for real in splits(tmp_path, "--resplit", replicates=2)]
    stamps = [(tmp_path / f"e/real/r0{number}/manifest.json").stat().st_mtime_ns for number in (0, 1)]
    after = splits(tmp_path, "--resplit", replicates=4)
    assert [real.sha256 for real in after[:2]] == before
    assert [(tmp_path / f"e/real/r0{number}/manifest.json").stat().st_mtime_ns for number in (0, 1)] == stamps
    assert len({real.sha256 for real in after}) == 4


def test_train_alone_may_be_drawn_again(tmp_path: Path) -> None:
    """--resplit train: test and audit images are those of the first replicate, subsets are each replicate's own."""
    words = ("--resplit", "train", "--audit-fraction", "0.2", "--train-val-fraction", "0.3")
    found = splits(tmp_path, *words)
    for name in ("test", "audit"):
        assert len({frozenset(images(real, name)) for real in found}) == 1
    for name in ("train", "val"):
        assert len({frozenset(images(real, name)) for real in found}) == 3
    for real in found:
        assert not images(real, "train", "val") & images(real, "test", "audit")
    preprocess(tmp_path, *SOURCE, *words[2:], "--experiment", "plain")
    assert open_output(PREPROCESS, tmp_path / "plain").dataset == found[0].dataset


def test_labels_are_drawn_for_each_replicate(tmp_path: Path) -> None:
    """--resplit train with few labels: other images are labelled, the same ones are there."""
    found = splits(tmp_path, "--resplit", "train", "--labelled-fraction", "0.3")
    assert len({frozenset(images(real, "train")) for real in found}) == 3
    assert len({frozenset(images(real, "train", "unlabelled")) for real in found}) == 1


def test_a_train_split_of_an_exact_size_is_another_one_too(tmp_path: Path) -> None:
    """--limit-train draws by a seed of its own, which must not keep train the same in all splits."""
    found = splits(tmp_path, "--resplit", "--limit-train", "12")
    assert len({frozenset(images(real, "train")) for real in found}) == 3
    assert len({frozenset(images(real, "test")) for real in found}) == 3


def test_groups_stay_whole_in_every_split(tmp_path: Path) -> None:
    """Images of one group are in one split of each replicate, and splits may differ in size."""
    folder = tmp_path / "sources" / "folder"
    for number in range(24):
        place = folder / "ab"[number % 2] / f"patient{number:02d}"
        place.mkdir(parents=True)
        for index in range(1 + number % 5):
            # all of one group alike in their first pixel
            pixels = np.asarray(picture(100 * number + index)).copy()
            pixels[0, 0] = number
            Image.fromarray(pixels).save(place / f"{index}.png")
    found = splits(tmp_path, "--resplit", "--group-by", "patient([0-9]+)")
    for real in found:
        groups = {name: {sample.image[0, 0, 0] for sample in samples(real, name)} for name in real.dataset.splits}
        assert not groups["train"] & groups["test"]
        assert not groups["train"] & groups["val"]
        assert not groups["val"] & groups["test"]
    assert len({frozenset(images(real, "test")) for real in found}) == 3


def test_parts_make_whole_replicates_and_share_one(tmp_path: Path) -> None:
    """Two parts make a replicate each; four parts two each; the splits are those of one process."""
    whole = [real.sha256 for real in splits(tmp_path, "--resplit", "--shard-images", "10", replicates=2)]
    for experiment, parts in (("two", 2), ("four", 4)):
        for index in range(parts):
            words = ("--replicates", "2", "--parts", str(parts), "--index", str(index), "--experiment", experiment)
            result = preprocess(tmp_path, *SOURCE, "--resplit", "--shard-images", "10", *words)
            assert result.exit_code == 0, result.output
        assert [open_output(PREPROCESS, tmp_path / experiment, number).sha256 for number in (0, 1)] == whole


def test_readers_find_the_splits(tmp_path: Path) -> None:
    """A replicate reads its own split, a job without replicates the first one where nothing says how many there are."""
    made = splits(tmp_path, "--resplit")
    for row in (TRAIN_GAN, TRAIN_CLASSIFIER):
        for number in range(3):
            (read,) = inputs_of(open_inputs(row, tmp_path / "e", number), PREPROCESS)
            assert read.sha256 == made[number].sha256
    assert open_output(PREPROCESS, tmp_path / "e").sha256 == made[0].sha256
    preprocess(tmp_path, *SOURCE, "--experiment", "plain")
    (read,) = inputs_of(open_inputs(TRAIN_GAN, tmp_path / "plain", 2), PREPROCESS)
    assert read.folder.name == "real"


@pytest.mark.parametrize(("before", "after"), [((), ("--resplit",)), (("--resplit",), ())])
def test_one_experiment_has_one_form(tmp_path: Path, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """One split and several do not replace each other: the other artifacts were made from what is there."""
    fill(tmp_path / "sources" / "folder", {"a": 40, "b": 20})
    assert preprocess(tmp_path, *SOURCE, *before).exit_code == 0
    for words in ((), ("--dry-run",), ("--force",)):
        result = preprocess(tmp_path, *SOURCE, *after, *words)
        assert result.exit_code == 2
        assert "--experiment" in result.output
        assert ("--resplit out" if after else "--resplit again") in result.output


def test_one_test_split_cannot_be_drawn_again(tmp_path: Path) -> None:
    """Official test splits and held-out images are one for all replicates: that is said, with what to do."""
    for number in range(80):
        folder = tmp_path / "sources" / "folder" / ("train", "test")[number // 40] / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / f"{number}.png")
    result = preprocess(tmp_path, *SOURCE, "--resplit")
    assert result.exit_code == 2
    assert "--resplit all" in result.output
    assert "--split random" in result.output
    refused = preprocess(tmp_path, "--source", "mnist", "--resplit")
    assert refused.exit_code == 2
    assert "--split random" in refused.output
    assert preprocess(tmp_path, *SOURCE, "--resplit", "--held-out", str(tmp_path)).exit_code == 2
    words = ("--resplit", "train", "--train-val-fraction", "0.5", "--replicates", "2")
    assert preprocess(tmp_path, *SOURCE, *words).exit_code == 0
    with pytest.raises(BadInput):
        open_output(PREPROCESS, tmp_path / "e", 2)
