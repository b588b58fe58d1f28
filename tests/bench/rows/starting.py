"""How long a command takes that has nothing to do, against importing what its peers import first."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench.row import Row, Work

ROOT = Path(__file__).resolve().parents[3]
PEERS = "import torch, torchvision, torchmetrics, cleanfid.fid"


def _prepare(folder: Path) -> Path:
    """Make a finished `real` of digits."""
    _run(["-m", "jobs", "preprocess", "--data-root", str(folder)])
    return folder


def _run(words: list[str]) -> None:
    subprocess.run([sys.executable, "-W", "ignore", *words], cwd=ROOT, capture_output=True, check=True)


def _complete(folder: Path) -> Work:
    return lambda: _run(["-m", "jobs", "preprocess", "--data-root", str(folder)])


def _help(folder: Path) -> Work:
    return lambda: _run(["-m", "jobs", "train_gan", "--help"])


def _imports(folder: Path) -> Work:
    return lambda: _run(["-c", PEERS])


def _no_result(ours: Any, theirs: Any) -> None:
    """Both ended with exit code 0."""


ROWS = {
    "start-help": Row("train_gan --help", 1, "starts", _prepare, _help, {"the peers' imports": _imports}, _no_result),
    "start-complete": Row(
        "preprocess, already complete", 1, "starts", _prepare, _complete, {"the peers' imports": _imports}, _no_result
    ),
}
