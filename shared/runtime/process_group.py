"""What differs with more than one process, in one place; Accelerate lives behind it."""

import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, broadcast
from torch import Tensor, nn

from shared.runtime.devices import layout, pick_device
from shared.runtime.launch import check_launch
from shared.runtime.together import peers
from shared.runtime.together.whole_batch import WholeBatch


class ProcessGroup:
    """The processes that train together, seen from one of them; BadConfig where a launcher's variables are missing."""

    def __init__(self, device: str) -> None:
        check_launch()
        wanted = pick_device(device)
        self._accelerator = Accelerator(
            cpu=wanted.type == "cpu",
            # DDP would overwrite buffers at each forward; a step has several before its backward, which then finds
            # tensors changed in place. Running statistics agree anyway: `BatchNorm` sums over all processes.
            kwargs_handlers=[DistributedDataParallelKwargs(broadcast_buffers=False)],
        )
        self.device = self._accelerator.device if self._accelerator.num_processes > 1 else wanted
        self.rank = self._accelerator.process_index
        self.world = self._accelerator.num_processes
        self.is_main = self.rank == 0
        if self.world > 1:
            peers.join(self.rank, self.world)
            # a group between CPUs, so that asking for a flag does not wait for queued GPU work
            self._cpu_group: Any = torch.distributed.new_group(backend="gloo")
            # hints of torch that affect neither results nor users
            warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated", category=FutureWarning)
            warnings.filterwarnings("ignore", message="Grad strides do not match bucket view", category=UserWarning)

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return `network` on this process's device; with several processes its gradients are averaged."""
        network = network.to(self.device).to(memory_format=layout(self.device))
        for module in network.modules():
            if isinstance(module, WholeBatch):
                module.rank, module.world = self.rank, self.world
        prepared: nn.Module = self._accelerator.prepare_model(network, device_placement=False)
        return prepared

    def unwrap(self, network: nn.Module) -> nn.Module:
        """Return the network itself behind what `wrap` returned."""
        plain: nn.Module = self._accelerator.unwrap_model(network)
        return plain

    def no_sync_unless(self, network: nn.Module, *, is_last: bool) -> AbstractContextManager[object]:
        """Return the context of one of several backward passes: gradients are averaged over processes in the last."""
        # DDP sums gradients up locally under no_sync, so that one all-reduce serves all passes of a step
        return nullcontext() if is_last or self.world == 1 else self._accelerator.no_sync(network)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of `loss`, averaged over processes; one call for each forward pass."""
        self._accelerator.backward(loss)

    def all_equal(self, value: Tensor) -> bool:
        """Whether every process holds the same numbers; every process gets the same answer."""
        return not self.any(not torch.equal(broadcast(value.detach().clone(), from_process=0), value))

    def shard(self, total: int) -> range:
        """Return which of `total` items this process does: a contiguous range, in the order of processes."""
        share = -(-total // self.world)
        return range(min(self.rank * share, total), min((self.rank + 1) * share, total))

    def gather(self, mine: Tensor, total: int) -> Tensor:
        """Return the rows of all processes in the order of `shard`, given this one's, on the CPU."""
        if self.world == 1:
            return mine.cpu()
        # all_gather wants equal shapes, and the last share may be shorter
        share = -(-total // self.world)
        padded = mine.new_zeros(share, *mine.shape[1:])
        padded[: len(mine)] = mine
        gathered: Tensor = self._accelerator.gather(padded.to(self.device))
        return gathered[:total].cpu()

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of `value` over processes."""
        return self._accelerator.reduce(value, "mean")  # type: ignore[no-any-return]

    def any(self, flag: bool) -> bool:
        """Whether `flag` is set on any process."""
        if self.world == 1:
            return flag
        flags = torch.tensor(float(flag))
        torch.distributed.all_reduce(flags, group=self._cpu_group)
        return bool(flags > 0)

    def from_main(self, value: list[bool]) -> list[bool]:
        """Return the `value` of the main process; every process must call it."""
        if self.world == 1:
            return value
        values = [value]
        torch.distributed.broadcast_object_list(values, src=0, group=self._cpu_group)
        return values[0]

    def barrier(self) -> None:
        """Wait until every process is here."""
        self._accelerator.wait_for_everyone()


def leave(code: int = 0) -> bool:
    """Leave the process group, since this process ends with `code`; return whether it was in one."""
    if not torch.distributed.is_initialized():
        return False
    peers.leave(code)
    torch.distributed.destroy_process_group()
    return True


class SingleProcess(ProcessGroup):
    """A group of one, even where a launcher started several processes: tests compare what those do with it."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.rank, self.world, self.is_main = device, 0, 1, True

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return `network` on the device."""
        return network.to(self.device).to(memory_format=layout(self.device))

    def unwrap(self, network: nn.Module) -> nn.Module:
        """Return `network`."""
        return network

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of `loss`."""
        loss.backward()
