"""The steps of GAN training, and the generator's moving average."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor

from jobs.train_gan.families import FAMILIES
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.state import State, specs
from jobs.train_gan.steps import Batch, Draws, critic_step, draw_batch, generator_step, train_step
from shared.format.manifest import Dataset
from shared.runtime.process_group import ProcessGroup

INFO = Dataset(classes=["a", "b", "c"], size_px=16, channels=1, preparation={}, splits={})

every_family = pytest.mark.parametrize("family", sorted(FAMILIES))


def make_config(family: str, **changes: Any) -> GanOptions:
    """Return a tiny config of this family, its learning rate high enough that one step shows."""
    options: dict[str, Any] = {"epochs": 1, "snapshot_every_epochs": 1, "batch_images": 8, "latent": 4, "width": 2}
    options |= {"learning_rate": 1e-2, "decay": "none", "ema_images": 100, "seed": 0}
    return GanOptions(family=family, **(options | changes))


def make_state(config: GanOptions) -> State:
    """Return a fresh state for images of 16 px, grey, in three classes."""
    family = resolve(config)
    return State(ProcessGroup("cpu"), family, config, specs(family, config, INFO))


def batch(config: GanOptions) -> Batch:
    """Return a step on eight images in [-1, 1] and their labels."""
    chance = torch.Generator().manual_seed(9)
    images = torch.rand(8, 1, 16, 16, generator=chance) * 2 - 1
    return draw_batch(config, Draws(ProcessGroup("cpu"), 8, 1, 2), images, torch.arange(8) % 3)


def parameters(network: Any) -> dict[str, Tensor]:
    """Return copies of the trainable numbers of a network."""
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def differing(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """Return the names of the parameters that changed."""
    return {name for name in before if not torch.equal(before[name], after[name])}


@every_family
def test_a_critic_step_moves_the_discriminator_only(family: str) -> None:
    """After a critic step every layer of the discriminator has moved and no parameter of the generator has."""
    config = make_config(family)
    state = make_state(config)
    generator, discriminator = parameters(state.models.generator), parameters(state.models.discriminator)
    critic_step(state.models, state.family, config, batch(config))
    assert differing(generator, parameters(state.models.generator)) == set()
    moved = differing(discriminator, parameters(state.models.discriminator))
    assert {name for name in discriminator if "weight" in name} <= moved


@every_family
def test_a_generator_step_moves_the_generator_only(family: str) -> None:
    """After a generator step the generator has moved; the discriminator has not, and gathered no gradients."""
    config = make_config(family)
    state = make_state(config)
    generator, discriminator = parameters(state.models.generator), parameters(state.models.discriminator)
    generator_step(state.models, state.family, config, batch(config))
    assert differing(discriminator, parameters(state.models.discriminator)) == set()
    assert [value for value in state.models.discriminator.parameters() if value.grad is not None] == []
    moved = differing(generator, parameters(state.models.generator))
    assert {name for name in generator if "weight" in name} <= moved


@every_family
def test_every_family_reports_its_losses(family: str) -> None:
    """A step returns each of its losses by name, finite: a penalty or class losses only where the row has them."""
    config = make_config(family)
    state = make_state(config)
    row = FAMILIES[family]
    critic = critic_step(state.models, state.family, config, batch(config))
    drawn = generator_step(state.models, state.family, config, batch(config))
    classes = row.auxiliary_weight is not None
    expected = {"discriminator_loss"} | ({"penalty"} if row.penalty else set())
    assert set(critic) == expected | ({"discriminator_class_loss"} if classes else set())
    assert set(drawn) == {"generator_loss"} | ({"generator_class_loss"} if classes else set())
    assert all(torch.isfinite(value) and not value.requires_grad for value in (*critic.values(), *drawn.values()))


def test_a_critic_step_reports_its_loss_and_penalty() -> None:
    """The numbers of a WGAN-GP step are those of Gulrajani et al. 2017, eq. 3, taken image by image."""
    config = make_config("wgan_gp")
    state, part = make_state(config), batch(config)
    critic, generator = state.models.discriminator, deepcopy(state.models.generator)
    with torch.no_grad():
        fakes = generator(part.latents, part.labels)
        loss = critic(fakes, part.labels).mean() - critic(part.real, part.labels).mean()
    squares = []
    for real, fake, share, label in zip(part.real, fakes, part.epsilon, part.labels, strict=True):
        point = (share * real + (1 - share) * fake)[None].requires_grad_()
        (slope,) = torch.autograd.grad(critic(point, label[None]), point)
        squares.append((slope.norm().item() - 1) ** 2)
    found = critic_step(state.models, state.family, config, part)
    assert found["discriminator_loss"].item() == pytest.approx(loss.item(), rel=1e-4, abs=1e-6)
    assert found["penalty"].item() == pytest.approx(10 * sum(squares) / 8, rel=1e-4)


@every_family
def test_both_steps_share_a_pass_of_the_generator(family: str) -> None:
    """A critic step and a generator step that share one pass of the generator give the same losses and weights."""
    config = make_config(family)
    apart, shared, part = make_state(config), make_state(config), batch(config)
    calls: list[int] = []
    shared.models.generator.register_forward_hook(lambda *_: calls.append(1))
    found = []
    for state, steps in ((apart, (critic_step, generator_step)), (shared, (train_step,))):
        torch.manual_seed(3)  # for Dropout
        losses = [step(state.models, state.family, config, part) for step in steps]
        networks = {"generator": state.models.generator, "discriminator": state.models.discriminator}
        found.append(({k: v for each in losses for k, v in each.items()}, networks))
    assert calls == [1]
    assert found[0][0] == found[1][0]
    for name, network in found[0][1].items():
        assert differing(parameters(network), parameters(found[1][1][name])) == set()


def test_micro_batches_make_their_own_fakes() -> None:
    """With accumulation no graph of all fakes is kept: each micro-batch passes the generator twice."""
    config = make_config("wgan_gp", accumulate=4)
    state = make_state(config)
    calls: list[int] = []
    state.models.generator.register_forward_hook(lambda _, given, __: calls.append(len(given[0])))
    train_step(state.models, state.family, config, batch(config))
    assert calls == [2] * 8


def test_clipping_keeps_every_weight_of_the_critic_small() -> None:
    """Arjovsky et al. 2017, algorithm 1: after a critic step of wgan no weight is larger than the clip."""
    config = make_config("wgan", clip=0.02)
    state = make_state(config)
    assert max(value.abs().max().item() for value in state.models.discriminator.parameters()) > 0.02
    critic_step(state.models, state.family, config, batch(config))
    assert max(value.abs().max().item() for value in state.models.discriminator.parameters()) <= 0.02


@pytest.mark.parametrize("family", ["wgan_gp", "r3gan"])
def test_micro_batches_add_up_to_the_batchs_gradients(family: str) -> None:
    """Four micro-batches give the gradients, and report the losses, of the undivided batch.

    The generator is in evaluation mode, since batch norm sees only a micro-batch.
    """
    found = []
    for parts in (1, 4):
        config = make_config(family, accumulate=parts)
        state = make_state(config)
        state.models.generator.eval()
        losses = [step(state.models, state.family, config, batch(config)) for step in (critic_step, generator_step)]
        networks = (state.models.discriminator, state.models.generator)
        gradients = [value.grad for network in networks for value in network.parameters() if value.grad is not None]
        found.append((gradients, [value for part in losses for value in part.values()]))
    for whole, joined in zip(found[0][0][:4], found[1][0][:4], strict=True):
        assert torch.allclose(whole, joined, atol=1e-5, rtol=1e-4)
    assert torch.allclose(found[0][1][0], found[1][1][0], rtol=1e-4)


@every_family
def test_bfloat16_leaves_the_weights_float32(family: str) -> None:
    """With bf16 autocast every loss stays near its float32 value, and weights and their gradients are float32."""
    values = {}
    for precision in ("float32", "bf16"):
        config = make_config(family, precision=precision)
        state = make_state(config)
        values[precision] = critic_step(state.models, state.family, config, batch(config))
        values[precision] |= generator_step(state.models, state.family, config, batch(config))
        dtypes = {value.dtype for value in state.models.generator.parameters()}
        dtypes |= {value.grad.dtype for value in state.models.generator.parameters() if value.grad is not None}
        assert dtypes == {torch.float32}
    for name, value in values["float32"].items():
        assert values["bf16"][name].item() == pytest.approx(value.item(), rel=0.1, abs=0.1), name


@every_family
@pytest.mark.parametrize("precision", ["bf16", "float32"])
def test_bfloat16_on_a_cpu_goes_without_onednn(family: str, precision: str) -> None:
    """With oneDNN bf16 is wrong on CPUs with AMX: off in every bf16 forward and backward; float32 runs keep it."""
    config = make_config(family, precision=precision)
    state = make_state(config)
    forwards, backwards = set(), set()
    for network in (state.models.generator, state.models.discriminator):
        for module in network.modules():
            module.register_forward_pre_hook(
                lambda *_: forwards.add((torch.is_autocast_enabled("cpu"), bool(torch.backends.mkldnn.enabled)))
            )
        for weight in network.parameters():
            weight.register_post_accumulate_grad_hook(lambda _: backwards.add(bool(torch.backends.mkldnn.enabled)))
    for step in (train_step, critic_step, generator_step):
        step(state.models, state.family, config, batch(config))
    bf16 = precision == "bf16"
    used = {onednn for cast, onednn in forwards if cast == bf16}  # a penalty's pass of a bf16 run is float32
    assert used == backwards == {not bf16}


@every_family
def test_bfloat16_runs_are_finite_and_repeatable(family: str) -> None:
    """Two bf16 runs end with equal, finite weights, although fresh memory is filled with NaN."""
    found = []
    for _ in range(2):
        config = make_config(family, precision="bf16")
        state = make_state(config)
        for _ in range(4):
            for numbers in range(4, 18):
                torch.full((8, 2**numbers), torch.nan)  # freed at once: the next tensor of this size lies there
            train_step(state.models, state.family, config, batch(config))
        networks = (state.models.generator, state.models.discriminator)
        found.append([value for network in networks for value in network.state_dict().values()])
    assert all(value.isfinite().all() for value in found[0])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


@pytest.mark.long
# of torch's own, while it compiles
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.filterwarnings("ignore:The distutils package is deprecated:DeprecationWarning")
@pytest.mark.parametrize("family", ["dcgan", "wgan_gp"])
def test_compiled_networks_take_the_same_steps(family: str) -> None:
    """With --compile the losses of both steps and the names of all weights are those of the plain networks."""
    found = []
    for compiled in (False, True):
        config = make_config(family, compile=compiled)
        state = make_state(config)
        losses = train_step(state.models, state.family, config, batch(config))
        found.append((losses, list(state.models.generator.state_dict())))
    assert found[1][1] == found[0][1]
    for name, value in found[0][0].items():
        assert found[1][0][name].item() == pytest.approx(value.item(), rel=1e-4), name


def test_the_penalty_of_a_bfloat16_run_is_taken_in_float32() -> None:
    """The gradient penalty of wgan_gp is the same in any precision, to rounding of the fakes."""
    found = {}
    for precision in ("float32", "bf16"):
        config = make_config("wgan_gp", precision=precision)
        state = make_state(config)
        found[precision] = critic_step(state.models, state.family, config, batch(config))["penalty"].item()
    assert found["bf16"] == pytest.approx(found["float32"], rel=2e-3)


@pytest.mark.parametrize(
    ("half_life_images", "images", "seen_images", "kept"),
    [
        (100, 100, 10**9, 0.5),  # one half-life
        (100, 50, 10**9, 0.5**0.5),
        (100, 50, 200, 0.5**5),  # early: at most 5 % of the 200 images seen, so five half-lives of 10
        (0, 50, 10**9, 0.0),  # no average at all
    ],
)
def test_average_by_hand(half_life_images: int, images: int, seen_images: int, kept: float) -> None:
    """After a half-life of images half of the old average is left; early on the half-life is shorter."""
    config = make_config("wgan_gp", ema_images=half_life_images, batch_images=images)
    state = make_state(config)
    with torch.no_grad():
        for network, value in ((state.average, 1.0), (state.models.generator, 3.0)):
            for tensor in network.state_dict().values():
                tensor.fill_(value)
    state.update_average(config, seen_images)
    for name, tensor in state.average.state_dict().items():
        if tensor.is_floating_point():
            assert torch.allclose(tensor, torch.full_like(tensor, 3 - 2 * kept), atol=1e-6), name
