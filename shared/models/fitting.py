"""Fit a classifier and measure it; what every job that trains or asks a classifier uses."""

import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from shared.data.images import Images, to_unit_range
from shared.data.resizing import resized
from shared.errors import BadInput
from shared.models.classifiers import build_classifier
from shared.models.fit_options import FitConfig
from shared.models.inference import in_batches
from shared.models.networks import Classifier
from shared.models.tables import Spec
from shared.runtime.seeding import Stream, make_generator, seed_everything
from shared.store.artifacts import Artifact
from shared.store.checkpoints import load, save
from shared.store.records.base import parse_record
from shared.store.records.classifier import ClassifierHeader, CurveRow

CLASSIFIER_FILE = "classifier.safetensors"


@dataclass(frozen=True)
class Fitted:
    """The best network on val, the step that it is of, and the curve (one row per measurement)."""

    network: Classifier
    best_step: int
    curve: list[CurveRow]


@dataclass(frozen=True)
class FitExtras:
    """What a fit may do besides its steps.

    `patience` is the number of measurements without a better one after which training stops; 0 never stops early.
    `augment(images, generator)` changes the images of a step, which are in [-1, 1]. `on_step(count, note)` is called as
    steps are done.
    """

    patience: int = 0
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None
    on_step: Callable[[int, str], None] = lambda count, note: None


class _Best:
    """The weights that did best on val so far, and the curve of all measurements."""

    def __init__(self) -> None:
        self.curve: list[CurveRow] = []
        self.weights: dict[str, Tensor] = {}

    @property
    def row(self) -> CurveRow:
        """The best measurement, of equal ones the first."""
        return max(self.curve, key=_rank)  # `max` returns the first of equals

    def add(self, row: CurveRow, network: Classifier) -> int:
        """Add a measurement; return how many steps it is after the last one. BadInput for a loss that is not finite."""
        if not math.isfinite(row.train_loss):
            raise BadInput(
                f"training diverged: the classifier's loss is not finite by step {row.step}; lower --learning-rate"
            )
        before = self.curve[-1].step if self.curve else 0
        self.curve.append(row)
        if self.row is row:
            self.weights = deepcopy(network.state_dict())  # a state dict refers to the weights, which train on
        return row.step - before


def fit(
    train: Images,
    val: Images,
    classes: int,
    config: FitConfig,
    *,
    seed: int,
    device: torch.device,
    extras: FitExtras | None = None,
) -> Fitted:
    """Train the classifier from `seed`; return it with the weights that did best on `val`.

    Best is the highest macro F1, then the lowest cross-entropy.
    """
    seed_everything(seed, Stream.CLASSIFIER_LAYERS)
    extras = extras or FitExtras()
    network = build_classifier(classifier_spec(train, classes, config)).to(device)
    # fused: one kernel for all parameters, since these networks are small and launches would dominate
    optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
    train, val = train.to(device), val.to(device)
    measure_val = _val_metrics(classes, device)
    generator = make_generator(seed, Stream.CLASSIFIER_AUGMENTATION)
    best, losses = _Best(), list[Tensor]()
    for step, chosen in enumerate(_batch_indexes(len(train), config, seed), start=1):
        network.train()  # measuring on val left it in evaluation mode
        images, labels = to_unit_range(train.images[chosen]), train.labels[chosen]
        if extras.augment is not None:
            images = extras.augment(images, generator)
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())  # read on the device's own time: a float() here would wait for it at every step
        if step % config.measure_every and step != config.steps:
            continue
        row = CurveRow(step=step, train_loss=float(torch.stack(losses).mean()), **measure_val(network, val))
        losses = []
        extras.on_step(best.add(row, network), f"val F1 {row.val_f1:.3f}")
        if extras.patience and step - best.row.step >= extras.patience * config.measure_every:
            break
    network.load_state_dict(best.weights)
    return Fitted(network.eval(), best.row.step, best.curve)


def classifier_spec(images: Images, classes: int, config: FitConfig) -> Spec:
    """Return the spec of the classifier for these images."""
    _, channels, size_px, _ = images.images.shape
    return {"name": config.network, "size_px": size_px, "channels": channels, "classes": classes, "width": config.width}


