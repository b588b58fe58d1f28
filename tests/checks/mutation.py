"""The description of an injected fault."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """A planted mistake: `old` in `file` (relative to the root) becomes `new`, and `test` must fail.

    `breaks` is the promise that the mistake breaks.
    """

    name: str
    file: str
    old: str
    new: str
    test: str
    breaks: str
