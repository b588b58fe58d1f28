"""The JSON that a safetensors file of this project has in its header, which is read without its tensors."""

import json
from pathlib import Path
from typing import Any

from shared.errors import FormatError

HEADER = "halfreal"
"""The key of the file's metadata under which that JSON is."""

LENGTH_BYTES = 8
"""A safetensors file begins with the length of its header, little-endian."""


def parse_header(header: bytes) -> dict[str, Any]:
    """Return what is under HEADER in the header of such a file; ValueError, KeyError or TypeError if there is none."""
    parsed: dict[str, Any] = json.loads(json.loads(header)["__metadata__"][HEADER])
    return parsed


def read_facts(path: Path) -> dict[str, Any]:
    """Return the facts in the file `path`; FormatError if it has none."""
    try:
        with path.open("rb") as stream:
            header = stream.read(int.from_bytes(stream.read(LENGTH_BYTES), "little"))
        return dict(parse_header(header)["facts"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise FormatError(f"{path}: not a halfreal checkpoint ({error}); make it again with --force") from error
