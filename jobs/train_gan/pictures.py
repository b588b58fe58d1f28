"""Pictures of a training run as files: a panel for each snapshot, losses and progress at the end."""

from collections.abc import Sequence

import torch
from torch import Tensor

from jobs.train_gan.task import Task
from shared.disk.durable import make_folder, write_file
from shared.models.snapshots import Unfinished, grid_images, load_snapshot, snapshot_name
from shared.plots.figures import save_png
from shared.plots.gallery import gan_pictures, save_all
from shared.plots.training.panels import animation, draw_progress, real_and_generated
from shared.store.records.gan import GanRecord


def draw_panel(task: Task, epoch: int, reals: Tensor, drawn: Tensor) -> None:
    """Write the panel of the snapshot after `epoch`: `reals` left, right what it drew from fixed latents."""
    # a generator of one class knows no labels, but every image of it is of that class
    known, shown = task.family.conditional or task.family.one_per_class, task.shown
    title = f"epoch {epoch} of {task.config.epochs}: left real train images, right generated from fixed latents"
    if not known:
        title += ", no class asked for"
    figure = real_and_generated(reals, drawn, shown.names(task.classes) if known else [], shown.caption(title))
    folder = task.folder / "figures"
    make_folder(folder)
    save_png(figure, folder / f"real-and-generated-epoch-{epoch:05d}.png")


def draw_joined_panels(whole: Task, epochs: Sequence[int]) -> None:
    """Write a panel of all classes for each joined snapshot, where there are several generators."""
    files, reals = Unfinished(whole.folder), whole.reals()
    for epoch in epochs:
        network = load_snapshot(files, snapshot_name(epoch), torch.device("cpu"))
        draw_panel(whole, epoch, reals, grid_images(network, whole.shown.places, network.latent))


def draw_finished(task: Task, record: GanRecord) -> None:
    """Write the losses and the progress of a finished run."""
    progress = draw_progress(record, Unfinished(task.folder), task.classes)
    folder = task.folder / "figures"
    make_folder(folder)
    save_all(gan_pictures(record, progress), folder)
    if len(progress.epochs) > 1:
        write_file(folder / "progress.webp", animation(progress))
