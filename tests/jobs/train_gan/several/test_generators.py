"""Several generators in one GAN: each is trained alone, each draws an equal part, together they are one generator."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result

from jobs.pipeline import TRAIN_GAN
from jobs.train_gan.options import GanOptions
from shared.errors import BadConfig
from shared.models.gans.build import build_generator
from shared.models.gans.members import MixtureGenerator
from shared.models.snapshots import latents_of, load_snapshot, truncated
from shared.store.artifacts import Artifact, open_output

CPU = torch.device("cpu")
TINY = ["--epochs", 2, "--batch-images", 4, "--width", 2, "--latent", 4, "--family", "dcgan", "--networks", "class"]
MEMBER = {"name": "class_dcgan", "size_px": 16, "channels": 1, "classes": 3, "latent": 4, "width": 2}

RunJob = Callable[..., Result]


def gan(root: Path) -> Artifact:
    """Open what train_gan made."""
    return open_output(TRAIN_GAN, root / "small")


@pytest.fixture
def two(tmp_path: Path, make_dataset: Callable[..., Artifact], run_job: RunJob, plain_recipe: Path) -> Artifact:
    """Return a GAN of two tiny generators, trained in two parts, the second one first."""
    root = tmp_path / "two"
    make_dataset(root / "small" / "real", train=18, val=6, test=6)
    words = ["--recipe", plain_recipe, *TINY, "--generators", 2, "--parts", 2, "--replicates", 1]
    for index in (1, 0):
        result = run_job("train_gan", root, *words, "--index", index)
        assert result.exit_code == 0, result.output
    return gan(root)


def test_parts_train_what_one_process_trains(
    two: Artifact, run_job: RunJob, plain_recipe: Path, tmp_path: Path
) -> None:
    """Two processes with a generator each make the bytes of one that trains both in turn."""
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "real").symlink_to(two.folder.parents[1] / "real")
    assert run_job("train_gan", tmp_path, "--recipe", plain_recipe, *TINY, "--generators", 2).exit_code == 0
    alone = gan(tmp_path)
    for number in (0, 1):
        for epoch in (1, 2):
            name = f"members/{number:03d}/snapshots/epoch-{epoch:05d}.safetensors"
            assert alone.read(name) == two.read(name)
    assert alone.read("snapshots/epoch-00002.safetensors") == two.read("snapshots/epoch-00002.safetensors")


def test_two_generators_are_one(two: Artifact) -> None:
    """Each begins with its own weights and sees every epoch; the largest of the last numbers of a latent picks one."""
    first, second = (two.read(f"members/{number:03d}/snapshots/epoch-00001.safetensors") for number in (0, 1))
    assert first != second
    record = two.record
    assert (record.conditional, record.latent) == (True, 4 + 2)
    assert record.class_histories is None
    assert record.history[-1].images_seen == 2 * 36  # two epochs of 18 images each
    assert record.generator == {"name": "mixture", "generators": 2, "member": record.generator["member"]}

    name = "snapshots/epoch-00002.safetensors"
    together, latents, labels = load_snapshot(two, name, CPU), torch.randn(8, 6), torch.arange(8) % 3
    latents[:, 4], latents[:, 5] = torch.tensor([0.0, 1.0] * 4), torch.tensor([0.5] * 8)
    images = together(latents, labels)
    for number, places in ((1, [0, 2, 4, 6]), (0, [1, 3, 5, 7])):
        alone = load_snapshot(two, f"members/{number:03d}/{name}", CPU)
        assert torch.equal(images[places], alone(latents[places, :4], labels[places]))


@pytest.mark.parametrize("truncation", [None, 0.5])
def test_every_member_draws_an_equal_part(truncation: float | None) -> None:
    """Of 3,000 latents each of three members draws 1,000, to four standard deviations; truncation moves none."""
    mixture = build_generator({"name": "mixture", "generators": 3, "member": MEMBER})
    assert isinstance(mixture, MixtureGenerator)
    latents, labels = latents_of(list(range(3000)), mixture.latent), torch.zeros(3000, dtype=torch.int64)
    chosen = mixture.chosen(latents if truncation is None else truncated(latents, truncation), labels)
    assert torch.equal(chosen, mixture.chosen(latents, labels))
    assert all(abs(int(count) - 1000) < 4 * 26 for count in chosen.bincount(minlength=3))


def test_a_member_for_each_class_is_no_mixture() -> None:
    """per_class has its generators already; more of them are refused."""
    with pytest.raises(BadConfig, match="--generators 2: per_class trains one on each class"):
        GanOptions(family="per_class", generators=2)
