"""How time and memory grow with the number of images: `python -m tests.bench.growth --out DIR [--sizes 1000,4000]`.

Each step runs in a process of its own: preprocess of 178x218 px JPEGs to 64x64 px on every core, verify and the filling
of the loader on those shards, synthesize and evaluate on a small GAN of 16 px digits. Written are `growth.json`,
`growth.md` and `growth.png`. Memory is the peak of the largest process of a step.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("preprocess", "verify", "loader fill", "synthesize", "evaluate")

READ = """
import sys
from pathlib import Path
from shared.store.artifacts import open_artifact
real = open_artifact(Path(sys.argv[1]), "dataset", "preprocess")
"""
VERIFY = READ + "for split in real.dataset.splits:\n    for _ in real.members(split):\n        pass\n"
FILL = READ + "from shared.data.batches import load_split\nload_split(real, 'train')\n"

QUICK = {"preprocess": [], "train_classifier": ["--steps", "100"], "train_gan": ["--epochs", "1"], "evaluate": []}
"""The jobs that synthesize and evaluate depend on, and options that make them short."""


def many_photos(folder: Path, count: int) -> Path:
    """Write `count` different JPEG files of two classes, from 512 pictures: the others differ by a comment."""
    from tests.bench.rows.preparing import photos

    pictures = [path.read_bytes() for path in sorted(photos(folder / "few", 512).photos.rglob("*.jpg"))]
    for number in range(count):
        place = folder / "photos" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        comment = b"\xff\xfe\x00\x0a%08d" % number
        payload = pictures[number % len(pictures)]
        (place / f"{number:06d}.jpg").write_bytes(payload[:2] + comment + payload[2:])
    return folder / "photos"


def measure(words: list[str]) -> dict[str, float]:
    """Run a command; return its seconds and the peak of its largest process in MB."""
    code = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]).returncode; "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done)"
    )
    started = time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, sys.executable, *words],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return {"seconds": time.monotonic() - started, "peak_mb": int(done.stdout.split()[-1]) / 1024}


def grow(out: Path, count: int) -> dict[str, dict[str, float]]:
    """Return what every step needs for `count` images."""
    place = out / f"{count}"
    shutil.rmtree(place, ignore_errors=True)
    pictures = many_photos(place, count)
    job = ["-P", "-m", "jobs"]
    where = ["--recipe", "emoji", "--data-root", str(place), "--experiment", "photos", "--source-path", str(pictures)]
    size = ["--size-px", "64", "--channels", "3", "--per-class", "0", "--limit", "0", "--resize-filter", "lanczos"]
    cores = ["--threads", str(os.cpu_count())]
    real = str(place / "photos" / "real")
    digits = ["--recipe", "digits", "--data-root", str(out)]
    share = ["--share", f"{count / 1257:.6f}"]
    found = {
        "preprocess": measure([*job, "preprocess", *where, *size, *cores, "--force"]),
        "verify": measure(["-c", VERIFY, real]),
        "loader fill": measure(["-c", FILL, real]),
        "synthesize": measure([*job, "synthesize", *digits, *share, "--force"]),
        "evaluate": measure([*job, "evaluate", *digits, "--images", str(count), "--force"]),
    }
    shutil.rmtree(place)
    return found


def report(out: Path, rows: dict[int, dict[str, dict[str, float]]]) -> None:
    """Write the table and the figure."""
    from matplotlib.figure import Figure

    lines = ["| step | " + " | ".join(f"{count:,}" for count in rows) + " |", "|---" * (len(rows) + 1) + "|"]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 2)
    for step in STEPS:
        cells = [f"{row[step]['seconds']:.1f} s, {row[step]['peak_mb']:.0f} MB" for row in rows.values()]
        lines.append(f"| {step} | {' | '.join(cells)} |")
        for panel, key in zip(panels, ("seconds", "peak_mb"), strict=True):
            panel.loglog(list(rows), [row[step][key] for row in rows.values()], marker="o", label=step)
    for panel, label in zip(panels, ("seconds", "peak of the largest process (MB)"), strict=True):
        panel.set(xlabel="images", ylabel=label)
    panels[0].legend(fontsize=8)
    figure.savefig(out / "growth.png", dpi=120)
    (out / "growth.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def main() -> None:
    """Measure every size, then write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", default="1000,4000,16000,64000")
    given = parser.parse_args()
    try:
        sizes = [int(word) for word in given.sizes.split(",")]
    except ValueError:
        parser.error(f"--sizes {given.sizes}: want whole numbers by comma")
    if min(sizes) < 100:
        parser.error(f"--sizes {given.sizes}: want at least 100 images, which fill three splits of two classes")
    given.out.mkdir(parents=True, exist_ok=True)
    for job, words in QUICK.items():
        measure(["-P", "-m", "jobs", job, "--recipe", "digits", "--data-root", str(given.out), *words])
    rows: dict[int, dict[str, dict[str, Any]]] = {}
    for count in sizes:
        rows[count] = grow(given.out, count)
        print(count, rows[count], flush=True)
        (given.out / "growth.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    report(given.out, rows)


if __name__ == "__main__":
    main()
