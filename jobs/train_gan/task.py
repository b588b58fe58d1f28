"""One pair of networks to train: its images, its options and its folder."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from jobs.train_gan.families import Family
from jobs.train_gan.options import GanOptions
from jobs.train_gan.plan import Plan, make_plan, read_header
from shared.data.images import learned_splits
from shared.data.specs import UNLABELLED
from shared.errors import BadConfig
from shared.format.shards import preview
from shared.models.snapshots import GRID_COLUMNS
from shared.runtime.process_group import ProcessGroup
from shared.stats.class_choice import ClassChoice, by_size
from shared.store.artifacts import Artifact


@dataclass(frozen=True)
class Task:
    """One pair of networks to train: on the train split of `real`, or on its images of `label` alone.

    Where `real` has unlabelled images, the networks learn from these too, and from no label; `validate` has refused
    families that need labels. Everything is written into `folder`, and the work resumes from there. `name` is that of
    one pair of several.
    """

    group: ProcessGroup
    family: Family
    config: GanOptions
    real: Artifact
    folder: Path
    label: int | None = None
    name: str = ""

    @property
    def classes(self) -> list[str]:
        """The names of the classes that the networks see."""
        names = self.real.dataset.classes
        return names if self.label is None else [names[self.label]]

    @property
    def shown(self) -> ClassChoice:
        """The classes of the panels, as places in `classes`."""
        return by_size(self.real.split("train").class_counts) if self.label is None else by_size([self.images])

    @property
    def title(self) -> str:
        """What messages and the progress bar call it."""
        return f"train {self.name}".rstrip()

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits of the real images that the networks learn from."""
        return learned_splits(self.real)

    @property
    def unlabelled_images(self) -> int:
        """How many of the images have no label that counts."""
        split = self.real.dataset.splits.get(UNLABELLED)
        return split.count if split else 0

    @property
    def images(self) -> int:
        """How many real images there are to train on: those of an epoch."""
        split = self.real.split("train")
        return split.count + self.unlabelled_images if self.label is None else split.class_counts[self.label]

    def reals(self) -> Tensor:
        """Return the first train images of each class shown, a row of uint8 images each; white where too few."""
        info = self.real.dataset
        labels = self.shown.places if self.label is None else [self.label]
        # the first images of each class, not random ones: every grid of every run shows the same
        samples = preview(self.real.folder, info.splits["train"], GRID_COLUMNS, labels)
        # white cells where a class has few images keep the rows of all classes aligned
        grid = torch.full(
            (len(labels), GRID_COLUMNS, info.channels, info.size_px, info.size_px), 255, dtype=torch.uint8
        )
        for line, label in enumerate(labels):
            for column, sample in enumerate(sample for sample in samples if sample.label == label):
                grid[line, column] = torch.from_numpy(sample.image.transpose(2, 0, 1).copy())
        return grid.flatten(0, 1)

    def plan(self) -> Plan:
        """Return how many iterations the run has, and when snapshots fall due."""
        return make_plan(self.config, self.family.critic_steps, self.images)

    def capped(self) -> "Task":
        """Cap batch_images at the epoch's size, so that small sets still train for the requested epochs.

        A batch stays a multiple of the processes times the gradient-accumulation steps, and of two images at least,
        without which batch norm has no variance. One that an earlier part of the run has used stays as it is: the order
        of the images depends on it. Raises BadConfig where the processes there are now cannot share it.
        """
        unit = self.group.world * self.config.accumulate
        header = read_header(self.folder)
        used = None if header is None else header.batch_images
        if used is not None and used % unit:
            raise BadConfig(
                f"{self.folder}: the work there has batches of {used} images, as many as there are, which "
                f"{self.group.world} processes times --accumulate {self.config.accumulate} cannot share\n"
                "go on with as many processes as before, or begin again with --force"
            )
        if used is not None:
            return replace(self, config=replace(self.config, batch_images=used))
        # -(-2 // unit) rounds 2 / unit up
        most = max(self.images // unit, -(-2 // unit)) * unit
        return replace(self, config=replace(self.config, batch_images=min(self.config.batch_images, most)))
