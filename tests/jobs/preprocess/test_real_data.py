"""Published sets, where HALFREAL_TEST_DATA points at a folder that has them."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.preprocess.source_files import done, samples

DATA = Path(os.environ.get("HALFREAL_TEST_DATA", "nowhere"))


@pytest.mark.skipif(not (DATA / "mnist").is_dir(), reason="HALFREAL_TEST_DATA has no mnist")
def test_mnist_as_published(tmp_path: Path) -> None:
    """A seventieth of MNIST keeps the official 6 to 1 and its mean grey level of 33.3."""
    words = ("--source", "mnist", "--source-path", str(DATA / "mnist"), "--limit", "1000", "--size-px", "28")
    artifact = done(tmp_path, *words)
    assert artifact.dataset.splits["test"].count == pytest.approx(143, abs=5)
    assert sum(split.count for split in artifact.dataset.splits.values()) == 1000
    assert np.mean([sample.image.mean() for sample in samples(artifact, "train")]) == pytest.approx(33.3, abs=3)


@pytest.mark.skipif(not (DATA / "emoji").is_dir(), reason="HALFREAL_TEST_DATA has no emoji")
def test_emoji_with_palettes_and_alpha(tmp_path: Path) -> None:
    """Every emoji of nine imbalanced classes is read; their transparent corners show the background."""
    words = ("--source", "folder", "--source-path", str(DATA / "emoji"), "--background", "#ff0000")
    artifact = done(tmp_path, *words)
    assert len(artifact.dataset.classes) == 9
    assert artifact.facts["rejected"] == 0
    assert sum(split.count for split in artifact.dataset.splits.values()) == 3781
    corners = np.stack([sample.image[0, 0] for sample in samples(artifact, "val")])
    assert np.median(corners, axis=0).tolist() == [255, 0, 0]
