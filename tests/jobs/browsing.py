"""A page opened in a real browser, as somebody opens a file from disk."""

from typing import Any


def open_quietly(browser: Any, address: str, width_px: int, scheme: str) -> Any:
    """Return the page at `address`, which printed nothing to the console and asked for nothing but the file."""
    page = browser.new_page(viewport={"width": width_px, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    return page
