"""What differs with a device, in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from shared.errors import BadConfig


def pick_device(name: str) -> torch.device:
    """Return the device called `name`; "auto" is the first GPU if there is one, else the CPU.

    Raises BadConfig for a name that torch does not know or a device that this machine does not have.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        # torch.device() accepts devices that are not there: only a computation tells
        torch.ones(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise BadConfig(f"--device {name}: cannot be used here ({reason}); take cpu or auto") from error
    return device


def layout(device: torch.device) -> torch.memory_format:
    """Return the memory format of a GAN's weights on `device`: channels last for a GPU's convolutions."""
    # on a CPU channels last is a little faster for most GANs and slower for some
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Return `tensor` on `device`, without waiting for a GPU's copy."""
    if device.type != "cuda" or tensor.is_cuda:
        return tensor.to(device)
    # only copies from pinned memory are asynchronous
    return tensor.pin_memory().to(device, non_blocking=True)


@contextmanager
def sound_kernels(device: torch.device, precision: str) -> Iterator[None]:
    """Keep oneDNN out of what a "bf16" run computes on a CPU; float32 runs and GPUs are left alone.

    It must enclose the backward too: each pass picks its kernels when it runs. The switch is the whole process's.
    """
    # On CPUs with AMX oneDNN 3.12 (torch 2.14) reads memory that nobody wrote in the backward of some small bf16
    # convolutions: gradients are NaN or differ from run to run. torch's own kernels are slower and right everywhere.
    # Not mkldnn.flags(): that also resets the precision of float32 and warns.
    if precision != "bf16" or device.type != "cpu":
        yield
        return
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]  # typed as the descriptor behind it
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before
