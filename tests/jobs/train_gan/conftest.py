"""A tiny train_gan that can be stopped after any iteration."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from jobs.train_gan import loop
from shared.format.files import sha256
from shared.store.artifacts import Artifact

TINY = ["--epochs", 3, "--batch-images", 8, "--critic-steps", 1, "--width", 2, "--latent", 4]
"""With 24 train images: three epochs of three iterations."""


WHOLE = "whole"
"""The volume of an undisturbed run, which others are compared with: it is made once for equal options, then copied."""


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[object, ...]], Path]:
    """Return `undisturbed(words)`: where the run with these options is kept."""
    root = tmp_path_factory.mktemp("undisturbed")
    return lambda words: root / sha256(repr(words).encode())


@pytest.fixture
def train(
    tmp_path: Path,
    make_dataset: Callable[..., Artifact],
    run_job: Callable[..., Result],
    plain_recipe: Path,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: Callable[[tuple[object, ...]], Path],
) -> Callable[..., Result]:
    """Return `train(name, *words, stop_after=None)`: a tiny run on the volume `name`, stopped by SIGTERM if asked."""

    def run(name: str, *words: object, stop_after: int | None = None) -> Result:
        root, kept = tmp_path / name, undisturbed(words)
        if name == WHOLE and kept.exists():
            shutil.copytree(kept, root)
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
            result = run_job("train_gan", root, "--recipe", plain_recipe, *TINY, *words)
        if name == WHOLE and not kept.exists():
            shutil.copytree(root, kept)
        return result

    return run
