"""Plain ustar archives by hand: only what a shard holds, which is regular files with short names and nothing else.

The standard library's tarfile makes and parses an object with dozens of fields for each member.
"""

from collections.abc import Iterator

BLOCK = 512
END = bytes(2 * BLOCK)
"""What follows the last member."""

RECORD = 20 * BLOCK
"""What the length of an archive is a multiple of."""

_FILE = b"0000644\0" + 2 * b"0000000\0"  # mode 0644, uid and gid 0
_TIME, _SUM = b"00000000000\0", b"        "  # mtime 0; a checksum counts its own place as spaces
_KIND = b"0" + bytes(100) + b"ustar\x0000" + bytes(247)
_FIXED = sum(_FILE + b"\0" + _TIME + _SUM + _KIND)


def member(name: bytes, payload: bytes) -> bytes:
    """Return one file of an archive, padded: mode 0644, mtime 0, ids 0, no user names, as tarfile writes it.

    `name` has at most 100 bytes.
    """
    # name, size and checksum are all that differs between headers: everything else is constant
    size = b"%011o" % len(payload)
    checksum = b"%06o\0 " % (_FIXED + sum(name) + sum(size))
    padding = -len(payload) % BLOCK
    return b"".join((name.ljust(100, b"\0"), _FILE, size, b"\0", _TIME, checksum, _KIND, payload, bytes(padding)))


def size_of(payload: bytes) -> int:
    """Return the bytes that a member with this content takes in an archive, with its header and padding."""
    return BLOCK + len(payload) + -len(payload) % BLOCK


def closing(size_bytes: int) -> bytes:
    """Return the end of an archive whose members take `size_bytes`."""
    return END + bytes(-(size_bytes + len(END)) % RECORD)


def members(payload: bytes) -> Iterator[tuple[str, bytes | None]]:
    """Yield (name, content) of each member of an archive; content None for what is no regular file.

    Raises ValueError for what is no ustar archive or is cut off.
    """
    # checksums of headers are not read, since the shard's sha256 was checked before
    at = 0
    while payload[at : at + BLOCK].strip(b"\0"):
        header = payload[at : at + BLOCK]
        if len(header) < BLOCK or header[257:262] != b"ustar":
            raise ValueError(f"no header of ustar at byte {at}")
        name = header[:100].rstrip(b"\0").decode("utf-8")
        size_bytes = int(header[124:136].rstrip(b"\0 "), 8)
        if size_bytes < 0:
            raise ValueError(f"member {name!r} has a size below 0")
        content = payload[at + BLOCK : at + BLOCK + size_bytes]
        if len(content) < size_bytes:
            raise ValueError(f"member {name!r} is cut off")
        # no link, no device, and no name in two parts, which no writer of shards makes
        plain = header[156:157] in (b"0", b"\0") and not header[345:500].strip(b"\0")
        yield name, content if plain else None
        at += BLOCK + size_bytes + -size_bytes % BLOCK
