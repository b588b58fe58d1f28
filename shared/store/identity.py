"""Which options identify an artifact: all that it depends on but for its last digits."""

from typing import Any

NOT_IDENTIFYING = frozenset({"threads"})
"""Options that change speed and rounding alone. Manifests of earlier versions have them; another value is no change."""

ADDED_OPTIONS: dict[str, dict[str, object]] = {"evaluate": {"fallback": "classifier"}}
"""Options, by job, that earlier versions did not have, with the values that they went by."""


def identifying(options: Any) -> Any:
    """Return `options` without those that identify nothing, in the tables within them too."""
    if not isinstance(options, dict):
        return options
    return {name: identifying(value) for name, value in options.items() if name not in NOT_IDENTIFYING}
