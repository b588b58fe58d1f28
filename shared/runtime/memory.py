"""How much of this machine's memory a job may ask for."""

import os
from typing import TYPE_CHECKING

from shared.errors import BadConfig

if TYPE_CHECKING:
    import torch

LARGEST_SHARE = 0.5
"""The largest share of the machine's memory that images held at once may take."""

FEATURE_BYTES = 4 * 2048
"""What is known of an image: as many numbers as the largest extractor gives."""


def allowed_bytes() -> int:
    """Return how many bytes LARGEST_SHARE of this machine's memory is."""
    return int(LARGEST_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def check_images_fit(option: str, images: int, size_px: int, channels: int) -> None:
    """Raise BadConfig where `images` uint8 images and their features take more than LARGEST_SHARE of the memory."""
    allowed, per_image = allowed_bytes(), channels * size_px**2 + FEATURE_BYTES
    if images * per_image > allowed:
        raise BadConfig(
            f"{option} {images:,}: with their features these would take {images * per_image / 1e9:,.0f} GB, more than "
            f"half of this machine's memory; want at most {allowed // per_image:,}"
        )


def check_held(images: int, size_px: int, channels: int) -> None:
    """Raise BadConfig where `images` uint8 images, held at once, take more than LARGEST_SHARE of the memory."""
    allowed, per_image = allowed_bytes(), channels * size_px**2
    if images * per_image > allowed:
        raise BadConfig(
            f"{images:,} images of {size_px} px take {images * per_image / 1e9:,.1f} GB, more than half of this "
            f"machine's memory; want at most {allowed // per_image:,}\n"
            "run preprocess with --limit, or with a smaller --size-px"
        )


def check_step_fits(
    network: str, batch_images: int, size_px: int, image_bytes: int, weight_bytes: int, device: "torch.device"
) -> None:
    """Raise BadConfig where a step's batch does not fit, with the largest one that does.

    A step takes `image_bytes` for each image and `weight_bytes` however many there are. On a GPU what is free of its
    memory is what there is, elsewhere LARGEST_SHARE of this machine's.
    """
    if device.type == "cuda":
        from torch.cuda import mem_get_info

        allowed, whose = mem_get_info(device)[0], "free on the GPU"
    else:
        allowed, whose = allowed_bytes(), "half of this machine's memory"
    needed = weight_bytes + batch_images * image_bytes
    if needed <= allowed:
        return
    most = (allowed - weight_bytes) // max(image_bytes, 1)
    advice = f"want at most {most}" if most >= 2 else "want smaller images (--size-px), or a smaller --network"
    raise BadConfig(
        f"--batch-images {batch_images}: a step of {network} on images of {size_px} px takes about "
        f"{needed / 1e9:,.1f} GB\n{allowed / 1e9:,.1f} GB are {whose}; {advice}"
    )
