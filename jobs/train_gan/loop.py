"""The training loop of every family."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from jobs.train_gan.families import Family
from jobs.train_gan.journal import Journal
from jobs.train_gan.options import GanOptions
from jobs.train_gan.plan import Plan, learning_rate_factor, make_plan
from jobs.train_gan.state import State, save_snapshot, specs
from jobs.train_gan.steps import Draws, Losses, critic_step, draw_batch, train_step
from shared.cli.run import Run
from shared.data.batches import batches
from shared.data.images import to_unit_range
from shared.errors import BadInput, FormatError
from shared.format.shards import preview
from shared.models.snapshots import GRID_COLUMNS, snapshot_name
from shared.runtime.process_group import ProcessGroup
from shared.runtime.seeding import Stream, derive_seed
from shared.store.artifacts import Artifact


@dataclass(frozen=True)
class Task:
    """One pair of networks to train: on the train split of `real`, or on its images of `label` alone.

    Everything is written into `folder`, and the work resumes from there.
    """

    group: ProcessGroup
    family: Family
    config: GanOptions
    real: Artifact
    folder: Path
    label: int | None = None

    @property
    def classes(self) -> list[str]:
        """The names of the classes that the networks see."""
        names = self.real.dataset.classes
        return names if self.label is None else [names[self.label]]

    def reals(self) -> Tensor:
        """Return the first train images of each class, a row of uint8 images each; white where there are too few."""
        info = self.real.dataset
        wanted = range(len(info.classes)) if self.label is None else [self.label]
        found = preview(self.real.folder, info.splits["train"], per_class=GRID_COLUMNS)
        sheet = torch.full(
            (len(wanted), GRID_COLUMNS, info.channels, info.size_px, info.size_px), 255, dtype=torch.uint8
        )
        for row, label in enumerate(wanted):
            for column, sample in enumerate(sample for sample in found if sample.label == label):
                sheet[row, column] = torch.from_numpy(sample.image.transpose(2, 0, 1).copy())
        return sheet.flatten(0, 1)

    @property
    def images(self) -> int:
        """How many real images there are to train on: those of an epoch."""
        split = self.real.dataset.splits["train"]
        return split.count if self.label is None else split.class_counts[self.label]

    def plan(self) -> Plan:
        """Return what the run amounts to."""
        return make_plan(self.config, self.family.critic_steps, self.images)

    def in_epochs(self) -> "Task":
        """Return the task with batches of no more images than an epoch has: as elsewhere the last, partial batch.

        A batch stays a multiple of the processes times the parts that it is worked off in, and of two images at least.
        """
        unit = self.group.world * self.config.accumulate
        most = max(self.images // unit, -(-2 // unit)) * unit
        return replace(self, config=replace(self.config, batch_images=min(self.config.batch_images, most)))


def train(run: Run, task: Task) -> State:
    """Train to the end of `config.epochs`, from the newest checkpoint in the task's folder if there is one."""
    asked, task = task.config.batch_images, task.in_epochs()
    group, family, config, plan = task.group, task.family, task.config, task.plan()
    state = State(group, family, config, specs(family, config, task.real.dataset))
    group.barrier()  # the main process may have cleared the folder
    resumed = state.resume(task.folder)
    journal = Journal(task.folder, task.reals(), state, group)
    stream = batches(
        task.real,
        "train",
        config.batch_images,
        seed=derive_seed(config.seed, Stream.GAN_ORDER),
        rank=group.rank,
        world=group.world,
        start=state.steps * family.critic_steps,
        device=group.device,
        label=task.label,
    )
    title = "train" if task.label is None else f"train {task.classes[0]}"
    if config.batch_images < asked:
        run.reporter.info(
            f"{title}: batches of {config.batch_images} in place of --batch-images {asked}: an epoch has {task.images}"
        )
    with run.reporter.bar(title, plan.iterations * plan.images, "images", stops=False) as bar:
        if resumed:
            run.reporter.info(f"{title}: resumed after {state.steps * plan.images:,} images")
            bar.skip(state.steps * plan.images)
        for iteration in range(state.steps, plan.iterations):
            state.scale_learning_rate(learning_rate_factor(config.decay, iteration / plan.iterations))
            for losses in iterate(state, config, stream):
                journal.tally(losses)
            state.update_average(config, state.steps * plan.images)
            stopping = group.any(bool(run.reporter.stop.signal_name))
            if plan.snapshot_due(iteration):
                record_epoch(task, plan, state, journal)
            elif stopping and group.is_main:
                state.save(task.folder)
            bar.advance(plan.images, journal.note)
            if stopping:
                run.reporter.stop.raise_if_set()
    journal.close()
    gone = [row for row in state.history if not (task.folder / snapshot_name(int(row["epoch"]))).is_file()]
    if gone and group.is_main:
        name = snapshot_name(int(gone[0]["epoch"]))
        raise FormatError(f"{task.folder / name}: gone from the unfinished work; start anew with --force")
    return state


def iterate(state: State, config: GanOptions, stream: Iterator[tuple[Tensor, Tensor]]) -> Iterator[Losses]:
    """Take the family's critic steps on the next batches of `stream`, and a generator step on the last one's fakes.

    Yields the losses of each step. What is drawn depends on the seed and the number of the iteration alone.
    """
    family, last = state.family, state.family.critic_steps - 1
    for step in range(family.critic_steps):
        pixels, labels = next(stream)
        draws = Draws(state.group, config.batch_images, config.seed, Stream.GAN_STEP, state.steps, step)
        batch = draw_batch(config, draws, to_unit_range(pixels), labels)
        yield (train_step if step == last else critic_step)(state.models, family, config, batch)
    state.steps += 1


def record_epoch(task: Task, plan: Plan, state: State, journal: Journal) -> None:
    """Write the snapshot, its sample grid, its row in the history and the checkpoint, in this order."""
    epoch = plan.epoch_after(state.steps - 1)
    seen = {"epoch": epoch, "step": state.steps, "images_seen": state.steps * plan.images}
    journal.close_epoch(seen)
    lost = state.lost()
    if lost is not None:  # a loss is taken before the update that breaks the weights
        other = " or take --precision float32" if task.config.precision == "bf16" else ""
        raise BadInput(
            f"training diverged: {lost} is not finite by epoch {epoch}, though the losses are; "
            f"lower --learning-rate (now {state.family.learning_rate}){other} and start over with --force"
        )
    if not state.group.is_main:
        return
    path = task.folder / snapshot_name(epoch)
    path.parent.mkdir(exist_ok=True)
    save_snapshot(path, state.average, {"spec": state.spec, "family": task.config.family, **seen})
    journal.write()
    state.save(task.folder)
