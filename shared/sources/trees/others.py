"""Files that hold images or labels in forms that are not read, and what to do instead."""

import re
from collections.abc import Iterable

from shared.sources.items import plain

OTHERS = (
    (r"data_batch_\d|batches\.meta", "Python pickles of CIFAR", "--source cifar10 reads CIFAR-10"),
    (r".*\.arrow", "an Arrow file of save_to_disk", "write Parquet: Dataset.to_parquet"),
    (r"(.*[._-])?tf[._-]?records?([-.].*)?", "TFRecords", "export a folder of images for each class, or WebDataset"),
    (r".*\.(npy|npz|mat|h5|hdf5?|pt|pth|pkl|pickle)", "arrays", "save images, in a folder for each class"),
    (r".*\.(mdb|lmdb)", "an LMDB", "export images, in a folder for each class"),
    (
        r".*\.json",
        "a list in JSON",
        "export a folder for each class, or a CSV of file and label",
    ),
    (r".*\.(xlsx?|ods)", "a spreadsheet", "save it as CSV"),
    (r".*\.(txt|lst|dat)", "a list in text", "make it a .csv: a first line file,label, then commas"),
)
"""Patterns of file names, in any letter case, what such a file is, and what to do; the first that fits counts."""


def advice_on(names: Iterable[str]) -> str:
    """Return what the files of these names are and what to do instead, by the first row of OTHERS that fits one."""
    there = list(names)
    for pattern, what, instead in OTHERS:
        fitting = [name for name in there if re.fullmatch(pattern, name, re.IGNORECASE)]
        if fitting:
            return f"{plain(fitting[0][-60:])}: {what}, not read; {instead}"
    return ""
