"""What the playground answers: the requests that its own page makes, and no others that gradio would take."""

import json
import re
from collections.abc import Container
from types import NoneType
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

FIELDS = {"data", "event_data", "fn_index", "session_hash", "trigger_id"}
"""What the page sends with a choice; `data` is a list of the values of its fields, the others are values."""

WANTED = "want a choice of the page as JSON, its values numbers, texts, true, false or null"


class Guard:
    """Answers what a page asks that is open under a known name; files are those with a path in `downloads` alone.

    gradio itself takes uploads of anybody, fetches addresses, reads a file for every object with a path in a choice,
    and has a dozen endpoints that the page does not use.
    """

    def __init__(self, app: ASGIApp, names: tuple[str, ...], downloads: Container[str]) -> None:
        self.app, self.names, self.downloads = app, names, downloads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the page, or refuse it.

        403: a foreign name or site. 404: what is not here. 413: too large. 400: no choice of the page.
        """
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            refused = self._refusal(scope)
            if refused is None and scope["method"] == "POST":
                body = await _body(receive)
                asked = choice(body)
                refused = JSONResponse({"error": WANTED}, 400) if asked is None else None
                # gradio reads what was checked, even where parsers differ
                receive = _read_again(json.dumps(asked).encode(), receive)
            await (refused or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if why := refusal(headers.get("host", ""), headers.get("origin"), self.names):
            return PlainTextResponse(why, 403)
        if not self.has(scope["method"], scope["path"]):
            return PlainTextResponse("not found", 404)
        if scope["method"] == "POST" and not _is_small(headers.get("content-length", "")):
            return PlainTextResponse(f"want at most {MOST_BYTES} bytes, and their number", 413)
        return None

    def has(self, method: str, path: str) -> bool:
        """Return whether the page has this to give; `path` is decoded."""
        if method not in ANSWERED or ".." in path.split("/"):
            return False
        if (download := DOWNLOAD.fullmatch(path)) and method == "GET":
            return download[1] in self.downloads
        return ANSWERED[method].fullmatch(path) is not None


def choice(body: bytes) -> dict[str, Any] | None:
    """Return the choice of the page in the body of a request; None for all else, as for an object that names a file."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict) or not asked.keys() <= FIELDS or not isinstance(asked.get("data"), list):
        return None
    values = [*asked["data"], *(value for field, value in asked.items() if field != "data")]
    return asked if all(isinstance(value, str | int | float | NoneType) for value in values) else None


def _is_small(length: str) -> bool:
    return length.isdecimal() and int(length[:9]) <= MOST_BYTES


async def _body(receive: Receive) -> bytes:
    # cut off, and so no JSON, where it is longer than its header said
    body, more = b"", True
    while more and len(body) <= MOST_BYTES:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _read_again(body: bytes, receive: Receive) -> Receive:
    read: list[Message] = [{"type": "http.request", "body": body}]

    async def again() -> Message:
        return read.pop() if read else await receive()

    return again
