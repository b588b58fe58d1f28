"""Numbers in words, the same on the page, on the card and in the terminal."""

from shared.store.records.mixed import Answer, RealImages

MOST_DECIMALS = 6


def percent(share: float) -> str:
    """Return a share as percent with one decimal."""
    return f"{100 * share:.1f}"


def real_images(number: RealImages, about: str = "") -> str:
    """Return a number of real images as read off the learning curve; `about` precedes one between its ends."""
    words = about if number.beyond is None else f"{number.beyond} than "
    return f"{words}{number.images:,}"


def bounds_decimals(*bounds: float) -> int:
    """Return the fewest decimals, at least one, with which no bound of an interval in points reads 0 unless it is."""
    # "+0.0 to +1.6" would leave open on which side of 0 the interval lies, which is what an answer is made of
    return next(
        (
            digits
            for digits in range(1, MOST_DECIMALS)
            if all(bound == 0 or round(abs(100 * bound), digits) > 0 for bound in bounds)
        ),
        MOST_DECIMALS,
    )


def signed_points(share: float, decimals: int = 1) -> str:
    """Return a difference of shares in percentage points, with its sign, the proper minus; 0.0 has none."""
    text = f"{100 * share:+.{decimals}f}"
    return text.replace("-", "\u2212") if float(text) else text[1:]


def level_text(level: float) -> str:
    """Return a confidence level in percent: 95 %, 98.3 %."""
    return f"{100 * level:.1f}".removesuffix(".0") + " %"


def detectable_sentence(answer: Answer) -> str:
    """Return how strong the experiment is, which bounds no answer and is printed apart from it."""
    return (
        f"An experiment like this one finds a difference of {percent(answer.detectable)} points of test accuracy "
        "four times in five."
    )
