"""A process that times the steps of an experiment, on its own images and with its own options.

    python -m jobs.commands.running.timing < request.json

The request has the experiment's `folder`, the `words` of a job's call, the `device`, the `widths` of the GANs, and when
the process was `started`, by the monotonic clock. It prints the fields of `budget.Times` and the kind of `device`.
"""

import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from jobs.commands.calls import command_of
from jobs.commands.running.budget import Times
from jobs.pipeline import PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, TRAIN_MIXED
from jobs.train_gan.loop import iterate, read_batches
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.plan import make_plan
from jobs.train_gan.state import State, specs
from jobs.train_gan.task import Task
from shared.cli.exit_codes import exit_with
from shared.cli.resolve import asked
from shared.data.images import Images, load_split
from shared.models.fit_options import FitConfig
from shared.models.fitting import fit, logits_of
from shared.models.snapshots import draw_images, latents_of
from shared.runtime.job_processes import follow_starter
from shared.runtime.process_group import ProcessGroup
from shared.store.artifacts import Artifact, open_output

if TYPE_CHECKING:
    from shared.store.records.datasets import RealRecord

LEAST_S = 2.0
"""A step is repeated for this long."""

DRAWN, MOST_STEPS = 256, 100
"""Images that are drawn at once to time that; steps of the fit that is timed at most."""


class Timing:
    """The steps of an experiment in `folder`, whose jobs are called with `words`."""

    def __init__(self, folder: Path, words: list[str], device: str) -> None:
        self._words = words
        self._real: Artifact[RealRecord] = open_output(PREPROCESS, folder)
        self._group = ProcessGroup(device)
        self._classes = self._real.dataset.class_count
        self._train, self._val = (load_split(self._real, name) for name in ("train", "val"))

    @property
    def device(self) -> torch.device:
        """Where everything is computed."""
        return self._group.device

    def times(self, widths: list[int], start_s: float) -> Times:
        """Return how long everything takes in this process; others may do the same next to it."""
        gan, annotator, mixed = (self._options(row.name) for row in (TRAIN_GAN, TRAIN_CLASSIFIER, TRAIN_MIXED))
        size_px = annotator.size_px or self._real.dataset.size_px
        return Times(
            epoch_s={width: self.epoch_s(replace(gan, width=width)) for width in widths},
            annotator_step_s=self.fit_step_s(
                annotator, *(images.at(size_px, annotator.resize_filter) for images in (self._train, self._val))
            ),
            fit_step_s=self.fit_step_s(mixed, self._train, self._val),
            image_s=self.image_s(gan, mixed),
            start_s=start_s,
        )

    def _options(self, job: str) -> Any:
        return asked(command_of(job), self._words).config

    def epoch_s(self, config: GanOptions) -> float:
        """Return the seconds of an epoch: its iterations, each as the training loop has it."""
        task, state = self._training(config)
        stream = read_batches(task, state)

        def iteration() -> None:
            for losses in iterate(state, task.config, stream):
                state.running_mean.add(losses)
            state.update_average(task.config, state.steps * task.config.batch_images)

        # of networks for each class every pair has an epoch of its own: together as many images
        images = len(self._train) + task.unlabelled_images
        epoch = make_plan(replace(task.config, epochs=1), task.family.critic_steps, images)
        return config.generators * epoch.iterations * self._mean_s(iteration)

    def _training(self, config: GanOptions) -> tuple[Task, State]:
        family = resolve(config)
        label = 0 if family.one_per_class else None
        # a folder in which no training has left a checkpoint
        nowhere = self._real.folder / "no-training"
        task = Task(self._group, family, config, self._real, nowhere, label).capped()
        return task, State(self._group, family, task.config, specs(family, task.config, self._real.dataset))

    def fit_step_s(self, config: FitConfig, train: Images, val: Images) -> float:
        """Return the seconds of a step of a fit, with its part of the measurements on val."""
        steps = min(config.measure_every, MOST_STEPS)
        short = replace(config, steps=steps, measure_every=steps)
        return self._mean_s(lambda: self._fit(short, train, val)) / steps

    def _fit(self, config: FitConfig, train: Images, val: Images) -> Any:
        return fit(train, val, self._classes, config, seed=0, device=self.device).network

    def image_s(self, gan: GanOptions, classifier: FitConfig) -> float:
        """Return the seconds of drawing an image and of what a classifier makes of it."""
        _, state = self._training(gan)
        network = self._fit(replace(classifier, steps=1, measure_every=1), self._train, self._val)
        labels = torch.arange(DRAWN) % self._classes

        def draw() -> None:
            logits_of(network, draw_images(state.average, latents_of(list(range(DRAWN)), gan.latent), labels))

        return self._mean_s(draw) / DRAWN

    def _mean_s(self, call: Callable[[], object]) -> float:
        """Return the mean seconds of a call, after two that find their memory and their kernels."""
        for _ in range(2):
            call()
        started, calls = self._now(), 0
        while calls == 0 or time.perf_counter() - started < LEAST_S:
            call()
            calls += 1
        return (self._now() - started) / calls

    def _now(self) -> float:
        """Return the time once the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def main() -> None:
    """Answer the request on standard input."""
    start_s = time.monotonic()
    # the process that waits for this one answers Ctrl-C
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    follow_starter()
    request = json.load(sys.stdin)
    timing = Timing(Path(request["folder"]), request["words"], request["device"])
    times = timing.times(request["widths"], start_s - request["started"])
    print(json.dumps(asdict(times) | {"device": timing.device.type}))


if __name__ == "__main__":
    exit_with(main)
