"""Do two commits write the same bytes? `python -m tests.checks.hashes BEFORE AFTER`.

Each of the two (a commit, a branch, a tag) is checked out into a temporary folder and runs every job on a few digits
there. The sha256 of every tar and safetensors file of the two volumes is compared by path. Manifests and figures are
not: they may say more than before. A refactoring shows by this that it changed no shard, weight or score.

Run both on one machine: another CPU rounds otherwise, so that a trained GAN differs.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

RECIPE = """
about = "A few digits: every job in seconds."
replicates = 2
threads = 1

[preprocess]
source = "digits"
limit = 240
size_px = 16
channels = 1

[train_classifier]
steps = 60
measure_every = 20

[train_gan]
family = "wgan_gp"
epochs = 2
batch_images = 16
latent = 8
width = 4
critic_steps = 2
augment = "translation,cutout"
decay = "late"
ema_images = 100

[evaluate]
images = 60

[synthesize]
share = 3.0
shard_images = 50

[train_mixed]
arms = "all"
steps = 20
measure_every = 10
patience = 2

[tune]
trials = 2
seeds = 1
epochs = 2

[tune.space]
train_gan.batch_images = [16, 24]
"""

GAN = ["--epochs", "1", "--batch-images", "16", "--latent", "8", "--width", "4", "--critic-steps", "2"]

ONE = ["--replicates", "1"]

FAMILIES: dict[str, list[str]] = {
    "dcgan": ["--real-target", "0.9", "--accumulate", "2"],
    "wgan": ["--unconditional", "--decay", "cosine"],
    "cgan": ["--bn-eps", "0.8"],
    "acgan": ["--generator-norm", "layer"],
    "per_class": [],
    "r3gan": ["--init", "orthogonal", "--augment", "colour"],
}
"""The families besides the recipe's own, each with options that no other row has."""


def commands() -> list[tuple[str, list[str]]]:
    """Return (experiment, words after `halfreal`) of every call, in order."""
    pipeline = (
        "preprocess",
        "train_classifier",
        "train_gan",
        "evaluate",
        "synthesize",
        "train_mixed",
        "tune",
        "report",
    )
    calls = [("main", [job]) for job in pipeline]
    for family, options in FAMILIES.items():
        calls += [
            (family, ["preprocess", "--size-px", "32", "--channels", "3", "--val-fraction", "0.2"]),
            (family, ["train_classifier", *ONE, "--size-px", "16", "--resize-filter", "box"]),
            (family, ["train_gan", *ONE, "--family", family, *GAN, *options]),
            (family, ["evaluate", *ONE, "--images", "40"]),
            (family, ["synthesize", *ONE, "--share", "0.5"]),
        ]
    return [*calls, ("main", ["export", "--to", "webdataset"])]


def make_volume(commit: str, folder: Path) -> Path:
    """Check `commit` out into `folder`, run every command there, and return the volume that they leave."""
    code, volume, recipe = folder / "code", folder / "volume", folder / "small.toml"
    subprocess.run(["git", "-C", ROOT, "worktree", "add", "--quiet", "--detach", code, commit], check=True)
    try:
        recipe.write_text(RECIPE, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HALFREAL_")}
        environment = kept | {"PYTHONPATH": str(code), "OMP_NUM_THREADS": "1"}
        for experiment, words in commands():
            place = ["--recipe", str(recipe), "--experiment", experiment, "--data-root", str(volume)]
            call = [sys.executable, "-m", "jobs", *words, *place]
            done = subprocess.run(call, env=environment, cwd=code, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{commit}: {' '.join(words)} ended with {done.returncode}\n{done.stderr}")
            print(f"{commit}: {experiment}: {words[0]}", flush=True)
    finally:
        subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", code], check=True)
    return volume


def hashes(volume: Path) -> dict[str, str]:
    """Return the sha256 of every tar and safetensors file of a volume, by its path there.

    The folder of a search for better options is named after a hash of what was asked, which is no part of its work.
    """
    paths = sorted(path for kind in ("*.tar", "*.safetensors") for path in volume.rglob(kind))
    names = {path: re.sub(r"trials/[0-9a-f]{12}/", "trials/*/", path.relative_to(volume).as_posix()) for path in paths}
    return {names[path]: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if not path.is_symlink()}


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Say of each path in what the two differ."""
    said = {(True, False): "gone", (False, True): "new", (True, True): "differs"}
    return [
        f"{said[name in before, name in after]}: {name}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def main() -> int:
    """Compare two commits; exit code 1 where any file differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.checks.hashes", description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after", nargs="?", default="HEAD")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="halfreal-hashes-") as scratch:
        sides = []
        for place, commit in (("before", asked.before), ("after", asked.after)):
            (Path(scratch) / place).mkdir()
            sides.append(hashes(make_volume(commit, Path(scratch) / place)))
    found = differences(*sides)
    print("\n".join(found))
    print(f"{len(sides[0])} tars and safetensors before, {len(sides[1])} after, {len(found)} differ")
    return 1 if found or not sides[0] else 0


if __name__ == "__main__":
    sys.exit(main())
