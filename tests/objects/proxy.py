"""A proxy in front of the server that counts what goes through it and does harm where a test says so."""

import http.client
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOP = ("connection", "keep-alive", "transfer-encoding")


@dataclass
class Fault:
    """What happens to the next `times` requests whose method and path, with its query, match the two patterns.

    busy: 503 is answered. silent: nothing is, for `seconds`. slow: the body comes in pieces, over `seconds`. cut: half
    of the body comes. lost: the server does it, the answer does not arrive.
    """

    kind: str
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Seen:
    """A request, its answer's status (0 where none was sent) and the bytes of both bodies."""

    method: str
    path: str
    status: int
    sent: int
    received: int


@dataclass
class Proxy:
    """What the proxy at `address` saw, and the faults that are still to come."""

    address: str = ""
    seen: list[Seen] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets, and count it."""
        with self.lock:
            for fault in self.faults:
                if fault.times and re.fullmatch(fault.method, method) and re.search(fault.path, path):
                    fault.times -= 1
                    return fault
        return None

    def received(self, path: str = "") -> int:
        """Return the bytes that clients received in answers to GET of paths that match."""
        return sum(each.received for each in self.seen if each.method == "GET" and re.search(path, each.path))

    def count(self, method: str, path: str = "") -> int:
        """Return how many requests of a method matched."""
        return sum(each.method == method and bool(re.search(path, each.path)) for each in self.seen)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *_: object) -> None:
        pass

    def _pass_on(self) -> None:
        proxy: Proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = proxy.fault(self.command, self.path)
        kind = fault.kind if fault else ""
        if kind in ("busy", "silent"):
            status, headers, payload = (503 if kind == "busy" else 0), [], b"<Error><Code>SlowDown</Code></Error>"
        else:
            status, headers, payload = self._asked(body)
        # before the answer, since a test may look as soon as it has that
        with proxy.lock:
            proxy.seen.append(Seen(self.command, self.path, status, len(body), len(payload)))
        if fault and kind == "silent":
            time.sleep(fault.seconds)
        if kind in ("silent", "lost"):
            self.close_connection = True
            return
        cut = len(payload) // 2 if kind == "cut" else None
        self._answer(status, headers, payload, cut, fault.seconds if fault else 0.0)
        self.close_connection = cut is not None

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815

    def _asked(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return (status, headers, body) of the server's answer; the signature is of these very headers."""
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders(body)
            response = upstream.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            upstream.close()

    def _answer(
        self, status: int, headers: list[tuple[str, str]], payload: bytes, cut: int | None = None, seconds: float = 0.0
    ) -> None:
        self.send_response_only(status)
        length = None
        for name, value in headers:
            if name.lower() == "content-length":
                length = value
            elif name.lower() not in HOP:
                self.send_header(name, value)
        # that of HEAD says how long the body would be
        self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(payload)))
        self.end_headers()
        sent = payload if cut is None else payload[:cut]
        step = max(len(sent) // 10, 1)
        for start in range(0, len(sent), step):
            self.wfile.write(sent[start : start + step])
            if seconds:
                self.wfile.flush()
                time.sleep(seconds / 10)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up on purpose here."""


@contextmanager
def between(upstream: str) -> Iterator[Proxy]:
    """Run a proxy in front of the server at `upstream`, `http://127.0.0.1:port`."""
    server: Any = _Server(("127.0.0.1", 0), _Handler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    server.proxy, server.upstream = proxy, upstream.removeprefix("http://")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
