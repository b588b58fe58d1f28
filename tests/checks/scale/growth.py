"""Growth of time and memory with the number of images: `python -m tests.checks.scale.growth --out DIR [--sizes N,...]`.

Generated images of 32 px, as many synthetic as real ones; each step runs in processes of its own on all cores. `verify`
reads and checks every shard, `first epoch` decodes, `later epoch` does not. `evaluate` scores 2,000 images against all
real ones. Near-duplicates are not looked for: all pairs are compared there, which `pairs` measures. `synthesize` draws
16 px digits by a generator that was trained for one epoch, evaluate and train_mixed have imported images. Written are
`growth.json`, `growth.md` and `growth.png`; sizes that are in the JSON already are not measured again. `--until-step`
leaves out the steps after one, for sizes at which they would take hours.

The exponent of a step is the slope between the two largest sizes that it was measured at: 1 where twice the images take
twice the time.
"""

import argparse
import json
import math
import os
import shutil
from pathlib import Path

from tests.checks.scale.row import MEASURED, Measured, job, timed, timed_job
from tests.checks.scale.sets import dataset

SIZE_PX, SCORED = 32, 2_000

OPEN = """
from pathlib import Path
from shared.store.artifacts import open_artifact
real = open_artifact(Path(sys.argv[1]), "dataset", "preprocess")
"""
VERIFY = OPEN + "answer(images=sum(1 for split in real.dataset.splits for _ in real.members(split)))"
EPOCH = (
    OPEN
    + """
from shared.data.batches import BatchPlan, batches
stream = batches(real, "train", BatchPlan(batch_images=64, seed=0))
for _ in range(real.dataset.splits["train"].count // 64):
    next(stream)
answer()
"""
)

MEASURES = ("processor", "peak_mb")
"""What grows: processor seconds, which other work on the machine does not change, and memory."""

STEPS = (
    *("preprocess", "verify", "first epoch", "later epoch", "train_classifier", "synthesize", "evaluate"),
    *("train_mixed", "report"),
)


def grow(out: Path, count: int, steps: tuple[str, ...] = STEPS) -> dict[str, Measured]:
    """Return what the `steps`, in order from the first, need for `count` real images and as many synthetic ones."""
    place = out / f"{count}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in ("pictures", "made"):
        dataset(place / name, count, SIZE_PX)
    volume = place / "volume"
    where = ["--recipe", "emoji", "--data-root", volume, "--experiment", "set"]
    size = ["--size-px", SIZE_PX, "--limit", 0, "--per-class", 0, "--near-duplicates-bits", 0]
    tars = ["--source", "webdataset", "--source-path"]
    real, cores = volume / "set" / "real", ["--threads", os.cpu_count()]
    digits = ["--recipe", "digits", "--data-root", out / "digits"]
    words: dict[str, tuple[object, ...]] = {
        "preprocess": ("preprocess", *where, *size, *cores, *tars, place / "pictures"),
        "verify": ("-c", MEASURED + VERIFY, real),
        "first epoch": ("-c", MEASURED + EPOCH, real),
        "later epoch": ("-c", MEASURED + EPOCH, real),
        "train_classifier": ("train_classifier", *where, "--steps", 50),
        "synthesize": ("synthesize", *digits, "--share", f"{count / 1257:.6f}", "--force"),
        "evaluate": ("evaluate", *where, "--scored", "synthetic", "--images", SCORED),
        "train_mixed": ("train_mixed", *where, "--steps", 50, "--fits", 1),
        "report": ("report", *where),
    }
    found = {}
    for step in steps:
        if step == "evaluate":
            job("synthesize", *where, *tars, place / "made")
        measure = timed if words[step][0] == "-c" else timed_job
        found[step] = measure(*words[step])
        print(f"{count:,} images, {step}: {json.dumps(found[step])}", flush=True)
    shutil.rmtree(place)
    return found


def exponents(rows: dict[int, dict[str, Measured]]) -> dict[str, dict[str, float]]:
    """Return the slope of each step's seconds and memory between the two largest sizes that it was measured at."""
    found = {}
    for step in STEPS:
        few, many = [count for count in sorted(rows) if step in rows[count]][-2:]
        found[step] = {
            key: math.log(rows[many][step][key] / rows[few][step][key]) / math.log(many / few) for key in MEASURES
        }
    return found


def report(out: Path, rows: dict[int, dict[str, Measured]]) -> None:
    """Write the table and the figure."""
    from matplotlib.figure import Figure

    slopes = exponents(rows)
    head = [*(f"{count:,}" for count in rows), "exponent, processor time", "exponent, memory"]
    lines = ["| step | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 2)
    for step in STEPS:
        there = {count: row[step] for count, row in rows.items() if step in row}
        cells = [_cell(there.get(count)) for count in rows] + [f"{slopes[step][key]:.2f}" for key in MEASURES]
        lines.append(f"| {step} | {' | '.join(cells)} |")
        for panel, key in zip(panels, MEASURES, strict=True):
            panel.loglog(list(there), [row[key] for row in there.values()], marker="o", label=step)
    for panel, label in zip(panels, ("processor seconds", "peak of the largest process (MB)"), strict=True):
        panel.set(xlabel="images", ylabel=label)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    figure.savefig(out / "growth.png", dpi=120)
    (out / "growth.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def _cell(found: Measured | None) -> str:
    return "" if found is None else f"{found['processor']:,.1f} s, {found['peak_mb']:,.0f} MB"


def main() -> None:
    """Measure every size that is not measured yet, then write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", default="1000,4000,16000,64000")
    parser.add_argument("--until-step", choices=STEPS, default=STEPS[-1])
    given = parser.parse_args()
    try:
        sizes = sorted({int(word) for word in given.sizes.split(",")})
    except ValueError:
        parser.error(f"--sizes {given.sizes}: want whole numbers by comma")
    if len(sizes) < 2 or sizes[0] < 1000:
        parser.error(f"--sizes {given.sizes}: want two sizes or more, of at least 1,000 images")
    given.out.mkdir(parents=True, exist_ok=True)
    kept = given.out / "growth.json"
    rows = {int(count): row for count, row in json.loads(kept.read_bytes()).items()} if kept.exists() else {}
    os.environ["HALFREAL_REPLICATES"] = "1"
    for words in (["preprocess"], ["train_classifier", "--steps", 100], ["train_gan", "--epochs", 1], ["evaluate"]):
        job(*words, "--recipe", "digits", "--data-root", given.out / "digits")
    for count in sizes:
        if count not in rows:
            rows[count] = grow(given.out, count, STEPS[: STEPS.index(given.until_step) + 1])
            kept.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    report(given.out, {count: rows[count] for count in sorted(rows)})


if __name__ == "__main__":
    main()
