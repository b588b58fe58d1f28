"""Draw images from the generator in this folder. It needs torch alone."""

import json
from math import prod
from operator import attrgetter, getitem
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

HERE = Path(__file__).parent
CONFIG, GRAPH = (json.loads((HERE / name).read_text("utf-8")) for name in ("config.json", "graph.json"))


def read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, whose header has the shape of each and where it begins."""
    data = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    rows = {name: row for name, row in json.loads(data[8:start]).items() if name != "__metadata__"}
    tensors = {}
    for name, row in rows.items():
        flat = torch.frombuffer(
            data, dtype=torch.float32, count=prod(row["shape"]), offset=start + row["data_offsets"][0]
        )
        tensors[name] = flat.view(row["shape"])
    return tensors


WEIGHTS = read(HERE / "generator.safetensors")


def resolve(given: Any, known: dict[str, Any]) -> Any:
    """Return an argument of a step, in which {"of": NAME} is the result, the weight or the input of that name."""
    if isinstance(given, list):
        return [resolve(each, known) for each in given]
    return known[given["of"]] if isinstance(given, dict) else given


@torch.inference_mode()
def draw(latents: Tensor, labels: Tensor | None = None) -> Tensor:
    """Return uint8 images (N, height, width, channels) of latents (N, CONFIG["latent"]) from N(0, 1).

    The labels (N,) are numbers of CONFIG["classes"]; a generator that is not CONFIG["conditional"] takes none.
    """
    labels = torch.zeros(len(latents), dtype=torch.int64) if labels is None else labels
    known = {**WEIGHTS, "latents": latents, "labels": labels}
    for step in GRAPH["steps"]:
        call = getitem if step["call"] == "getitem" else attrgetter(step["call"])(torch.ops)
        keywords = {name: resolve(given, known) for name, given in step["keywords"].items()}
        known[step["name"]] = call(*resolve(step["arguments"], known), **keywords)
    images: Tensor = known[GRAPH["images"]]
    return images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
