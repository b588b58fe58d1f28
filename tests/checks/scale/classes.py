"""Many classes through every job: `python -m tests.checks.scale.classes --out DIR [--classes N]`.

Ten generated images of 32 px a class, tiny networks, few steps, two replicates: what is shown is that every job ends,
what it takes, and that record and page stay small; the verdict means nothing. Exits with 1 where the page does not.
"""

import argparse
import os
import sys
from pathlib import Path

from tests.checks.scale.row import timed_job
from tests.checks.scale.sets import folders

SIZE_PX, IMAGES_EACH = 32, 10

MOST_PAGE_MB = 8.0
"""With pictures of noise, which hardly compress, and 1,000 classes it was 6.2."""

JOBS: dict[str, list[object]] = {
    "preprocess": ["--size-px", SIZE_PX, "--near-duplicates-bits", 0, "--val-fraction", 0.1, "--test-fraction", 0.2],
    "train_classifier": ["--steps", 100],
    "train_gan": ["--family", "dcgan", "--epochs", 1, "--snapshot-every-epochs", 1, "--width", 4],
    "evaluate": ["--images", 1000],
    "synthesize": [],
    "train_mixed": ["--steps", 20, "--measure-every", 20, "--patience", 1],
    "report": [],
}


def main() -> int:
    """Run every job and print what each took; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--classes", type=int, default=1000)
    given = parser.parse_args()
    pictures = given.out / "pictures"
    if not pictures.exists():
        folders(pictures, IMAGES_EACH * given.classes, SIZE_PX, given.classes)
    # one at a time, in the process that is measured
    os.environ |= {"HALFREAL_REPLICATES": "2", "HALFREAL_PROCESSES": "1"}
    where = ["--recipe", "emoji", "--experiment", "set", "--data-root", given.out / "volume"]
    for name, words in JOBS.items():
        source = ["--source-path", pictures] if name == "preprocess" else []
        took = timed_job(name, *where, *words, *source)
        print(
            f"{name}: {took['seconds']:,.0f} s, {took['processor']:,.0f} s of processor, {took['peak_mb']:,.0f} MB",
            flush=True,
        )
    experiment = given.out / "volume" / "set"
    page, record = (experiment / name for name in ("report/index.html", "mixed/manifest.json"))
    page_mb, record_mb = (path.stat().st_size / 1e6 for path in (page, record))
    print(f"page {page_mb:.1f} MB, at most {MOST_PAGE_MB:g}; record of the results {record_mb:.1f} MB")
    return 0 if page_mb <= MOST_PAGE_MB else 1


if __name__ == "__main__":
    sys.exit(main())
