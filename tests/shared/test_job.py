"""What stands side by side on the volume must belong together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.artifacts import Artifact, open_artifact
from shared.drafts import Request, draft
from shared.errors import BadInput
from shared.job import Job, open_inputs

REAL = Job("preprocess", "real", "dataset", "")
GAN = Job("train_gan", "gan", "model", "", (REAL,))
SCORES = Job("evaluate", "scores", "scores", "", (REAL, GAN))


def make(folder: Path, row: Job, **options: Any) -> None:
    """Make an empty artifact of `row` from what stands in `folder`."""
    inputs = {read.writes: open_artifact(folder / read.writes, read.kind, read.name) for read in row.reads}
    with draft(folder / row.writes, Request(row.name, row.kind, options, inputs), keep=False) as work:
        work.commit(facts={})


def test_inputs_of_one_lineage_are_opened(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """Artifacts made from one another open together."""
    make_dataset(tmp_path / "real", train=4)
    make(tmp_path, GAN)
    make(tmp_path, SCORES)
    assert set(open_inputs(SCORES, tmp_path)) == {"real", "gan"}


@pytest.mark.parametrize("again", ["real", "gan"])
def test_inputs_of_two_lineages_are_refused(make_dataset: Callable[..., Artifact], tmp_path: Path, again: str) -> None:
    """Where an input was made from another version of a second one, the error says which and how to mend it."""
    make_dataset(tmp_path / "real", train=4)
    make(tmp_path, GAN)
    make(tmp_path, SCORES)
    reader = Job("report", "report", "page", "", (REAL, GAN, SCORES))
    if again == "gan":
        make(tmp_path, GAN, epochs=2)
    else:
        make_dataset(tmp_path / "other", train=5)
        (tmp_path / "real").rename(tmp_path / "old")
        (tmp_path / "other").rename(tmp_path / "real")
    with pytest.raises(BadInput, match=rf"made from another '{again}'.*\n.*halfreal run"):
        open_inputs(reader, tmp_path)


def test_extras_are_taken_where_they_belong(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """An artifact that a job may read is opened where it stands and is in step, and left out where not."""
    reader = Job("report", "report", "page", "", (REAL,), extras=(GAN,))
    make_dataset(tmp_path / "real", train=4)
    assert set(open_inputs(reader, tmp_path)) == {"real"}
    make(tmp_path, GAN)
    assert set(open_inputs(reader, tmp_path)) == {"real", "gan"}
    make_dataset(tmp_path / "other", train=5)
    (tmp_path / "real").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "real")
    assert set(open_inputs(reader, tmp_path)) == {"real"}
