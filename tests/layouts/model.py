"""What a row of the table of layouts says: who writes files that way, how to read them, what has to come of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Read:
    """Every image is read with its class: `classes` has how many there are of each, in the order of the classes.

    `splits` are those that the files give; what they leave out is drawn. `means` are those that are another split here.
    `grouped`: images of one group share a split.
    `says` are patterns that the output must have.
    """

    classes: dict[str, int]
    splits: tuple[str, ...] = ()
    means: dict[str, str] = field(default_factory=dict)
    grouped: bool = False
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """Nothing is read: bad input, in an error that has each of these patterns."""

    says: tuple[str, ...]
    instead: str
    """What to do instead, for the page."""


@dataclass(frozen=True)
class Wrong:
    """What happens, `now`, is not what somebody with these files wants, and `why`."""

    now: Read | Refused
    why: str


@dataclass(frozen=True)
class Layout:
    """Files as somebody has them, and how they are read here.

    `make` writes them into an empty folder, `path` below it is given as --source-path, followed by `words`. `writer`
    is whoever writes or documents this layout, on the page `url`.
    """

    name: str
    writer: str
    url: str
    make: Callable[[Path], None]
    words: tuple[str, ...]
    outcome: Read | Refused | Wrong
    path: str = ""
