"""Sources that are read in their own order: prepared in it, then written in the drawn one; equal bytes, few reads."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from click.testing import Result
from pyarrow import parquet

import jobs.preprocess.held_out
import jobs.preprocess.phases.preparing as preparing
import jobs.preprocess.phases.reading as reading
import shared.sources.tables.parquet as parquet_source
from shared.store.artifacts import Artifact, open_artifact
from tests.jobs.preprocess.source_files import fill, picture

ROW_GROUP = 10

RunJob = Callable[..., Result]


def made(run_job: RunJob, root: Path, *words: object) -> Artifact:
    """Run the job, which must succeed, and open its artifact."""
    done = run_job("preprocess", root, "--size-px", 8, "--shard-images", 11, *words)
    assert done.exit_code == 0, done.output
    return open_artifact(root / "small" / "real", "dataset", "preprocess")


@pytest.mark.parametrize("words", [[], ["--limit-train", 60]], ids=["all", "exact"])
def test_the_way_makes_no_difference(
    words: list[object], tmp_path: Path, run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images that are prepared in order first make the same set, with unreadable ones and in parts, too."""
    fill(tmp_path / "images", {"a": 60, "b": 50})
    for index in (3, 40):
        (tmp_path / "images" / "a" / f"{index:03d}.png").write_bytes(f"no image {index}".encode())
    words = ["--source", "folder", "--source-path", tmp_path / "images", "--max-rejected", 0.1, *words]
    direct = made(run_job, tmp_path / "direct", *words)
    for module in (reading, preparing):
        monkeypatch.setattr(module, "PIECE_IMAGES", 7)
    monkeypatch.setattr(
        jobs.preprocess.held_out, "with_held_out", lambda run, config, source: replace(source, in_order=True)
    )
    assert made(run_job, tmp_path / "packed", *words).sha256 == direct.sha256
    for index in range(2):
        done = run_job("preprocess", tmp_path / "parts", "--size-px", 8, "--shard-images", 11, *words, "--parts", 2,
                       "--index", index)  # fmt: skip
        assert done.exit_code == 0, done.output
    parts = open_artifact(tmp_path / "parts" / "small" / "real", "dataset", "preprocess")
    assert parts.sha256 == direct.sha256
    assert not (parts.folder / ".parts").exists()


def test_a_row_group_of_parquet_is_read_once_a_phase(
    tmp_path: Path, run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images in 20 groups of rows, in the order of their classes: each group is read twice, not once for each image.

    The picture of the preparation reads a few again.
    """
    images = [{"bytes": _png(number), "path": None} for number in range(200)]
    table = pyarrow.table({"image": images, "label": [f"class {number // 100}" for number in range(200)]})
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=ROW_GROUP)
    read: list[int] = []
    column_of_group = parquet_source._column_of_group.__wrapped__

    def counted(path: Path, column: str, group: int) -> object:
        read.append(group)
        return column_of_group(path, column, group)

    last: dict[int, object] = {}

    def kept(path: Path, column: str, group: int) -> object:
        """Keep the last one, as the reader does."""
        if group not in last:
            last.clear()
            last[group] = counted(path, column, group)
        return last[group]

    monkeypatch.setattr(parquet_source, "_column_of_group", kept)
    artifact = made(run_job, tmp_path / "data", "--source", "csv", "--source-path", tmp_path / "t.parquet")
    assert np.unique(read).tolist() == list(range(20))
    assert len(read) <= 2 * 20 + 8
    first, *_ = (info for _, info in artifact.shards("train"))
    assert min(first.class_counts) > 0


def _png(number: int) -> bytes:
    """Return an image's file."""
    from io import BytesIO

    stream = BytesIO()
    picture(number).save(stream, "PNG")
    return stream.getvalue()
