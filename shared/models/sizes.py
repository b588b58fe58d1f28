"""The sizes of image that networks are built for, and the channels at each stage."""

from shared.errors import BadConfig

SIZES_PX = (16, 32, 64, 128, 256)
"""Image sides that the networks of GANs are built for: 4 px doubled two to six times."""

PUBLISHED_PX = 128
"""The side of the images that the networks of the rock-paper-scissors cGAN are published for, and their largest."""


def doublings(size_px: int, most_px: int = SIZES_PX[-1]) -> int:
    """Return how often 4 px doubles to `size_px`; BadConfig for a side that is none of SIZES_PX up to `most_px`."""
    sizes = tuple(size for size in SIZES_PX if size <= most_px)
    if size_px not in sizes:
        raise BadConfig(f"images are {size_px} px wide, want one of {sizes}; run preprocess with --size-px")
    return sizes.index(size_px) + 2


def stage_widths(width: int, size_px: int) -> list[int]:
    """Return the channels at 4 px, 8 px, ... `size_px`: `width` at the full size, doubling downwards to 8 times."""
    steps = doublings(size_px)
    return [min(width * 2 ** (steps - stage), 8 * width) for stage in range(steps + 1)]


def quartered(size_px: int) -> int:
    """Return a quarter of `size_px`, to which the classifier rps_cnn halves images twice; BadConfig if it has none."""
    if size_px % 4:
        raise BadConfig(f"images are {size_px} px wide, the network rps_cnn halves them twice: want a multiple of 4")
    return size_px // 4


LARGEST_PX = 512
"""The largest side of an image that classifiers are fitted to."""

LEAST_PX = {"convnext_tiny": 32, "vit_b_16": 32}
"""The smallest side that a network of torchvision can halve, or cut into patches; the others take any."""

PATCH_PX = 16
"""The side of a patch of vit_b_16."""


def check_classifier_size(network: str, size_px: int) -> None:
    """Raise BadConfig for images of a size that the classifier of this name is not built for."""
    if size_px > LARGEST_PX:
        raise BadConfig(
            f"images are {size_px} px wide, classifiers take at most {LARGEST_PX}; run preprocess with a smaller "
            "--size-px, or train_classifier with its own --size-px"
        )
    if network == "rps_cnn":
        quartered(size_px)
    least = LEAST_PX.get(network, 1)
    if size_px < least or (network == "vit_b_16" and size_px % PATCH_PX):
        steps = f"in steps of {PATCH_PX}, since it cuts them into patches" if network == "vit_b_16" else "or more"
        raise BadConfig(
            f"--network {network}: images are {size_px} px wide, want {least} {steps}; run preprocess with --size-px"
        )
