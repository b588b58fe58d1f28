"""Longer work begins with what shorter work has made, and unfinished work is neither lost nor forgotten."""

import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.lazy import Lazy
from shared.store import unfinished
from shared.store.artifacts import Artifact, open_artifact
from shared.store.identity import Extends, Progress
from shared.store.staging import BuildKey, finished, stage, staging_folder
from shared.store.unfinished import source, staging_folders
from shared.store.work_shards import Shard


def steps(folder: Path, options: Mapping[str, object]) -> Progress | None:
    """Return how many steps the file of a folder has."""
    path = folder / "steps"
    return Progress(len(path.read_text()), f"epoch {len(path.read_text())}") if path.exists() else None


EXTENDS = Extends(("epochs",), Lazy("tests.shared.store.test_unfinished:steps"))


def key(epochs: int, rate: float = 0.1, width: int = 8) -> BuildKey:
    """Return the key of a training of that many epochs."""
    return BuildKey("train", "model", {"epochs": epochs, "rate": rate, "width": width}, {}, extends=EXTENDS)


def made(final: Path, wanted: BuildKey, text: str) -> Artifact:
    """Finish work whose steps are `text`."""
    with stage(final, wanted, resumable=True) as work:
        write(work.folder, text)
        return work.commit()


def stopped(final: Path, wanted: BuildKey, text: str) -> Path:
    """Leave unfinished work whose steps are `text`; return its folder."""
    with stage(final, wanted, resumable=True) as work:
        write(work.folder, text)
    return work.folder


def write(folder: Path, text: str) -> None:
    """Write the files of some work: what counts by rename, what is for people in place."""
    (folder / ".steps.part").write_text(text)
    (folder / ".steps.part").replace(folder / "steps")
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "a.png").write_text(text)


def found(final: Path, wanted: BuildKey, *, fresh: bool = False) -> str | None:
    """Return what work with a key begins with."""
    with stage(final, wanted, resumable=True, fresh=fresh) as work:
        path = work.folder / "steps"
        return path.read_text() if path.exists() else None


def test_longer_work_begins_with_finished_work_and_leaves_it_alone(final: Path) -> None:
    """The files are there, those for people too; what is finished stays as it is until the commit."""
    before = made(final, key(2), "ab")
    with stage(final, key(4), resumable=True) as work:
        assert (work.folder / "steps").read_text() == (work.folder / "figures" / "a.png").read_text() == "ab"
        assert not (work.folder / "manifest.json").exists()
        write(work.folder, "abcd")
        assert open_artifact(final, "model", "train") == before
        assert before.read("steps") == b"ab"
        assert (final / "figures" / "a.png").read_text() == "ab"
        after = work.commit()
    assert after.read("steps") == b"abcd"
    assert after.manifest.options["epochs"] == 4
    assert staging_folders(final) == []
    assert not [path for path in final.rglob(".*") if path.is_file()]


@pytest.mark.parametrize("linked", [True, False])
def test_files_that_count_are_stored_once(final: Path, monkeypatch: pytest.MonkeyPatch, linked: bool) -> None:
    """Where the file system has hard links the copies take no room; elsewhere they are copies."""
    if not linked:
        monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(OSError("no such thing here")))
    made(final, key(2), "ab")
    with stage(final, key(4), resumable=True) as work:
        assert (work.folder / "steps").samefile(final / "steps") is linked
        assert (work.folder / "steps").read_text() == "ab"
        assert not (work.folder / "figures" / "a.png").samefile(final / "figures" / "a.png")


@pytest.mark.parametrize(
    "other",
    [
        key(2),  # fewer
        key(4),  # as many
        key(9, rate=0.2),
        key(9, width=16),
        BuildKey("train", "model", key(9).options),  # a job whose work nothing extends
        BuildKey("train", "model", key(9).options | {"epochs": "9"}, {}, extends=EXTENDS),
    ],
)
def test_nothing_else_is_extended(final: Path, other: BuildKey) -> None:
    """Fewer or as many epochs, or another option as well, extend nothing."""
    made(final, key(4), "abcd")
    assert source(final, other) is None
    assert found(final, other) is None


def test_other_inputs_are_not_extended(final: Path) -> None:
    """What was made from other inputs is no beginning."""
    other = made(final.parent / "real", BuildKey("prepare", "model", {}), "x")
    made(final, key(2), "ab")
    assert found(final, BuildKey("train", "model", key(4).options, {"real": other}, extends=EXTENDS)) is None


def test_of_several_beginnings_the_furthest_is_taken(final: Path) -> None:
    """Unfinished work that is further than what is finished, or the other way round; equal epochs planned or not."""
    made(final, key(2), "ab")
    stopped(final, key(3), "abc")
    stopped(final, key(5), "a")
    assert found(final, key(6)) == "abc"


