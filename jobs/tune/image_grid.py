"""Real test images, images of the baseline and of the tuned options, side by side."""

from collections.abc import Sequence

import torch
from torch import Tensor

from shared.data.images import load_split
from shared.models.snapshots import grid_images, load_snapshot
from shared.store.artifacts import Artifact
from shared.store.records.gan import GanRecord

PER_CLASS = 5


def baseline_and_tuned(
    real: Artifact, gans: list[Artifact[GanRecord]], files: list[str], labels: Sequence[int]
) -> Tensor:
    """Return a row for each class in `labels`, uint8 (N, channels, size, size): real test images, a blank, each GAN's.

    `files` are the snapshots of `gans`; both draw from the same fixed latents.
    """
    held_out = load_split(real, "test")
    drawn = [
        grid_images(load_snapshot(gan, file, torch.device("cpu")), labels, gan.record.latent, PER_CLASS)
        for gan, file in zip(gans, files, strict=True)
    ]
    # white cells part the three groups
    blank = torch.full_like(drawn[0][:1], 255)
    rows = []
    for place, label in enumerate(labels):
        real_images = held_out.first_of(label, PER_CLASS)
        rows += [real_images, blank.repeat(PER_CLASS - len(real_images), 1, 1, 1)]
        for images in drawn:
            rows += [blank, images[place * PER_CLASS : (place + 1) * PER_CLASS]]
    return torch.cat(rows)
