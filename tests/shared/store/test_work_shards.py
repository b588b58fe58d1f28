"""Work shards: the assignment of items, and which records count."""

from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

import shared.store.work_shards
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.store.work_shards import Shard, WorkShards


def run(folder: Path, index: int, count: int) -> Run:
    """Return the run of a work shard in `folder`."""
    return Run({}, folder, folder / "sources", "cpu", Reporter("job"), Shard(index, count))


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_every_piece_is_one_parts_to_do(count: int, tmp_path: Path) -> None:
    """Ten items are assigned evenly, each to one work shard."""
    todo = [WorkShards(run(tmp_path, index, count), 10).todo() for index in range(count)]
    assert sorted(chain(*todo)) == list(range(10))
    assert max(map(len, todo)) - min(map(len, todo)) <= 1


def test_records_come_together_in_order(tmp_path: Path) -> None:
    """The last worker gets every record, in order of items; earlier ones get nothing."""
    first, second = (WorkShards(run(tmp_path, index, 2), 3) for index in range(2))
    second.done(1, "b")
    first.done(2, {"c": 3})
    assert first.todo() == [0]
    assert first.gather() is second.gather() is None
    first.done(0, ["a"])
    assert first.gather() == second.gather() == [["a"], "b", {"c": 3}]
    assert first.todo() == second.todo() == []


def test_nothing_is_looked_at_before_one_is_alone(tmp_path: Path) -> None:
    """Records are read under the lock: another worker may have merged them meanwhile."""
    pieces = WorkShards(run(tmp_path, 0, 2), 1)
    pieces.done(0, "a")

    def alone() -> None:
        (tmp_path / shared.store.work_shards.FOLDER / "piece-00000.json").unlink()

    pieces.run = replace(pieces.run, exclusive=alone)
    assert pieces.gather() is None


def test_records_of_another_plan_or_version_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work for other images, or by another version, is repeated."""
    WorkShards(run(tmp_path, 0, 1), 1, ["a.png"]).done(0, "a")
    assert WorkShards(run(tmp_path, 0, 1), 1, ["a.png"]).todo() == []
    assert WorkShards(run(tmp_path, 0, 1), 1, ["b.png"]).todo() == [0]
    monkeypatch.setattr(shared.store.work_shards, "__version__", "0.0.1")
    assert WorkShards(run(tmp_path, 0, 1), 1, ["a.png"]).gather() is None


def test_each_record_is_read_once_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where five workers end one after the other, only the last one reads what the others have left."""
    read: list[str] = []
    plain = shared.store.work_shards._read

    def counted(path: Path) -> object:
        stored = plain(path)
        read.extend([path.name] if stored is not None else [])
        return stored

    monkeypatch.setattr(shared.store.work_shards, "_read", counted)
    workers = [WorkShards(run(tmp_path, index, 5), 20) for index in range(5)]
    gathered: list[list[object] | None] = []
    for worker in workers:
        for number in worker.todo():
            worker.done(number, number)
        gathered.append(worker.gather())
    assert gathered == [None] * 4 + [[*range(20)]]
    assert sorted(read) == [f"piece-{number:05d}.json" for number in range(20) if number % 5 != 4]


def test_an_old_listing_of_the_folder_hides_no_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network file system may list a folder as it was some seconds ago; then no worker would be the last one."""
    first, second = (WorkShards(run(tmp_path, index, 2), 2) for index in range(2))
    first.done(0, "a")
    old = {path.name for path in (tmp_path / shared.store.work_shards.FOLDER).iterdir()}
    second.done(1, "b")
    monkeypatch.setattr(WorkShards, "_listed", lambda pieces: old)
    assert second.gather() == ["a", "b"]


def test_pieces_that_another_has_committed_are_not_gathered_again(tmp_path: Path) -> None:
    """Their folder goes with them; then there is nothing to gather, in a phase without pieces too."""
    nothing = WorkShards(run(tmp_path, 0, 2), 0)
    (tmp_path / shared.store.work_shards.FOLDER).mkdir()
    assert nothing.gather() == []
    (tmp_path / shared.store.work_shards.FOLDER).rmdir()
    assert nothing.gather() is None
    assert WorkShards(run(tmp_path, 0, 1), 0).gather() == []


def test_phases_have_pieces_of_their_own(tmp_path: Path) -> None:
    """Piece 0 of one phase is none of another one."""
    WorkShards(run(tmp_path, 0, 1), 1, name="digest").done(0, "a")
    assert WorkShards(run(tmp_path, 0, 1), 1).todo() == [0]
    assert WorkShards(run(tmp_path, 0, 1), 1, name="digest").gather() == ["a"]
