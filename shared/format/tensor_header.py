"""The JSON that a safetensors file of this project has in its header, which is read without its tensors."""

from pathlib import Path
from typing import Any

from shared.errors import FormatError
from shared.format.outside import open_regular, parse_json
from shared.limits import TENSOR_HEADER_BYTES

HEADER = "halfreal"
"""The key of the file's metadata under which that JSON is."""

LENGTH_BYTES = 8
"""A safetensors file begins with the length of its header, little-endian."""


def parse_header(header: bytes) -> dict[str, Any]:
    """Return what is under HEADER in the header of such a file; ValueError, KeyError or TypeError if there is none."""
    parsed: dict[str, Any] = parse_json(parse_json(header)["__metadata__"][HEADER])
    return parsed


def read_facts(path: Path) -> dict[str, Any]:
    """Return the facts in the file `path`; FormatError if it has none."""
    try:
        with open_regular(path) as stream:
            size = int.from_bytes(stream.read(LENGTH_BYTES), "little")
            if size > TENSOR_HEADER_BYTES:
                raise ValueError(f"a header of {size:,} bytes, want at most {TENSOR_HEADER_BYTES:,}")
            header = stream.read(size)
        return dict(parse_header(header)["facts"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path}: not a halfreal checkpoint ({error}); make it again with --force") from error
