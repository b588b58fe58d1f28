"""Devices: which one is used, and how tensors are moved there."""

from contextlib import suppress

import pytest
import torch
import torch.nn.functional as F

from shared.errors import BadConfig
from shared.runtime.devices import pick_device, send, sound_kernels


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "cpu,cuda", "CPU", "cuda:-1", "cuda:99", "mps:99"])
def test_a_device_that_is_not_there_is_a_bad_option(name: str) -> None:
    """A name unknown to torch, or a device that this machine lacks, ends with 2 and lists the alternatives."""
    with pytest.raises(BadConfig, match=f"--device {name}: cannot be used here .*; take cpu or auto") as caught:
        pick_device(name)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["meta", "hpu"])
def test_a_device_that_cannot_compute_here_is_a_bad_option(name: str) -> None:
    """Every device of torch that cannot hold data on this machine is refused."""
    with pytest.raises(BadConfig, match=f"--device {name}"):
        pick_device(name)


def test_cpu_is_always_there() -> None:
    """--device cpu is the CPU, also on a machine that has a GPU."""
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(("there", "device"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_the_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch, there: bool, device: str) -> None:
    """--device auto takes a GPU where torch sees one, else the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert pick_device("auto") == torch.device(device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_a_gpu_that_is_there_can_be_picked(name: str) -> None:
    """On a machine with a GPU its names are used unchanged."""
    assert pick_device(name) == torch.device(name)


@pytest.mark.parametrize(
    "device",
    ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"))],
)
def test_what_is_sent_arrives(device: str) -> None:
    """A tensor of any layout arrives unchanged on the device; one already there is not copied."""
    for tensor in (torch.arange(6).view(2, 3), torch.arange(6.0).view(2, 3).t(), torch.zeros(0)):
        there = send(tensor, torch.device(device))
        assert there.device.type == device
        assert torch.equal(there.cpu(), tensor)
        assert send(there, there.device) is there


@pytest.mark.fault(15)
@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")
@pytest.mark.parametrize(("precision", "calls"), [("bf16", False), ("float32", True)])
def test_bfloat16_on_a_cpu_calls_no_onednn(precision: str, calls: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """By oneDNN's own log it computes nothing in forward and backward of bf16 runs, and both in float32 runs.

    The convolution is float32 here, so that oneDNN wants it on every CPU.
    """
    images, weight = (torch.rand(shape, requires_grad=True) for shape in ((8, 8, 2, 2), (16, 8, 4, 4)))
    with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
        with sound_kernels(torch.device("cpu"), precision):
            made = F.conv2d(images, weight, stride=3, padding=2)
        forward = capfd.readouterr().out
        with sound_kernels(torch.device("cpu"), precision):
            made.sum().backward()
        backward = capfd.readouterr().out
    assert ["exec,cpu,convolution" in said for said in (forward, backward)] == [calls, calls]


@pytest.mark.parametrize(
    ("device", "precision", "used"), [("cpu", "bf16", False), ("cpu", "float32", True), ("cuda", "bf16", True)]
)
def test_onednn_is_back_afterwards(device: str, precision: str, used: bool) -> None:
    """Only bf16 on a CPU runs without oneDNN; it is enabled again afterwards, also after an error."""
    before = torch.backends.mkldnn.enabled
    with suppress(ZeroDivisionError), sound_kernels(torch.device(device), precision):
        assert torch.backends.mkldnn.enabled == (before and used)
        raise ZeroDivisionError
    assert torch.backends.mkldnn.enabled == before
