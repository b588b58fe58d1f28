"""Datasets of every released format version stay readable; `golden/` is never rewritten."""

from pathlib import Path

import numpy as np
import pytest

from shared.format.shards import read_shard
from shared.store.artifacts import open_artifact

GOLDEN = Path(__file__).parent / "golden"
COUNTS = {"train": 4, "val": 2, "test": 2}


@pytest.mark.parametrize("split", COUNTS)
def test_version_1_reads_as_it_was_written(split: str) -> None:
    """Sample i of a split has label i mod 2 and red (16 y + 16 x + 10 i) mod 256, green 255 - red, blue i."""
    artifact = open_artifact(GOLDEN / "v1", "dataset", "preprocess")
    samples = [sample for path, info in artifact.shards(split) for sample in read_shard(path, info)]
    rows, columns = np.mgrid[:8, :8]
    assert len(samples) == COUNTS[split]
    for index, sample in enumerate(samples):
        red = (16 * rows + 16 * columns + 10 * index) % 256
        assert sample.label == index % 2
        assert sample.meta == {"origin": {"source": "golden", "index": index}}
        np.testing.assert_array_equal(sample.image, np.stack([red, 255 - red, np.full_like(red, index)], axis=2))


def test_every_version_has_a_golden_dataset() -> None:
    """Raising the format's version needs a golden dataset of the new version."""
    from shared.format.manifest import VERSION

    assert sorted(path.name for path in GOLDEN.iterdir()) == [f"v{number}" for number in range(1, VERSION + 1)]
