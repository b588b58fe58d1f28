"""Text from files that others made, as it may be shown: what would act on a terminal is spelled out."""

import io
import re
import sys

ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line feed, those that reverse text, lone surrogates."""


def visible(text: str) -> str:
    r"""Return `text` with what would act on a terminal spelled out: ESC, which moves and hides, as \x1b."""
    return ACTING.sub(lambda found: ascii(found[0])[1:-1], text)


def let_streams_print() -> None:
    """Let standard output and error take every text: letters that their encoding lacks are spelled out.

    One that whoever started this process has closed takes all and shows nothing.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
