"""How much of this machine's memory a job may ask for."""

import os

from shared.errors import BadConfig

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
