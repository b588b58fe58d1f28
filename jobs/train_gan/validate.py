"""What the options need of the images, the part of the work and the machine."""

import os
import shutil

from jobs.train_gan.families import FAMILIES, NETWORKS
from jobs.train_gan.options import GanOptions, resolve
from shared.data.specs import ImageSpec, Specs
from shared.errors import BadConfig
from shared.models.sizes import SIZES_PX, doublings
from shared.store.work_shards import Shard


def validate(options: GanOptions, shard: Shard, specs: Specs) -> None:
    """Raise BadConfig for options that do not go with the images or this machine, or for a shard of one network."""
    # parts share work without communication; several processes on one generator need a launcher
    if shard.count > 1 and options.generators == 1 and not resolve(options).one_per_class:
        raise BadConfig(
            f"--parts: more than replicates, and the family {options.family} trains one generator in each, "
            "which parts cannot share; they can where there are several, by per_class or --generators"
        )
    # torch.compile builds C++ for the CPU parts of a graph, and would fail only after the images are loaded
    if options.compile and not all(map(shutil.which, os.environ.get("CXX", "g++").split()[:1])):
        raise BadConfig("--compile: torch.compile needs a C++ compiler, g++ or the one that CXX names; leave it out")
    if specs.real is not None:
        check_images(options, specs.real)
        if specs.real.unlabelled:
            check_unlabelled(options)


def check_unlabelled(options: GanOptions) -> None:
    """Raise BadConfig for networks that need labels, where some of the real images have none that count."""
    family, fixed = resolve(options), FAMILIES[options.family].conditional_is_fixed
    if not family.conditional and not family.one_per_class:
        return
    able = ", ".join(name for name, row in FAMILIES.items() if not row.conditional_is_fixed)
    why = "trains a generator on each class" if family.one_per_class else "uses labels"
    raise BadConfig(
        f"--family {options.family}: {why}, and it is to learn from unlabelled real images too\n"
        + (f"want --unconditional with one of the families {able}" if fixed else "want --unconditional")
        + ", or run preprocess with --labelled-fraction 1"
    )


def check_images(options: GanOptions, images: ImageSpec) -> None:
    """Raise BadConfig for images of a size that the networks are not built for, or that must not be mirrored."""
    family = resolve(options)
    networks = NETWORKS[family.networks]
    if networks.most_px < images.size_px <= SIZES_PX[-1]:
        raise BadConfig(
            f"images are {images.size_px} px wide, the networks {family.networks} are for {networks.most_px} px at "
            "most; take --networks dcgan, or run preprocess with a smaller --size-px"
        )
    doublings(images.size_px)  # raises for a size that is not 4 px doubled a number of times
    # instance norm subtracts the mean of a map: of a single pixel nothing is left
    if family.discriminator_norm == "instance" and images.size_px == networks.one_pixel_at_px:
        raise BadConfig(
            f"--discriminator-norm instance: the last maps of the networks {family.networks} are one pixel for images "
            f"of {images.size_px} px, which has no variance; take another norm, or run preprocess with --size-px 32"
        )
    # a mirrored digit is another sign: the generator would learn what is in no class
    if options.flips and not images.mirrors:
        raise BadConfig(
            f"--flips: images of the source {images.source} are not the same class in a mirror; leave it out"
        )
