"""Hold a lock file against advisories: `python -m supply.advisories LOCK FILE [FILE ...]`. Nothing is fetched.

FILE is JSON as https://osv.dev publishes it: one advisory, a list of them, or the answer of its API (`{"vulns": ...}`).
Its "all.zip" of PyPI, unpacked, is a folder of such files. Exit code 1: a package is affected; 2: a file is unreadable.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from shared.format.outside import open_regular, parse_json
from supply.lock import Package, WrongFileError, normalized, read_lock

WANTED = "want advisories as osv.dev publishes them"


@dataclass(frozen=True)
class Finding:
    """An advisory that affects a pinned package: its names, the versions that repair it, what it is about."""

    package: Package
    names: tuple[str, ...]
    fixed: tuple[str, ...]
    summary: str

    def __str__(self) -> str:
        """Return a line for people."""
        fixed = f"fixed in {', '.join(self.fixed)}" if self.fixed else "not fixed yet"
        about = f"; {self.summary}" if self.summary else ""
        # the text is somebody else's: no control character reaches a terminal
        line = f"{self.package.name} {self.package.version}: {', '.join(self.names)}; {fixed}{about}"
        return "".join(character if character.isprintable() else "?" for character in line)


def read_advisories(path: Path) -> list[dict[str, Any]]:
    """Return the advisories of a file, or of the JSON files in a folder; WrongFileError where one is none.

    Files without an advisory on a package of PyPI are refused too, since nothing could be found in them.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    found = [advisory for file in files for advisory in _read(file)]
    if not any(_is_of_pypi(affected) for advisory in found for affected in advisory.get("affected", [])):
        raise WrongFileError(f"{path}: has no advisory on a package of PyPI; {WANTED}")
    return found


def _read(path: Path) -> list[dict[str, Any]]:
    """Return the advisories of a file; WrongFileError for any other, OSError for what is no regular file."""
    with open_regular(path) as stream:
        text = stream.read()
    try:
        held = parse_json(text)
    except ValueError as error:
        raise WrongFileError(f"{path}: is no JSON ({error}); {WANTED}") from error
    found = held.get("vulns", [held]) if isinstance(held, dict) else held
    if not isinstance(found, list) or not all(map(_is_advisory, found)):
        raise WrongFileError(f"{path}: has not the form of https://ossf.github.io/osv-schema/; {WANTED}")
    return found


def _is_advisory(held: object) -> bool:
    """Return whether the parts of an advisory that are read have the types of the schema."""
    try:
        advisory: Any = held
        texts = [advisory["id"], advisory.get("summary", ""), *advisory.get("aliases", [])]
        for affected in advisory.get("affected", []):
            about = affected.get("package", {})
            texts += [about.get("ecosystem", ""), about["name"] if about else "", *affected.get("versions", [])]
            events = [event for each in affected.get("ranges", []) for event in each.get("events", [])]
            texts += [text for event in events for text in event.values()]
    except (AttributeError, KeyError, TypeError):
        return False
    return all(isinstance(text, str) for text in texts)


def _is_of_pypi(affected: dict[str, Any]) -> bool:
    ecosystem: str = affected.get("package", {}).get("ecosystem", "")
    return ecosystem.partition(":")[0] == "PyPI"


def findings(packages: Sequence[Package], advisories: Sequence[dict[str, Any]]) -> list[Finding]:
    """Return the advisories that affect a pinned package, in the order of packages; withdrawn ones affect none."""
    by_name: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for advisory in advisories:
        for affected in advisory.get("affected", []) if not advisory.get("withdrawn") else []:
            if _is_of_pypi(affected):
                by_name.setdefault(normalized(affected["package"]["name"]), []).append((advisory, affected))
    return [
        Finding(
            package,
            (advisory["id"], *advisory.get("aliases", [])),
            tuple(dict.fromkeys(event["fixed"] for event in _events(affected) if "fixed" in event)),
            advisory.get("summary", ""),
        )
        for package in packages
        for advisory, affected in by_name.get(package.name, [])
        if affects(affected, package.version)
    ]


def affects(affected: dict[str, Any], version: str) -> bool:
    """Return whether a version is affected: listed, or in a range (https://ossf.github.io/osv-schema/, Evaluation)."""
    pinned = Version(version)
    if any(_parsed(each) == pinned for each in affected.get("versions", [])):
        return True
    return any(_in_range(each.get("events", []), pinned) for each in _ranges(affected))


def _ranges(affected: dict[str, Any]) -> list[dict[str, Any]]:
    # those of type GIT are of commits
    return [each for each in affected.get("ranges", []) if each.get("type") == "ECOSYSTEM"]


def _events(affected: dict[str, Any]) -> Iterator[dict[str, str]]:
    for each in _ranges(affected):
        yield from each.get("events", [])


def _in_range(events: Sequence[dict[str, str]], pinned: Version) -> bool:
    """Return whether a version lies after an event that introduces and before the one that ends it, in any order."""
    inside = False
    order = {"introduced": 0, "last_affected": 1, "fixed": 1, "limit": 1}
    known = [(_parsed(text), order[kind], kind) for event in events for kind, text in event.items() if kind in order]
    for at, _, kind in sorted((each for each in known if each[0] is not None), key=lambda each: each[:2]):
        assert at is not None
        if kind == "introduced":
            inside = inside or pinned >= at
        elif pinned > at or (pinned == at and kind != "last_affected"):
            inside = False
    return inside


def _parsed(text: str) -> Version | None:
    """Return a version; None for a spelling that no package can have today. "0" is before every version."""
    try:
        return Version("0.dev0") if text == "0" else Version(text)
    except InvalidVersion:
        return None


def main(words: Sequence[str]) -> int:
    """Print what affects the lock file named first, by the files after it; return the exit code."""
    if len(words) < 2:
        print("want a lock file and advisories: make advisories ADVISORIES=FILE", file=sys.stderr)
        return 2
    try:
        packages = read_lock(Path(words[0]))
        advisories = [advisory for word in words[1:] for advisory in read_advisories(Path(word))]
        found = findings(packages, advisories)
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except (UnicodeDecodeError, WrongFileError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for finding in found:
        print(finding)
    print(f"{len(found):,} of {len(advisories):,} advisories affect the {len(packages):,} packages of {words[0]}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
