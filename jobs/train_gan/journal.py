"""What a training run leaves for people: losses per epoch, sample grids, TensorBoard."""

import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from jobs.train_gan.state import State
from shared.errors import BadInput
from shared.format.files import write_whole
from shared.models.snapshots import GRID_COLUMNS, grid_images
from shared.plots.charts import gan_losses
from shared.plots.figures import save_png
from shared.plots.image_grid import tile
from shared.plots.tensorboard import TensorboardWriter, open_tensorboard
from shared.runtime.process_group import ProcessGroup
from shared.store.records.gan import HistoryRow

METRICS = "metrics.jsonl"


class Journal:
    """Writes a row of losses for each epoch, and shows what each snapshot draws.

    `metrics.jsonl` is rewritten whole from the rows, so that it never holds some that a resumed run repeats; only
    there a row says how fast the run was, since a record must not depend on that. `reals`, uint8 (N, channels,
    size, size) with N a multiple of GRID_COLUMNS, are real images in class order that every sample grid shows first.
    """

    def __init__(self, folder: Path, reals: Tensor, state: State, group: ProcessGroup) -> None:
        self.folder, self.reals, self.state, self.group = folder, reals, state, group
        self.note = ""
        # not in the history: a checkpoint must not depend on how fast the machine was
        self._rates = _known_rates(folder / METRICS)
        self._since = (time.monotonic(), state.steps)
        self._tensorboard: TensorboardWriter | None = None
        if group.is_main:
            # TensorBoard drops what an interrupted run logged after its last checkpoint
            resume_at = state.losses[-1].epoch + 1 if state.losses else None
            self._tensorboard = open_tensorboard(folder, resume_at)

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
        losses = means["discriminator_loss"], means["generator_loss"]
        self.note = f"epoch {progress['epoch']}, loss D {losses[0]:.3f} G {losses[1]:.3f}"

    def close_snapshot(self, progress: dict[str, int]) -> None:
        """Append the means since the last snapshot to the history; every process must call it."""
        means = self.state.since_snapshot.read(self.group)
        self.state.since_snapshot.sums = {}
        self.state.history.append(HistoryRow(**progress, losses=means))

    def write(self) -> None:
        """Write the rows, the loss curves and the grid from fixed latents, as files and to TensorBoard."""
        state, epoch = self.state, self.state.history[-1].epoch
        self.write_rows()
        figures = self.folder / "figures"
        figures.mkdir(exist_ok=True)
        sheet = self.sheet()
        # enlarged without smoothing, so that single pixels can be judged
        Image.fromarray(sheet).resize((sheet.shape[1] * 2, sheet.shape[0] * 2), Image.Resampling.NEAREST).save(
            figures / f"samples-epoch-{epoch:05d}.png"
        )
        assert self._tensorboard is not None  # the main process writes
        shown = torch.from_numpy(sheet)
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

    def sheet(self) -> NDArray[np.uint8]:
        """Return the sample grid: a row a class, real images, a gap, images from latents that never change."""
        # the average, which is what is evaluated; fixed latents show how the same images change
        drawn = grid_images(self.state.average, len(self.reals) // GRID_COLUMNS, self.state.average.latent)
        rows = []
        for real, fake in zip(self.reals.split(GRID_COLUMNS), drawn.split(GRID_COLUMNS), strict=True):
            rows += [real, torch.full_like(real[:1], 255), fake]
        return tile(torch.cat(rows), columns=2 * GRID_COLUMNS + 1)

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
