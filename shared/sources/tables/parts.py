"""Parts of a set whose names say how many there are, such as train-00000-of-00003.parquet."""

import re
from collections.abc import Sequence
from pathlib import Path

from shared.errors import BadInput
from shared.sources.items import some

PART = re.compile(r"(.*-)(\d{1,6})-of-(\d{1,6})(.*)")
"""The name of a part: what comes before its number, the number from 0 on, how many there are, the rest."""


def check_parts(place: Path, files: Sequence[tuple[str, ...]]) -> None:
    """Raise BadInput where some of the parts that the names of these files tell of are missing."""
    there: dict[tuple[str, str], dict[int, re.Match[str]]] = {}
    for parts in files:
        if part := PART.fullmatch("/".join(parts)):
            there.setdefault((part[1], part[3]), {})[int(part[2])] = part
    for (before, count), numbers in sorted(there.items()):
        first = next(iter(numbers.values()))
        # older versions of `datasets` end each name with a fingerprint of its own
        rest = first[4] if "-" not in first[4] else "-*.parquet"
        missing = [
            f"{before}{number:0{len(first[2])}d}-of-{count}{rest}"
            for number in range(int(count))
            if number not in numbers
        ]
        if missing:
            raise BadInput(
                f"{place}: {len(missing):,} of {int(count):,} files are missing ({some(missing)})\n"
                "copy all of them; or, to read one alone, give that file"
            )
