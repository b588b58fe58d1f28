"""How the files of a source are to be understood, and what becomes of their images. Imports nothing heavy."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What somebody says of a source's files, as far as they do not say it themselves.

    `label` names the field, column or attribute that is the class. `verify_md5` checks published files against their
    published md5.
    """

    label: str | None = None
    verify_md5: bool = True


@dataclass(frozen=True, kw_only=True)
class Target:
    """What images become: squares of `size_px` with 1 (grey) or 3 (colour) channels; see `prepare`."""

    size_px: int
    channels: int
    crop: str = "center"
    resize_filter: str = "bicubic"
    background: str = "white"
