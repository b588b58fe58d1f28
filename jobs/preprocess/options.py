"""The options of preprocess, checked."""

from dataclasses import dataclass

from jobs.preprocess.known import KNOWN, check_known
from shared.errors import BadConfig

SPLITS = ("auto", "official", "random")
"""auto: the source's official partition where it has one, else random."""


@dataclass(frozen=True, kw_only=True)
class PreprocessConfig:
    """What becomes of a source's images. `channels` is 1 (grey) or 3 (colour); None and 0 mean no limit."""

    source: str
    source_path: str | None
    label: str | None
    limit: int
    limit_seed: int
    per_class: int
    size_px: int
    channels: int
    crop: str
    resize_filter: str
    background: str
    split: str
    val_fraction: float
    test_fraction: float
    max_rejected: float
    verify_md5: bool
    shard_images: int
    seed: int

    def __post_init__(self) -> None:
        from PIL import ImageColor

        if not (0 < self.val_fraction < 1 and 0 < self.test_fraction < 1):
            raise BadConfig(
                f"val_fraction={self.val_fraction}, test_fraction={self.test_fraction}: want both between 0 and 1"
            )
        if self.val_fraction + self.test_fraction >= 1:
            raise BadConfig(
                f"val_fraction={self.val_fraction} and test_fraction={self.test_fraction} leave nothing to train on"
            )
        try:
            ImageColor.getrgb(self.background)
        except ValueError as error:
            raise BadConfig(f"--background {self.background}: no colour; want white, black or #rrggbb") from error
        check_known(self)

    @property
    def mirrors(self) -> bool:
        """Whether an image is of the same class in a mirror."""
        return KNOWN[self.source].mirrors

    @property
    def preparation(self) -> dict[str, object]:
        """How images were prepared, for the manifest: scores depend on it."""
        return {
            "crop": self.crop,
            "resize_filter": self.resize_filter,
            "resizer": "Pillow",
            "antialias": self.resize_filter != "nearest",
            "background": self.background,
        }
