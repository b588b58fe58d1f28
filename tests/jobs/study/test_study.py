"""`halfreal study` from end to end on tiny images: what each point saw, how it is judged, how it goes on."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from jobs.pipeline import FITS, PREPROCESS, SYNTHESIZE, TRAIN_CLASSIFIER, TRAIN_GAN, TRAIN_MIXED
from jobs.study import children, making
from shared.data.images import load_split
from shared.metrics.copies import pixel_copies  # noqa: F401
from shared.stats.confidence import LEVEL, other_level
from shared.stats.intervals import difference_interval
from shared.store.artifacts import Artifact, open_output
from shared.store.checkpoints import load
from tests.jobs.study.conftest import Call

HALF, ALL = "images-50", "images-100"


def child(root: Path, name: str) -> Path:
    """Return the folder of a point."""
    return root / "small" / "study" / name


def real(root: Path, name: str, replicate: int) -> Artifact[Any]:
    """Return the real images of a replicate of a point."""
    return open_output(PREPROCESS, child(root, name), replicate)


def numbers(root: Path) -> Any:
    """Return what study.json says."""
    return json.loads((root / "small" / "study" / "study.json").read_text("utf-8"))


def hashes(root: Path) -> dict[str, bytes]:
    """Return the manifest of every artifact on the volume, by its path."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("manifest.json")}
