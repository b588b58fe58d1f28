"""How often the membership test finds what is not there, and what it finds of planted copies.

`python -m tests.shared.metrics.membership_rates` draws train, audit and synthetic images from real ones over and over.
Honest sets know nothing of train: other real images, as they are and blurred, and noise. Planted ones are copies of
training images among other real ones. Last comes what the features of a classifier that was trained on the members
say of other real images: why the test trains one of its own. MNIST is read where `HALFREAL_TEST_DATA` has it;
scikit-learn's digits always are. Exit code 1 where intervals of honest sets leave out 0.5 too often.
"""

import argparse
import gzip
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest
from torch import Tensor

from shared.data.images import Images
from shared.data.resizing import resized
from shared.metrics import membership as attack
from shared.metrics.membership import NonMembers, area, nearest_point, prepare
from shared.models.fitting import features_of, fit
from shared.store.records.membership import MembershipTest

MOST_FALSE = 0.05
"""The share of honest draws whose interval may leave out 0.5."""

SIZES = {"train": 600, "val": 100, "audit": 300, "synthetic": 600}

CPU = torch.device("cpu")

Made = Callable[[dict[str, Images]], Tensor]
Parts = dict[str, Images]


def digits() -> Images:
    """Return scikit-learn's digits at 16 px."""
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = np.rint(data.images * (255 / 16)).astype(np.uint8)
    return Images(resized(torch.from_numpy(pixels)[:, None], 16, "bicubic"), torch.from_numpy(data.target).long())


def mnist(folder: Path) -> Images:
    """Return MNIST's test images at 16 px."""
    pixels, labels = (
        np.frombuffer(gzip.decompress((folder / "mnist" / f"t10k-{name}-ubyte.gz").read_bytes()), np.uint8, offset=skip)
        for name, skip in (("images-idx3", 16), ("labels-idx1", 8))
    )
    images = torch.from_numpy(pixels.reshape(-1, 1, 28, 28).copy())
    return Images(resized(images, 16, "bicubic"), torch.from_numpy(labels.astype(np.int64)))


def draw(images: Images, seed: int) -> Parts:
    """Return disjoint parts."""
    order = np.random.default_rng(seed).permutation(len(images))
    ends = np.cumsum(list(SIZES.values()))
    return {
        name: images.subset(places) for name, places in zip(SIZES, np.split(order[: ends[-1]], ends[:-1]), strict=True)
    }


def noise(parts: Parts) -> Tensor:
    """Return images of noise."""
    shape = parts["synthetic"].images.shape
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def blurred(parts: Parts) -> Tensor:
    """Return other real images, blurred over 3 px."""
    images = parts["synthetic"].images.float()
    return torch.nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False).to(torch.uint8)


def copies(share: float) -> Made:
    """Return what makes a set of which a share are copies of training images, the others other real images."""

    def made(parts: Parts) -> Tensor:
        train, others = parts["train"].images, parts["synthetic"].images
        count = round(share * len(others))
        return torch.cat([train[:count], others[count:]])

    return made


HONEST: dict[str, Made] = {
    "other real": lambda parts: parts["synthetic"].images,
    "other real, blurred": blurred,
    "noise": noise,
}

PLANTED: dict[str, Made] = {f"copies, {100 * share:.0f} %": copies(share) for share in (1.0, 0.3, 0.1, 0.03)}


def own_features(parts: Parts, seed: int) -> tuple[float, float, float]:
    """Return the AUC for other real images by features of a classifier that was trained on the members."""
    network = fit(parts["train"], parts["val"], 10, attack.CLASSIFIER, seed=seed, device=CPU).network
    synthetic, train, audit = (
        torch.from_numpy(features_of(network, parts[name].images)) for name in ("synthetic", "train", "audit")
    )
    return area(nearest_point(train, synthetic), nearest_point(audit, synthetic))


def said(areas: list[tuple[float, float, float]]) -> tuple[str, int]:
    """Return the AUCs in words, and how many intervals leave out 0.5."""
    values = [auc for auc, _, _ in areas]
    left_out = sum(not low <= 0.5 <= high for _, low, high in areas)
    return f"AUC {np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f}), without 0.5: {left_out}", left_out


def main() -> int:
    """Print the table; return 1 where intervals of honest sets leave out 0.5 more often than they may."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--draws", type=int, default=100, help="Draws of each set.")
    words.add_argument("--sets", default="digits,mnist", help="Which sets, where they are there.")
    given = words.parse_args()
    folder = Path(os.environ.get("HALFREAL_TEST_DATA", ""))
    readers: dict[str, Callable[[], Images]] = {"digits": digits}
    if folder != Path():
        readers["mnist"] = lambda: mnist(folder)
    fitted: dict[int, Any] = {}

    def once(*inputs: Any, seed: int, **named: Any) -> Any:
        # the same images and seed for every set of a draw
        if seed not in fitted:
            fitted.clear()
            fitted[seed] = fit(*inputs, seed=seed, **named)
        return fitted[seed]

    attack.fit = once
    failed = False
    for name in [name for name in readers if name in given.sets.split(",")]:
        images = readers[name]()
        found: dict[str, list[dict[str, MembershipTest]]] = {kind: [] for kind in HONEST | PLANTED}
        own = []
        for seed in range(given.draws):
            parts = draw(images, seed)
            others = NonMembers(parts["audit"], "audit")
            for kind, make in (HONEST | PLANTED).items():
                attacked = prepare(parts["train"], parts["val"], others, 10, seed, CPU)
                found[kind].append({} if attacked is None else attacked.by(make(parts)))
            own.append(own_features(parts, seed))
        for kind, tests in found.items():
            for space in ("pixels", "classifier"):
                line, left_out = said([(each[space].auc, each[space].auc_low, each[space].auc_high) for each in tests])
                print(f"{name:7} {kind:20} {space:11} {line} of {len(tests)}", flush=True)
                # more than chance makes of MOST_FALSE
                failed |= kind in HONEST and binomtest(left_out, len(tests), MOST_FALSE, "greater").pvalue < 0.01
        print(f"{name:7} {'other real':20} {'its own':11} {said(own)[0]} of {len(own)}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
