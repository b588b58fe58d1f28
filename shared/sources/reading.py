"""How the files of a source are to be understood, and what becomes of their images. Imports nothing heavy."""

from dataclasses import dataclass

from shared.limits import PIXELS

UNLABELLED = ("-1", "nan", "none", "null", "n/a", "na", "unlabeled", "unlabelled", "_unlabeled")
"""What tools write where an image has no label, in any letter case; an empty label always means that."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What somebody says of a source's files, as far as they do not say it themselves.

    `label` names the field, column or attribute that is the class, `file_column`, `split_column` and `group_column`
    those with an image's path, split and group; None: found by their usual names, groups not at all. `label_from` is a
    regular expression with one group, the image's class, on the path of a file below the source's folder: then folders
    are no classes. `group_by` is one with one group, the image's group, on the path of an image. `unlabelled` are the
    labels that mean there is none, in any letter case, besides the empty one. `verify_md5` checks published files
    against their published md5. `labelled` False: labels are not asked for, nor looked at; `splits` False: splits
    that the files say are not used. Fewer than `least_classes` are refused.
    """

    label: str | None = None
    label_from: str | None = None
    file_column: str | None = None
    split_column: str | None = None
    group_column: str | None = None
    group_by: str | None = None
    unlabelled: tuple[str, ...] = UNLABELLED
    verify_md5: bool = True
    labelled: bool = True
    splits: bool = True
    least_classes: int = 2


@dataclass(frozen=True, kw_only=True)
class Target:
    """What images become: squares of `size_px` with 1 (grey) or 3 (colour) channels; see `prepare`.

    An image of more than `max_pixels` is put aside before it is decoded.
    """

    size_px: int
    channels: int
    crop: str = "center"
    resize_filter: str = "bicubic"
    background: str = "white"
    max_pixels: int = PIXELS
