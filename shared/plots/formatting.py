"""Numbers in words, the same on the page, on the card and in the terminal."""

from typing import Any


def percent(share: float) -> str:
    """Return a share as percent with one decimal."""
    return f"{100 * share:.1f}"


def bought(found: dict[str, Any], about: str = "") -> str:
    """Return a number of real images as read off the learning curve; `about` precedes one between its ends."""
    words = {None: about, "more": "more than ", "fewer": "fewer than "}
    return f"{words[found['beyond']]}{found['images']:,}"
