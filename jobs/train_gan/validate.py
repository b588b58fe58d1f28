"""What the options need of the images and of the part of the work. No torch here, so that it is checked at once."""

import os
import shutil
from typing import Any

from jobs.expected import expected_images
from jobs.train_gan.families import NETWORKS
from jobs.train_gan.options import GanOptions, resolve
from shared.errors import BadConfig
from shared.models.sizes import doublings
from shared.store.work_shards import Shard


def validate(config: GanOptions, part: Shard, inputs: dict[str, Any]) -> None:
    """Raise BadConfig for options that do not go with the images, or for a part of what has none."""
    family, images = resolve(config), expected_images(inputs)
    if part.count > 1 and not family.one_per_class:
        raise BadConfig(f"--parts: the family {config.family} trains one generator; only per_class has parts")
    doublings(images.size_px)
    if family.discriminator_norm == "instance" and images.size_px == NETWORKS[family.networks].one_pixel_at_px:
        raise BadConfig(
            f"--discriminator-norm instance: the last maps of the networks {family.networks} are one pixel for images "
            f"of {images.size_px} px, which has no variance; take another norm, or run preprocess with --size-px 32"
        )
    if config.compile and not all(map(shutil.which, os.environ.get("CXX", "g++").split()[:1])):
        raise BadConfig("--compile: torch.compile needs a C++ compiler, g++ or the one that CXX names; leave it out")
    if config.flips and not images.mirrors:
        raise BadConfig(
            f"--flips: images of the source {images.source} are not the same class in a mirror; leave it out"
        )
