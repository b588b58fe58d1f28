"""The options of preprocess, checked."""

from dataclasses import dataclass

from shared.errors import BadConfig

FILTERS = ("lanczos", "bicubic", "bilinear", "box", "nearest")
"""Pillow's resampling filters; all but `nearest` are antialiased when shrinking."""

SOURCE_NAMES = ("digits",)
"""The rows of `sources.SOURCES`, by name."""


@dataclass(frozen=True, kw_only=True)
class PreprocessConfig:
    """What becomes of a source's images. `channels` is 1 (grey) or 3 (colour)."""

    source: str
    size_px: int
    channels: int
    crop: str
    resize_filter: str
    val_fraction: float
    test_fraction: float
    shard_images: int
    seed: int

    def __post_init__(self) -> None:
        if not (0 < self.val_fraction < 1 and 0 < self.test_fraction < 1):
            raise BadConfig(
                f"val_fraction={self.val_fraction}, test_fraction={self.test_fraction}: want both between 0 and 1"
            )
        if self.val_fraction + self.test_fraction >= 1:
            raise BadConfig(
                f"val_fraction={self.val_fraction} and test_fraction={self.test_fraction} leave nothing to train on"
            )

    @property
    def preparation(self) -> dict[str, object]:
        """How images were prepared, for the manifest: scores depend on it."""
        return {
            "crop": self.crop,
            "resize_filter": self.resize_filter,
            "resizer": "Pillow",
            "antialias": self.resize_filter != "nearest",
        }
