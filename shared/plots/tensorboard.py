"""TensorBoard's event files: for people only, so that no manifest lists them."""

from pathlib import Path
from typing import Any

BOARD = "tensorboard"
"""The folder of event files in an artifact."""


def open_tensorboard(folder: Path, resume_at: int | None = None) -> Any:
    """Return a writer of event files in `folder`; of what an earlier run wrote, epochs from `resume_at` are dropped."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / BOARD), purge_step=resume_at)
