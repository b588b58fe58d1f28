"""What a training run leaves for people: losses per epoch, sample grids, TensorBoard."""

import json
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from jobs.train_gan.state import State
from shared.distributed import Team
from shared.figures import gan_losses, save_png, tile
from shared.files import write_whole
from shared.snapshots import grid_images


class Journal:
    """Tallies losses without waiting for the device and writes a row for each snapshot.

    `metrics.jsonl` is rewritten whole from the history, so that it never holds rows that a resumed run repeats.
    """

    def __init__(self, folder: Path, classes: list[str], state: State, team: Team) -> None:
        self.folder, self.classes, self.team = folder, classes, team
        self.note = ""
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._since = (time.monotonic(), state.steps)
        self._board: Any = None
        if team.lead:
            from torch.utils.tensorboard import SummaryWriter

            resume_at = int(state.history[-1]["epoch"]) + 1 if state.history else None
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=resume_at)

    def tally(self, critic: tuple[Tensor, Tensor] | None = None, generator: Tensor | None = None) -> None:
        """Add the losses of one step."""
        if critic is not None:
            self._add("discriminator_loss", critic[0])
            self._add("penalty", critic[1])
        if generator is not None:
            self._add("generator_loss", generator)

    def _add(self, name: str, value: Tensor) -> None:
        self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._counts[name] = self._counts.get(name, 0) + 1

    def close_epoch(self, seen: dict[str, int], state: State) -> dict[str, float]:
        """Append the means since the last row to the history and return the row; every process must call it."""
        means = {name: float(self.team.mean(total / self._counts[name])) for name, total in self._sums.items()}
        now, (then, steps) = time.monotonic(), self._since
        images_per_step = seen["images_seen"] / seen["step"]
        rate = (state.steps - steps) * images_per_step / max(now - then, 1e-9)
        row = {**seen, **means, "images_per_s": round(rate, 1)}
        state.history.append(row)
        self._sums, self._counts, self._since = {}, {}, (now, state.steps)
        losses = means["discriminator_loss"], means["generator_loss"]
        self.note = f"epoch {seen['epoch']}, loss D {losses[0]:.3f} G {losses[1]:.3f}"
        return row

    def write(self, row: dict[str, float], state: State) -> None:
        """Write the row, the loss curves and the grid from fixed latents, as files and to TensorBoard."""
        lines = "".join(json.dumps(line, allow_nan=False) + "\n" for line in state.history)
        write_whole(self.folder / "metrics.jsonl", lines.encode())
        epoch = int(row["epoch"])
        figures = self.folder / "figures"
        figures.mkdir(exist_ok=True)
        images = grid_images(state.average, len(self.classes), state.spec["latent"])
        sheet = tile(images, columns=10)
        Image.fromarray(sheet).resize((sheet.shape[1] * 2, sheet.shape[0] * 2), Image.Resampling.NEAREST).save(
            figures / f"samples-epoch-{epoch:05d}.png"
        )
        for name in ("discriminator_loss", "generator_loss", "penalty"):
            self._board.add_scalar(name, row[name], epoch)
        shown = torch.from_numpy(sheet)
        self._board.add_image("samples", shown, epoch, dataformats="HW" if shown.dim() == 2 else "HWC")
        self._board.flush()
        save_png(gan_losses(state.history), figures / "losses.png")

    def close(self) -> None:
        """Close TensorBoard's file."""
        if self._board is not None:
            self._board.close()
