"""Replicates are forked from one process: what fitting imports, that one has imported."""

import subprocess
from collections.abc import Callable

import pytest

FITTED = """
import sys
from importlib import import_module
from jobs.commands.calls import command_of
from shared.models.fit_options import FitConfig
for name in command_of("train_classifier").steps[-1].how.preload:
    import_module(name)
before = {name.partition(".")[0] for name in sys.modules}
import torch
from shared.data.images import Images
from shared.metrics.classification import score_table
from shared.models.fitting import fit, logits_of
images = Images(torch.randint(0, 256, (8, 1, 16, 16), dtype=torch.uint8), torch.arange(8) % 2)
config = FitConfig(steps=2, measure_every=1, batch_images=4, width=4)
network = fit(images, images, 2, config, seed=0, device=torch.device("cpu")).network
score_table(images.labels.numpy(), logits_of(network, images.pixels).argmax(dim=1).numpy(), ["a", "b"])
after = {name.partition(".")[0] for name in sys.modules}
print(*sorted((after - before) & {*sys.argv[1:]}))
"""

SLOW = ("torch", "torchvision", "torchmetrics", "sklearn", "scipy", "matplotlib", "pandas", "accelerate")
"""Libraries that take a tenth of a second or more to import."""


@pytest.mark.long
def test_a_fit_imports_nothing_slow(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """A replicate's process, forked from one with the modules of `preload`, pays for none of them again."""
    done = python(FITTED, *SLOW)
    assert (done.stdout.split(), done.stderr) == ([], "")
