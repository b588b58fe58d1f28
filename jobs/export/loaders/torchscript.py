"""Draw images from the generator in this folder. It needs torch alone."""

import json
from pathlib import Path

import torch
from torch import Tensor

HERE = Path(__file__).parent
CONFIG = json.loads((HERE / "config.json").read_text("utf-8"))
NETWORK = torch.jit.load(HERE / "generator.pt", map_location="cpu")


@torch.inference_mode()
def draw(latents: Tensor, labels: Tensor | None = None) -> Tensor:
    """Return uint8 images (N, height, width, channels) of latents (N, CONFIG["latent"]) from N(0, 1).

    The labels (N,) are numbers of CONFIG["classes"]; a generator that is not CONFIG["conditional"] takes none.
    """
    labels = torch.zeros(len(latents), dtype=torch.int64) if labels is None else labels
    images: Tensor = NETWORK(latents, labels)
    return images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
