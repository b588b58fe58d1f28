"""A tiny train_gan that can be stopped after any iteration."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from jobs.train_gan import loop
from shared.store.artifacts import Artifact

TINY = ["--epochs", 3, "--batch-images", 8, "--critic-steps", 1, "--width", 2, "--latent", 4]
"""With 24 train images: three epochs of three iterations."""


@pytest.fixture
def train(
    tmp_path: Path,
    make_dataset: Callable[..., Artifact],
    run_job: Callable[..., Result],
    plain_recipe: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Result]:
    """Return `train(name, *words, stop_after=None)`: a tiny run on the volume `name`, stopped by SIGTERM if asked."""

    def run(name: str, *words: object, stop_after: int | None = None) -> Result:
        root = tmp_path / name
        if not root.exists():
            make_dataset(root / "small" / "real", train=24, val=6, test=6)
        step, done = loop.train_step, 0

        def counted(*arguments: Any) -> Any:
            nonlocal done
            done += 1
            if done == stop_after:
                os.kill(os.getpid(), signal.SIGTERM)
            return step(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "train_step", counted)
            return run_job("train_gan", root, "--recipe", plain_recipe, *TINY, *words)

    return run
