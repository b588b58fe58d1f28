"""The content of a file of tensors: the bytes that the library of the format writes, and the hash of all of them."""

import hashlib
import io
import json

import pytest
import safetensors.torch
import torch
from torch import Tensor

from shared.format.tensor_header import HEADER, parse_header
from shared.store import tensor_file
from shared.store.tensor_file import TYPES, TensorFile

EVERY_TYPE = {f"{place}": torch.arange(3).to(dtype) for place, dtype in enumerate(sorted(TYPES, key=str))}

CASES = {
    "every type": EVERY_TYPE,
    "no tensors": {},
    "shapes": {
        "/b/0": torch.tensor(7),
        "a": torch.empty(0, 4),
        "é": torch.ones(2, 3, 4),
        'x"\n\x01\x7f': torch.ones(1),
    },
    "layouts": {
        "t": torch.arange(6.0).reshape(2, 3).T,
        "last": torch.ones(1, 2, 3, 4).to(memory_format=torch.channels_last),
    },
    "of one memory": dict.fromkeys("ab", torch.ones(2)),
}


def written(content: TensorFile) -> bytes:
    """Return the bytes of a file that has this content."""
    stream = io.BytesIO()
    content.write(stream)
    return stream.getvalue()


def by_the_library(tensors: dict[str, Tensor], payload: bytes) -> bytes:
    """Return what the library writes, with the metadata of the file `payload`."""
    size = int.from_bytes(payload[:8], "little")
    metadata = json.loads(payload[8 : 8 + size])["__metadata__"]
    return safetensors.torch.save({name: each.contiguous().clone() for name, each in tensors.items()}, metadata)


@pytest.mark.parametrize("case", CASES)
def test_the_bytes_are_those_of_safetensors(case: str) -> None:
    """For every type, name and layout; equal tensors of one memory are written as two."""
    payload = written(TensorFile(CASES[case], {"epoch": 3, "name": "é"}))
    assert payload == by_the_library(CASES[case], payload)


def test_the_header_has_facts_and_hash() -> None:
    """The hash is that of names and bytes, in the order of the names, whichever the order in the file is."""
    tensors = {"b": torch.ones(2), "a": torch.ones(2, dtype=torch.uint8)}
    payload = written(TensorFile(tensors, {"epoch": 3}))
    size = int.from_bytes(payload[:8], "little")
    expected = hashlib.sha256(b"a\1\1b" + bytes.fromhex("0000803f") * 2).hexdigest()
    assert parse_header(payload[8 : 8 + size]) == {"facts": {"epoch": 3}, "sha256": expected}
    assert list(json.loads(payload[8 : 8 + size])) == ["__metadata__", "b", "a"]
    assert HEADER in json.loads(payload[8 : 8 + size])["__metadata__"]


@pytest.mark.parametrize("case", CASES)
def test_a_content_knows_its_file(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sha256 is that of the file; one that was cut off, has more, or has another byte anywhere, is another one."""
    monkeypatch.setattr(tensor_file, "BLOCK_BYTES", 5)
    content = TensorFile(CASES[case], {"epoch": 3})
    payload = written(content)
    assert content.sha256() == hashlib.sha256(payload).hexdigest()
    assert content.is_in(io.BytesIO(payload))
    others = [payload[:-1], payload + b"\0", b""]
    others += [payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :] for at in range(len(payload))]
    assert not any(content.is_in(io.BytesIO(other)) for other in others)
