"""The experiments that the playground offers."""

import shutil
from pathlib import Path

import pytest

from jobs.playground.index import ExperimentIndex
from shared.errors import BadConfig, MissingArtifact


def test_the_index_lists_experiments_and_keeps_the_last(volume: Path, tmp_path: Path) -> None:
    """An experiment is a folder with real images; it is read again only after it was rebuilt."""
    assert ExperimentIndex(tmp_path).names() == []
    shutil.copytree(volume / "small", tmp_path / "mine")
    (tmp_path / "sources").mkdir()
    shelf = ExperimentIndex(tmp_path)
    assert shelf.names() == ["mine"]
    first = shelf.open("mine")
    assert shelf.open("mine") is first
    manifest = tmp_path / "mine" / "scores" / "r00" / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8") + "\n", encoding="utf-8")
    assert shelf.open("mine") is not first


@pytest.mark.parametrize("name", ["yours", "../mine", ".hidden"])
def test_an_unknown_experiment_is_refused(name: str, volume: Path) -> None:
    """Nothing outside the data root can be named, and the error lists what exists."""
    with pytest.raises(MissingArtifact, match="no experiment there; there are small"):
        ExperimentIndex(volume).open(name)


def test_another_replicate_is_opened_by_its_number(volume: Path) -> None:
    """One that is not there is refused with those that are."""
    index = ExperimentIndex(volume)
    assert index.open("small", 0) is index.open("small")
    with pytest.raises(BadConfig, match=r"--replicate 3: not scored .*; there are 0"):
        index.open("small", 3)
