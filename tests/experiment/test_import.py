"""synthesize on imported images: which are taken, how they are prepared, annotated, labelled and shared out."""

import shutil
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from jobs.synthesize.importing import equal_to_real
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.format.sample import Sample, decode
from shared.models.fitting import load_classifier
from shared.sources.digests import Digests
from shared.sources.prepare import prepare
from shared.sources.reading import Target
from tests.experiment.conftest import REPLICATES
from tests.experiment.importing import BROKEN, COUNTS, REAL_FILTER, ImportedExperiment, imports, job, write_set
from tests.experiment.tiny import CLASSES, SEEN_PX, SIZE_PX, enlarged, set_replicates

CPU = torch.device("cpu")
TARGET = Target(size_px=SIZE_PX, channels=1, resize_filter=REAL_FILTER)


def samples(artifact: Any) -> list[Sample]:
    """Return every sample of a synthetic set, in reading order."""
    return [decode(key, members, "synthetic") for key, members in artifact.members("train")]


def stored(those: list[Sample]) -> torch.Tensor:
    """Return the stored images (N, 1, S, S)."""
    return torch.from_numpy(np.stack([sample.image.transpose(2, 0, 1) for sample in those]))


@pytest.mark.parametrize("replicate", range(REPLICATES))
def test_every_image_is_taken_and_traced_to_its_file(imported: ImportedExperiment, replicate: int) -> None:
    """Each replicate has the images of its own set, each once, with the name and the hash of its file."""
    origins = [sample.meta["origin"] for sample in samples(imported.synthetic[replicate])]
    folder = imported.sets[replicate]
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.png")}
    files.pop(BROKEN, None)
    assert sorted(origin["file"] for origin in origins) == sorted(files)
    assert all(origin["sha256"] == sha256(files[origin["file"]].read_bytes()).hexdigest() for origin in origins)
    assert {origin["generator_sha256"] for origin in origins} == {"imported"}
    assert not any("latent_seed" in origin or "snapshot" in origin for origin in origins)


def test_images_are_prepared_as_the_real_ones(imported: ImportedExperiment) -> None:
    """A sample is the file's image, prepared like a real one, then brought to the annotator's size by its filter."""
    those = samples(imported.synthetic[0])
    made = [prepare(Image.open(imported.sets[0] / sample.meta["origin"]["file"]), TARGET) for sample in those]
    pixels = torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2)
    assert stored(those).shape[-1] == SEEN_PX != SIZE_PX
    assert torch.equal(stored(those), enlarged(pixels))


@pytest.mark.parametrize("replicate", range(REPLICATES))
def test_labels_are_the_sets_and_the_annotators(imported: ImportedExperiment, replicate: int) -> None:
    """`asked_label` is the folder's class, the label what the replicate's annotator says, with its confidence."""
    those = samples(imported.synthetic[replicate])
    network = load_classifier(imported.classifiers[replicate], CPU)
    with torch.no_grad():
        probabilities = network(stored(those).float() / 127.5 - 1).softmax(dim=1)
    assert probabilities.argmax(dim=1).tolist() == [sample.label for sample in those]
    confidence = [sample.meta["annotation"]["confidence"] for sample in those]
    assert probabilities.max(dim=1).values.tolist() == pytest.approx(confidence, abs=1e-4)
    folders = [CLASSES.index(sample.meta["origin"]["file"].partition("/")[0]) for sample in those]
    asked = [sample.meta["origin"]["asked_label"] for sample in those]
    assert asked == folders
    agreement = np.mean([a == sample.label for a, sample in zip(asked, those, strict=True)])
    assert imported.synthetic[replicate].record.agreement == pytest.approx(agreement)
    # the second set's labels are wrong on purpose
    assert (agreement > 0.5) == (replicate == 0)


def test_the_record_counts_what_was_taken_and_what_was_not(imported: ImportedExperiment) -> None:
    """Name, numbers, what is unreadable by class, and a hash of the files that does not depend on their order."""
    first, second = (artifact.record.imported for artifact in imported.synthetic)
    hashes = sorted(sha256(path.read_bytes()).hexdigest() for path in imported.sets[1].rglob("*.png"))
    assert second.facts() == {
        "name": "others",
        "source": "folder",
        "images": sum(COUNTS["others"]),
        "sha256": sha256("\n".join(hashes).encode()).hexdigest(),
        "labels": "given",
        "rejected": 0,
        "ignored": 0,
        "left_out": {},
        "equal_to_real": {},
    }
    assert (first.name, first.images, first.rejected, first.left_out) == ("fakes", sum(COUNTS["fakes"]), 1, {"left": 1})
    assert first.ignored == 1
    assert BROKEN in (imported.synthetic[0].folder / "rejected.jsonl").read_text("utf-8")
    assert imported.synthetic[0].record.asked_counts == list(COUNTS["fakes"])
    assert "files without the suffix of an image" in imported.said["synthesize"]


