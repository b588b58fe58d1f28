"""How good a generator is after how much training: MNIST at 32 px, or scikit-learn's digits where MNIST is not there.

Seconds are those of training alone. At each mark the averaged generator draws images: their Fréchet distance to the
real test images in the features of a classifier that was fitted on real images. At the last one a classifier is fitted
on them alone, with the labels that were asked for, and answers on the real test images.
"""

import gzip
import os
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.bench.time_to_quality import RUNS
from tests.gpu.part import Row, Task, finish

VARIABLE = "HALFREAL_TEST_DATA"
"""The variable that names the folder in which `mnist` has the four IDX files, gzipped."""

SCORING_SHARE = 0.1
"""The share of the time that is kept for fits and scores."""

CLASSES = 10


def measure(task: Task) -> Iterator[Row]:
    """Yield the distance at each mark, and at the end the accuracy after real and after synthetic images alone."""
    name, train, val, test = read(task)
    classifier, on_real = fitted(task, train, val, test)
    yield Row(f"{name}: accuracy after real images", "%", on_real)
    training = min(task.sizes.quality_s, task.left_s * (1 - SCORING_SHARE))
    for seconds, state, config in trained(task, train, training):
        images, distance = scored(task, state, config, classifier, test)
        yield Row(f"{name}: Fréchet distance after {seconds:.0f} s of training", "", distance)
    _, on_synthetic = fitted(task, images, val, test)
    yield Row(f"{name}: accuracy after {seconds:.0f} s of training, on synthetic images alone", "%", on_synthetic)


def read(task: Task) -> tuple[str, Any, Any, Any]:
    """Return the name of the images, and those of train, val and test at the task's size."""
    from shared.data.images import Images
    from shared.data.resizing import resized

    place = Path(os.environ.get(VARIABLE, ""), "mnist")
    if os.environ.get(VARIABLE) and place.is_dir():
        pairs = [(idx(place, f"{split}-images-idx3-ubyte.gz", 16), idx(place, f"{split}-labels-idx1-ubyte.gz", 8))
                 for split in ("train", "t10k")]  # fmt: skip
        pixels = [(images.reshape(-1, 28, 28), labels) for images, labels in pairs]
        (images, labels), (held_out, answers) = pixels
        name, held = "MNIST", len(images) // 12
    else:
        from sklearn.datasets import load_digits

        data = load_digits()
        grey = np.rint(data.images * (255 / 16)).astype(np.uint8)
        order = np.random.default_rng(0).permutation(len(grey))
        grey, target = grey[order], data.target[order]
        images, labels, held_out, answers = grey[:-300], target[:-300], grey[-300:], target[-300:]
        name, held = "scikit-learn's digits", 297

    def made(pixels: np.ndarray[Any, Any], targets: np.ndarray[Any, Any]) -> Images:
        planes = torch.from_numpy(pixels.copy())[:, None]
        return Images(resized(planes, task.sizes.quality_px, "bicubic"), torch.from_numpy(targets.astype(np.int64)))

    return name, made(images[held:], labels[held:]), made(images[:held], labels[:held]), made(held_out, answers)


def idx(folder: Path, name: str, skipped: int) -> np.ndarray[Any, Any]:
    """Return the bytes of an IDX file after its header."""
    with gzip.open(folder / name) as stream:
        return np.frombuffer(stream.read(), np.uint8, offset=skipped)


def fitted(task: Task, train: Any, val: Any, test: Any) -> tuple[Any, float]:
    """Return a classifier fitted on `train`, and its accuracy on test in percent."""
    from shared.models.fit_options import FitConfig
    from shared.models.fitting import fit, logits_of

    steps = task.sizes.quality_fit_steps
    config = FitConfig(steps=steps, batch_images=128, measure_every=max(steps // 10, 1))
    network = fit(train, val, CLASSES, config, seed=1, device=task.device).network
    right = logits_of(network, test.images).argmax(dim=1).cpu() == test.labels
    return network, 100 * float(right.double().mean())


def trained(task: Task, train: Any, training_s: float) -> Iterator[tuple[float, Any, Any]]:
    """Train the tuned recipe for `training_s` seconds; yield seconds, state and options at each mark."""
    from jobs.train_gan.loop import iterate
    from jobs.train_gan.options import GanOptions, resolve
    from jobs.train_gan.plan import learning_rate_factor
    from jobs.train_gan.state import State, specs
    from shared.data.order import Order
    from shared.format.manifest import Dataset
    from shared.runtime.process_group import SingleProcess

    fast = {"precision": "bf16", "cuda_graphs": True} if task.device.type == "cuda" else {}
    config = GanOptions(epochs=1, snapshot_every_epochs=1, seed=0, **(RUNS["tuned"] | fast))
    family = resolve(config)
    names = [str(label) for label in range(CLASSES)]
    info = Dataset(classes=names, size_px=task.sizes.quality_px, channels=1, preparation={}, splits={})
    state = State(SingleProcess(task.device), family, config, specs(family, config, info))
    there, order = train.to(task.device), Order(len(train), 0)
    chosen = (order.at(place, config.batch_images) for place in count(0, config.batch_images))
    stream = there.batches_of(chosen, task.device)
    spent, marks = 0.0, list(task.sizes.marks)
    while marks:
        begun = time.perf_counter()
        # a look at the clock and a wait for the GPU for many iterations, not for each
        for _ in range(50 if task.device.type == "cuda" else 1):
            state.scale_learning_rate(learning_rate_factor(config.decay, min(spent / training_s, 1.0)))
            for _ in iterate(state, config, stream):
                pass
            state.update_average(config, state.steps * config.batch_images * family.critic_steps)
        finish(task.device)
        spent += time.perf_counter() - begun
        if spent >= marks[0] * training_s:
            marks = [mark for mark in marks if spent < mark * training_s]
            yield spent, state, config


def scored(task: Task, state: Any, config: Any, classifier: Any, test: Any) -> tuple[Any, float]:
    """Return what the averaged generator draws, with its labels, and its distance to the test images."""
    from shared.data.images import Images
    from shared.metrics.features.frechet import frechet_distance, moments
    from shared.models.fitting import features_of
    from shared.models.snapshots import draw_images

    labels = torch.arange(CLASSES).repeat(task.sizes.drawn // CLASSES)
    latents = torch.randn(len(labels), config.latent, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        drawn = draw_images(state.average, latents, labels)
    distance = frechet_distance(
        *moments(features_of(classifier, drawn)), *moments(features_of(classifier, test.images))
    )
    return Images(drawn, labels), distance
