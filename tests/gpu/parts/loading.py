"""The share of its time for which a training waits for images: held on the GPU, or sent there batch by batch."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import torch

from tests.gpu.part import Row, Task, finish
from tests.gpu.parts.training import MODES, begin, modes

GOAL = 0.02
"""The largest share of waiting."""


def measure(task: Task) -> Iterator[Row]:
    """Yield the share of waiting of DCGAN's fastest mode, the images at either place."""
    from shared.data.images import Images

    side, chance = task.sizes.size_px, torch.Generator().manual_seed(0)
    shape = task.sizes.stored, 3, side, side
    pixels = torch.randint(0, 256, shape, generator=chance, dtype=torch.uint8)
    stored = Images(pixels, torch.zeros(len(pixels), dtype=torch.int64))
    for place, images in {"on the GPU": stored.to(task.device), "sent batch by batch": stored}.items():
        share = waited(task, images)
        yield Row(
            f"dcgan, batch {task.sizes.batches[0]:,}, images {place}: share of time waiting for them", "", share,
            goal=f"under {GOAL:.0%}", met=share < GOAL,
        )  # fmt: skip


def waited(task: Task, images: Any) -> float:
    """Return the share of the time of training that is spent until each batch is there or on its way."""
    from jobs.train_gan.loop import iterate
    from shared.data.order import Order

    start = begin(task, "dcgan", task.sizes.batches[0], {}, **MODES[modes(task)[-1]])
    batch, order, spent = start.config.batch_images, Order(len(images), 0), [0.0]
    batches = images.batches_of((order.at(place, batch) for place in count(0, batch)), task.device)

    def timed() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        while True:
            begun = time.perf_counter()
            found = next(batches)
            spent[0] += time.perf_counter() - begun
            yield found[0], found[1].to(task.device, non_blocking=True)

    def train(seconds: float) -> float:
        begun, spent[0] = time.perf_counter(), 0.0
        while True:
            for _ in iterate(start.state, start.config, stream):
                pass
            if time.perf_counter() - begun >= seconds:
                break
        finish(task.device)
        return spent[0] / (time.perf_counter() - begun)

    stream = timed()
    train(task.sizes.round_s)  # the first batches and steps make what all others use
    return train(5 * task.sizes.round_s)
