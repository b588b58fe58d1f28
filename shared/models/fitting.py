"""Fit a classifier and measure it; what every job that trains or asks a classifier uses."""

import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.images import Images, to_unit_range
from shared.data.pixels import Pixels
from shared.data.resizing import resized
from shared.errors import BadInput
from shared.models.classifiers import build_classifier, spec_of
from shared.models.fit_options import FitConfig
from shared.models.imbalance import BATCHES, class_weights, cross_entropy
from shared.models.inference import batch_for, in_batches
from shared.models.networks import Classifier, of_attributes
from shared.models.tables import Spec
from shared.models.validation.metrics import val_metrics
from shared.models.zoo.pretrained_file import load_pretrained
from shared.runtime.observe.observation import report_losses, timed, training
from shared.runtime.seeding import Stream, derive_seed, seed_everything
from shared.store.artifacts import Artifact
from shared.store.checkpoints import load, save
from shared.store.records.base import parse_record
from shared.store.records.classifier import ClassifierHeader, CurveRow

CLASSIFIER_FILE = "classifier.safetensors"

Augment = Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor]]
"""Maps uint8 images (N, channels, size, size), labels (N,) and a step's seed to what the network is trained on.

That is images in [-1, 1] and targets: labels (N,), or probabilities (N, classes).
"""


@dataclass(frozen=True)
class Fitted:
    """The network with the best weights on val until `stopped_at`, their step, and the curve until then.

    The curve has a row for each measurement. `equal_steps`, where it was asked for, has the best weights within the
    `steps` of the options, whether training stopped earlier or later.
    """

    network: Classifier
    best_step: int
    stopped_at: int
    curve: list[CurveRow]
    equal_steps: Classifier | None = None


@dataclass(frozen=True)
class FitExtras:
    """What a fit may do besides its steps.

    `patience` is the number of measurements without a better one after which training stops; 0 never stops early.
    Better is a higher macro F1, or the same with a loss on val that is lower by more than `least_gain`, in nats.
    `most_steps` is where training ends at the latest; None, or fewer than the `steps` of the options: these.
    `equal_steps` asks for the weights that the `steps` of the options give, from the same training. `augment` changes
    the images of a step. `on_step(count, note)` is called as steps are done.
    """

    patience: int = 0
    least_gain: float = 0.0
    most_steps: int | None = None
    equal_steps: bool = False
    augment: Augment | None = None
    on_step: Callable[[int, str], None] = lambda count, note: None


class _Best:
    """The weights that did best on val so far, and the curve of all measurements."""

    def __init__(self, least_gain: float = 0.0) -> None:
        self.curve: list[CurveRow] = []
        self.weights: dict[str, Tensor] = {}
        self.waited = 0
        """Measurements since the last one that patience counts as better."""
        self._least_gain = least_gain
        self._reference: CurveRow | None = None

    @property
    def row(self) -> CurveRow:
        """The best measurement, of equal ones the first."""
        return max(self.curve, key=_rank)  # `max` returns the first of equals

    def add(self, row: CurveRow, network: Classifier) -> None:
        """Add a measurement of the network as it is."""
        self.curve.append(row)
        if self.row is row:
            self.weights = deepcopy(network.state_dict())  # a state dict refers to the weights, which train on
        self.waited += 1
        if self._reference is None or _rank(row, self._least_gain) > _rank(self._reference):
            # compared with the last improvement, not with the last measurement, so that small gains add up to one
            self._reference, self.waited = row, 0

    def stopped(self, patience: int) -> bool:
        """Whether training has gone on for `patience` measurements in vain; 0 never stops."""
        return 0 < patience <= self.waited