def test_work_that_has_begun_is_not_begun_again(final: Path) -> None:
    """Own work goes on where it was, also where something else is further."""
    made(final, key(3), "abc")
    stopped(final, key(6), "abcd")
    stopped(final, key(5), "abcde")
    assert found(final, key(6)) == "abcd"


def test_what_was_extended_goes_with_the_commit_and_other_work_stays(final: Path) -> None:
    """Unfinished work of fewer epochs is in the artifact; that with another rate or more epochs can still go on."""
    shorter, longer = stopped(final, key(2), "a"), stopped(final, key(8), "ab")
    other = stopped(final, key(2, rate=0.2), "b")
    made(final, key(4), "abcd")
    assert staging_folders(final) == sorted([longer, other])
    assert shorter not in staging_folders(final)


def test_a_beginning_that_was_cut_off_is_made_again(final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash between two files the next run has all of them."""
    before = made(final, key(2), "ab")
    whole, names = unfinished.write_whole, []

    def cut(path: Path, payload: bytes) -> None:
        names.append(path.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(unfinished, "write_whole", cut)
    monkeypatch.setattr(unfinished, "sorted", lambda paths: sorted(paths, reverse=True), raising=False)
    with suppress(KeyboardInterrupt), stage(final, key(4), resumable=True):
        pass
    monkeypatch.setattr(unfinished, "write_whole", whole)
    assert (staging_folder(final, key(4)) / "steps").exists()
    assert names == ["a.png"]
    with stage(final, key(4), resumable=True) as work:
        assert (work.folder / "figures" / "a.png").read_text() == "ab"
    assert finished(final, key(2)) == before


def test_force_begins_with_nothing_and_leaves_nothing_unfinished(final: Path) -> None:
    """All unfinished work is dropped; a forced run that stops before its first checkpoint extends nothing later."""
    made(final, key(2), "ab")
    stopped(final, key(3), "abc")
    other = stopped(final, key(3, rate=0.2), "b")
    assert found(final, key(4), fresh=True) is None
    assert staging_folders(final) == [staging_folder(final, key(4))]
    assert not other.exists()
    assert found(final, key(4)) is None
    made(final, key(4), "wxyz")
    assert found(final, key(6)) == "wxyz"


def test_work_of_an_earlier_version_is_no_beginning(final: Path) -> None:
    """A staging folder without a key may be of anything."""
    folder = stopped(final, key(2), "ab")
    (folder / ".key.json").unlink()
    assert found(final, key(4)) is None


def test_what_a_killed_job_leaves_is_cleared_where_nothing_resumes(final: Path) -> None:
    """A job that cannot resume removes the folders of its killed runs, but not those in which shards go on."""
    killed = staging_folder(final, key(2))
    killed.mkdir(parents=True)
    with stage(final, key(3), resumable=False, shard=Shard(0, 2)) as shared:
        (shared.folder / "piece").write_text("p")
    with stage(final, key(4), resumable=False) as work:
        assert staging_folders(final) == sorted([shared.folder, work.folder])


def test_shards_of_longer_work_begin_with_that_of_stopped_ones(final: Path) -> None:
    """Both shards of four epochs go on in a copy of what both shards of two epochs have left."""
    for index in (0, 1):
        with stage(final, key(2), resumable=True, shard=Shard(index, 2)) as work:
            write(work.folder, "ab"[: index + 1])
    with ExitStack() as held:
        folders = [
            held.enter_context(stage(final, key(4), resumable=True, shard=Shard(index, 2))).folder for index in (1, 0)
        ]
        assert folders[0] == folders[1]
        assert (folders[0] / "steps").read_text() == "ab"


def test_a_shard_that_works_on_less_is_no_shard_of_longer_work(final: Path) -> None:
    """While a process is at a shard of two epochs, one of four epochs is refused and leaves nothing."""
    with stage(final, key(2), resumable=True, shard=Shard(0, 2)) as work:
        write(work.folder, "ab")
        with (
            pytest.raises(BadInput, match="epochs was 2, now 4"),
            stage(final, key(4), resumable=True, shard=Shard(1, 2)),
        ):
            pass
        assert staging_folders(final) == [work.folder]
    with stage(final, key(4), resumable=True, shard=Shard(1, 2)) as longer:
        assert (longer.folder / "steps").read_text() == "ab"


def test_a_shard_of_less_is_refused_once_longer_work_has_begun(final: Path) -> None:
    """Who starts a shard of two epochs after others have gone on to four is told so."""
    stopped(final, key(2), "ab")
    with (
        stage(final, key(4), resumable=True, shard=Shard(0, 2)),
        pytest.raises(BadInput, match="epochs was 4, now 2"),
        stage(final, key(2), resumable=True, shard=Shard(1, 2)),
    ):
        pass
