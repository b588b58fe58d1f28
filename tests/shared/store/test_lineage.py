"""Artifacts that are read together must have one lineage; a launcher's variables must be complete."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.errors import BadConfig, BadInput
from shared.runtime.launch import RENDEZVOUS, check_launch
from shared.store.artifacts import Artifact, open_artifact
from shared.store.job import Job
from shared.store.lineage import experiment_label, open_inputs, replaced_since, volume_of
from shared.store.records.base import Record
from shared.store.staging import BuildKey, stage

REAL = Job("preprocess", "real", "dataset", "")
GAN = Job("train_gan", "gan", "model", "", (REAL,))
SCORES = Job("evaluate", "scores", "scores", "", (REAL, GAN))


def make(folder: Path, row: Job, **options: Any) -> None:
    """Make an empty artifact of `row` from the artifacts in `folder`."""
    inputs = {read.writes: open_artifact(folder / read.writes, read.kind, read.name) for read in row.reads}
    with stage(folder / row.writes, BuildKey(row.name, row.kind, options, inputs), resumable=False) as work:
        work.commit()


def test_inputs_of_one_lineage_are_opened(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """Artifacts made from one another open together."""
    make_dataset(tmp_path / "real", train=4)
    make(tmp_path, GAN)
    make(tmp_path, SCORES)
    assert set(open_inputs(SCORES, tmp_path)) == {"real", "gan"}


@pytest.mark.parametrize("again", ["real", "gan"])
def test_inputs_of_two_lineages_are_refused(make_dataset: Callable[..., Artifact], tmp_path: Path, again: str) -> None:
    """Where an input was made from another version of a second one, the error says which and what to do."""
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


@pytest.mark.fault(18)
def test_what_was_replaced_since_is_named(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """Another artifact in place of an input is named; inputs as they were, and those that are gone, are not."""
    make_dataset(tmp_path / "real", train=4)
    make(tmp_path, GAN)
    make(tmp_path, SCORES)
    rows = (REAL, GAN, SCORES)
    scores = {"scores": open_artifact(tmp_path / "scores", SCORES.kind, SCORES.name)}
    assert replaced_since(scores, tmp_path, rows) == []
    make(tmp_path, GAN, epochs=2)
    assert replaced_since(scores, tmp_path, rows) == ["gan"]
    (tmp_path / "gan").rename(tmp_path / "elsewhere")
    assert replaced_since(scores, tmp_path, rows) == []


def test_what_reads_an_artifact_stays_when_numbers_are_added(
    make_dataset: Callable[..., Artifact], tmp_path: Path
) -> None:
    """An artifact that extends another one keeps its identity; only a job that shows additions is out of date then."""
    make_dataset(tmp_path / "real", train=4)
    make(tmp_path, GAN)
    make(tmp_path, SCORES)
    reader = Job("synthesize", "synthetic", "dataset", "", (REAL, GAN, SCORES))
    shows = Job("report", "report", "page", "", (REAL, GAN, SCORES), additions=True)

    def keys() -> list[BuildKey]:
        inputs = open_inputs(reader, tmp_path)
        return [BuildKey(row.name, row.kind, {}, inputs, row.additions) for row in (reader, shows)]

    built = []
    for row, key in zip((reader, shows), keys(), strict=True):
        with stage(tmp_path / row.writes, key, resumable=False) as work:
            built.append(work.commit().manifest)
    first = open_artifact(tmp_path / "scores", "scores", "evaluate")
    for steps in (1, 2):  # added to twice: the identity is that of the first
        before = open_artifact(tmp_path / "scores", "scores", "evaluate")
        key = BuildKey("evaluate", "scores", {}, open_inputs(SCORES, tmp_path))
        assert key.differences(before.manifest) == []
        with stage(tmp_path / "scores", key, resumable=False) as work:
            after = work.commit(record=Added(steps=steps), extends=before)
        assert after.identity == first.sha256 != after.sha256
        kept, shown = keys()
        assert kept.differences(built[0]) == []
        assert shown.differences(built[1]) == ["its input 'scores' changed"]
    assert b'"extends"' not in first.manifest.to_bytes()
    assert set(open_inputs(Job("card", "", "", "", (SCORES, reader)), tmp_path)) == {"scores", "synthetic"}
    with stage(tmp_path / "scores", BuildKey("evaluate", "scores", {"seed": 1}, key.inputs), resumable=False) as work:
        work.commit()
    with pytest.raises(BadInput, match="made from another 'scores'"):
        open_inputs(Job("card", "", "", "", (SCORES, reader)), tmp_path)


class Added(Record):
    """A number."""

    steps: int


def test_extras_are_taken_where_they_belong(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """An optional input is opened where it exists and has the same lineage, and left out otherwise."""
    reader = Job("report", "report", "page", "", (REAL,), extras=(GAN,))
    make_dataset(tmp_path / "real", train=4)
    assert set(open_inputs(reader, tmp_path)) == {"real"}
    make(tmp_path, GAN)
    assert set(open_inputs(reader, tmp_path)) == {"real", "gan"}
    make_dataset(tmp_path / "other", train=5)
    (tmp_path / "real").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "real")
    assert set(open_inputs(reader, tmp_path)) == {"real"}


@pytest.mark.parametrize(
    ("folder", "volume", "label"),
    [
        ("/data/digits", "/data", "digits"),
        ("/data/digits/study/images-5", "/data", "digits/study/images-5"),
        ("v/digits/study/labels-2.5", "v", "digits/study/labels-2.5"),
        ("digits/study/images-5", ".", "digits/study/images-5"),
        # a volume of that name, whose experiments are named otherwise than points
        ("/mnt/study/digits", "/mnt/study", "digits"),
        ("/mnt/study/digits-2", "/mnt/study", "digits-2"),
        ("/study/digits", "/study", "digits"),
        ("study/digits", "study", "digits"),
    ],
)
def test_where_the_volume_of_an_experiment_is(folder: str, volume: str, label: str) -> None:
    """Two folders further up for a point of a study, wherever the volume is and under any name."""
    assert (volume_of(Path(folder)), experiment_label(Path(folder))) == (Path(volume), label)


def test_a_path_that_begins_in_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders above it are those of the working directory."""
    (tmp_path / "digits" / "study").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "digits")
    assert volume_of(Path("study/images-5")) == tmp_path
    monkeypatch.chdir(tmp_path / "digits" / "study")
    assert (volume_of(Path("images-5")), experiment_label(Path("images-5"))) == (tmp_path, "digits/study/images-5")


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ({"LOCAL_RANK": "0"}, "RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT"),
        ({"RANK": "0", "LOCAL_RANK": "0"}, "WORLD_SIZE, MASTER_ADDR, MASTER_PORT"),
        ({"WORLD_SIZE": "2"}, "RANK, MASTER_ADDR, MASTER_PORT"),
        ({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "here"}, "MASTER_PORT"),
    ],
)
def test_half_of_a_launchers_variables_is_refused(
    there: dict[str, str], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variables that are set, those that are missing, and both remedies."""
    set_launch(monkeypatch, there)
    with pytest.raises(BadConfig, match=f"not {missing}\n") as caught:
        check_launch()
    assert "halfreal launch" in str(caught.value)
    assert all(f"-u {name} " in str(caught.value) for name in there)


@pytest.mark.parametrize(
    "there",
    [
        {},
        {"RANK": "0"},
        {"RANK": "3", "WORLD_SIZE": "1"},
        {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "here", "MASTER_PORT": "29500"},
    ],
)
def test_a_launcher_or_none_is_right(there: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the variables, none, or a stray rank, as cluster containers set it."""
    set_launch(monkeypatch, there)
    check_launch()


def set_launch(monkeypatch: pytest.MonkeyPatch, there: dict[str, str]) -> None:
    """Set these variables of a launcher and unset the others."""
    for name in ("LOCAL_RANK", *RENDEZVOUS):
        monkeypatch.delenv(name, raising=False)
    for name, value in there.items():
        monkeypatch.setenv(name, value)