def test_classes_are_mixed_and_files_in_no_order(imported: ImportedExperiment) -> None:
    """Any window has the set's proportions, so that each arm has them; the files of a class come in a random order."""
    those = samples(imported.synthetic[0])
    asked = [sample.meta["origin"]["asked_label"] for sample in those]
    half = Counter(asked[: len(asked) // 2])
    assert all(abs(half[label] - count / 2) <= 1 for label, count in enumerate(COUNTS["fakes"]))
    left = [sample.meta["origin"]["file"] for sample in those if sample.meta["origin"]["asked_label"] == 0]
    assert left != sorted(left)


@pytest.fixture
def volume(imported: ImportedExperiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a volume with the real images and the first annotator alone, for one replicate."""
    set_replicates(monkeypatch, 1)
    (tmp_path / "tiny").mkdir()
    for name in ("real", "classifier"):
        (tmp_path / "tiny" / name).symlink_to(imported.folder / name)
    return tmp_path


def shards(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each shard of an artifact."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.tar"))}


def test_parts_write_the_same_shards(imported: ImportedExperiment, volume: Path, recipe: Path) -> None:
    """Two processes that share the work leave what one leaves, and the record is the same."""
    words = ["--recipe", recipe, *imports(imported.sets[0]), "--parts", 2]
    first, second = (job("synthesize", volume, *words, "--index", index) for index in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert "part 0 of 2 is done; others are not yet" in first.output
    made, whole = volume / "tiny" / "synthetic" / "r00", imported.synthetic[0].folder
    assert len(shards(whole)) == 3
    assert shards(made) == shards(whole)
    assert (made / "rejected.jsonl").read_bytes() == (whole / "rejected.jsonl").read_bytes()


def test_the_annotator_labels_what_has_no_label(imported: ImportedExperiment, volume: Path, recipe: Path) -> None:
    """With --labels annotator images lie anywhere; nothing is asked, so there is no agreement."""
    flat = volume / "flat"
    flat.mkdir()
    for number, path in enumerate(sorted(imported.sets[0].rglob("0*.png"))):
        shutil.copy(path, flat / f"{number}.png")
    done = job("synthesize", volume, "--recipe", recipe, *imports(flat), "--labels", "annotator")
    assert done.exit_code == 0, done.output
    from jobs.pipeline import IMPORT
    from shared.store.artifacts import open_output

    made = open_output(IMPORT, volume / "tiny", 0)
    assert (made.record.agreement, made.record.asked_counts) == (None, None)
    assert made.record.imported.images == sum(COUNTS["fakes"])
    assert not any("asked_label" in sample.meta["origin"] for sample in samples(made))
    done = job("evaluate", volume, "--recipe", recipe, "--scored", "synthetic")
    assert done.exit_code == 0, done.output


def test_classes_are_matched_by_name(volume: Path, recipe: Path) -> None:
    """A class that the real images do not have is refused with the names; one without images is said."""
    fakes = write_set(volume / "fakes", (6, 5, 4), 1)
    (fakes / "right").rename(fakes / "Right hand")
    done = job("synthesize", volume, "--recipe", recipe, *imports(fakes))
    assert done.exit_code == 2
    assert "1 of 3 classes (Right hand) are not among the 3 real ones (left, middle, right)" in done.output
    assert "--labels annotator" in done.output
    shutil.rmtree(fakes / "Right hand")
    done = job("synthesize", volume, "--recipe", recipe, *imports(fakes))
    assert done.exit_code == 0, done.output
    assert "warning: real classes without a synthetic image: 1 (right)" in done.output


def test_splits_of_a_set_make_no_difference(volume: Path, recipe: Path) -> None:
    """All images of a set with train and test folders are taken, and that is said."""
    whole = volume / "whole"
    for seed, split in enumerate(("train", "test")):
        write_set(whole / split, (6, 5, 4), seed)
    done = job("synthesize", volume, "--recipe", recipe, *imports(whole))
    assert done.exit_code == 0, done.output
    assert "the set has splits of its own (" in done.output
    assert "train 15" in done.output
    assert "): all of its images are taken" in done.output
    assert "30 images; " in done.output


def test_too_many_unreadable_images_end_the_job(volume: Path, recipe: Path) -> None:
    """More than --max-rejected allows are listed next to the artifact that is not made."""
    fakes = write_set(volume / "fakes", (6, 5, 4), 1)
    for number in range(3):
        (fakes / "left" / f"{number:03d}.png").write_bytes(b"\x89PNG broken")
    done = job("synthesize", volume, "--recipe", recipe, *imports(fakes))
    assert done.exit_code == 2
    assert "3 of 15 images cannot be read, more than --max-rejected 10.0%" in done.output
    assert (volume / "tiny" / "synthetic" / "r00-rejected.jsonl").read_text("utf-8").count("\n") == 3
    assert not (volume / "tiny" / "synthetic" / "r00").exists()


def digests(hashes: list[str]) -> Digests:
    """Return hashes as an array."""
    return Digests(np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8))


def test_files_of_real_images_are_counted_by_split(imported: ImportedExperiment, capsys: Any) -> None:
    """A hash that a real sample has counts for the split of that sample, and is warned of."""
    real = imported.real
    known = {split: decode(*next(real.members(split)), "real").meta["origin"]["sha256"] for split in ("train", "test")}
    run = Run({"real": real}, imported.folder, imported.root, "cpu", Reporter("synthesize"))
    hashes = [known["test"], known["train"], known["train"], "00" * 32, "ff" * 32]
    assert equal_to_real(run, real, digests(hashes)) == {"train": 2, "test": 1}
    assert "those of real images: 2 of train, 1 of test" in capsys.readouterr().err
    assert equal_to_real(run, real, digests(["00" * 32])) == equal_to_real(run, real, digests([])) == {}
    assert capsys.readouterr().err == ""
