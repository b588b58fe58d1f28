"""Drawing from an experiment: the generator's own images, real images to compare with, shards that can be redrawn."""

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image

from jobs.commands.drawing import Drawing, Experiment, SampleRequest, file_name
from shared.data.images import load_split
from shared.errors import BadConfig
from shared.format.files import sha256
from shared.format.manifest import ShardInfo
from shared.format.shards import read_shard
from shared.metrics.pixels import qualities
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from shared.runtime.seeding import Stream, derive_seed
from tests.jobs.conftest import SMALL

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def opened(volume: Path) -> Experiment:
    """Open the experiment `small`."""
    return Experiment(volume / "small")


@pytest.fixture(scope="module")
def make_family(
    volume: Path, tmp_path_factory: pytest.TempPathFactory, plain_recipe: Path, run_job: Callable[..., Result]
) -> Callable[..., Experiment]:
    """Return `make(*options)`: the experiment `small` with another GAN."""

    def make(*options: str) -> Experiment:
        root = tmp_path_factory.mktemp("family")
        for name in ("real", "classifier"):
            shutil.copytree(volume / "small" / name, root / "small" / name)
        trained = ["--epochs", "1", "--width", "4", "--latent", "8", "--batch-images", "16", *options]
        for job, words in (("train_gan", trained), ("evaluate", SMALL["evaluate"])):
            result = run_job(job, root, "--recipe", plain_recipe, *words)
            assert result.exit_code == 0, result.output
        return Experiment(root / "small")

    return make


def ask(opened: Experiment, label: int | None = 1, count: int = 5, **latents: Any) -> Drawing:
    """Return a drawing from the chosen snapshot."""
    wish = SampleRequest(label=label, count=count, seed=7, snapshot=opened.snapshot(None), **latents)
    return opened.draw(wish)


@pytest.mark.parametrize(("truncation", "scale"), [(None, 1.0), (0.5, 1.0), (0.5, 1.4)])
def test_drawn_images_are_the_snapshots(opened: Experiment, truncation: float | None, scale: float) -> None:
    """The images are the snapshot's, of the requested class, from the seed's latents, truncated, spread on request."""
    latents = scale * latents_of(
        [derive_seed(7, Stream.SAMPLE_LATENTS, index) for index in range(5)], opened.gan.facts["latent"], truncation
    )
    network = load_snapshot(opened.gan, opened.scores.facts["chosen"]["file"], CPU)
    expected = draw_images(network, latents, torch.full((5,), 1))
    assert torch.equal(ask(opened, truncation=truncation, latent_scale=scale).drawn.images, expected)


def test_the_grid_holds_the_images(opened: Experiment) -> None:
    """Five images fill rows of two with white gaps, enlarged five times, the last cell white."""
    drawing = ask(opened)
    with Image.open(io.BytesIO(drawing.sheet())) as picture:
        assert picture.size == (33 * 5, 50 * 5)
        small = np.asarray(picture)[::5, ::5]
    assert np.array_equal(small[:16, 17:], drawn_pixels(drawing)[1])
    assert (small[34:, 17:] == 255).all()


def drawn_pixels(drawing: Drawing) -> np.ndarray:
    """Return what was drawn as (N, size, size, channels)."""
    return drawing.drawn.images.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("truncation", [None, 0.5])
def test_a_shard_records_how_to_draw_it_again(opened: Experiment, truncation: float | None, tmp_path: Path) -> None:
    """Each sample holds its image, the annotator's label, and what is needed to draw that image alone again."""
    drawing = ask(opened, truncation=truncation)
    path = drawing.write_shard(tmp_path, "mine", opened.classes)
    assert path == tmp_path / "mine-00000.tar"
    given = drawing.drawn.given.tolist()
    counts = [given.count(label) for label in range(3)]
    payload = path.read_bytes()
    info = ShardInfo(name=path.name, bytes=len(payload), sha256=sha256(payload), count=5, class_counts=counts)
    samples = list(read_shard(path, info))
    assert [sample.label for sample in samples] == given
    assert np.array_equal([sample.image for sample in samples], drawn_pixels(drawing))
    origin = samples[3].meta["origin"]
    assert origin["asked_label"] == 1
    assert origin.get("truncation") == truncation
    assert origin["generator_sha256"] == sha256((opened.gan.folder / origin["snapshot"]).read_bytes())
    latent = latents_of([origin["latent_seed"]], opened.gan.facts["latent"], origin.get("truncation"))
    alone = draw_images(load_snapshot(opened.gan, origin["snapshot"], CPU), latent, torch.tensor([1]))
    assert np.abs(alone[0].permute(1, 2, 0).numpy().astype(int) - samples[3].image).max() <= 1


