"""How often the copy test flags honest images, and which copies it finds: `python -m tests.shared.metrics.copy_rates`.

Without options: sets that are drawn from real images over and over, see `draws`. MNIST and emoji are read where
`HALFREAL_TEST_DATA` has them; scikit-learn's digits always are. With `--gans FOLDER`: GANs of every family, trained on
MNIST in that folder, a minute or two each, see `gans`; the same call goes on where an earlier one ended. Exit code 1
where more than 5 % of honest sets are flagged.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from shared.metrics.copies import NEARER, SHARE_OF_COPIES
from shared.store.records.copies import CopyTest
from tests.shared.metrics.copy_rates.draws import (
    HONEST,
    MOST_FALSE,
    PLANTED,
    SHARES,
    digits,
    emoji,
    honest,
    mnist,
    planted,
)


def flagged(found: list[CopyTest]) -> str:
    """Return how many tests flagged, and for what, in words."""
    by = [sum(what in (test.flagged_for or []) for test in found) / len(found) for what in (SHARE_OF_COPIES, NEARER)]
    every = sum(test.flagged for test in found) / len(found)
    return f"{100 * every:5.1f} % of {len(found)} (share {100 * by[0]:.1f} %, nearer {100 * by[1]:.1f} %)"


def main() -> int:
    """Print the table; return 1 where honest images are flagged too often."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument(
        "--draws",
        type=int,
        help="Draws of honest images, a tenth as many of planted ones [200]; draws of train images for GANs [3].",
    )
    words.add_argument("--sets", default="digits,mnist,emoji", help="Which sets, where they are there.")
    words.add_argument("--gans", type=Path, metavar="FOLDER", help="Test GANs that are trained in this folder instead.")
    given = words.parse_args()
    folder = Path(os.environ.get("HALFREAL_TEST_DATA", ""))
    if given.gans is None:
        return from_real_images(folder, given.sets.split(","), given.draws or 200)
    if folder == Path():
        words.error("--gans: set HALFREAL_TEST_DATA to a folder with mnist/ in it")
    from tests.shared.metrics.copy_rates.gans import calibrate

    return calibrate(given.gans, folder / "mnist", given.draws or 3)


def from_real_images(folder: Path, names: list[str], draws: int) -> int:
    """Print how often sets that are drawn from real images are flagged; return the exit code."""
    readers: dict[str, Callable[[Path], Tensor]] = {"digits": lambda _: digits()}
    if folder != Path():
        readers |= {"mnist": mnist, "emoji": emoji}
    sets = {name: read(folder) for name, read in readers.items() if name in names}
    failed = False
    for name, images in sets.items():
        for kind in HONEST:
            found = [honest(images, kind, seed) for seed in range(draws)]
            failed |= sum(test.flagged for test in found) > MOST_FALSE * draws
            highest = max(test.nearer for test in found)
            print(f"{name:8} {kind:22} {flagged(found)}, nearer at most {highest:.2f}", flush=True)
        for kind in PLANTED:
            for share in SHARES:
                found = [planted(images, kind, share, seed) for seed in range(max(draws // 10, 1))]
                print(f"{name:8} {kind:14} {100 * share:5.0f} %  {flagged(found)}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
