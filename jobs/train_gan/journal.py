"""What a training run leaves for people: losses per epoch, panels of images, TensorBoard."""

import json
import math
import time
from pathlib import Path

import torch

from jobs.train_gan.pictures import draw_panel
from jobs.train_gan.state import State
from jobs.train_gan.task import Task
from shared.disk.durable import make_folder, write_whole
from shared.errors import BadInput
from shared.models.snapshots import GRID_COLUMNS, grid_images, side_by_side
from shared.plots.charts import gan_losses
from shared.plots.figures import save_png
from shared.plots.image_grid import tile
from shared.plots.tensorboard import TensorboardWriter, open_tensorboard
from shared.runtime.observe.observation import report_losses
from shared.runtime.observe.trackers import track
from shared.store.records.gan import HistoryRow

METRICS = "metrics.jsonl"


class Journal:
    """Writes a row of losses for each epoch, and shows what each snapshot draws.

    `metrics.jsonl` is rewritten whole from the rows, so that it never holds some that a resumed run repeats; only
    there a row says how fast the run was, since a record must not depend on that. Every panel of a snapshot shows the
    same real images.
    """

    def __init__(self, task: Task, state: State) -> None:
        self.task, self.state = task, state
        self.folder, self.reals, self.group = task.folder, task.reals(), task.group
        self.note = ""
        # not in the history: a checkpoint must not depend on how fast the machine was
        self._rates = _known_rates(self.folder / METRICS)
        self._since = (time.monotonic(), state.steps)
        self._tensorboard: TensorboardWriter | None = None
        if self.group.is_main:
            # TensorBoard drops what an interrupted run logged after its last checkpoint
            resume_at = state.losses[-1].epoch + 1 if state.losses else None
            self._tensorboard = open_tensorboard(self.folder, resume_at)

    def close_epoch(self, progress: dict[str, int]) -> None:
        """Append the means since the last row to the losses; every process must call it."""
        # losses leave the device once an epoch: reading one each step would wait for the GPU each step
        means = self.state.running_mean.read(self.group)
        self.state.running_mean.move_to(self.state.since_snapshot)
        for name, mean in means.items():
            # the mean tells of every step: one NaN makes it NaN
            if not math.isfinite(mean):
                raise BadInput(
                    f"training diverged: the {name.replace('_', ' ')} is {mean} by epoch {progress['epoch']}; "
                    f"lower --learning-rate (now {self.state.family.learning_rate}) and start over with --force"
                )
        # monotonic: the wall clock may be set back while a run goes on
        now, (then, steps) = time.monotonic(), self._since
        images_per_step = progress["images_seen"] / progress["step"]
        self._rates[progress["epoch"]] = round((progress["step"] - steps) * images_per_step / max(now - then, 1e-9), 1)
        self.state.losses.append(HistoryRow(**progress, losses=means))
        self._since = (now, progress["step"])
        if self._tensorboard is not None:
            for name, value in means.items():
                self._tensorboard.add_scalar(name, value, progress["epoch"])
            # several pairs of networks are one run
            pair = f"{self.task.name}/" if self.task.name else ""
            track({pair + name: value for name, value in means.items()}, progress["epoch"])
        report_losses(means)
        losses = means["discriminator_loss"], means["generator_loss"]
        self.note = f"epoch {progress['epoch']}, loss D {losses[0]:.3f} G {losses[1]:.3f}"

    def close_snapshot(self, progress: dict[str, int]) -> None:
        """Append the means since the last snapshot to the history; every process must call it."""
        means = self.state.since_snapshot.read(self.group)
        self.state.since_snapshot.sums = {}
        self.state.history.append(HistoryRow(**progress, losses=means))

    def write(self) -> None:
        """Write the rows, the loss curves and what fixed latents give, as files and to TensorBoard."""
        state, epoch = self.state, self.state.history[-1].epoch
        self.write_rows()
        figures = self.folder / "figures"
        make_folder(figures)
        # the average, which is what is evaluated; fixed latents show how the same images change
        drawn = grid_images(state.average, self.task.shown.places, state.average.latent)
        draw_panel(self.task, epoch, self.reals, drawn)
        assert self._tensorboard is not None  # the main process writes
        sheet = side_by_side(self.reals.split(GRID_COLUMNS), drawn.split(GRID_COLUMNS))
        shown = torch.from_numpy(tile(sheet, columns=2 * GRID_COLUMNS + 1))
        self._tensorboard.add_image("samples", shown, epoch, dataformats="HW" if shown.dim() == 2 else "HWC")
        # people watch the run while it goes on
        self._tensorboard.flush()
        save_png(gan_losses(state.losses), figures / "losses.png")

    def write_rows(self) -> None:
        """Write the row of every epoch so far, as JSON lines."""
        rows = [
            dict(sorted(row.facts().items())) | {"images_per_s": self._rates.get(row.epoch)}
            for row in self.state.losses
        ]
        # strict JSON: NaN is no JSON, and non-finite losses have ended the run before
        lines = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
        write_whole(self.folder / METRICS, lines.encode())

    def close(self) -> None:
        """Close TensorBoard's file."""
        if self._tensorboard is not None:
            self._tensorboard.close()


def _known_rates(path: Path) -> dict[int, float | None]:
    """Return the images per second of each epoch that an earlier part of this run logged."""
    if not path.exists():
        return {}
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return {int(line["epoch"]): line["images_per_s"] for line in rows}
    except (ValueError, KeyError, TypeError):  # for people only: not worth a failure
        return {}
