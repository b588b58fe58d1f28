"""A generator in files that need none of halfreal's code: TorchScript, ONNX, or safetensors with a graph."""

import io
import operator
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import safetensors.torch
import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.export import Dim, ExportedProgram
from torch.fx import Node
from torch.nn.utils import parametrize

from shared.disk.durable import write_whole
from shared.errors import BadConfig
from shared.format.files import json_bytes
from shared.models.networks import Generator

EXAMPLE_IMAGES = 2
"""What is traced; a batch of one, or none, would be taken for one of a fixed size."""


def standalone(network: Generator) -> Generator:
    """Return `network` itself, ready to be written: its weights as they are used, in torch's usual layout."""
    for module in network.modules():
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")
    return network.to(memory_format=torch.contiguous_format).requires_grad_(False).eval()


def write_torchscript(folder: Path, network: Generator) -> None:
    """Write `generator.pt`: a traced module of latents (N, latent) and labels (N,)."""
    written = io.BytesIO()
    with warnings.catch_warnings():
        # deprecated, and what users ask for; the trace of norms warns of checks of shapes, which never change here
        warnings.simplefilter("ignore")
        # not checked: what was written is compared, by its own loader
        torch.jit.save(torch.jit.trace(network, _example(network), check_trace=False), written)
    write_whole(folder / "generator.pt", _without_paths(written))


def _without_paths(archive: io.BytesIO) -> bytes:
    """Return a TorchScript archive without what is there for debugging: where the code is on this machine."""
    kept = io.BytesIO()
    with ZipFile(archive) as whole, ZipFile(kept, "w") as published:
        for entry in whole.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                published.writestr(ZipInfo(entry.filename), whole.read(entry))
    return kept.getvalue()


def write_onnx(folder: Path, network: Generator) -> None:
    """Write `generator.onnx`, with inputs `latents` (N, latent) and `labels` (N,), and the output `images`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch and onnxscript warn each other
        program = torch.onnx.export(
            _exported(network), input_names=["latents", "labels"], output_names=["images"], verbose=False
        )
    assert program is not None
    model = program.model_proto
    # where the code is on this machine is nobody's business
    for node in [node for graph in (model.graph, *model.functions) for node in graph.node]:
        del node.metadata_props[:]
    write_whole(folder / "generator.onnx", model.SerializeToString(deterministic=True))


def write_safetensors(folder: Path, network: Generator) -> None:
    """Write `generator.safetensors`, the weights by name, and `graph.json`, the calls of torch that draw with them.

    A step has a `name`, the function of `torch.ops` that it calls, `arguments` and `keywords`; a string in these names
    the result of a step, which begins with %, a weight, `latents` or `labels`. The last step's name is `images`.
    """
    program = _exported(network)
    named = program.graph_signature
    names = {**named.inputs_to_parameters, **named.inputs_to_buffers, **named.inputs_to_lifted_tensor_constants}
    used = {names[node.name] for node in program.graph.nodes if node.name in names and node.users}
    tensors = {name: tensor for name, tensor in {**program.state_dict, **program.constants}.items() if name in used}
    names |= {name: name for name in named.user_inputs if isinstance(name, str)}
    names |= {node.name: f"%{node.name}" for node in program.graph.nodes if node.op == "call_function"}
    (images,) = named.user_outputs
    names[str(images)] = "images"
    steps = [
        _step(node, names)
        for node in program.graph.nodes
        if node.op == "call_function" and not isinstance(node.meta["val"], list)
    ]
    write_whole(folder / "graph.json", json_bytes(steps))
    write_whole(folder / "generator.safetensors", safetensors.torch.save(tensors))


def _step(node: Node, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a call as graph.json has it; BadConfig for a function that is none of `torch.ops`."""
    call, arguments = node.target, node.args
    if call is operator.getitem:
        call, arguments = torch.ops.aten.narrow.default, _piece(node)
    if not isinstance(call, OpOverload):
        raise BadConfig(f"--to safetensors: the generator computes {call} of sizes, which no graph.json has; take onnx")
    given = {"arguments": _plain(arguments, names), "keywords": _plain(node.kwargs, names)}
    return {"name": names[node.name], "call": str(call), **given}


def _piece(node: Node) -> tuple[Any, ...]:
    """Return the arguments of `narrow` which gives the piece of a chunked tensor that a node takes."""
    chunked, place = node.args
    assert isinstance(chunked, Node)
    assert isinstance(place, int)
    whole, _, *dim = chunked.args
    at = dim[0] if dim else 0
    sizes = [piece.shape[at] for piece in chunked.meta["val"]]
    return whole, at, sum(sizes[:place]), sizes[place]


def _example(network: Generator) -> tuple[Tensor, Tensor]:
    return torch.zeros(EXAMPLE_IMAGES, network.latent), torch.zeros(EXAMPLE_IMAGES, dtype=torch.int64)


def _exported(network: Generator) -> ExportedProgram:
    """Return the calls of torch that the network makes, for any number of images."""
    count = Dim("count")
    return torch.export.export(network, _example(network), dynamic_shapes=({0: count}, {0: count}))


def _plain(given: Any, names: Mapping[str, str]) -> Any:
    """Return the arguments of a call as JSON has them."""
    if isinstance(given, Node):
        return names[given.name]
    if isinstance(given, torch.device):
        return str(given)
    if isinstance(given, Mapping):
        return {name: _plain(each, names) for name, each in given.items()}
    return [_plain(each, names) for each in given] if isinstance(given, tuple | list) else given
