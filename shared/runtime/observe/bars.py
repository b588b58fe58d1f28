"""How long work in rooms that know no command line tells how far it is: by a bar that whoever calls it gives."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Bar(Protocol):
    """The progress of one piece of work."""

    def advance(self, count: int = 1) -> None:
        """Count `count` more units done; raises Interrupted where the work is to stop."""


Bars = Callable[[str, int, str], AbstractContextManager[Bar]]
"""Makes a bar with a title, the number of units and their name in the plural; `Reporter.bar` is one."""


class _Unseen:
    """A bar that nobody looks at."""

    def advance(self, count: int = 1) -> None:
        """Do nothing."""


def unseen(title: str, total: int, unit: str) -> AbstractContextManager[Bar]:
    """Return a bar that shows nothing, for work that is quick or that a caller counts as a whole."""
    return nullcontext(_Unseen())
