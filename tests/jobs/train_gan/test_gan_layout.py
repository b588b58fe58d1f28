"""GANs with channels-last weights, as on a GPU, here on a CPU: the same steps, and exact resume."""

from pathlib import Path

import pytest
import torch

from jobs.train_gan import state
from jobs.train_gan.state import State
from jobs.train_gan.steps import train_step
from shared.runtime import devices
from shared.runtime import process_group as distributed
from tests.jobs.train_gan.test_gan_steps import batch, every_family, make_config, make_state


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store weights channels last, as on a GPU."""
    for module in (state, distributed):
        monkeypatch.setattr(module, "layout", lambda device: devices.layout(torch.device("cuda")))


def steps(trained: State, family: str, count: int) -> list[float]:
    """Take `count` pairs of steps on the same batch; return all losses."""
    config = make_config(family)
    found = []
    for _ in range(count):
        found += [float(value) for value in train_step(trained.models, trained.family, config, batch(config)).values()]
        trained.update_average(config, 100)
    return found


@every_family
def test_channels_last_takes_the_same_steps(family: str, request: pytest.FixtureRequest) -> None:
    """The losses are those of contiguous weights, to rounding; convolutions really are channels last."""
    plain = steps(make_state(make_config(family)), family, 2)
    request.getfixturevalue("as_on_a_gpu")
    trained = make_state(make_config(family))
    weights = [value for value in trained.models.discriminator.parameters() if value.dim() == 4 and value.shape[1] > 1]
    assert weights
    assert all(value.is_contiguous(memory_format=torch.channels_last) for value in weights)
    assert steps(trained, family, 2) == pytest.approx(plain, rel=1e-2, abs=1e-4)


@every_family
@pytest.mark.usefixtures("as_on_a_gpu")
def test_channels_last_resumes_bit_by_bit(family: str, tmp_path: Path) -> None:
    """Steps after a checkpoint equal those of an uninterrupted run: optimizer state has the weights' layout."""
    undisturbed = make_state(make_config(family))
    steps(undisturbed, family, 2)
    undisturbed.save(tmp_path)
    resumed = make_state(make_config(family))
    assert resumed.resume(tmp_path) == (True, False)
    for optimizer in (resumed.models.generator_optimizer, resumed.models.discriminator_optimizer):
        for weight, memory in optimizer.state.items():
            assert all(value.stride() == weight.stride() for value in memory.values() if value.dim() == 4)
    assert steps(resumed, family, 2) == steps(undisturbed, family, 2)
    last = resumed.average.state_dict()
    assert all(torch.equal(value, last[name]) for name, value in undisturbed.average.state_dict().items())
