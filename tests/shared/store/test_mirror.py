"""The folder of a machine in which a volume of a store is mirrored."""

import json
from pathlib import Path

import pytest

from shared.objects.address import parse
from shared.store.remote import mirror
from shared.store.remote.mirror import MARKER, mirror_folder

ADDRESS = parse("s3://pictures/data", "")


def test_drafts_of_the_marker_go(tmp_path: Path) -> None:
    """A process that was killed as it made the marker leaves nothing for ever, whether it had made it or not."""
    folder = mirror_folder(ADDRESS, tmp_path)
    marker = (folder / MARKER).read_bytes()
    for left in (f"{MARKER}.41", f".{MARKER}.42.part"):
        (folder / left).write_bytes(marker)
    assert mirror_folder(ADDRESS, tmp_path) == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {MARKER: marker}


def test_the_first_of_two_processes_names_the_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it removes the draft of the other one meanwhile."""

    def overtaken(draft: Path, path: Path) -> None:
        monkeypatch.undo()
        draft.unlink()
        mirror_folder(ADDRESS, tmp_path)
        raise FileNotFoundError(draft)

    monkeypatch.setattr(mirror, "link", overtaken)
    folder = mirror_folder(ADDRESS, tmp_path)
    assert [path.name for path in folder.iterdir()] == [MARKER]
    assert json.loads((folder / MARKER).read_bytes())["url"] == "s3://pictures/data"
