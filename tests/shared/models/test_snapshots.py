from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
import torch

from shared.data.images import load_split, to_uint8
from shared.errors import FormatError
from shared.models.gans.build import build_generator
from shared.models.snapshots import (
    draw_images,
    grid_images,
    latents_of,
    load_snapshot,
    real_next_to_generated,
    snapshot_name,
    truncated,
)
from shared.runtime.seeding import make_generator
from shared.store.artifacts import Artifact
from shared.store.checkpoints import save
from shared.store.records.gan import GeneratorRecord
from shared.store.staging import BuildKey, stage

CPU = torch.device("cpu")
SPEC = {"name": "class_dcgan", "size_px": 16, "channels": 1, "classes": 3, "latent": 8, "width": 4}


@pytest.fixture
def network() -> Any:
    """Return a generator that was never trained, with spread-out class scales, ready to sample."""
    torch.manual_seed(0)
    made = build_generator(SPEC)
    for norm in made.norms:
        torch.nn.init.normal_(norm.scale_and_shift.weight)
    return made.eval()


@pytest.fixture
def gan(tmp_path: Path, network: Any) -> Artifact:
    """Return an artifact with that generator as its snapshot of epoch 2."""
    with stage(tmp_path / "gan", BuildKey("train_gan", "model", {}), resumable=False) as work:
        (work.folder / "snapshots").mkdir()
        save(work.folder / snapshot_name(2), network.state_dict(), {"spec": SPEC, "epoch": 2})
        made = work.commit(record=GeneratorRecord(latent=8, conditional=True))
    return replace(made, record_name="gan.GeneratorRecord")


def test_snapshots_are_named_so_that_names_sort_like_epochs() -> None:
    """Epochs have five digits: epoch 9 comes before epoch 10."""
    assert snapshot_name(9) == "snapshots/epoch-00009.safetensors"
    assert snapshot_name(9) < snapshot_name(10) < snapshot_name(12_345)


def test_a_loaded_snapshot_draws_what_it_drew(gan: Artifact, network: Any) -> None:
    """The network is rebuilt from the facts in the file and draws the same pixels."""
    latents, labels = latents_of([1, 2, 3], 8), torch.tensor([0, 1, 2])
    loaded = load_snapshot(gan, snapshot_name(2), CPU)
    assert not loaded.training
    assert torch.equal(draw_images(loaded, latents, labels), draw_images(network, latents, labels))


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        {"name": "dcgan", "size_px": 32, "channels": 3, "classes": 3, "latent": 8, "width": 8, "init": "dcgan"},
        {"name": "rps_learnopencv", "size_px": 64, "channels": 3, "classes": 3, "latent": 8, "width": 8},
    ],
    ids=lambda spec: spec["name"],
)
def test_the_layout_in_memory_does_not_change_what_is_drawn(tmp_path: Path, spec: dict[str, Any]) -> None:
    """With channels side by side and in small batches the images are those of the plain network, to one level."""
    torch.manual_seed(0)
    plain = build_generator(spec).eval()
    with stage(tmp_path / "gan", BuildKey("train_gan", "model", {}), resumable=False) as work:
        (work.folder / "snapshots").mkdir()
        save(work.folder / snapshot_name(1), plain.state_dict(), {"spec": spec, "epoch": 1})
        gan = work.commit(record=GeneratorRecord(latent=8, conditional=True))
    loaded = load_snapshot(gan, snapshot_name(1), CPU)
    latents, labels = latents_of(list(range(150)), 8), torch.arange(150) % 3
    with torch.no_grad():
        expected = to_uint8(plain(latents, labels)).int()
    found = draw_images(loaded, latents, labels)
    assert found.is_contiguous()
    assert (found.int() - expected).abs().max() <= 1
    assert (found != expected).float().mean() < 1e-3


def test_a_snapshot_that_is_not_listed_is_refused(gan: Artifact) -> None:
    """Only epochs that were kept can be loaded."""
    with pytest.raises(FormatError, match="lists no file 'snapshots/epoch-00003"):
        load_snapshot(gan, snapshot_name(3), CPU)


def test_an_altered_snapshot_is_refused(gan: Artifact) -> None:
    """A flipped bit in the weights is noticed before they are used."""
    path = gan.folder / snapshot_name(2)
    payload = bytearray(path.read_bytes())
    payload[-1] ^= 1
    path.write_bytes(payload)
    with pytest.raises(FormatError, match=r"epoch-00002\.safetensors: altered"):
        load_snapshot(gan, snapshot_name(2), CPU)


