"""The packages of a lock file as `uv pip compile` writes it. The standard library alone: the image is built with it."""

import re
from dataclasses import dataclass
from pathlib import Path

PINNED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]*))?")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Package:
    """A pinned package: where it is installed (an environment marker, or everywhere), sha256 of its files."""

    name: str
    version: str
    marker: str = ""
    hashes: tuple[str, ...] = ()


class WrongFileError(Exception):
    """A file is not what it should be; the message says where, what came and what was wanted."""


def normalized(name: str) -> str:
    """Return the one form of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> list[Package]:
    """Return the packages of a lock file in its order; WrongFileError for a line that pins none, or for no file."""
    if path.exists() and not path.is_file():  # a read of a pipe may never end
        raise WrongFileError(f"{path}: no file but a folder or a device; want a lock file")
    packages = []
    for entry in re.split(r"\n(?=\S)", path.read_text(encoding="utf-8")):
        if not entry.strip() or entry.startswith("#"):
            continue
        pinned = PINNED.match(entry)
        if pinned is None:
            raise WrongFileError(f"{path}: {entry.splitlines()[0]!r} pins no package; want NAME==VERSION on each line")
        marker = (pinned["marker"] or "").strip()
        packages.append(Package(normalized(pinned["name"]), pinned["version"], marker, tuple(HASH.findall(entry))))
    return packages