def test_qualities_are_ratios_to_the_real_class(opened: Experiment) -> None:
    """The ratios are relative to the real test images of the requested class."""
    figures = ask(opened).figures
    test = load_split(opened.real, "test")
    own = qualities(test.images[test.labels == 1])
    assert figures.real_qualities == pytest.approx(own)
    assert figures.ratios["sharpness"] == pytest.approx(figures.qualities["sharpness"] / own["sharpness"])


def test_per_class_draws_from_the_requested_classs_generator(make_family: Callable[..., Experiment]) -> None:
    """With the family per_class the image of a class comes from that class's own network."""
    opened = make_family("--family", "per_class")
    network = load_snapshot(opened.gan, opened.snapshot(None), CPU)
    latents = latents_of([derive_seed(7, Stream.SAMPLE_LATENTS, index) for index in range(5)], 8)
    expected = draw_images(network.members[2], latents, torch.zeros(5, dtype=torch.int64))
    assert torch.equal(ask(opened, label=opened.label("2")).drawn.images, expected)


def test_a_generator_without_classes(make_family: Callable[..., Experiment], tmp_path: Path) -> None:
    """It takes no class, is compared with all real test images, and its samples record no requested class."""
    opened = make_family("--family", "dcgan", "--unconditional")
    assert opened.label(None) is None
    with pytest.raises(BadConfig, match=r"(?s)trained without classes and cannot be asked.*leave --class out"):
        opened.label("0")
    drawing = ask(opened, label=None)
    assert drawing.figures.class_name is None
    assert drawing.figures.real_qualities == pytest.approx(qualities(load_split(opened.real, "test").images))
    assert [set(sample.meta["origin"]) for sample in drawing.source.samples(drawing.drawn, drawing.drawn.images)] == [
        {"generator_sha256", "snapshot", "latent_seed"}
    ] * 5


def test_a_class_has_a_name_before_a_number(opened: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where class names are numbers, a number is read as a name first; an unknown class is refused."""
    monkeypatch.setattr(opened, "classes", ["7", "5", "1"])
    assert [opened.label(wanted) for wanted in ("7", "1", "2", "0")] == [0, 2, 2, 0]
    with pytest.raises(BadConfig, match="'9': no such class; there are 7, 5, 1"):
        opened.label("9")
    with pytest.raises(BadConfig, match="--class is missing; there are 7, 5, 1"):
        opened.label(None)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("Cat", "; did you mean cat?"), ("cta", "; did you mean cat?"), ("dogs", "; did you mean dog?"), ("unicorn", "")],
)
def test_a_name_that_is_nearly_a_class(wanted: str, said: str, opened: Experiment, monkeypatch: Any) -> None:
    """The nearest one is named, in either case, then all."""
    monkeypatch.setattr(opened, "classes", ["cat", "dog", "ship"])
    with pytest.raises(BadConfig) as caught:
        opened.label(wanted)
    assert str(caught.value) == f"--class {wanted!r}: no such class{said}; there are cat, dog, ship"


def test_names_of_files_differ_and_are_short(opened: Experiment) -> None:
    """Up to eight classes are in the name; more of them are a hash, so that any number fits."""
    request = SampleRequest(label=3, count=5, seed=7, snapshot=opened.snapshot(None))
    several = [replace(request, label=label) for label in range(200)]
    assert file_name(several[2:4]) == f"classes-2+3-{request.name.partition('-')[2].partition('-')[2]}"
    names = {file_name(several[:count]) for count in range(1, 201)}
    assert len(names) == 200
    assert max(map(len, names)) < 100
