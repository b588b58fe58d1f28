"""Where real images come from: a row of `SOURCES` each.

A source says which images there are, in an order that never changes, without opening them. Sources that are files
live in a folder of their own name under `<data root>/sources`, or where `--source-path` points.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from jobs.preprocess import archives, folders, tars
from jobs.preprocess.items import Source, from_array
from jobs.preprocess.options import PreprocessOptions


def digits(folder: Path, config: PreprocessOptions) -> Source:
    """Return scikit-learn's 1,797 handwritten digits: 8x8 px, grey levels 0..16 stretched to 0..255.

    They are the test part of UCI's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998) and
    ship inside scikit-learn's wheel.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = np.rint(data.images * (255 / 16)).astype(np.uint8)
    items = [
        from_array(image, int(label), {"source": "sklearn.datasets.load_digits", "index": index})
        for index, (image, label) in enumerate(zip(pixels, data.target, strict=True))
    ]
    return Source(tuple(str(name) for name in data.target_names), items)


SOURCES: dict[str, Callable[[Path, PreprocessOptions], Source]] = {
    "digits": digits,
    "mnist": archives.mnist,
    "cifar10": archives.cifar10,
    "celeba": archives.celeba,
    "folder": folders.folder,
    "webdataset": tars.webdataset,
}
