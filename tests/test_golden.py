"""Datasets of every released format version stay readable; `golden/` is never rewritten."""

import hashlib
import io
import json
import struct
import tarfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.format.index import read_at
from shared.format.shards import preview, read_shard
from shared.store.artifacts import open_artifact

GOLDEN = Path(__file__).parent / "golden"
COUNTS = {"train": 4, "val": 2, "test": 2}


VERSIONS = ("v1", "v2")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("split", COUNTS)
def test_a_version_reads_as_it_was_written(version: str, split: str) -> None:
    """Sample i of a split has label i mod 2 and red (16 y + 16 x + 10 i) mod 256, green 255 - red, blue i."""
    artifact = open_artifact(GOLDEN / version, "dataset", "preprocess")
    samples = [sample for path, info in artifact.shards(split) for sample in read_shard(path, info)]
    rows, columns = np.mgrid[:8, :8]
    assert len(samples) == artifact.dataset.splits[split].count == COUNTS[split]
    for index, sample in enumerate(samples):
        red = (16 * rows + 16 * columns + 10 * index) % 256
        assert sample.label == index % 2
        assert sample.meta == {"origin": {"source": "golden", "index": index}}
        np.testing.assert_array_equal(sample.image, np.stack([red, 255 - red, np.full_like(red, index)], axis=2))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("split", COUNTS)
def test_a_version_is_read_by_index(version: str, split: str) -> None:
    """The rows of each shard's index give the samples that reading it whole gives; version 1 is indexed as it is."""
    artifact = open_artifact(GOLDEN / version, "dataset", "preprocess")
    shards = artifact.shards(split)
    found = [read_at(shards[number][0], row) for number in range(len(shards)) for row in artifact.index(split, number)]
    assert found == list(artifact.members(split))
    assert [sample.label for sample in preview(artifact.folder, artifact.dataset.splits[split], 1)] == [0, 1]


def test_versions_list_the_same_shards() -> None:
    """Names and counts of the shards are those of version 1; a page of the golden version 2 has one shard."""
    first, second = (open_artifact(GOLDEN / version, "dataset", "preprocess") for version in VERSIONS)
    for split in COUNTS:
        one, two = ([(i.name, i.count, i.class_counts) for _, i in made.shards(split)] for made in (first, second))
        assert one == two
    assert [page.shards for page in second.dataset.splits["train"].pages] == [1, 1]


@pytest.mark.parametrize("split", COUNTS)
def test_the_specification_is_enough_to_read_version_2(split: str) -> None:
    """A reader of the standard library alone, written from the specification, finds what halfreal's reader finds."""
    folder = GOLDEN / "v2"
    described = json.loads((folder / "manifest.json").read_bytes())["dataset"]["splits"][split]
    samples = []
    for page in described["pages"]:
        listed = _checked(folder / page["name"], page)
        shards = json.loads(listed)
        assert (len(shards), sum(shard["count"] for shard in shards)) == (page["shards"], page["count"])
        for shard in shards:
            path = folder / shard["name"]
            whole = _checked(path, shard)
            index = _checked(path.with_suffix(".idx"), shard["index"])
            magic, version, count = struct.unpack_from("<8sII", index)
            assert (magic, version, count) == (b"halfidx\0", 1, shard["count"])
            rows = list(struct.iter_unpack("<QIII", index[16:]))
            assert Counter(str(label) for _, _, label, _ in rows) == shard["class_counts"]
            for offset, size, label, crc32 in rows:
                content = whole[offset : offset + size]
                assert zlib.crc32(content) == crc32
                with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                    members = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
                (key,) = {name.partition(".")[0] for name in members}
                assert members[f"{key}.cls"] == str(label).encode()
                samples.append((key, {kind: members[f"{key}.{kind}"] for kind in ("cls", "json", "png")}))
    assert len(samples) == described["count"]
    assert samples == list(open_artifact(folder, "dataset", "preprocess").members(split))


def _checked(path: Path, record: dict[str, Any]) -> bytes:
    payload = path.read_bytes()
    assert (len(payload), hashlib.sha256(payload).hexdigest()) == (record["bytes"], record["sha256"])
    return payload


def test_every_version_has_a_golden_dataset() -> None:
    """Raising the format's version needs a golden dataset of the new version."""
    from shared.format.manifest import VERSION

    assert sorted(path.name for path in GOLDEN.iterdir()) == [f"v{number}" for number in range(1, VERSION + 1)]
