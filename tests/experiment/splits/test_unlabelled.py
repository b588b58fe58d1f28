"""Few images with labels, many without: who sees which of them, and that nothing uses the labels that are hidden."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image

from jobs.evaluate import on_test
from jobs.pipeline import FITS, PIPELINE, PREPROCESS, SYNTHESIZE, TRAIN_GAN, TRAIN_MIXED
from jobs.train_gan import loop
from jobs.train_mixed import fits as fitting
from shared.data.images import NO_LABEL, Images, load_learned, load_split
from shared.format.files import sha256
from shared.format.manifest import MANIFEST
from shared.format.sample import decode
from shared.format.shards import join, write_shard
from shared.models import fitting as classify
from shared.models.fitting import load_classifier, probabilities_of
from shared.store.artifacts import Artifact, open_output
from shared.store.job import Job
from shared.store.pseudo_labels import load_pseudo_labels
from shared.store.samples import annotated_members
from tests.experiment.tiny import TEST, TRAIN, Fit, Spy, bars, call, enlarged, fits, same, set_replicates

LABELLED, UNLABELLED = 28, 38
"""Together the 66 train images."""

WORDS: dict[str, list[object]] = {
    "train_gan": ["--unconditional"],
    "synthesize": ["--share", 1, "--share-of", "unlabelled"],
    "train_mixed": ["--arms", "labels"],
}
JOBS = [row for row in PIPELINE if row is not PREPROCESS]


@dataclass(frozen=True)
class FewLabels:
    """The volume of a finished experiment, and what its jobs were given.

    `arms` and `annotator` are the inputs of classifiers, `batches` the real images and labels of each step of the GAN,
    `copies` the arguments of the copy test.
    """

    root: Path
    annotator: Fit
    arms: dict[str, Fit]
    batches: list[tuple[torch.Tensor, torch.Tensor]]
    copies: tuple[Any, ...]

    def made(self, row: Job[Any]) -> Artifact[Any]:
        """Return what a job made."""
        return open_output(row, self.root / "tiny")


def held(artist: Artist) -> Iterator[Any]:
    """Yield what an artist shows: a text, or the numbers of its lines, bars, pixels or points."""
    match artist:
        case Text():
            yield artist.get_text()
        case Line2D():
            yield artist.get_xydata()
        case Rectangle():
            yield artist.get_bbox().get_points()
        case AxesImage():
            yield artist.get_array()
        case Collection():
            yield artist.get_offsets()
            yield from (path.vertices for path in artist.get_paths())


def told(figure: Figure, buffer: Any, **options: Any) -> None:
    """Save a hash of what a figure shows in place of its picture, which takes most of the time of a tiny job."""
    digest = hashlib.sha256()
    for artist in figure.findobj():
        for part in held(artist):
            digest.update(part.encode() if isinstance(part, str) else np.asarray(part, dtype=np.float64).tobytes())
    if options["format"] == "svg":
        opening = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">'
        buffer.write(f"{opening}<title>{digest.hexdigest()}</title></svg>")
    else:
        Image.frombytes("L", (32, 1), digest.digest()).save(buffer, options["format"])


def finished(root: Path, recipe: Path) -> FewLabels:
    """Run every job that follows preprocess."""
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, 1)
        patch.setattr("shared.plots.figures._save", told)
        patch.setattr(classify, "fit", annotator := Spy(classify.fit))
        patch.setattr(fitting, "fit", arms := Spy(fitting.fit))
        patch.setattr(loop, "draw_batch", batches := Spy(loop.draw_batch))
        patch.setattr(on_test, "pixel_copies", copies := Spy(on_test.pixel_copies))
        for row in JOBS:
            result = call(row.name, root, "--recipe", recipe, *WORDS.get(row.name, []), drawn=True)
            assert result.exit_code == 0, result.output
    named = [row["arm"] for row in open_output(FITS, root / "tiny").facts["rows"]]  # type: ignore[index]
    return FewLabels(
        root,
        fits(annotator)[0],
        dict(zip(named, fits(arms), strict=True)),
        [arguments[2:4] for arguments, _ in batches.calls],
        copies.calls[0][0],
    )


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, recipe: Path) -> FewLabels:
    """Run an experiment of which 28 of 66 train images have labels."""
    root = tmp_path_factory.mktemp("few")
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, 1)
        patch.setattr("shared.sources.published.sets.digits", bars)
        words = ["--labelled-fraction", 0.4, "--shard-images", 13]
        result = call("preprocess", root, "--recipe", recipe, *words)
        assert result.exit_code == 0, result.output
    return finished(root, recipe)


def hidden(real: Artifact[Any]) -> torch.Tensor:
    """Return the true labels of the unlabelled images, which only a test may read."""
    return torch.tensor([decode(key, members, "").label for key, members in real.members("unlabelled")])


def test_labels_of_unlabelled_images_are_not_read(few: FewLabels) -> None:
    """Every job reads them by one function, which has no label to give."""
    real = few.made(PREPROCESS)
    assert (real.dataset.splits["train"].count, real.dataset.splits["unlabelled"].count) == (LABELLED, UNLABELLED)
    assert len(set(hidden(real).tolist())) == 3
    assert load_split(real, "unlabelled").labels.tolist() == [NO_LABEL] * UNLABELLED
    learned = load_learned(real)
    assert learned.labels.tolist() == load_split(real, "train").labels.tolist() + [NO_LABEL] * UNLABELLED


def test_the_gan_learns_from_all_images_and_from_no_label(few: FewLabels) -> None:
    """Each image as often as there are epochs, to within one, labelled or not; the labels given are none."""
    known = {image.numpy().tobytes(): place for place, image in enumerate(load_learned(few.made(PREPROCESS)).images)}
    shown = torch.zeros(TRAIN)
    for images, labels in few.batches:
        assert labels.tolist() == [NO_LABEL] * len(images)
        # as they were stored: [-1, 1] to 0..255
        for image in ((images + 1) * 127.5).round().to(torch.uint8):
            shown[known[image.numpy().tobytes()]] += 1
    assert ((shown >= 3) & (shown <= 4)).all()
    record = few.made(TRAIN_GAN).record
    assert (record.epoch_images, record.unlabelled_images, record.conditional) == (TRAIN, UNLABELLED, False)


def test_annotator_and_arms_learn_from_the_labelled_images(few: FewLabels) -> None:
    """The annotator and the arm of real images see these alone; weights are chosen on the labelled val images."""
    real = few.made(PREPROCESS)
    train, val = (load_split(real, split) for split in ("train", "val"))
    wanted, chosen_on = (Images(enlarged(each.images), each.labels) for each in (train, val))
    assert same(few.annotator.train, wanted)
    assert same(few.arms["real_100"].train, wanted)
    for fitted in [few.annotator, *few.arms.values()]:
        assert same(fitted.val, chosen_on)
        assert same(fitted.train.subset(range(LABELLED)), wanted)


def test_pseudo_labels_are_the_annotators(few: FewLabels) -> None:
    """The arm adds every unlabelled image with the class that the annotator gives it, right or wrong."""
    real, synthetic = few.made(PREPROCESS), few.made(SYNTHESIZE)
    images = load_split(real, "unlabelled").images
    annotator = load_classifier(open_output(PIPELINE[1], few.root / "tiny"), torch.device("cpu"))
    confidence, labels = probabilities_of(annotator, images).max(dim=1)
    assert not torch.equal(labels, hidden(real))
    stored = load_pseudo_labels(synthetic)
    assert torch.equal(stored[0], labels)
    assert torch.allclose(stored[1], confidence, atol=1e-5)
    assert synthetic.record.pseudo_counts == labels.bincount(minlength=3).tolist()
    added = few.arms["real_100_plus_pseudo_all"].train.subset(range(LABELLED, TRAIN))
    assert same(added, Images(enlarged(images), labels))


def test_the_partner_has_as_many_synthetic_images(few: FewLabels) -> None:
    """As many as there are unlabelled ones, all of them, with the labels of the same annotator."""
    written = load_split(few.made(SYNTHESIZE), "train")
    assert len(written) == UNLABELLED
    assert same(few.arms["real_100_plus_synthetic_all"].train.subset(range(LABELLED, TRAIN)), written)


def test_the_headline_is_like_for_like(few: FewLabels) -> None:
    """Synthetic images against pseudo-labels; against the labelled images alone neither is, and the words say so."""
    record = few.made(TRAIN_MIXED).record
    found = {(answer.a, answer.b): answer for answer in [record.headline, *record.questions]}
    pair = ("real_100_plus_synthetic_all", "real_100_plus_pseudo_all")
    assert (record.headline.a, record.headline.b) == pair
    assert {names for names, answer in found.items() if answer.like_for_like} == {pair}
    unlike = "the generator saw unlabelled real images that the baseline did not"
    assert unlike in found["real_100_plus_synthetic_all", "real_100"].sentence
    counts = {row.arm: (row.n_real, row.n_synthetic, row.n_pseudo) for row in record.arms}
    assert counts == {
        "real_100": (LABELLED, 0, None),
        "real_100_plus_synthetic_all": (LABELLED, UNLABELLED, None),
        "real_100_plus_pseudo_all": (LABELLED, 0, UNLABELLED),
    }
    assert (record.protocol.n_unlabelled, record.protocol.n_test, len(record.train_counts)) == (UNLABELLED, TEST, 3)


def test_copies_are_searched_among_unlabelled_images_too(few: FewLabels) -> None:
    """The generator learned from them: they are training images of the copy test, and of scores against train."""
    _, held_out, learned, *_ = few.copies
    assert torch.equal(learned.images, load_learned(few.made(PREPROCESS)).images)
    assert len(held_out) == TEST
    scores = open_output(PIPELINE[3], few.root / "tiny").record.on_test
    assert {tested.n_train for tested in scores.copies.values()} == {TRAIN}
    # members are half of all, of the labelled ones there are fewer
    assert scores.membership["pixels"].n_members > LABELLED // 2 + 3
    used = scores.train_reference.protocols["classifier"]
    assert (used.reference, used.n_real, scores.n_train_looked_at) == ("train and unlabelled", TRAIN, TRAIN)


def test_the_page_says_what_was_learned_from(few: FewLabels) -> None:
    """Numbers of labelled and unlabelled images, by arm and by score."""
    page = (few.root / "tiny" / "report" / "index.html").read_text(encoding="utf-8")
    for words in (
        f"<td>{LABELLED} + {UNLABELLED} unlabelled</td>",
        f"all {LABELLED}, and all {UNLABELLED} unlabelled ones, all without labels",
        f"all {LABELLED}, and all {UNLABELLED} unlabelled ones, with the annotator's labels",
        f"distance to {TRAIN} real train and unlabelled images",
        f"one epoch is {TRAIN} real images, {UNLABELLED} of them unlabelled; no label is used",
    ):
        assert words.replace("'", "&#39;") in page, words


def test_the_least_confidence_is_one_for_pseudo_labels_too(few: FewLabels, recipe: Path, tmp_path: Path) -> None:
    """Both arms have the images of at least that confidence, and the record says how many these are."""
    (tmp_path / "tiny").mkdir()
    for path in (few.root / "tiny").iterdir():
        if path.is_dir() and path.name not in ("fits", "mixed", "report"):
            (tmp_path / "tiny" / path.name).symlink_to(path)
    confidence = load_pseudo_labels(few.made(SYNTHESIZE))[1]
    drawn = torch.tensor([meta.annotation.confidence for _, _, meta in annotated_members(few.made(SYNTHESIZE))])
    # the highest that leaves images of both kinds
    least = round(min(confidence.max(), drawn.max()).item(), 6) - 1e-6
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, 1)
        result = call("train_mixed", tmp_path, "--recipe", recipe, "--arms", "labels", "--min-confidence", least)
    assert result.exit_code == 0, result.output
    record = open_output(TRAIN_MIXED, tmp_path / "tiny").record
    sure, usable = (int((values >= least).sum()) for values in (confidence, drawn))
    assert 0 < sure < UNLABELLED
    assert record.arm("real_100_plus_pseudo_all").n_pseudo == sure
    assert record.arm("real_100_plus_synthetic_all").n_synthetic == usable
    assert f"{sure} unlabelled ones" in record.headline.sentence


def relabelled(real: Artifact[Any], target: Path) -> None:
    """Write the same dataset into `target` with other labels for its unlabelled images."""
    shutil.copytree(real.folder, target)
    shards = []
    for path, info in real.shards("unlabelled"):
        samples = real.shard_members(path, info)
        others = ((key, members | {"cls": b"%d" % ((int(members["cls"]) + 1) % 3)}) for key, members in samples)
        shards.append(write_shard(target / info.name, others, 3))
    splits = real.dataset.splits | {"unlabelled": join(shards, 3)}
    dataset = real.dataset.model_copy(update={"splits": splits}).paged(target)
    (target / MANIFEST).write_bytes(real.manifest.model_copy(update={"dataset": dataset}).to_bytes())


def results(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of the artifacts that follow `real`, but for logs of time and speed."""
    for path in sorted((root / "tiny").rglob("*")):
        name = path.relative_to(root / "tiny").as_posix()
        logs = path.name in ("run.json", "metrics.jsonl") or "tfevents" in path.name
        if path.is_file() and not logs and not name.startswith(("real/", ".")):
            yield name, path.read_bytes()


def test_other_hidden_labels_change_no_byte(
    few: FewLabels, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With other true labels of the unlabelled images every later artifact is the same, to the last bit."""
    real = few.made(PREPROCESS)
    relabelled(real, tmp_path / "tiny" / "real")
    changed = (tmp_path / "tiny" / "real" / MANIFEST).read_bytes()

    def digest(payload: bytes) -> str:
        """Give the changed manifest the hash of the other one: hashes of inputs are part of every manifest."""
        return real.sha256 if payload == changed else sha256(payload)

    monkeypatch.setattr("shared.store.artifacts.sha256", digest)
    other = finished(tmp_path, recipe)
    assert not torch.equal(hidden(other.made(PREPROCESS)), hidden(real))
    before, after = dict(results(few.root)), dict(results(tmp_path))
    assert len(before) > 30
    assert before.keys() == after.keys()
    assert [name for name, content in before.items() if after[name] != content] == []
