"""Damage to a file: bytes changed, cut, doubled and put in, values of its JSON replaced, sums made right again."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

TOKENS = (
    *(b"\0", b"\xff" * 8, b"\x1b[2J\x07", b"../../x", b"/etc/passwd", b"-1", b"9" * 5000, b"1e999", b"NaN", b'"', b"'"),
    *(b"[" * 3000, b"{" * 40, b"\n", b"\r\n\r\n", b",", b"\t", b"\\", b"\xed\xa0\x80", b"\\ud800", b"$_{^", b"%s%n"),
    *(b"x" * 300, b"..", b"~", b"<script>", b"| a |", b"\xff\xfe", b"\x00\x00\x08\xff", b"=", b"[x]", b"A" * 70_000),
)
"""What parsers stumble over."""

HEADER_VALUES = (*(bytes([kind]) for kind in b"LKxgS1234567"), b"77777777777\0", b"\x80" + b"\xff" * 11)
"""Types of members of a tar, of links, devices and long names too, and sizes that are more than there is."""

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**63, 2**64, 10**400, 0.5, float("nan"), float("inf"), "", "x" * 300, "\x1b[2J\x07"),
    *("../../x", "/etc/passwd", "\ud800", "\0", "9" * 5000, "a/" * 3000, [], {}, [[]], {"": None}, [1, 2], ["x"] * 9),
)
"""What may be in place of any value of a JSON."""

Damage = Callable[[bytes, Random], bytes]


def bytes_changed(payload: bytes, random: Random) -> bytes:
    """Return a file after one to four changes anywhere in it."""
    for _ in range(random.randint(1, 4)):
        start = random.randint(0, len(payload))
        end = min(start + random.choice((1, 2, 4, 16, 512)), len(payload))
        put = {
            "flipped": bytes(byte ^ (1 << random.randint(0, 7)) for byte in payload[start:end]),
            "random": random.randbytes(end - start),
            "cut out": b"",
            "doubled": payload[start:end] * 2,
            "token": random.choice(TOKENS),
            "other place": payload[: end - start],
        }
        kind = random.choice((*put, "cut off"))
        payload = payload[:start] if kind == "cut off" else payload[:start] + put[kind] + payload[end:]
    return payload


def json_changed(payload: bytes, random: Random) -> bytes:
    """Return a JSON in which one to three values are others, are gone or there twice; as bytes where it is none."""
    try:
        value = json.loads(payload)
    except ValueError:
        return bytes_changed(payload, random)
    for _ in range(random.randint(1, 3)):
        places = _places(value)
        if not places:
            break
        holder, key = random.choice(places)
        kind = random.randint(0, 3)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.append(holder[key])
        elif kind == 1:
            holder[str(random.choice(VALUES))] = holder[key]
        else:
            holder[key] = random.choice(VALUES)
    return json.dumps(value).encode("utf-8", "surrogatepass")


def lines_changed(payload: bytes, random: Random) -> bytes:
    """Return JSON lines of which one is damaged."""
    lines = payload.split(b"\n")
    number = random.randrange(len(lines))
    lines[number] = random.choice((json_changed, bytes_changed))(lines[number], random)
    return b"\n".join(lines)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return the holder and the key of each value in a JSON, however deep it is."""
    found, left = [], [value]
    while left:
        holder = left.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        found += [(holder, key) for key in keys]
        left += [holder[key] for key in keys]
    return found


def tar_changed(payload: bytes, random: Random) -> bytes:
    """Return a tar with damage in its headers, whose sums are right again, so that it is read on."""
    blocks = [bytearray(payload[at : at + 512]) for at in range(0, len(payload), 512)]
    headers = [block for block in blocks if block[257:262] == b"ustar"]
    for header in random.sample(headers, min(len(headers), random.randint(1, 3))):
        field, width = random.choice(((0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (157, 100), (345, 155)))
        header[field : field + width] = random.choice((*TOKENS, *HEADER_VALUES))[:width].ljust(width, b"\0")
        header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))
    return b"".join(blocks)
