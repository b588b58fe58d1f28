"""Draw images from the generator in this folder. It needs torch alone."""

import json
from operator import attrgetter
from pathlib import Path

import torch
from torch.fx.node import map_aggregate

CONFIG, GRAPH = (json.loads(Path(__file__).with_name(f"{name}.json").read_bytes()) for name in ("config", "graph"))
FILE = bytearray(Path(__file__).with_name("generator.safetensors").read_bytes())
START = 8 + int.from_bytes(FILE[:8], "little")  # of the tensors, after a header of JSON
BYTES = torch.frombuffer(FILE, dtype=torch.uint8, offset=START)
WEIGHTS = {}
for name, row in json.loads(FILE[8:START]).items():
    WEIGHTS[name] = BYTES[slice(*row["data_offsets"])].view(torch.float32).view(row["shape"])


@torch.inference_mode()
def draw(latents: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
    """Return uint8 images (N, height, width, channels) of latents (N, CONFIG["latent"]) from N(0, 1).

    The labels (N,) are numbers of CONFIG["classes"]; a generator that is not CONFIG["conditional"] takes none.
    """
    labels = torch.zeros(len(latents), dtype=torch.int64) if labels is None else labels
    known = {**WEIGHTS, "latents": latents, "labels": labels}
    for step in GRAPH:
        # an argument is the name of something known, or it is itself
        given, keywords = map_aggregate([step["arguments"], step["keywords"]], lambda each: known.get(each, each))
        known[step["name"]] = attrgetter(step["call"])(torch.ops)(*given, **keywords)
    return known["images"].add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
