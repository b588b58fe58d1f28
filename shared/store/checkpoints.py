"""Tensors and JSON in one safetensors file: whole or absent, never pickled.

Two uses: a checkpoint holds the state to resume a training run from, a snapshot holds a network to use later
together with the facts that rebuild it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from shared.disk.durable import writing_whole
from shared.errors import FormatError
from shared.format.tensor_header import LENGTH_BYTES, parse_header
from shared.store.tensor_file import TensorFile, digest_of


def save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, object]) -> None:
    """Write `tensors` and the JSON-able `facts` to `path`, whole or not at all; equal content gives equal bytes."""
    with writing_whole(path) as stream:
        TensorFile(tensors, facts).write(stream)


def load(payload: bytes, where: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return (tensors, facts) from the bytes of such a file; `where` names it in errors. Raises FormatError."""
    try:
        tensors = safetensors.torch.load(payload)
        # `load` drops the metadata: read them from the header, which follows its own length
        size = int.from_bytes(payload[:LENGTH_BYTES], "little")
        header = parse_header(payload[LENGTH_BYTES : LENGTH_BYTES + size])
        facts, digest = header["facts"], header["sha256"]
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{where}: not a halfreal checkpoint ({error}); make it again with --force") from error
    if digest_of(tensors) != digest:
        raise FormatError(f"{where}: its numbers were altered since it was written; make it again with --force")
    return tensors, facts


def flatten(tree: Any, prefix: str = "") -> tuple[dict[str, Tensor], Any]:
    """Split a tree of dicts and lists into its tensors, by path, and a JSON-able structure of everything else."""
    if isinstance(tree, Tensor):
        return {prefix: tree}, {"tensor": prefix}
    if isinstance(tree, dict):
        # escaped as in a JSON pointer (RFC 6901), so that no two paths are the same text
        parts = {
            str(k): flatten(v, f"{prefix}/{str(k).replace('~', '~0').replace('/', '~1')}") for k, v in tree.items()
        }
        tensors = {name: tensor for below, _ in parts.values() for name, tensor in below.items()}
        return tensors, {"dict": {key: structure for key, (_, structure) in parts.items()}}
    if isinstance(tree, list | tuple):
        items = [flatten(value, f"{prefix}/{index}") for index, value in enumerate(tree)]
        tensors = {name: tensor for below, _ in items for name, tensor in below.items()}
        return tensors, {"list": [structure for _, structure in items]}
    return {}, {"value": tree}


def unflatten(tensors: dict[str, Tensor], rest: Any) -> Any:
    """Undo `flatten`: keys that are decimal numbers become int again, as optimizer states have them."""
    (what, value), *_ = rest.items()
    if what == "tensor":
        return tensors[value]
    if what == "dict":
        return {int(key) if key.isdigit() else key: unflatten(tensors, item) for key, item in value.items()}
    if what == "list":
        return [unflatten(tensors, item) for item in value]
    return value
