"""Every layout of the table, and how many are read, refused and wrong."""

from collections import Counter

from tests.layouts.folders import FOLDERS
from tests.layouts.model import Read, Refused
from tests.layouts.names import NAMES
from tests.layouts.nested import NESTED
from tests.layouts.oddities import ODDITIES
from tests.layouts.shards import SHARDS
from tests.layouts.tables import TABLES
from tests.layouts.tools import TOOLS

LAYOUTS = (*FOLDERS, *NAMES, *NESTED, *ODDITIES, *TABLES, *SHARDS, *TOOLS)


def counts() -> Counter[str]:
    """Return how many layouts are read, refused and wrong."""
    kinds = {Read: "read", Refused: "refused"}
    return Counter(kinds.get(type(row.outcome), "wrong") for row in LAYOUTS)
