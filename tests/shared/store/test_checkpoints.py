import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from shared.errors import FormatError
from shared.store.checkpoints import flatten, load, save, unflatten

TENSORS = {
    "weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "steps": torch.tensor(7),
    "half": torch.tensor([0.5, -0.0, float("nan")], dtype=torch.bfloat16),
    "empty": torch.empty(0, 4),
}


def _saved(folder: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> bytes:
    save(folder / "state.safetensors", tensors, facts)
    return (folder / "state.safetensors").read_bytes()


def _bits(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def _same(left: Any, right: Any) -> bool:
    """Whether two trees are equal, tensors to the bit and with their types; tuples count as lists."""
    if isinstance(left, Tensor):
        return (left.dtype, left.shape) == (right.dtype, right.shape) and torch.equal(_bits(left), _bits(right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    return type(left) is type(right) and left == right


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    """Tensors are restored bit by bit with dtype and shape, facts as JSON values."""
    facts = {"spec": {"name": "cnn", "sizes": [1, 2]}, "lr": 0.1, "none": None}
    tensors, back = load(_saved(tmp_path, TENSORS, facts), "here")
    assert back == facts
    assert _same(tensors, TENSORS)


def test_the_file_is_plain_safetensors(tmp_path: Path) -> None:
    """The library of that name reads the same tensors without our code."""
    found = safetensors.torch.load(_saved(tmp_path, {"weight": TENSORS["weight"]}, {}))
    assert torch.equal(found["weight"], torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]))


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    """The bytes do not depend on the order of names and facts, on memory layout or on gradients."""
    one = _saved(tmp_path, TENSORS, {"a": 1, "b": 2})
    twin = {name: TENSORS[name].clone() for name in reversed(TENSORS)}
    twin["weight"] = twin["weight"].T.contiguous().T.requires_grad_()
    assert _saved(tmp_path, twin, {"b": 2, "a": 1}) == one
    assert _saved(tmp_path, twin, {"b": 2, "a": 3}) != one


def _adam_after(steps: int) -> tuple[nn.Module, torch.optim.Adam]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    groups = [{"params": network[0].parameters()}, {"params": network[2].parameters(), "lr": 0.1}]
    optimizer = torch.optim.Adam(groups, lr=1e-3, betas=(0.0, 0.9), amsgrad=True)
    for step in range(steps):
        optimizer.zero_grad()
        network(torch.full((5, 3), float(step)) + torch.arange(15.0).reshape(5, 3)).square().sum().backward()
        optimizer.step()
    return network, optimizer


@pytest.mark.parametrize("steps", [0, 2])
def test_a_real_adam_state_survives_flattening_saving_and_loading(tmp_path: Path, steps: int) -> None:
    """Unflatten undoes flatten on the state of Adam with two groups, before its first step and after two."""
    network, optimizer = _adam_after(steps)
    tree = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "history": [{"loss": 0.5}, {}]}
    tensors, rest = flatten(tree)
    back, facts = load(_saved(tmp_path, tensors, {"state": rest}), "here")
    assert _same(unflatten(back, facts["state"]), tree)


def test_adam_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    """Two steps, save, load, one step: weights equal those of three steps to the bit."""
    straight = _adam_after(3)[0].state_dict()
    network, optimizer = _adam_after(2)
    tensors, rest = flatten([network.state_dict(), optimizer.state_dict()])
    back, facts = load(_saved(tmp_path, tensors, {"state": rest}), "here")
    fresh, fresh_optimizer = _adam_after(0)
    states = unflatten(back, facts["state"])
    fresh.load_state_dict(states[0])
    fresh_optimizer.load_state_dict(states[1])
    fresh(torch.full((5, 3), 2.0) + torch.arange(15.0).reshape(5, 3)).square().sum().backward()
    fresh_optimizer.step()
    assert _same(fresh.state_dict(), straight)


@pytest.mark.parametrize("tree", [{}, [], {"a": {}, "b": []}, 3, None, "text", True, [[1], {"x": None}], TENSORS])
def test_unflatten_undoes_flatten(tree: Any) -> None:
    """Every tree of dicts, lists, tensors and JSON values is restored; without tensors it is JSON."""
    tensors, rest = flatten(tree)
    assert all(isinstance(tensor, Tensor) for tensor in tensors.values())
    back = unflatten(tensors, json.loads(json.dumps(rest)))
    assert _same(back, tree)


def test_no_two_tensors_share_a_name() -> None:
    """A key with a slash is not a path: both tensors of this tree are restored."""
    tree = {"a/b": torch.tensor(1.0), "a": {"b": torch.tensor(2.0)}}
    assert _same(unflatten(*flatten(tree)), tree)


class _Evil:
    """Unpickling this makes a folder: proof that it ran."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.trace),)


def test_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    """A torch.save or pickle file named as a checkpoint raises FormatError and is not executed."""
    torch.save(_Evil(tmp_path / "it ran"), tmp_path / "state.safetensors")
    for payload in ((tmp_path / "state.safetensors").read_bytes(), pickle.dumps(_Evil(tmp_path / "it ran"))):
        with pytest.raises(FormatError, match=r"here: not a halfreal checkpoint .*; make it again"):
            load(payload, "here")
    assert not (tmp_path / "it ran").exists()


def _header(payload: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    size = struct.unpack("<Q", payload[:8])[0]
    fields = json.loads(payload[8 : 8 + size])
    change(fields)
    text = json.dumps(fields).encode()
    return struct.pack("<Q", len(text)) + text + payload[8 + size :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda payload: b"",
    "cut in the size": lambda payload: payload[:5],
    "cut in the header": lambda payload: payload[:40],
    "cut before the tensors": lambda payload: payload[: 8 + struct.unpack("<Q", payload[:8])[0]],
    "cut by its last byte": lambda payload: payload[:-1],
    "extended": lambda payload: payload + b"\0",
    "huge header": lambda payload: struct.pack("<Q", 2**62) + payload[8:],
    "text": lambda payload: b"no checkpoint at all",
    "of another program": lambda payload: _header(payload, lambda fields: fields.pop("__metadata__")),
    "without our facts": lambda payload: _header(payload, lambda fields: fields["__metadata__"].clear()),
    "facts not JSON": lambda payload: _header(payload, lambda fields: fields["__metadata__"].update(halfreal="{")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, damage: str) -> None:
    """Truncated, extended or foreign files raise FormatError with the place and what to do."""
    payload = _saved(tmp_path, {"weight": TENSORS["weight"]}, {"steps": 3})
    with pytest.raises(FormatError, match=r"here: not a halfreal checkpoint .*; make it again"):
        load(DAMAGES[damage](payload), "here")


def test_facts_that_json_does_not_know_are_never_written(tmp_path: Path) -> None:
    """A NaN among the facts raises, and an earlier checkpoint stays."""
    before = _saved(tmp_path, {}, {"loss": 1.0})
    with pytest.raises(ValueError, match="JSON"):
        save(tmp_path / "state.safetensors", {}, {"loss": float("nan")})
    assert (tmp_path / "state.safetensors").read_bytes() == before


def test_one_flipped_bit_is_noticed(tmp_path: Path) -> None:
    """A checkpoint altered after it was written is refused, not trained on."""
    path = tmp_path / "state.safetensors"
    save(path, {"weights": torch.arange(64, dtype=torch.float32)}, {})
    payload = bytearray(path.read_bytes())
    payload[-5] ^= 1
    with pytest.raises(FormatError, match="altered"):
        load(bytes(payload), str(path))
