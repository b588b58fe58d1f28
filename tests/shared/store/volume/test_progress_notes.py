"""Notes of progress: left by a bar every few seconds, read by whoever looks, gone with the commit."""

import json
import math
from pathlib import Path

import pytest

import shared.cli.progress
from shared.cli.progress import Reporter
from shared.store.staging import BuildKey, stage
from shared.store.volume.progress_notes import Note, note_file, read_notes, write_note

FIELDS = {"work": "train", "done": 20, "total": 80, "unit": "images", "per_s": 2.0, "noted": 1.0}
WRONG = [
    json.dumps(FIELDS | change)
    for change in ({"done": "a"}, {"total": []}, {"per_s": math.inf}, {"noted": math.nan}, {"unit": None}, {"work": 5})
]
"""Notes that somebody has edited."""

NOTE = Note("train", 20, 80, "images", 2.0, 1.0)


def test_a_bar_leaves_a_note_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at each step; the newest one says how far it is, and how long the rest takes."""
    clock = [0.0]
    monkeypatch.setattr(shared.cli.progress.time, "monotonic", lambda: clock[0])
    reporter = Reporter("train_gan", bars=False)
    reporter.note_in = note_file(tmp_path, 0)
    written = []
    with reporter.bar("train", 100, "images") as bar:
        for second in range(30):
            clock[0] = float(second)
            bar.advance(2)
            written += [note.done for note in read_notes(tmp_path)]
    assert sorted(set(written)) == [22, 42]
    (note,) = read_notes(tmp_path)
    assert note.words == "train: 42 of 100 images (42 %)"
    assert note.left_s == pytest.approx(58 / 2.1)


def test_the_commit_takes_notes_away(tmp_path: Path) -> None:
    """A finished artifact has nothing of the work on it; each shard of the work has a note of its own."""
    with stage(tmp_path / "gan", BuildKey("toy", "model", {}), resumable=True) as work:
        for shard in (1, 0):
            write_note(note_file(work.folder, shard), Note("part", shard, 2, "images", 0.0, 1.0))
        assert [note.done for note in read_notes(work.folder)] == [0, 1]
        work.commit()
    assert sorted(path.name for path in (tmp_path / "gan").rglob("*")) == ["manifest.json"]


def test_a_note_that_cannot_be_read_or_written_stops_nobody(tmp_path: Path) -> None:
    """One that is being written, or of another version, is no note; without its folder none is left."""
    write_note(note_file(tmp_path, 0), NOTE)
    for number, text in enumerate(['{"work": "tr', "[]", '{"other": 1}', *WRONG], 1):
        note_file(tmp_path, number).write_text(text)
    assert read_notes(tmp_path) == [NOTE]
    write_note(note_file(tmp_path / "gone", 0), NOTE)
    assert read_notes(tmp_path / "gone") == []


def test_the_rest_takes_an_unknown_time_without_a_rate() -> None:
    """A piece of work that has just begun."""
    assert Note("train", 0, 80, "images", 0.0, 1.0).left_s is None
    assert Note("train", 1, 10**308, "images", 1e-308, 1.0).left_s is None
    assert NOTE.left_s == 30
