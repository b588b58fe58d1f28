"""train_gan: the inputs and losses of generator and discriminator, and the weights of a snapshot."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from click.testing import Result
from torch import Tensor

from jobs.train_gan import loop
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.state import State, specs
from jobs.train_gan.steps import Batch, Draws, critic_step, draw_batch, generator_step, train_step
from shared.data.augmentation import augment
from shared.data.images import load_split
from shared.format.manifest import Dataset
from shared.runtime.process_group import ProcessGroup
from shared.store.artifacts import Artifact, open_artifact
from shared.store.checkpoints import load
from tests.experiment.tiny import call

IMAGES, BATCH, EPOCHS = 24, 8, 3
ITERATIONS = EPOCHS * IMAGES // BATCH
RATE = 1e-3

INFO = Dataset(classes=["a", "b", "c"], size_px=16, channels=1, preparation={}, splits={})


@pytest.fixture
def train(
    tmp_path: Path, make_dataset: Callable[..., Artifact], recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[dict[str, Any]]]:
    """Return `train(*words)`: run train_gan and return the inputs and results of each iteration.

    Of each iteration the images of its batch, both learning rates, and the generator's numbers before and after.
    """

    def run(*words: object) -> list[dict[str, Any]]:
        make_dataset(tmp_path / "tiny" / "real", train=IMAGES, val=6, test=6)
        step, rows = loop.train_step, []

        def noted(models: Any, family: Any, config: Any, batch: Batch) -> Any:
            before = deepcopy(models.generator.state_dict())
            losses = step(models, family, config, batch)
            optimizers = (models.generator_optimizer, models.discriminator_optimizer)
            rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
            after = deepcopy(models.generator.state_dict())
            rows.append({"real": batch.real.clone(), "rates": rates, "before": before, "after": after})
            return losses

        monkeypatch.setattr(loop, "train_step", noted)
        options = ["--recipe", recipe, "--epochs", EPOCHS, "--batch-images", BATCH, "--learning-rate", RATE, *words]
        result: Result = call("train_gan", tmp_path, *options)
        assert result.exit_code == 0, result.output
        assert len(rows) == ITERATIONS
        return rows

    return run


def test_snapshots_hold_the_moving_average(train: Callable[..., list[dict[str, Any]]], tmp_path: Path) -> None:
    """An average over all steps with a half-life of 40 images, or of a tenth of the images seen where that is less."""
    rows = train("--ema-images", 40, "--ema-ramp", 0.1)
    gan = open_artifact(tmp_path / "tiny" / "gan" / "r00", "model", "train_gan")
    average = {name: value for name, value in rows[0]["before"].items() if value.is_floating_point()}
    for number, row in enumerate(rows, start=1):
        keep = 0.5 ** (BATCH / min(40, 0.1 * number * BATCH))
        average = {name: keep * value + (1 - keep) * row["after"][name] for name, value in average.items()}
        if number % (IMAGES // BATCH):
            continue
        file = gan.facts["snapshots"][number * BATCH // IMAGES - 1]["file"]
        held = load(gan.read(file), file)[0]
        for name, value in average.items():
            assert torch.allclose(held[name], value, atol=1e-5), (file, name)
    assert any(not torch.allclose(value, row["after"][name], atol=1e-4) for name, value in average.items())


@pytest.mark.parametrize("decay", ["none", "late"])
def test_the_learning_rate_falls_as_the_plan_says(decay: str, train: Callable[..., list[dict[str, Any]]]) -> None:
    """Late decay: the full rate for the first half of the run, then linearly to 0, in both networks."""
    rows = train("--decay", decay)
    late = [min(1, 2 * (1 - number / ITERATIONS)) for number in range(ITERATIONS)]
    wanted = [RATE * (factor if decay == "late" else 1) for factor in late]
    for network in (0, 1):
        assert [row["rates"][network] for row in rows] == pytest.approx(wanted)


@pytest.mark.parametrize("flips", [True, False])
def test_flips_mirror_half_of_the_real_images(
    flips: bool, train: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    """Every real image of a step is a train image or its mirror image; without --flips none is mirrored."""
    rows = train("--flips" if flips else "--no-flips")
    train_images = load_split(open_artifact(tmp_path / "tiny" / "real", "dataset", "preprocess"), "train").images
    known = {pixels.numpy().tobytes() for pixels in train_images}
    given = [pixels for row in rows for pixels in ((row["real"] + 1) * 127.5).round().to(torch.uint8)]
    plain = [pixels.numpy().tobytes() in known for pixels in given]
    mirrored = [pixels.flip(-1).contiguous().numpy().tobytes() in known for pixels in given]
    assert len(given) == EPOCHS * IMAGES
    assert all(one != other for one, other in zip(plain, mirrored, strict=True))
    assert 0.3 < sum(mirrored) / len(given) < 0.7 if flips else not any(mirrored)


def made(family: str, **changes: Any) -> tuple[State, GanOptions, Batch]:
    """Return fresh tiny networks of a family, their config, and a step on eight images."""
    options: dict[str, Any] = {"epochs": 1, "snapshot_every_epochs": 1, "batch_images": 8, "latent": 4, "width": 2}
    options |= {"learning_rate": 1e-2, "decay": "none", "ema_images": 100, "seed": 0}
    config = GanOptions(family=family, **(options | changes))
    row = resolve(config)
    images = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(9)) * 2 - 1
    batch = draw_batch(config, Draws(ProcessGroup("cpu"), 8, 1, 2), images, torch.arange(8) % 3)
    return State(ProcessGroup("cpu"), row, config, specs(row, config, INFO)), config, batch


def watched(state: State) -> tuple[list[Tensor], list[Tensor]]:
    """Return two lists that grow with each step: the generator's images, and the discriminator's inputs."""
    drawn: list[Tensor] = []
    seen: list[Tensor] = []
    state.models.generator.register_forward_hook(lambda _, inputs, output: drawn.append(output.detach().clone()))
    state.models.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    return drawn, seen


def test_real_and_fake_images_have_separate_batch_norm_passes() -> None:
    """With batch norm the discriminator sees the real images, then the fakes, never both together."""
    state, config, batch = made("dcgan")
    drawn, seen = watched(state)
    critic_step(state.models, state.family, config, batch)
    assert [len(images) for images in seen] == [8, 8]
    assert torch.equal(seen[0], batch.real)
    assert torch.equal(seen[1], drawn[0])


@pytest.mark.parametrize("family", ["dcgan", "wgan_gp", "r3gan"])
def test_the_discriminator_sees_only_augmented_images(family: str) -> None:
    """Real and fake images in both steps are augmented, and so are the interpolates of a penalty."""
    names = ("translation", "cutout")
    state, config, batch = made(family, augment=",".join(names))
    drawn, seen = watched(state)
    train_step(state.models, state.family, config, batch)
    (fake,) = drawn
    changed_real = augment(batch.real, names, batch.augment_params_real)
    changed_fake = augment(fake, names, batch.augment_params_fake)
    assert not torch.equal(changed_real, batch.real)
    assert not torch.equal(changed_fake, fake)
    together = torch.cat([changed_real, changed_fake])
    wanted = {
        "dcgan": [changed_real, changed_fake, changed_fake],
        "wgan_gp": [together, torch.lerp(changed_fake, changed_real, batch.epsilon[:, None, None, None]), changed_fake],
        "r3gan": [together, changed_real, changed_fake],
    }[family]
    assert len(seen) == len(wanted)
    for found, images in zip(seen, wanted, strict=True):
        assert torch.allclose(found, images, atol=1e-6)


def named(state: State, images: Tensor, labels: Tensor) -> Tensor:
    """Return the auxiliary head's loss on images: the cross-entropy of their classes."""
    discriminator = deepcopy(state.models.discriminator)
    return F.cross_entropy(discriminator(images, labels)[:, 1:], labels).detach()


