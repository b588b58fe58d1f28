"""What sets beyond one machine would take: `python -m tests.checks.scale.plan DIR`.

Arithmetic, no measurement: the processor seconds an image of each step, as `growth` measured them between its two
largest sizes, times images and pixels; seconds and memory a shard of the last part, as `gather` measured them; bytes by
the format's own sizes. Both have left their JSON in DIR. Steps whose work does not depend on the number of images (fits
and GANs of a number of steps) are left out: they take what they take on small sets.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

from shared.format.shards import DEFAULT_SHARD_IMAGES

MEASURED_PX = 32
"""Side of the images that `growth` measures."""

PER_IMAGE = ("preprocess", "verify", "first epoch", "later epoch", "synthesize")
"""Steps that do so much for each image."""

PNG_SHARE = 0.75
"""Bytes of a stored photo over those of its pixels; generated pictures take less. CelebA at 64 px: 0.74."""

MEMBERS_BYTES = 3 * 512 + 3 * 256 + 160
"""Headers of a sample's three members in a tar, the padding of their contents, label and origin."""

INDEX_BYTES, SHARD_RECORD_BYTES, PAGE_SHARDS = 20, 260, 1000
"""Bytes of a sample in its index, and of a shard in its page without its counts; shards of a page."""

COUNT_BYTES = 9
"""Bytes of one class in a shard's sparse counts."""

HOURS = 8
"""The time in which a job that divides is to be done, which gives the number of pods."""

RANGE_BYTES = 8 << 20
"""Bytes of a request where whole shards are read from an object store."""


@dataclass(frozen=True)
class Planned:
    """A set: its name, images, classes and the side that they are prepared to."""

    name: str
    images: int
    classes: int
    size_px: int


SETS = (
    Planned("CelebA", 202_599, 2, 64),
    Planned("ImageNet-1k", 1_281_167, 1000, 64),
    Planned("ImageNet-1k, 256 px", 1_281_167, 1000, 256),
    Planned("ImageNet-21k", 14_197_122, 21_841, 64),
    Planned("1 billion", 1_000_000_000, 1000, 64),
)


Grown = dict[str, dict[str, dict[str, float]]]
"""What `growth` measured: by number of images, step and measure."""


def seconds_an_image(rows: Grown) -> dict[str, float]:
    """Return the processor seconds that one more image of `MEASURED_PX` takes in each step."""
    few, many = sorted(map(int, rows))[-2:]
    return {
        step: (rows[str(many)][step]["processor"] - rows[str(few)][step]["processor"]) / (many - few)
        for step in PER_IMAGE
    }


def gathered(rows: dict[str, dict[str, float]], shards: int) -> tuple[float, float]:
    """Return the processor seconds and the bytes of memory in which one process gathers `shards` shards."""
    few, many = sorted(map(int, rows))[-2:]
    seconds, peak = ((rows[str(many)][key] - rows[str(few)][key]) / (many - few) for key in ("processor", "peak_mb"))
    return shards * seconds, rows[str(few)]["peak_mb"] * 1e6 + shards * peak * 1e6


def bytes_of(planned: Planned) -> dict[str, float]:
    """Return the bytes of a set's shards, indexes, pages, decoded map and of the largest manifest."""
    shards = math.ceil(planned.images / DEFAULT_SHARD_IMAGES)
    pixels = 3 * planned.size_px**2
    seen = planned.classes * (1 - (1 - 1 / planned.classes) ** DEFAULT_SHARD_IMAGES)
    return {
        "shards": planned.images * (PNG_SHARE * pixels + MEMBERS_BYTES),
        "indexes": planned.images * INDEX_BYTES,
        "pages": shards * (SHARD_RECORD_BYTES + seen * COUNT_BYTES),
        "map": planned.images * pixels,
        "manifest": math.ceil(shards / PAGE_SHARDS) * 160 + planned.classes * 30,
    }


def table(rows: Grown, gathers: dict[str, dict[str, float]]) -> list[str]:
    """Return the lines of the table, in Markdown."""
    taken = seconds_an_image(rows)
    head = ["", *(planned.name for planned in SETS)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]

    def add(name: str, cells: list[str]) -> None:
        lines.append(f"| {name} | {' | '.join(cells)} |")

    add("images", [f"{planned.images:,}" for planned in SETS])
    add("classes, side in px", [f"{planned.classes:,}, {planned.size_px}" for planned in SETS])
    add("shards", [f"{math.ceil(planned.images / DEFAULT_SHARD_IMAGES):,}" for planned in SETS])
    for part in ("shards", "indexes", "pages", "manifest", "map"):
        add(f"bytes of the {part}", [readable(bytes_of(planned)[part]) for planned in SETS])
    for step in PER_IMAGE:
        # synthesize was measured at half the side: by pixels as well
        side = MEASURED_PX / 2 if step == "synthesize" else MEASURED_PX
        hours = [taken[step] * planned.images * (planned.size_px / side) ** 2 / 3600 for planned in SETS]
        add(f"{step}, core hours", [f"{hour:,.1f}" for hour in hours])
        if step in ("preprocess", "synthesize"):
            add(f"{step}, pods of 2 cores for {HOURS} h", [f"{math.ceil(hour / 2 / HOURS):,}" for hour in hours])
    gathering = [gathered(gathers, math.ceil(planned.images / DEFAULT_SHARD_IMAGES)) for planned in SETS]
    add("the last part gathers, seconds", [f"{seconds:,.0f}" for seconds, _ in gathering])
    add("memory of the last part", [readable(peak) for _, peak in gathering])
    requests = [
        2 * planned.images / DEFAULT_SHARD_IMAGES + bytes_of(planned)["shards"] / RANGE_BYTES for planned in SETS
    ]
    add("requests to read all from an object store", [f"{math.ceil(count):,}" for count in requests])
    return lines


def readable(count: float) -> str:
    """Return bytes with a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="DIR", help="what tests.checks.scale.growth and .gather were told")
    out = parser.parse_args().out
    print("\n".join(table(*(json.loads((out / f"{name}.json").read_bytes()) for name in ("growth", "gather")))))


if __name__ == "__main__":
    main()
