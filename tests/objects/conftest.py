"""The server, once for all tests of a process; a prefix of its bucket and a proxy for each test."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import obstore
import pytest

from shared.objects.address import Address
from shared.store.remote.mirror import mirror_folder
from tests.objects.proxy import Proxy, between
from tests.objects.server import BUCKET, KEY, SECRET, bucket, serving

QUICK_S = "1"
"""The timeout of tests of a store that fails: it is given up after four times that."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a real S3 server with an empty bucket."""
    with serving(tmp_path_factory.mktemp("s3")) as address:
        yield address


@dataclass(frozen=True)
class Volume:
    """A volume in the store, reached through a proxy, and the folder in which machines have their mirrors."""

    address: Address
    proxy: Proxy
    server: str
    folder: Path

    def machine(self, name: str) -> Path:
        """Return the mirror of the volume on a machine of this name: each has a cache of its own."""
        return mirror_folder(self.address, self.cache(name))

    def cache(self, name: str) -> Path:
        """Return the folder of caches of a machine."""
        return self.folder / name

    def stored(self, below: str = "") -> list[str]:
        """Return the keys that are in the store, by obstore alone."""
        there = bucket(self.server, self.address.prefix)
        return sorted(meta["path"] for page in obstore.list(there, below or None) for meta in page)

    def environment(self) -> dict[str, str]:
        """Return the variables by which a process reaches the store."""
        return {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "HALFREAL_STORE"))}


@pytest.fixture
def volume(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Volume]:
    """Return an empty volume; the environment has the credentials."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with between(server) as proxy:
        values = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": proxy.address}
        values |= {"AWS_REGION": "us-east-1", "HALFREAL_STORE_TIMEOUT_S": "10"}
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        yield Volume(Address("s3", BUCKET, f"tests/{tmp_path.name}"), proxy, server, tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a silent store be given up soon."""
    monkeypatch.setenv("HALFREAL_STORE_TIMEOUT_S", QUICK_S)