@training()
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

    Best is the highest macro F1, then the lowest cross-entropy. BadInput for a loss that is not finite.
    """
    seed_everything(seed, Stream.CLASSIFIER_LAYERS)
    extras = extras or FitExtras()
    network = _first_network(train, classes, config).to(device)
    train, val = train.to(device), val.to(device)
    measure_val = _val_metrics(classes, device)
    best, control = _Best(extras.least_gain), _Best()
    last = max(config.steps, extras.most_steps or 0)
    losses = list[Tensor]()
    for step, loss in enumerate(_training(network, train, classes, config, seed, extras.augment), start=1):
        losses.append(loss)
        if step % config.measure_every and step not in (config.steps, last):
            continue
        row = CurveRow(step=step, train_loss=_mean_loss(losses, step), **measure_val(network, val))
        report_losses({"train": row.train_loss, "val": row.val_loss})
        extras.on_step(len(losses), f"val F1 {row.val_f1:.3f}")
        losses = []
        if not best.stopped(extras.patience):
            best.add(row, network)
        if extras.equal_steps and step <= config.steps:
            control.add(row, network)
        # after an early stop training goes on only for the control, and changes nothing of what is kept
        if step == last or (best.stopped(extras.patience) and (step >= config.steps or not extras.equal_steps)):
            break
    return Fitted(
        network=_with_weights(network, best.weights),
        best_step=best.row.step,
        stopped_at=best.curve[-1].step,
        curve=best.curve,
        equal_steps=_with_weights(network, control.weights) if extras.equal_steps else None,
    )


def _training(
    network: Classifier, train: Images, classes: int, config: FitConfig, seed: int, augment: Augment | None
) -> Iterator[Tensor]:
    """Take a step for each loss that is asked for, without an end; the loss is on the device."""
    # fused: one kernel for all parameters, since these networks are small and launches would dominate
    optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
    labels, device = train.labels.cpu(), train.labels.device
    order = BATCHES[config.sampling](labels, config.batch_images, seed)
    batches = timed(train.batches_of(order, device))
    # of what this fit trains on, real and synthetic images together
    weights = class_weights(labels, classes).to(train.labels.device) if config.class_weights == "balanced" else None
    for step, (pixels, targets) in enumerate(batches, start=1):
        network.train()  # measuring on val left it in evaluation mode
        if augment is None:
            images = to_unit_range(pixels)
        else:
            # a seed for each step: what a step draws does not depend on how many numbers earlier ones took
            images, targets = augment(pixels, targets, derive_seed(seed, Stream.CLASSIFIER_AUGMENTATION, step))
        loss = cross_entropy(network(images), targets, weights)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        yield loss.detach()  # read on the device's own time: a float() here would wait for it at every step


def _mean_loss(losses: list[Tensor], step: int) -> float:
    """Return the mean of the losses until `step`; BadInput if it is not finite."""
    mean = float(torch.stack(losses).mean())
    if not math.isfinite(mean):
        raise BadInput(f"training diverged: the classifier's loss is not finite by step {step}; lower --learning-rate")
    return mean


def _with_weights(network: Classifier, weights: dict[str, Tensor]) -> Classifier:
    """Return a copy of the network with these weights, ready to predict."""
    copy = deepcopy(network)
    copy.load_state_dict(weights)
    return copy.eval()


def classifier_spec(images: Images, classes: int, config: FitConfig) -> Spec:
    """Return the spec of the classifier for these images."""
    _, channels, size_px, _ = images.pixels.shape
    return spec_of(config, size_px=size_px, channels=channels, classes=classes)


def _first_network(train: Images, classes: int, config: FitConfig) -> Classifier:
    """Return the network that a fit begins with."""
    network = build_classifier(classifier_spec(train, classes, config))
    if config.pretrained:
        load_pretrained(network, Path(config.pretrained))
    return network


def _rank(row: CurveRow, handicap: float = 0.0) -> tuple[float, float]:
    return row.val_f1, -row.val_loss - handicap


def _val_metrics(classes: int, device: torch.device) -> Callable[[Classifier, Images], dict[str, float]]:
    """Return a function that measures a network on val."""
    measure = val_metrics(classes, device)
    return lambda network, val: measure(logits_of(network, val.pixels), val.labels)


def logits_of(network: Classifier, images: Tensor | Pixels) -> Tensor:
    """Return class logits (N, classes) of uint8 images (N, channels, size, size), on the network's device."""
    return _applied(network, network, images)


def probabilities_of(network: Classifier, images: Tensor | Pixels) -> Tensor:
    """Return class probabilities (N, classes) of uint8 images."""
    return logits_of(network, images).softmax(dim=1)


def answers_of(network: Classifier, images: Tensor | Pixels) -> Tensor:
    """Return what a classifier says of uint8 images: class probabilities (N, classes), or those of each attribute.

    The probabilities (N, attributes) of attributes say all of those of their combinations, of which there are more.
    """
    logits = logits_of(network, images)
    return of_attributes(logits, network.attributes).sigmoid() if network.attributes else logits.softmax(dim=1)


def features_of(network: Classifier, images: Tensor | Pixels) -> NDArray[np.float32]:
    """Return penultimate features (N, features) of uint8 images, as float32 numpy."""
    array: NDArray[np.float32] = _applied(network, network.features, images).cpu().numpy()
    return array


def _applied(network: Classifier, function: Callable[[Tensor], Tensor], images: Tensor | Pixels) -> Tensor:
    """Apply `function` of `network` to uint8 images in batches, on the network's device, in evaluation mode.

    Images of another size than a loaded classifier's own are resized to it, by the filter that it was trained with.
    """
    network.eval()  # batch norm by its running statistics: an answer must not depend on the batch
    device = next(network.parameters()).device
    size_px, resize_filter = network.input_format

    def apply(part: Tensor) -> Tensor:
        return function(to_unit_range(resized(part, size_px or part.shape[-1], resize_filter).to(device)))

    return in_batches(apply, images, batch_for(size_px or images.shape[-1]))


def save_classifier(folder: Path, network: Classifier, spec: Spec, resize_filter: str) -> None:
    """Write the classifier's weights, its spec and the filter that brings images to its size into a folder."""
    save(
        folder / CLASSIFIER_FILE,
        # copies, since layers of a user's network may share a tensor, which the file format refuses
        {name: tensor.clone() for name, tensor in network.state_dict().items()},
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
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:  # a user's function gives another network than before, though its file is the same
        raise BadInput(
            f"{where}: its weights do not fit what {header.spec['name']} gives now\n"
            "train it again: halfreal train_classifier --force"
        ) from error
    network.input_format = header.input_format
    return network.to(device).eval()
