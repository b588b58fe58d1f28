"""A volume in a real store on this machine; all calls are made in forked processes, since obstore has threads."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.objects.server import BUCKET, KEY, SECRET, bucket

PREFIX = "crash"


SERVE = """
import sys
from pathlib import Path
from tests.objects.server import serving
with serving(Path(sys.argv[1])) as address:
    print(address, flush=True)
    sys.stdin.read()
"""


@contextmanager
def served_elsewhere(folder: Path) -> Iterator[str]:
    """Yield the address of a server that another process looks after until this one ends.

    It makes the bucket by obstore, whose threads no process that is forked from this one would have.
    """
    folder.mkdir(parents=True)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SERVE, folder], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


@dataclass(frozen=True)
class StoredVolume:
    """The volume below PREFIX in the bucket of the server at this address."""

    server: str

    @property
    def url(self) -> str:
        """Return what --data-root says of it."""
        return f"s3://{BUCKET}/{PREFIX}"

    def environment(self) -> dict[str, str]:
        """Return the variables by which jobs reach it."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": self.server,
            "AWS_REGION": "us-east-1",
            "HALFREAL_STORE_TIMEOUT_S": "10",
        }

    def wipe(self) -> int:
        """Remove every object."""
        import obstore

        there = bucket(self.server, PREFIX)
        names = [meta["path"] for page in obstore.list(there) for meta in page]
        if names:
            obstore.delete(there, names)
        return 0

    def list_into(self, path: Path) -> int:
        """Write the sha256 of every object by its key, in JSON; of a lease, which has times, that it is there."""
        import obstore

        there = bucket(self.server, PREFIX)
        names = [meta["path"] for page in obstore.list(there) for meta in page]
        hashes = {
            f"store/{name}": ""
            if "lease" in name
            else hashlib.sha256(bytes(obstore.get(there, name).bytes())).hexdigest()
            for name in names
        }
        path.write_text(json.dumps(hashes), encoding="utf-8")
        return 0
