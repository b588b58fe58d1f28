"""Train a classifier for the same steps on the same batches: `fit` against the loop of every PyTorch tutorial."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.bench.row import Row, Work

STEPS, BATCH, SIZE_PX, CLASSES = 24, 64, 32, 3

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Task:
    """Images to fit and to measure on, and the options of the fit: the classifier of the rock-paper-scissors cGAN."""

    train: Any
    val: Any
    config: Any
    device: torch.device = CPU


def prepare(folder: Path | None, steps: int = STEPS, batch: int = BATCH, device: torch.device = CPU) -> Task:
    """Make images of three classes that differ in brightness; nothing is written."""
    from shared.data.images import Images
    from shared.models.fit_options import FitConfig

    chance = torch.Generator().manual_seed(0)

    def images(count: int) -> Images:
        labels = torch.arange(count) % CLASSES
        shape = count, 3, SIZE_PX, SIZE_PX
        noise = torch.randint(0, 120, shape, generator=chance, dtype=torch.uint8)
        return Images(noise + (40 * labels).to(torch.uint8)[:, None, None, None], labels)

    config = FitConfig(network="rps_cnn", steps=steps, batch_images=batch, measure_every=steps)
    return Task(images(steps * batch // 2), images(batch), config, device)


def ours(task: Task) -> Work:
    """Return a fit of ours."""
    from shared.models.fitting import fit

    def work() -> dict[str, float]:
        fitted = fit(task.train, task.val, CLASSES, task.config, seed=0, device=task.device)
        return {name: getattr(fitted.curve[-1], name) for name in ("train_loss", "val_loss", "val_accuracy")}

    return work


class _Samples(torch.utils.data.Dataset[tuple[Tensor, Tensor]]):
    """Float images in [-1, 1] and labels, one at a time."""

    def __init__(self, images: Any) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images.images[index].float() / 127.5 - 1, self.images.labels[index]


def tutorial(task: Task) -> Work:
    """DataLoader, CrossEntropyLoss, Adam with torch's defaults, the loss read every step; the same batches as ours."""
    from shared.models.classifiers import build_classifier
    from shared.models.fitting import classifier_spec
    from shared.models.imbalance import natural_batches
    from shared.runtime.seeding import Stream, seed_everything

    spec, criterion = classifier_spec(task.train, CLASSES, task.config), nn.CrossEntropyLoss()

    def work() -> dict[str, float]:
        seed_everything(0, Stream.CLASSIFIER_LAYERS)
        network = build_classifier(spec).to(task.device, memory_format=torch.contiguous_format)
        optimizer = torch.optim.Adam(network.parameters(), lr=task.config.learning_rate)
        batches = natural_batches(task.train.labels, task.config.batch_images, 0)
        order = [index.tolist() for index in islice(batches, task.config.steps)]
        losses = []
        network.train()
        for images, labels in torch.utils.data.DataLoader(_Samples(task.train), batch_sampler=order):
            images, labels = images.to(task.device), labels.to(task.device)
            optimizer.zero_grad()
            loss = criterion(network(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        network.eval()
        with torch.no_grad():
            images, labels = next(iter(torch.utils.data.DataLoader(_Samples(task.val), batch_size=len(task.val))))
            images, labels = images.to(task.device), labels.to(task.device)
            logits = network(images)
        right = (logits.argmax(dim=1) == labels).float().mean()
        return {
            "train_loss": sum(losses) / len(losses),
            "val_loss": F.cross_entropy(logits, labels).item(),
            "val_accuracy": right.item(),
        }

    return work


def _same(ours: dict[str, float], theirs: dict[str, float]) -> None:
    """Compare the curves' ends, to 2 % of their size: 24 steps let roundings grow."""
    for name, value in ours.items():
        assert abs(value - theirs[name]) <= 0.02 * max(abs(theirs[name]), 0.05), (ours, theirs)


ROWS = {
    "fit": Row(
        f"{STEPS} steps of a classifier, S2's network at 32x32 px, batch 64", STEPS * BATCH, "images",
        prepare, ours, {"PyTorch's tutorial loop": tutorial}, _same,
    ),
}  # fmt: skip