def test_each_latent_belongs_to_its_seed() -> None:
    """A latent depends on its own seed only, so any image can be drawn alone; other seeds give others."""
    latents = latents_of([5, 6, 7], 8)
    assert torch.equal(latents_of([7], 8)[0], latents[2])
    assert torch.equal(latents[1], torch.randn(8, generator=make_generator(6)))
    assert not torch.equal(latents[0], latents[1])


def test_latents_are_standard_normal() -> None:
    """Over 2,000 seeds x 8 numbers mean and variance are 0 and 1 within 5 standard errors."""
    latents = latents_of(list(range(2000)), 8)
    assert abs(latents.mean().item()) < 5 / 16_000**0.5
    assert abs(latents.var().item() - 1) < 5 * (2 / 16_000) ** 0.5


@pytest.mark.parametrize("limit", [0.1, 0.7, 2.0])
def test_truncated_latents_are_truncated_normal(limit: float) -> None:
    """Over 20,000 numbers they pass Kolmogorov and Smirnov's test against scipy's truncated normal distribution."""
    latents = latents_of(list(range(2500)), 8, truncation=limit).flatten().numpy()
    assert abs(latents).max() <= limit
    assert scipy.stats.kstest(latents, scipy.stats.truncnorm(-limit, limit).cdf).pvalue > 0.001
    assert scipy.stats.kstest(latents, scipy.stats.norm.cdf).pvalue < 1e-6


def test_truncation_moves_a_latent_and_draws_no_other() -> None:
    """A limit beyond all draws changes nothing; a lower one keeps signs and order, so that a seed keeps its image."""
    plain = latents_of([1, 2, 3], 8)
    assert torch.allclose(truncated(plain, 9.0), plain, atol=1e-6)
    cut = latents_of([1, 2, 3], 8, truncation=0.5)
    assert torch.equal(cut.flatten().argsort(), plain.flatten().argsort())
    assert torch.equal(cut.sign(), plain.sign())


def test_images_are_drawn_as_they_are_stored(network: Any) -> None:
    """Images are uint8 (N, channels, size, size): the generator's output, moved from [-1, 1] to 0..255, rounded."""
    latents, labels = latents_of([1, 2], 8), torch.tensor([2, 0])
    images = draw_images(network, latents, labels)
    assert (images.dtype, images.shape) == (torch.uint8, (2, 1, 16, 16))
    expected = (network(latents, labels).detach().double() + 1) * 127.5
    assert (images.double() - expected).abs().max() <= 0.5 + 1e-4


def test_an_image_does_not_depend_on_its_batch(network: Any) -> None:
    """Image 299 of 300 (two batches) has the pixels that it has alone, to one level of rounding."""
    seeds, labels = list(range(300)), torch.arange(300) % 3
    images = draw_images(network, latents_of(seeds, 8), labels)
    alone = draw_images(network, latents_of([299], 8), labels[299:])
    assert (images[299].int() - alone[0].int()).abs().max() <= 1


def test_a_grid_has_its_classes_in_rows_and_never_changes(network: Any) -> None:
    """A grid is `per_class` images of class 0, then of class 1, ..., from latents that are always the same."""
    grid = grid_images(network, range(3), latent=8, per_class=2)
    torch.rand(3)
    assert torch.equal(grid_images(network, range(3), latent=8, per_class=2), grid)
    seeds = list(range(20_240_229, 20_240_235))
    assert torch.equal(grid, draw_images(network, latents_of(seeds, 8), torch.tensor([0, 0, 1, 1, 2, 2])))


def test_real_images_stand_beside_generated_ones(
    gan: Artifact, network: Any, make_dataset: Callable[..., Artifact]
) -> None:
    """A row per class: two real test images, a blank, two generated; a class with one image gets two blanks."""
    real = make_dataset(train=1, test=5)
    rows = real_next_to_generated(real, gan, snapshot_name(2), range(3), per_class=2).unflatten(0, (3, 5))
    held_out = load_split(real, "test").images
    blank = torch.full((1, 16, 16), 255, dtype=torch.uint8)
    assert torch.equal(rows[0, :3], torch.stack([held_out[0], held_out[3], blank]))
    assert torch.equal(rows[2, :3], torch.stack([held_out[2], blank, blank]))
    assert torch.equal(rows[:, 3:].flatten(0, 1), grid_images(network, range(3), 8, per_class=2))
