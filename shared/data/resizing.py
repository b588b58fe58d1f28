"""Stored images to another size, by the same filters that preprocess uses."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

FILTERS = ("lanczos", "bicubic", "bilinear", "box", "nearest")
"""Pillow's resampling filters; all but `nearest` are antialiased when shrinking."""


def resize(image: "Image.Image", size_px: int, resize_filter: str) -> "Image.Image":
    """Return the image squeezed or stretched to a square of `size_px`; itself if it is one already."""
    from PIL import Image

    if image.size == (size_px, size_px):
        return image
    return image.resize((size_px, size_px), Image.Resampling[resize_filter.upper()])


def converted(images: "Tensor", size_px: int, channels: int, resize_filter: str) -> "Tensor":
    """Return uint8 images (N, 1 or 3, S, S) as (N, channels, size_px, size_px), as preprocess would have made them.

    Colour becomes grey by Pillow's weights (ITU-R 601-2), grey is repeated.
    """
    import numpy as np
    import torch
    from PIL import Image

    if channels < images.shape[1]:
        pictures = images.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        grey = np.stack([np.asarray(Image.fromarray(pixels).convert("L")) for pixels in pictures])
        images = torch.from_numpy(grey)[:, None]
    # repeated after it is resized, grey before: fewer planes, and the same result for equal ones
    images = resized(images, size_px, resize_filter)
    return images.expand(-1, channels, -1, -1).contiguous()


def resized(images: "Tensor", size_px: int, resize_filter: str) -> "Tensor":
    """Return uint8 images (N, channels, size, size) at (N, channels, size_px, size_px), on the same device."""
    import numpy as np
    import torch
    from PIL import Image

    if images.shape[-1] == size_px:
        return images
    # channel by channel: Pillow resizes the channels of an image independently, so that the result is the same
    planes = images.cpu().numpy().reshape(-1, *images.shape[-2:])
    small = np.stack([np.asarray(resize(Image.fromarray(plane), size_px, resize_filter)) for plane in planes])
    return torch.from_numpy(small).view(*images.shape[:2], size_px, size_px).to(images.device)
