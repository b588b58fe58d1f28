"""TensorBoard's event files: for people only, so that no manifest lists them."""

from pathlib import Path
from typing import Protocol

from torch import Tensor

BOARD = "tensorboard"
"""The folder of event files in an artifact."""


class TensorboardWriter(Protocol):
    """What is used of torch's writer, which is not annotated."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Add a number."""

    def add_image(self, tag: str, img_tensor: Tensor, global_step: int, *, dataformats: str) -> None:
        """Add a picture; the formats are HW and HWC."""

    def flush(self) -> None:
        """Write what is waiting."""

    def close(self) -> None:
        """Close the file."""


def open_tensorboard(folder: Path, resume_at: int | None = None) -> TensorboardWriter:
    """Return a writer of event files in `folder`; of what an earlier run wrote, epochs from `resume_at` are dropped."""
    from torch.utils.tensorboard import SummaryWriter

    writer: TensorboardWriter = SummaryWriter(str(folder / BOARD), purge_step=resume_at)
    return writer