def _rank(row: CurveRow) -> tuple[float, float]:
    return row.val_f1, -row.val_loss


def _batch_indexes(total: int, config: FitConfig, seed: int) -> Iterator[Tensor]:
    """Yield the indexes of each step's batch: shuffled epochs joined end to end."""
    generator = make_generator(seed, Stream.CLASSIFIER_ORDER)
    # joined, since epochs of small sets may be shorter than a batch, and a last partial batch would weigh more
    waiting = torch.empty(0, dtype=torch.int64)
    for _ in range(config.steps):
        while len(waiting) < config.batch_images:
            waiting = torch.cat([waiting, torch.randperm(total, generator=generator)])
        yield waiting[: config.batch_images]
        waiting = waiting[config.batch_images :]


def _val_metrics(classes: int, device: torch.device) -> Callable[[Classifier, Images], dict[str, float]]:
    """Return a function that measures a network on val by torchmetrics."""
    from torchmetrics import MetricCollection
    from torchmetrics.classification import (
        MulticlassAccuracy,
        MulticlassF1Score,
        MulticlassPrecision,
        MulticlassRecall,
    )

    # on the device: each measurement then copies four numbers, not every answer
    collection = MetricCollection(
        {
            "val_accuracy": MulticlassAccuracy(classes, average="micro"),
            "val_precision": MulticlassPrecision(classes, average="macro"),
            "val_recall": MulticlassRecall(classes, average="macro"),
            "val_f1": MulticlassF1Score(classes, average="macro"),
        }
    ).to(device)

    def measure_val(network: Classifier, val: Images) -> dict[str, float]:
        logits = logits_of(network, val.images)
        collection.reset()
        scores = collection(logits, val.labels)
        return {name: float(value) for name, value in scores.items()} | {
            "val_loss": float(F.cross_entropy(logits, val.labels))
        }

    return measure_val


def logits_of(network: Classifier, images: Tensor) -> Tensor:
    """Return class logits (N, classes) of uint8 images (N, channels, size, size), on the network's device."""
    return _applied(network, network, images)


def probabilities_of(network: Classifier, images: Tensor) -> Tensor:
    """Return class probabilities (N, classes) of uint8 images."""
    return logits_of(network, images).softmax(dim=1)


def features_of(network: Classifier, images: Tensor) -> NDArray[np.float32]:
    """Return penultimate features (N, features) of uint8 images, as float32 numpy."""
    array: NDArray[np.float32] = _applied(network, network.features, images).cpu().numpy()
    return array


def _applied(network: Classifier, function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Apply `function` of `network` to uint8 images in batches, on the network's device, in evaluation mode.

    Images of another size than a loaded classifier's own are resized to it, by the filter that it was trained with.
    """
    network.eval()  # batch norm by its running statistics: an answer must not depend on the batch
    device = next(network.parameters()).device
    size_px, resize_filter = network.input_format

    def apply(part: Tensor) -> Tensor:
        return function(to_unit_range(resized(part, size_px or part.shape[-1], resize_filter).to(device)))

    return in_batches(apply, images)


def save_classifier(folder: Path, network: Classifier, spec: Spec, resize_filter: str) -> None:
    """Write the classifier's weights, its spec and the filter that brings images to its size into a folder."""
    save(
        folder / CLASSIFIER_FILE,
        network.state_dict(),
        ClassifierHeader(spec=dict(spec), resize_filter=resize_filter).facts(),
    )


def load_classifier(artifact: Artifact, device: torch.device) -> Classifier:
    """Return the classifier of a `classifier` artifact, ready to predict.

    Its `input_format` is the size of its images and the filter by which others are resized to it.
    """
    where = str(artifact.folder / CLASSIFIER_FILE)
    tensors, stored = load(artifact.read(CLASSIFIER_FILE), where)
    header = parse_record(ClassifierHeader, stored, f"{where}: its header")
    network = build_classifier(header.spec)
    network.load_state_dict(tensors)
    network.input_format = header.input_format
    return network.to(device).eval()
