"""What the playground answers: the requests that its own page makes, and no others that gradio would take."""

import re
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.runtime.sockets import refusal

API = "/gradio_api"

ANSWERED = {
    "GET": re.compile(
        rf"/|/(theme\.css|favicon\.ico|(assets|static)/.+)|{API}/(queue/data|heartbeat/\w+|startup-events)"
    ),
    "POST": re.compile(rf"{API}/queue/join"),
}
"""The paths of gradio's that the page asks for, by method."""

DOWNLOAD = re.compile(rf"{API}/file=(.+)")

MOST_BYTES = 16_384
"""The most that a request may hold: a choice of the page takes some 300 bytes."""


class Guard:
    """Answers what a page asks that is open under a known name; files are those of the folder `downloads` alone.

    gradio itself takes uploads of anybody, fetches addresses, and has a dozen endpoints that the page does not use.
    """

    def __init__(self, app: ASGIApp, names: tuple[str, ...], downloads: Path) -> None:
        self.app, self.names, self.downloads = app, names, downloads.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the page, or refuse it: 403 for a foreign name or site, 404 for what is not here."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if why := refusal(headers.get("host", ""), headers.get("origin"), self.names):
                await PlainTextResponse(why, 403)(scope, receive, send)
            elif not self.has(scope["method"], scope["path"]):
                await PlainTextResponse("not found", 404)(scope, receive, send)
            elif scope["method"] == "POST" and not _is_small(headers.get("content-length", "")):
                await PlainTextResponse(f"want at most {MOST_BYTES} bytes, and their number", 413)(scope, receive, send)
            else:
                await self.app(scope, receive, send)

    def has(self, method: str, path: str) -> bool:
        """Return whether the page has this to give; `path` is decoded."""
        if method not in ANSWERED or ".." in path.split("/"):
            return False
        if (download := DOWNLOAD.fullmatch(path)) and method == "GET":
            return Path(download[1]).resolve().is_relative_to(self.downloads)
        return ANSWERED[method].fullmatch(path) is not None


def _is_small(length: str) -> bool:
    return length.isdecimal() and int(length[:9]) <= MOST_BYTES