def test_the_auxiliary_head_learns_the_classes() -> None:
    """ACGAN's discriminator step lowers the cross-entropy of the classes of real and fake images."""
    state, config, batch = made("acgan", auxiliary_weight=3.0)
    drawn, _ = watched(state)
    before = deepcopy(state)
    found = critic_step(state.models, state.family, config, batch)
    first = named(before, batch.real, batch.labels)
    wanted = 3 * (first + named(before, drawn[0], batch.labels))
    assert found["discriminator_class_loss"].item() == pytest.approx(wanted.item(), rel=1e-4)
    for _ in range(30):
        critic_step(state.models, state.family, config, batch)
    assert named(state, batch.real, batch.labels) < first / 2


def test_the_generator_learns_the_requested_class() -> None:
    """ACGAN's generator step lowers the same cross-entropy on its own images."""
    state, config, batch = made("acgan", auxiliary_weight=20.0)
    for _ in range(30):
        critic_step(state.models, state.family, config, batch)
    drawn, _ = watched(state)
    losses = []
    for _ in range(30):
        before = deepcopy(state)
        found = generator_step(state.models, state.family, config, batch)
        losses.append(named(before, drawn[-1], batch.labels).item())
        assert found["generator_class_loss"].item() == pytest.approx(20 * losses[-1], rel=1e-3, abs=1e-3)
    assert losses[-1] < losses[0] / 2
