"""Print the bill of materials of lock files as CycloneDX 1.6 JSON: `python -m supply.sbom LOCK [LOCK ...]`.

The same files give the same bytes. The image has its own at /usr/share/halfreal/sbom.json.
"""

import json
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from supply.lock import Package, WrongFileError, normalized, read_lock

ROOT = Path(__file__).resolve().parent.parent

VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
"""What pyproject.toml leaves to shared/__init__.py."""


def bill(packages: Sequence[Package], project: dict[str, Any]) -> dict[str, Any]:
    """Return the bill of packages, and which of them the project, a table of pyproject.toml, names itself."""
    # a lock for several Pythons may have two versions of a package; of one that is there twice the last has the hashes
    ordered = sorted(packages, key=lambda each: (each.name, each.version, each.hashes))
    components = {(package.name, package.version): _component(package) for package in ordered}
    named = {normalized(re.split(r"[\s\[=<>!~;]", line, maxsplit=1)[0]) for line in project["dependencies"]}
    root = {
        "type": "application",
        "bom-ref": f"{project['name']}@{project['version']}",
        "name": project["name"],
        "version": project["version"],
        "licenses": [{"license": {"id": project["license"]}}],
    }
    listed = json.dumps([root, *components.values()], sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, listed)}",
        "version": 1,
        "metadata": {"component": root},
        "components": list(components.values()),
        # what those need in turn is not in a lock file
        "dependencies": [
            {
                "ref": root["bom-ref"],
                "dependsOn": [found["bom-ref"] for (name, _), found in components.items() if name in named],
            }
        ],
    }


def _component(package: Package) -> dict[str, Any]:
    """Return a package as a component; its hashes are those of the files that may be installed."""
    url = f"pkg:pypi/{package.name}@{package.version.replace('+', '%2B')}"
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": url,
        "name": package.name,
        "version": package.version,
        "purl": url,
    }
    if package.hashes:
        place = f"https://pypi.org/project/{package.name}/{package.version}/"
        hashes = [{"alg": "SHA-256", "content": digest} for digest in sorted(set(package.hashes))]
        found["externalReferences"] = [{"type": "distribution", "url": place, "hashes": hashes}]
    if package.marker:
        found["properties"] = [{"name": "python:marker", "value": package.marker}]
    return found


def main(words: Sequence[str]) -> int:
    """Print the bill of the lock files in `words`; return the exit code."""
    if not words:
        print("want a lock file: python -m supply.sbom requirements.lock", file=sys.stderr)
        return 2
    try:
        packages = [package for word in words for package in read_lock(Path(word))]
    except (OSError, UnicodeDecodeError, WrongFileError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(bill(packages, project_table()), indent=1))
    return 0


def project_table() -> dict[str, Any]:
    """Return what pyproject.toml says of the project, with its version, and with its extras among the dependencies."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (version,) = VERSION.findall((ROOT / "shared" / "__init__.py").read_text(encoding="utf-8"))
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return project | {"version": version, "dependencies": [*project["dependencies"], *extras]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
