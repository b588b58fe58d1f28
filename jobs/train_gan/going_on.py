"""Training that goes on: how far it is, and where a longer plan takes over. Imports no torch."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from jobs.train_gan.plan import Plan, learning_rate_factor
from shared.errors import FormatError
from shared.format.tensor_header import read_facts
from shared.store.identity import Progress
from shared.store.records.base import parse_record
from shared.store.records.gan import CheckpointHeader, Extension

CHECKPOINT = "checkpoint.safetensors"


def read_header(folder: Path) -> CheckpointHeader | None:
    """Return what the checkpoint in `folder` says; None without one. FormatError for one that says nothing."""
    path = folder / CHECKPOINT
    return parse_record(CheckpointHeader, read_facts(path), f"{path}: its header") if path.exists() else None


def how_far(folder: Path, options: Mapping[str, object]) -> Progress | None:
    """Return how far a training with `options` is, whose checkpoints are in `folder`: of one pair of networks, or each.

    None where nothing can be gone on from.
    """
    try:
        found = [read_header(path) for path in [folder, *sorted(folder.glob("classes/*"))]]
    except (FormatError, OSError):
        return None
    headers = [header for header in found if header is not None]
    if not headers:
        return None
    ends = [header.epoch for header in headers]
    by_class = not (folder / CHECKPOINT).exists()
    counted = [(f"epoch {epoch} of {options.get('epochs')}", count) for epoch, count in sorted(Counter(ends).items())]
    words = [f"{words} in {count} class{'es' if count > 1 else ''}" if by_class else words for words, count in counted]
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
