"""Rows of a table that need torch name their function instead of importing it.

The command line takes its choices from the very table that the work uses, without importing torch, and no second list
of names has to be maintained. A test resolves every name in the project.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Generic, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True)
class Lazy(Generic[T]):
    """An attribute of a module, by `"package.module:attribute"`, imported when it is first asked for."""

    name: str

    def get(self) -> T:
        """Return the attribute."""
        module, _, attribute = self.name.partition(":")  # as in entry points
        return cast(T, getattr(import_module(module), attribute))
