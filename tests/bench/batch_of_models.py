"""Fits of the demo's classifier one after another, as jobs make them, against all of them in one network.

A step of several models at once has fewer and larger operations. `vmap` over stacked weights is torch's own way to
write that; convolutions in groups are the other one, with the images of the models next to each other as channels.
That all train the same models is shown in float64, where roundings stay small over the steps.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.bench.row import Row, Work

STEPS, BATCH, SIZE_PX, CLASSES, WIDTH = 20, 64, 16, 10, 16
LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Task:
    """Models, and for each step the images (models, BATCH, 1, SIZE_PX, SIZE_PX) and labels (models, BATCH) of all."""

    models: int
    batches: list[tuple[Tensor, Tensor]]

    @property
    def exact(self) -> "Task":
        """The same in float64."""
        return Task(self.models, [(images.double(), labels) for images, labels in self.batches])

    def networks(self) -> list[nn.Module]:
        """Return networks to train, always the same ones."""
        from shared.models.classifiers import build_classifier

        spec = {"name": "small_cnn", "size_px": SIZE_PX, "channels": 1, "classes": CLASSES, "width": WIDTH}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            networks = [build_classifier(spec).train() for _ in range(self.models)]
        return [network.to(self.batches[0][0].dtype) for network in networks]


def prepare(folder: Path, models: int) -> Task:
    """Make images of noise; nothing is written. AssertionError where the ways to train them differ by 1e-5 nats."""
    chance = torch.Generator().manual_seed(0)
    shape = models, BATCH, 1, SIZE_PX, SIZE_PX
    batches = [
        (2 * torch.rand(shape, generator=chance) - 1, torch.randint(CLASSES, shape[:2], generator=chance))
        for _ in range(STEPS)
    ]
    task = Task(models, batches)
    expected = one_by_one(task.exact)()
    for way in PEERS.values():
        torch.testing.assert_close(way(task.exact)(), expected, rtol=0, atol=1e-5)
    return task


def trained(task: Task, parameters: Iterable[Tensor], losses_of: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return the losses (STEPS, ...) of a fit with the optimizer of `fit`, given the function of a step's losses."""
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
    losses = []
    for images, labels in task.batches:
        loss = losses_of(images, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def one_by_one(task: Task) -> Work:
    """Return separate fits."""

    def loss_of(network: nn.Module, number: int, images: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(network(images[number]), labels[number])

    def work() -> Tensor:
        return torch.stack(
            [
                trained(task, network.parameters(), partial(loss_of, network, number))
                for number, network in enumerate(task.networks())
            ]
        )

    return work


def mapped(task: Task) -> Work:
    """Return the fits as `vmap` over stacked weights and running statistics."""

    def work() -> Tensor:
        networks = task.networks()
        weights, statistics = torch.func.stack_module_state(networks)
        shape_of_all = deepcopy(networks[0]).to("meta")

        def loss_of(
            weights: dict[str, Tensor], statistics: dict[str, Tensor], images: Tensor, labels: Tensor
        ) -> Tensor:
            return F.cross_entropy(torch.func.functional_call(shape_of_all, (weights, statistics), (images,)), labels)

        return trained(task, weights.values(), partial(torch.func.vmap(loss_of), weights, statistics)).T

    return work


class Together(nn.Module):
    """Small CNNs as one network: images (n, models * channels, size, size) to logits (models, n, classes)."""

    def __init__(self, networks: list[nn.Module]) -> None:
        super().__init__()
        self.models = len(networks)
        self.layers = nn.ModuleList()
        for layers in zip(*(network.modules() for network in networks), strict=True):
            match layers[0]:
                case nn.Conv2d() as first:
                    joined = nn.Conv2d(
                        self.models * first.in_channels, self.models * first.out_channels, 3, padding=1,
                        bias=False, groups=self.models,
                    )  # fmt: skip
                    joined.weight = nn.Parameter(torch.cat([layer.weight.detach() for layer in layers]))
                    self.layers.append(joined)
                case nn.BatchNorm2d() as first:  # its statistics are those of each channel, so of each model
                    self.layers.append(nn.BatchNorm2d(self.models * first.num_features))
                case nn.Linear():
                    self.layers.append(_Linear([layer.weight for layer in layers], [layer.bias for layer in layers]))
                case nn.MaxPool2d() | nn.ReLU() as first:
                    self.layers.append(first)
                case nn.Flatten():
                    self.layers.append(_Apart(self.models))

    def forward(self, images: Tensor) -> Tensor:
        for layer in self.layers:
            images = layer(images)
        return images


class _Linear(nn.Module):
    """A linear layer of each model: (models, n, before) to (models, n, after)."""

    def __init__(self, weights: list[Tensor], biases: list[Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([weight.detach().T for weight in weights]))
        self.bias = nn.Parameter(torch.stack([bias.detach() for bias in biases])[:, None])

    def forward(self, features: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, features, self.weight)


class _Apart(nn.Module):
    """From channels of all models to the features of each: (n, models * channels, h, w) to (models, n, features)."""

    def __init__(self, models: int) -> None:
        super().__init__()
        self.models = models

    def forward(self, features: Tensor) -> Tensor:
        return features.reshape(len(features), self.models, -1).transpose(0, 1)


def grouped(task: Task) -> Work:
    """Return the fits as one network with grouped convolutions, channels last as `fit` has it."""

    def work() -> Tensor:
        network = Together(task.networks()).to(task.batches[0][0].dtype).to(memory_format=torch.channels_last)

        def losses_of(images: Tensor, labels: Tensor) -> Tensor:
            # one channel each: the models' images become channels next to each other
            joined = images[:, :, 0].transpose(0, 1).contiguous(memory_format=torch.channels_last)
            logits = network(joined).flatten(0, 1)
            losses = F.cross_entropy(logits, labels.flatten(), reduction="none")
            return losses.view(task.models, BATCH).mean(dim=1)

        return trained(task, network.parameters(), losses_of).T

    return work


def same(ours: Tensor, theirs: Tensor) -> None:
    """Compare the loss of every step of every model, to 0.02 nats: float32 lets roundings grow."""
    torch.testing.assert_close(theirs, ours, rtol=0, atol=0.02)


PEERS = {"vmap over stacked weights": mapped, "grouped convolutions": grouped}

ROWS = {
    f"batch-of-models-{models}": Row(
        f"{models} fits of the demo's classifier, {STEPS} steps, batch {BATCH}, {SIZE_PX}x{SIZE_PX} px",
        models * STEPS * BATCH, "images",
        partial(prepare, models=models), one_by_one,
        PEERS, same,
    )
    for models in (2, 5)
}  # fmt: skip
