"""The content of a safetensors file: hashed while it is written, from where the tensors lie in memory.

The bytes are those of `safetensors.torch.save`, which copies all tensors twice.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import BinaryIO

import torch
from torch import Tensor

from shared.format.tensor_header import HEADER, LENGTH_BYTES

TYPES = {
    torch.uint64: "U64",
    torch.int64: "I64",
    torch.float64: "F64",
    torch.float32: "F32",
    torch.uint32: "U32",
    torch.int32: "I32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.uint16: "U16",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""What a header calls the types of numbers, in the order in which a file has them: it keeps the larger ones aligned."""

ALIGNED_BYTES = 8
"""A header is filled up with spaces to a multiple of this."""

BLOCK_BYTES = 1 << 20
"""What is compared with a file at a time."""


class TensorFile:
    """Tensors by name, on the CPU, and JSON-able facts, with the hash that `shared.store.checkpoints.load` checks."""

    def __init__(self, tensors: Mapping[str, Tensor], facts: Mapping[str, object]) -> None:
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        order = list(TYPES)
        names = sorted(plain, key=lambda name: (order.index(plain[name].dtype), name))
        self._tensors, self._facts = {name: plain[name] for name in names}, dict(facts)

    def write(self, stream: BinaryIO) -> None:
        """Write it into an empty file; what the system does with the bytes takes longer than their hash."""
        with ThreadPoolExecutor(1) as thread:
            digest = thread.submit(lambda: self._digest)
            stream.seek(len(self._header("0" * len(hashlib.sha256().hexdigest()))))
            for tensor in self._tensors.values():
                stream.write(bytes_of(tensor))
            header = self._header(digest.result())
        stream.seek(0)
        stream.write(header)

    def is_in(self, stream: BinaryIO) -> bool:
        """Whether a file has these bytes and no others."""
        return all(stream.read(len(block)) == block for block in self._blocks()) and not stream.read(1)

    def sha256(self) -> str:
        """Return the sha256 of all bytes of the file."""
        total = hashlib.sha256(self._header(self._digest))
        for tensor in self._tensors.values():
            total.update(bytes_of(tensor))
        return total.hexdigest()

    @cached_property
    def _digest(self) -> str:
        return digest_of(self._tensors)

    def _header(self, digest: str) -> bytes:
        """Return what comes before the numbers; it is as long for every hash."""
        own = json.dumps({"facts": self._facts, "sha256": digest}, sort_keys=True, allow_nan=False)
        described: dict[str, object] = {"__metadata__": {HEADER: own}}
        end = 0
        for name, tensor in self._tensors.items():
            start, end = end, end + tensor.nbytes
            described[name] = {"dtype": TYPES[tensor.dtype], "shape": [*tensor.shape], "data_offsets": [start, end]}
        text = json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % ALIGNED_BYTES)
        return len(text).to_bytes(LENGTH_BYTES, "little") + text

    def _blocks(self) -> Iterator[bytes]:
        yield self._header(self._digest)
        for tensor in self._tensors.values():
            view = bytes_of(tensor)
            yield from (bytes(view[start : start + BLOCK_BYTES]) for start in range(0, len(view), BLOCK_BYTES))


def bytes_of(tensor: Tensor) -> memoryview:
    """Return the bytes of a contiguous tensor where they are."""
    # not by numpy's type, because numpy has no bfloat16
    view: memoryview = tensor.flatten().view(torch.uint8).numpy().data
    return view


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """Return the sha256 of the tensors' names and bytes, in the order of the names."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(name.encode())
        total.update(bytes_of(tensors[name]))
    return total.hexdigest()
