"""Small splits in files, as large ones are."""

import tempfile
from pathlib import Path

import pytest

from shared.data.decoded import residence


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let splits of any size be in files, on any file system; return the folder of the cache on the volume.

    The system's temporary folder is below `tmp_path` too.
    """
    monkeypatch.setattr(residence, "SMALL_BYTES", 0)
    monkeypatch.setattr("shared.data.decoded.places.in_memory", lambda folder: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / ".cache" / "decoded"


@pytest.fixture
def decoded_shards(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the shards that this process decodes, in order, as it does."""
    from shared.store.artifacts import Artifact

    names: list[str] = []
    read = Artifact.shard_members

    def shard_members(self: Artifact, path: Path, info: object) -> object:
        names.append(path.name)
        return read(self, path, info)  # type: ignore[arg-type]

    monkeypatch.setattr(Artifact, "shard_members", shard_members)
    return names
