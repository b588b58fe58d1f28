"""What the playground's server answers: its own page's requests; no uploads, no files but its downloads."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from jobs.playground.guard import MOST_BYTES, WANTED, Guard

JOIN = "/gradio_api/queue/join"

FILE = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
"""What gradio takes for a file: it copies that to where requests may read."""

CHOICE: dict[str, Any] = {
    "data": ["digits", 2, None, 16, 0.5, True],
    "event_data": None,
    "fn_index": 3,
    "trigger_id": 20,
    "session_hash": "b",
}


@pytest.fixture
def reached() -> list[str]:
    """Return the bodies of the requests that reach the page."""
    return []


@pytest.fixture
def client(tmp_path: Path, reached: list[str]) -> TestClient:
    """Return a browser of a page that answers everything with "page"; its one download is `tmp_path`/grid.png."""

    async def page(scope: Any, receive: Any, send: Any) -> None:
        reached.append((await Request(scope, receive).body()).decode())
        await PlainTextResponse("page")(scope, receive, send)

    for name in ("grid.png", "copied-by-gradio.png"):
        (tmp_path / name).touch()
    return TestClient(Guard(page, ("gpu-box",), {f"{tmp_path}/grid.png"}), base_url="http://localhost:7860")


@pytest.mark.parametrize("path", ["/", "/theme.css", "/assets/index.js", "/gradio_api/queue/data?session_hash=1"])
def test_what_the_page_needs_is_answered(client: TestClient, path: str, tmp_path: Path) -> None:
    """Its files, its choices, and its downloads."""
    for asked in (path, f"/gradio_api/file={tmp_path / 'grid.png'}"):
        assert (client.get(asked).status_code, client.get(asked).text) == (200, "page")
    assert client.post(JOIN, json=CHOICE).status_code == 200
    assert client.get(path, headers={"host": "gpu-box"}).status_code == 200


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    "path",
    [
        *(
            "/gradio_api/upload",
            "/gradio_api/upload?upload_id=1",
            "/gradio_api/component_server",
            "/gradio_api/run/draw",
        ),
        *("/gradio_api/process_recording", "/gradio_api/vibe-edit", "/login", "/", "/gradio_api/call/draw"),
    ],
)
def test_nothing_is_uploaded(client: TestClient, path: str) -> None:
    """Endpoints of gradio's that take files, or calls of others than the page, do not exist."""
    assert client.post(path, files={"files": b"x"}).status_code == 404
    assert client.put(JOIN, json={}).status_code == 404


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../../etc/passwd", "{downloads}/../other", "{downloads}", "{downloads}/copied-by-gradio.png"),
        *("http://example.org/a.png", "", "%2e%2e/a.png", "."),
    ],
)
def test_no_other_file_is_read(client: TestClient, path: str, tmp_path: Path) -> None:
    """A path of a request is that of a download in each of its forms, or it is not found."""
    filled = path.format(downloads=tmp_path)
    assert client.get(f"/gradio_api/file={filled}").status_code == 404
    assert client.get(f"/gradio_api/proxy={filled}").status_code == 404
    assert client.get(f"/assets/%2e%2e/{filled}").status_code == 404


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    "fields",
    [
        *({"data": [FILE]}, {"data": ["digits", [1, {"deep": [FILE]}]]}, {"data": FILE}, {"event_data": FILE}),
        *({"data": [{"url": "http://example.org/a.png"}]}, {"data": [{"path": "http://example.org/a.png"}]}),
        *({"data": [["digits"]]}, {"data": None}, {"fn_index": [0]}, {"simple_format": True}, {"event_id": "b"}),
    ],
)
def test_a_request_chooses_no_file(client: TestClient, fields: dict[str, Any], reached: list[str]) -> None:
    """An object, a list or another field is refused before gradio reads it, in words that repeat none of it."""
    refused = client.post(JOIN, json=CHOICE | fields)
    assert (refused.status_code, refused.json(), reached) == (400, {"error": WANTED}, [])


@pytest.mark.fault(13)
@pytest.mark.parametrize("body", [b"", b"[]", b"3", b"{", b"\xff", b"[" * MOST_BYTES, b"{}", b"null"])
def test_what_is_no_choice_is_refused(client: TestClient, body: bytes, reached: list[str]) -> None:
    """Anything but a JSON object with values is no choice, however deep, and no error of the server's."""
    assert (client.post(JOIN, content=body).status_code, reached) == (400, [])


@pytest.mark.fault(13)
def test_the_page_reads_what_was_checked(client: TestClient, reached: list[str]) -> None:
    """Where a field is there twice, parsers differ; the page gets the one that was checked, alone."""
    twice = f'{{"data": [{json.dumps(FILE)}], {json.dumps(CHOICE)[1:]}'
    assert client.post(JOIN, content=twice.encode()).status_code == 200
    assert reached == [json.dumps(CHOICE)]


@pytest.mark.fault(13)
def test_a_foreign_host_or_site_gets_nothing(client: TestClient) -> None:
    """DNS rebinding and requests that another site's page makes are refused, with what to do."""
    refused = client.get("/", headers={"host": "evil.example:7860"})
    assert (refused.status_code, "--allow-host evil.example" in refused.text) == (403, True)
    assert client.post(JOIN, json={}, headers={"origin": "http://evil.example"}).status_code == 403


def test_a_request_is_small(client: TestClient) -> None:
    """A choice takes a few hundred bytes; more, or an unknown number, is refused before it is read."""
    assert client.post(JOIN, content=b"x" * (MOST_BYTES + 1)).status_code == 413
    assert client.post(JOIN, content=iter([b"x"])).status_code == 413
    assert client.post(JOIN, content=b"x" * MOST_BYTES).status_code == 400
