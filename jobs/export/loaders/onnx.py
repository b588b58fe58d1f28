"""Draw images from the generator in this folder. It needs numpy and onnxruntime alone."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

HERE = Path(__file__).parent
CONFIG = json.loads((HERE / "config.json").read_text("utf-8"))
SESSION = InferenceSession(HERE / "generator.onnx", providers=["CPUExecutionProvider"])


def draw(latents: NDArray[np.float32], labels: NDArray[np.int64] | None = None) -> NDArray[np.uint8]:
    """Return uint8 images (N, height, width, channels) of latents (N, CONFIG["latent"]) from N(0, 1).

    The labels (N,) are numbers of CONFIG["classes"]; a generator that is not CONFIG["conditional"] takes none.
    """
    labels = np.zeros(len(latents), np.int64) if labels is None else labels
    given = {"latents": np.asarray(latents, np.float32), "labels": np.asarray(labels, np.int64)}
    (images,) = SESSION.run(["images"], given)
    pixels: NDArray[np.uint8] = np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)
    return pixels.transpose(0, 2, 3, 1)
