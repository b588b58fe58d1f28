"""Published sets are downloaded once, however many processes want them at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision import datasets

from shared.sources.items import Source
from shared.sources.published import sets
from shared.sources.published.sets import IDX_FILES, mnist
from shared.sources.reading import Reading
from shared.store.locking.looking import TIMEOUT


def idx(values: Any) -> bytes:
    """Return an IDX file of bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


class Server:
    """A download that takes a while: its files appear one after the other, each at first cut short.

    `calls` are the downloads, `most` how many of them ran at once. `began` is set when the first one has begun.
    """

    def __init__(self) -> None:
        self.calls = self.running = self.most = 0
        self.began = threading.Event()

    def __call__(self, root: str, download: bool) -> None:
        """Do what torchvision does: leave a complete set, else download every file."""
        raw = Path(root) / "MNIST" / "raw"
        names = [name for pair in IDX_FILES.values() for name in pair]
        self.running += 1
        self.most = max(self.most, self.running)
        if not all((raw / name).is_file() for name in names):
            self.calls += 1
            raw.mkdir(parents=True, exist_ok=True)
            for name in names:
                payload = idx(np.zeros((3, 28, 28) if "idx3" in name else 3))
                (raw / name).write_bytes(payload[:9])
                self.began.set()
                time.sleep(0.05)
                (raw / name).write_bytes(payload)
        self.running -= 1


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """Return what takes the place of torchvision's download."""
    found = Server()
    monkeypatch.setattr(datasets, "MNIST", found)
    return found


def read(place: Path) -> Source:
    """Return the set, downloaded if need be."""
    return mnist(place, Reading())


def test_replicates_that_begin_at_once_download_once(tmp_path: Path, server: Server) -> None:
    """One downloads, the others wait for it; no lock is left in a folder that may be the user's."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, [tmp_path / "mnist"] * 4))
    assert [len(source.items) for source in found] == [6] * 4
    assert (server.calls, server.most) == (1, 1)
    assert [path.name for path in (tmp_path / "mnist").iterdir()] == ["MNIST"]


def test_a_download_at_work_is_waited_for(tmp_path: Path, server: Server) -> None:
    """Whoever begins in the middle of one does not take the files that are there for all of them."""
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(read, tmp_path / "mnist")
        assert server.began.wait(10)
        assert len(read(tmp_path / "mnist").items) == 6
        assert len(first.result().items) == 6
    assert server.calls == 1


def test_a_lock_that_nobody_holds_is_no_obstacle(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was killed as it made one leaves it empty: after some silence it is taken, and removed."""
    monkeypatch.setenv(TIMEOUT, "0.3")
    read(tmp_path / "mnist")
    left = tmp_path / "mnist" / f".{sets.DOWNLOAD}.lock"
    left.touch()
    assert len(read(tmp_path / "mnist").items) == 6
    assert server.calls == 1
    assert not left.exists()
