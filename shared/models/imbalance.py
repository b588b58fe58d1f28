"""Which images a step trains on, in what order, and what they weigh in the loss where classes differ in size."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from shared.runtime.seeding import Stream, make_generator

Batches = Iterator[Tensor]
"""The indexes of each step's batch, (batch_images,), without an end."""


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """Return what an image of each class weighs in the loss, (classes,) float32: n / (k n_c) for each class c.

    n are the images of `labels` (N,), k the classes that have any, n_c those of class c; a class without images
    weighs 0. The mean weight of the images is 1. King and Zeng 2001 (Logistic regression in rare events data) weight
    by the inverse share of a class; this scale is scikit-learn's `class_weight="balanced"`.
    """
    counts = labels.bincount(minlength=classes)
    present = counts > 0
    weights = torch.zeros(classes, dtype=torch.float64, device=labels.device)
    weights[present] = len(labels) / (int(present.sum()) * counts[present].double())
    return weights.float()


def cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """Return the mean over images of the cross-entropy, each weighted by its class; in nats.

    `targets` are labels (N,), or probabilities (N, classes) whose every class counts with its own weight. The sum is
    divided by the number of images, not by the sum of their weights: a batch with many rare images counts for more.
    """
    if weights is None or targets.dim() == 2:
        return F.cross_entropy(logits, targets, weight=weights)
    return F.cross_entropy(logits, targets, weight=weights, reduction="sum") / len(targets)


def natural_batches(labels: Tensor, batch_images: int, seed: int) -> Batches:
    """Yield batches of shuffled epochs joined end to end: every image once in each epoch."""
    generator = make_generator(seed, Stream.CLASSIFIER_ORDER)
    return _joined(lambda: torch.randperm(len(labels), generator=generator), batch_images)


def balanced_batches(labels: Tensor, batch_images: int, seed: int) -> Batches:
    """Yield batches in which every class that has images occurs equally often: class-aware sampling.

    As Shen, Lin and Huang (2016, Relay backpropagation, section 3.1): classes are taken in turn, each round in a new
    order, and each class gives the next image of its own shuffled list, which is shuffled again when it ends. So any
    number of joined batches has the same number of images of each class, but for at most one.
    """
    generator = make_generator(seed, Stream.BALANCED_ORDER)
    groups = [(labels == label).nonzero()[:, 0] for label in labels.unique()]

    def shuffled(own: Tensor) -> Batches:
        return _joined(lambda: own[torch.randperm(len(own), generator=generator)], 1)

    images = [shuffled(own) for own in groups]
    return _joined(
        lambda: torch.cat([next(images[place]) for place in torch.randperm(len(groups), generator=generator).tolist()]),
        batch_images,
    )


def _joined(epoch: Callable[[], Tensor], batch_images: int) -> Batches:
    """Yield batches of the indexes that `epoch` gives, again and again."""
    # joined, since epochs of small sets may be shorter than a batch, and a last partial batch would weigh more
    waiting = torch.empty(0, dtype=torch.int64)
    while True:
        while len(waiting) < batch_images:
            waiting = torch.cat([waiting, epoch()])
        yield waiting[:batch_images]
        waiting = waiting[batch_images:]


BATCHES: dict[str, Callable[[Tensor, int, int], Batches]] = {
    "natural": natural_batches,
    "balanced": balanced_batches,
}
"""From labels (N,) on the CPU, images in a batch and a seed to batches, by the value of `sampling`."""
