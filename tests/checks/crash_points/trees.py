"""What is on a volume, to compare two of them."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

Tree = Mapping[str, str]
"""The sha256 of each file by its path; of a link where it leads; an empty folder has one too, without a hash."""


def tree_of(folder: Path) -> Tree:
    """Return all that is in a folder, hidden or not, but for curves: TensorBoard begins a file each time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if "/tensorboard" in name:
            continue
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif not any(path.iterdir()):
            found[f"{name}/"] = ""
    return found


def differences(before: Tree, after: Tree, by_name: frozenset[str]) -> list[str]:
    """Say of each path in what two trees differ; of files in `by_name` only whether they are there."""
    said = {(True, False): "lost", (False, True): "orphan", (True, True): "differs"}
    return [
        f"{said[name in before, name in after]}: {name}"
        for name in sorted(before.keys() | after.keys())
        if (before.get(name) != after.get(name) and not (name in by_name and name in before and name in after))
    ]


def without_fetched(before: Tree, after: Tree) -> Tree:
    """Return `before` without what `after` has in the store alone: a mirror holds those files that were read there."""
    # .files/digits/real/<hash>/train-00000.tar is the file real/train-00000.tar of the experiment digits
    stored = tuple(re.sub(r"^store/\.files/(.+)/[0-9a-f]+/", r"/\1/", name) for name in after if "/.files/" in name)
    return {name: digest for name, digest in before.items() if name in after or not name.endswith(stored)}
