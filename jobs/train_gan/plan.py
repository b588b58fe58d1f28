"""How many iterations a run has, when a snapshot falls due, how the learning rate falls; how far a run is. No torch."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.train_gan.options import GanOptions
from shared.errors import FormatError
from shared.format.tensor_header import read_facts
from shared.format.versions import newest_first
from shared.store.identity import Progress
from shared.store.records.base import parse_record
from shared.store.records.gan import CheckpointHeader, Extension

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class Plan:
    """An iteration is `critic_steps` critic steps, on `images` real images together, and one generator step."""

    iterations: int
    images: int
    epoch_images: int
    snapshot_every_epochs: int
    epochs: int

    def epoch_after(self, iteration: int) -> int:
        """Return the number of whole epochs seen after iteration number `iteration` (from 0)."""
        # the last batch may reach beyond the end of the last epoch
        if iteration + 1 == self.iterations:
            return self.epochs
        return (iteration + 1) * self.images // self.epoch_images

    def epoch_ends(self, iteration: int, every: int = 1) -> bool:
        """Whether an epoch whose number is a multiple of `every`, or the run, ends with this iteration."""
        # by crossing a multiple, not by equality: one iteration may span several small epochs
        before = self.epoch_after(iteration - 1) // every if iteration else 0
        return self.epoch_after(iteration) // every > before or iteration + 1 == self.iterations

    def snapshot_due(self, iteration: int) -> bool:
        """Whether a snapshot falls due at the end of this iteration."""
        return self.epoch_ends(iteration, self.snapshot_every_epochs)


def make_plan(config: GanOptions, critic_steps: int, train_images: int) -> Plan:
    """Return the plan of a run on `train_images` images."""
    # an epoch is counted in images that the discriminator was shown, as papers and other tools count; each critic step
    # reads a batch of its own, so five of them use five batches of the epoch
    images = critic_steps * config.batch_images
    # rounded up: every epoch that was asked for is shown whole
    iterations = math.ceil(config.epochs * train_images / images)
    return Plan(iterations, images, train_images, config.snapshot_every_epochs, config.epochs)


def learning_rate_factor(decay: str, progress: float) -> float:
    """Return what the learning rate is multiplied by after a share `progress` in [0, 1) of the run."""
    # "late" stays at the full rate for the first half, then falls to 0 in a straight line
    rules = {"none": 1.0, "late": min(1.0, 2 * (1 - progress)), "cosine": 0.5 + 0.5 * math.cos(math.pi * progress)}
    return rules[decay]


def read_header(folder: Path) -> CheckpointHeader | None:
    """Return what the newest checkpoint in `folder` says that says anything; None without any.

    FormatError where there are some and none says anything.
    """
    paths, faults = newest_first(folder / CHECKPOINT), list[FormatError]()
    for path in paths:
        try:
            return parse_record(CheckpointHeader, read_facts(path), f"{path}: its header")
        except FormatError as error:
            faults.append(error)
    if faults:
        raise FormatError(all_damaged(folder / CHECKPOINT)) from faults[0]
    return None


def all_damaged(path: Path) -> str:
    """Return that no checkpoint at `path` is whole, what is left and what to do."""
    left = len(list(path.parent.glob("snapshots/*.safetensors")))
    return (
        f"{path}: damaged, and no older checkpoint is whole\n"
        f"no training can go on from the {left} snapshots next to it, which are generators alone: put a copy of the "
        "checkpoint back, or start over with --force"
    )


def how_far(folder: Path, options: Mapping[str, object]) -> Progress | None:
    """Return how far a training with `options` is, whose checkpoints are in `folder`: of one pair of networks, or each.

    None where nothing can be gone on from.
    """
    try:
        of_pairs = [path for kind in ("classes", "members") for path in sorted(folder.glob(f"{kind}/*"))]
        found = [read_header(path) for path in [folder, *of_pairs]]
    except (FormatError, OSError):
        return None
    headers = [header for header in found if header is not None]
    if not headers:
        return None
    ends = [header.epoch for header in headers]
    several, of_classes = not newest_first(folder / CHECKPOINT), (folder / "classes").is_dir()
    one, more = ("class", "classes") if of_classes else ("generator", "generators")
    counted = [(f"epoch {epoch} of {options.get('epochs')}", count) for epoch, count in sorted(Counter(ends).items())]
    words = [f"{words} in {count} {more if count > 1 else one}" if several else words for words, count in counted]
    return Progress(sum(header.steps for header in headers), ", ".join(reversed(words)))


def extension(before: int | None, plan: Plan, steps: int, decay: str) -> Extension | None:
    """Return where the longer `plan` takes over from one of `before` epochs, after `steps` iterations, if it does.

    A decay is laid out again over the whole of the longer plan: from here on the learning rate is what that says.
    """
    if before is None or before == plan.epochs:
        return None
    seen = min(steps * plan.images // plan.epoch_images, before)
    return Extension(epoch=seen, from_epochs=before, epochs=plan.epochs, decay=None if decay == "none" else decay)


def rates(extended: Extension, plan: Plan, steps: int) -> str:
    """Return, in words, what the learning rate was and is at the extension; nothing where it is constant."""
    if extended.decay is None:
        return ""
    old = min(steps * plan.images / (extended.from_epochs * plan.epoch_images), 1)
    before, now = (learning_rate_factor(extended.decay, done) for done in (old, steps / plan.iterations))
    return f": {now:.3g} of the full learning rate, was {before:.3g}"
