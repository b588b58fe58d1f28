"""What processes of a test do: in a module of its own, since each of them imports it, and tests import torch."""

import os
from pathlib import Path

from shared.cli.calls.local import VISIBLE


def note(path: Path) -> None:
    """Leave the GPU that this process sees."""
    path.write_text(os.environ[VISIBLE], encoding="utf-8")
