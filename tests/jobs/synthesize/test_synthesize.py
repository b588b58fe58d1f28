"""synthesize: how many images, from which latents, with whose label, and the same bytes again."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result

from jobs.pipeline import SYNTHESIZE
from shared.format.files import sha256
from shared.format.sample import Sample, decode
from shared.models.fitting import load_classifier, probabilities_of
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from shared.store.artifacts import Artifact, open_artifact, open_output

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def samples(made: dict[str, Artifact]) -> list[Sample]:
    """Every synthetic sample, in reading order."""
    return [decode(key, members, "synthetic") for key, members in made["synthetic"].members("train")]


def again(volume: Path, root: Path) -> Path:
    """Return a data root with its own experiment `small` that shares the volume's inputs of synthesize."""
    (root / "small").mkdir()
    for name in ("real", "classifier", "gan", "scores"):
        (root / "small" / name).symlink_to(volume / "small" / name)
    return root


def test_there_are_as_many_as_real_train_images(made: dict[str, Artifact], samples: list[Sample]) -> None:
    """78 real train images (120 less 30 for test and 12 for val) give 78 synthetic ones."""
    assert made["real"].dataset.splits["train"].count == 78
    assert len(samples) == made["synthetic"].dataset.splits["train"].count == 78
    assert [shard.count for shard in made["synthetic"].dataset.splits["train"].shards] == [20, 20, 20, 18]


@pytest.mark.parametrize(("share", "count"), [(0.7, 54), (0.013, 1), (2.0, 156)])
def test_share_is_rounded_down(
    share: float, count: int, volume: Path, tmp_path: Path, run_job: Callable[..., Result]
) -> None:
    """Any share gives floor(share * 78) images, possibly more than there are real ones."""
    root = again(volume, tmp_path)
    assert run_job("synthesize", root, "--share", share).exit_code == 0
    made = open_artifact(root / "small" / "synthetic" / "r00", "dataset", "synthesize")
    assert made.dataset.splits["train"].count == count


def test_a_share_that_gives_no_image_is_refused(volume: Path, tmp_path: Path, run_job: Callable[..., Result]) -> None:
    """A share below one image ends with 2 and asks for a larger one."""
    result = run_job("synthesize", again(volume, tmp_path), "--share", 0.012)
    assert result.exit_code == 2
    assert "take a larger share" in result.stderr


def test_classes_are_asked_for_in_the_proportions_of_train(made: dict[str, Artifact], samples: list[Sample]) -> None:
    """As many images as there are real ones are asked for by class as those are: exactly the class counts of train."""
    asked = Counter(sample.meta["origin"]["asked_label"] for sample in samples)
    for label, count in enumerate(made["real"].dataset.splits["train"].class_counts):
        assert asked[label] == count


def test_an_image_can_be_drawn_again_alone(made: dict[str, Artifact], samples: list[Sample]) -> None:
    """The latent seed and the requested label give the same image alone, to within a grey level."""
    generator = load_snapshot(made["gan"], made["scores"].facts["chosen"]["file"], CPU)
    seeds = set()
    for sample in samples[::13]:
        origin = sample.meta["origin"]
        latents = latents_of([origin["latent_seed"]], made["gan"].facts["latent"])
        alone = draw_images(generator, latents, torch.tensor([origin["asked_label"]]))[0]
        assert np.abs(alone.permute(1, 2, 0).numpy().astype(int) - sample.image.astype(int)).max() <= 1
        seeds.add(origin["latent_seed"])
    assert len(seeds) == 6


def test_latent_seeds_differ(samples: list[Sample]) -> None:
    """No two images share a latent."""
    assert len({sample.meta["origin"]["latent_seed"] for sample in samples}) == len(samples)


def test_the_label_is_the_annotators(made: dict[str, Artifact], samples: list[Sample]) -> None:
    """A sample's label is the class that the annotator finds most likely, its confidence that probability."""
    network = load_classifier(made["classifier"], CPU)
    images = torch.from_numpy(np.stack([sample.image.transpose(2, 0, 1) for sample in samples]))
    probabilities = probabilities_of(network, images)
    assert probabilities.argmax(dim=1).tolist() == [sample.label for sample in samples]
    confidence = [sample.meta["annotation"]["confidence"] for sample in samples]
    assert probabilities.max(dim=1).values.tolist() == pytest.approx(confidence, abs=1e-5)


def test_json_records_the_origin_of_a_sample(made: dict[str, Artifact], samples: list[Sample]) -> None:
    """Each sample names its generator and annotator by hash, the snapshot, the seed and the requested class."""
    gan, chosen = made["gan"], made["scores"].facts["chosen"]["file"]
    meta: dict[str, Any] = samples[0].meta
    assert set(meta) == {"origin", "annotation"}
    assert set(meta["origin"]) == {"generator_sha256", "snapshot", "latent_seed", "asked_label"}
    assert set(meta["annotation"]) == {"classifier_sha256", "confidence"}
    assert meta["origin"]["snapshot"] == chosen
    assert meta["origin"]["generator_sha256"] == sha256((gan.folder / chosen).read_bytes())
    weights = (made["classifier"].folder / "classifier.safetensors").read_bytes()
    assert meta["annotation"]["classifier_sha256"] == sha256(weights)


