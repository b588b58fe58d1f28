"""Numbers in words, the same on the page, on the card and in the terminal."""

from shared.store.records.mixed import RealImages


def percent(share: float) -> str:
    """Return a share as percent with one decimal."""
    return f"{100 * share:.1f}"


def real_images(number: RealImages, about: str = "") -> str:
    """Return a number of real images as read off the learning curve; `about` precedes one between its ends."""
    words = about if number.beyond is None else f"{number.beyond} than "
    return f"{words}{number.images:,}"
