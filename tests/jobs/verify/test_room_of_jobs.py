"""Work that cannot fit the disk ends before it begins, in each job that writes much; what was there stays."""

import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal

Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every disk have one byte free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 9, 1))


def names(volume: Path) -> list[str]:
    """Return what is on a volume, but for locks and what is for people."""
    return sorted(str(path) for path in volume.rglob("*") if path.suffix != ".lock")


@pytest.mark.fault(11)
@pytest.mark.parametrize("job", ["preprocess", "train_gan", "synthesize"])
def test_a_job_that_cannot_fit_ends_with_2(job: str, full: None, volume: Path, run_job: Callable[..., Result]) -> None:
    """With what it takes at least and what is free; the artifact that it was to replace stays, and no folder more."""
    before = names(volume)
    result = run_job(job, volume, "--force")
    assert result.exit_code == 2, result.output
    assert "1 kB free" in result.stderr
    assert "take at least" in result.stderr
    assert names(volume) == before


def test_an_export_that_cannot_fit_ends_with_2(full: None, volume: Path, tmp_path: Path) -> None:
    """Nothing is at the place that it was to have."""
    words = ["export", "--to", "webdataset", "--data-root", volume, "--experiment", "small", "--out", tmp_path / "out"]
    result = CliRunner().invoke(halfreal, [str(word) for word in words])
    assert result.exit_code == 2
    assert "the images take at least" in result.stderr
    assert list(tmp_path.iterdir()) == []