def test_facts_count_what_was_written(made: dict[str, Artifact], samples: list[Sample]) -> None:
    """The facts for the report are the counts over the samples."""
    facts = made["synthetic"].facts
    given = Counter(sample.label for sample in samples)
    assert facts["annotated_counts"] == [given[label] for label in range(3)]
    assert facts["annotated_counts"] == made["synthetic"].dataset.splits["train"].class_counts
    agreed = sum(sample.label == sample.meta["origin"]["asked_label"] for sample in samples)
    assert facts["agreement"] == pytest.approx(agreed / 78)
    assert sum(facts["confidence_histogram"]) == 78


def test_equal_options_give_equal_bytes(
    volume: Path, made: dict[str, Artifact], tmp_path: Path, run_job: Callable[..., Result], plain_recipe: Path
) -> None:
    """The same inputs, options and seed give the same shards and manifest, byte by byte; another seed others."""
    root = again(volume, tmp_path)
    words = ["--shard-images", 20, "--recipe", plain_recipe]
    assert run_job("synthesize", root, *words).exit_code == 0
    folder, first = root / "small" / "synthetic" / "r00", made["synthetic"].folder
    names = sorted(path.name for path in first.glob("*.tar"))
    assert len(names) == 4
    for name in [*names, "manifest.json"]:
        assert (folder / name).read_bytes() == (first / name).read_bytes()
    assert run_job("synthesize", root, *words, "--seed", 4).exit_code == 0
    assert not [name for name in names if (folder / name).read_bytes() == (first / name).read_bytes()]


@pytest.fixture(scope="module")
def agreeing(
    volume: Path, tmp_path_factory: pytest.TempPathFactory, run_job: Callable[..., Result], plain_recipe: Path
) -> Artifact:
    """Return the images of the same GAN and seed where those that disagree are dropped."""
    root = again(volume, tmp_path_factory.mktemp("agreeing"))
    words = ["--shard-images", 20, "--recipe", plain_recipe, "--only-agreeing"]
    assert run_job("synthesize", root, *words).exit_code == 0
    return open_output(SYNTHESIZE, root / "small")


def test_an_image_that_disagrees_is_drawn_again(agreeing: Artifact, made: dict[str, Artifact]) -> None:
    """Another latent is in place of each that disagreed; an image that agreed at once is as it was."""
    before = [decode(key, members, "") for key, members in made["synthetic"].members("train")]
    after = [decode(key, members, "") for key, members in agreeing.members("train")]
    assert [sample.key for sample in before] == [sample.key for sample in after]
    agreed = [sample.label == sample.meta["origin"]["asked_label"] for sample in before]
    assert 0 < sum(agreed) < len(agreed)
    for was, now, kept in zip(before, after, agreed, strict=True):
        assert was.meta["origin"]["asked_label"] == now.meta["origin"]["asked_label"]
        assert (was.meta["origin"]["latent_seed"] == now.meta["origin"]["latent_seed"]) == kept
        assert np.array_equal(was.image, now.image) or not kept


def test_dropped_images_are_counted(agreeing: Artifact, made: dict[str, Artifact]) -> None:
    """The record has, by class asked for, all that were drawn again; without the option it has no such counts."""
    assert made["synthetic"].record.dropped_counts is None
    dropped, asked = agreeing.record.dropped_counts, made["synthetic"].record.asked_counts
    assert len(dropped) == len(asked) == 3
    disagreed = Counter(
        sample.meta["origin"]["asked_label"]
        for key, members in made["synthetic"].members("train")
        if (sample := decode(key, members, "")).label != sample.meta["origin"]["asked_label"]
    )
    # the first draw of each is the one without the option; others may have been dropped after it
    assert all(count >= disagreed[label] for label, count in enumerate(dropped))
    assert {label for label, count in enumerate(dropped) if count} == set(disagreed)


def test_latents_are_as_wide_as_asked_for(volume: Path, tmp_path: Path, run_job: Callable[..., Result]) -> None:
    """The record and each sample say the standard deviation of the latents, and an image is drawn again with it."""
    root = again(volume, tmp_path)
    assert run_job("synthesize", root, "--share", 0.1, "--latent-scale", 1.5).exit_code == 0
    wide = open_output(SYNTHESIZE, root / "small")
    assert wide.record.latent_scale == 1.5
    generator = load_snapshot(
        open_artifact(root / "small" / "gan" / "r00", "model", "train_gan"), wide.record.snapshot.file, CPU
    )
    for key, members in wide.members("train"):
        sample = decode(key, members, "")
        origin = sample.meta["origin"]
        assert origin["latent_scale"] == 1.5
        latents = 1.5 * latents_of([origin["latent_seed"]], generator.latent)
        alone = draw_images(generator, latents, torch.tensor([origin["asked_label"]]))[0]
        assert np.abs(alone.permute(1, 2, 0).numpy().astype(int) - sample.image.astype(int)).max() <= 1
