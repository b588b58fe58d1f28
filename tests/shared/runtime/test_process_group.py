from pathlib import Path

import pytest
import torch
from torch import nn

from shared.runtime.process_group import ProcessGroup
from tests.jobs.train_gan.test_gan_processes import ends, together


def test_a_single_process_changes_nothing() -> None:
    """A single process is the main one; means are the values themselves and gradients those of autograd."""
    group = ProcessGroup("cpu")
    assert (group.device.type, group.rank, group.world, group.is_main) == ("cpu", 0, 1, True)
    torch.manual_seed(0)
    plain = nn.Linear(3, 1)
    wrapped = group.wrap(plain)
    assert group.unwrap(wrapped) is plain
    images = torch.arange(6.0).reshape(2, 3)
    (expected,) = torch.autograd.grad(plain(images).square().mean(), plain.weight)
    group.backward(wrapped(images).square().mean())
    assert torch.equal(plain.weight.grad, expected)
    assert group.mean(torch.tensor(2.5)).item() == 2.5
    assert group.any(True) is True
    assert group.any(False) is False
    group.barrier()


TWO = """
import os
import sys
from pathlib import Path
import torch
from torch import nn
from shared.runtime.process_group import ProcessGroup
torch.set_num_threads(1)
group = ProcessGroup("cpu")
torch.manual_seed(0)
network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2, track_running_stats=True), nn.Linear(2, 1))
wrapped = group.wrap(network)
torch.manual_seed(group.rank)
answers = [wrapped(torch.rand(4, 3)).mean() for _ in range(2)]  # two forwards of one step, as a critic needs
group.backward(sum(answers) / 2 * (1 + group.rank))
bias = group.unwrap(wrapped)[2].bias.grad.item()  # its gradient is the factor: 1 on rank 0, 2 on rank 1
mean = group.mean(torch.tensor(float(group.rank))).item()
flags = [group.any(flag) for flag in (group.rank == 1, False, True)]
group.barrier()
Path(sys.argv[1], f"rank-{group.rank}").write_text(f"{group.world} {group.is_main} {bias} {mean} {flags}")
torch.distributed.destroy_process_group()
os._exit(0)  # as the commands do: threads of torch sometimes abort a process that tidies up
"""


@pytest.mark.slow
def test_two_processes_average(tmp_path: Path) -> None:
    """Gradients 1 and 2 become 1.5 on both, means are over both, and both see a flag raised by one."""
    found = ends(together(["-c", TWO, str(tmp_path)], world=2))
    assert [code for code, _ in found] == [0, 0], found
    assert (tmp_path / "rank-0").read_text() == "2 True 1.5 0.5 [True, False, True]"
    assert (tmp_path / "rank-1").read_text() == "2 False 1.5 0.5 [True, False, True]"
