"""The metrics by which the weights of a fit are chosen, by torchmetrics."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from shared.attributes import attributes_in
from shared.models.networks import bits, of_attributes

Measure = Callable[[Tensor, Tensor], dict[str, float]]
"""From logits (N, classes) and labels (N,) to the measured fields of a `CurveRow`."""

MEANS = {"val_accuracy": "micro", "val_precision": "macro", "val_recall": "macro", "val_f1": "macro"}
"""Over what each metric is a mean: images, or classes."""


def val_metrics(classes: int, device: torch.device) -> Measure:
    """Return a function that measures a network's logits on val.

    With combinations of attributes macro means are over attributes, each by the images that have it, and the accuracy
    is the share of attributes that are right.
    """
    from torchmetrics import MetricCollection
    from torchmetrics import classification as kinds

    attributes = attributes_in(classes)
    known = kinds.MultilabelAccuracy, kinds.MultilabelPrecision, kinds.MultilabelRecall, kinds.MultilabelF1Score
    if not attributes:
        known = kinds.MulticlassAccuracy, kinds.MulticlassPrecision, kinds.MulticlassRecall, kinds.MulticlassF1Score
    metrics = {
        name: kind(attributes or classes, average=average)
        for kind, (name, average) in zip(known, MEANS.items(), strict=True)
    }
    # on the device: each measurement then copies four numbers, not every answer
    collection = MetricCollection(metrics).to(device)

    def measure(logits: Tensor, labels: Tensor) -> dict[str, float]:
        answers, truth = logits, labels
        if attributes:
            answers, truth = of_attributes(logits, attributes).sigmoid(), bits(labels, attributes)
        collection.reset()
        scores = collection(answers, truth) | {"val_loss": F.cross_entropy(logits, labels)}
        return {name: float(value) for name, value in scores.items()}

    return measure
