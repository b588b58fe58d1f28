"""Which tars a set of shards has, the split of each by its name, and the classes of halfreal's own datasets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import BadInput
from shared.format.manifest import MANIFEST, Manifest, parse_manifest
from shared.format.outside import parse_json, read_regular
from shared.limits import MANIFEST_BYTES
from shared.sources.detect import COMPRESSED, files_of, is_hidden, is_tar
from shared.sources.items import some
from shared.sources.labels import split_of


@dataclass(frozen=True)
class ShardFile:
    """A tar and the word for its split, empty where nothing says one."""

    path: Path
    split: str = ""


@dataclass(frozen=True)
class Shards:
    """The tars of a set in order, what says their splits, and the class names where a manifest of halfreal has them."""

    files: list[ShardFile]
    splits_by: str = "the files' names say"
    classes: list[str] | None = None


def shards_of(place: Path) -> Shards:
    """Return the tars at `place`: a folder of tars or of folders with such, one tar, or a pattern with braces.

    The split is what halfreal's manifest next to a tar says, else the name of its folder below `place`, else the one
    word for a split in its name. Raises BadInput where there are none, for compressed ones, and for some of a pattern
    that are missing.
    """
    if pattern := files_of(place):
        if missing := [path.name for path in pattern if not path.is_file()]:
            raise BadInput(f"{place}: {len(missing):,} of {len(pattern):,} files are missing ({some(missing)})")
        found = [ShardFile(path, _word_in(path)) for path in pattern]
    elif place.is_dir():
        found = _in_folder(place)
    elif is_tar(place):
        found = [ShardFile(place, _word_in(place))]
    else:
        there = f"{place.name!a} is none" if place.is_file() else "there is no such file or folder"
        raise BadInput(f"{place}: want a .tar, or a folder of them, {there}; put the shards there, or name another")
    if not found:
        raise BadInput(f"{place}: no *.tar there; put the shards there, or give --source-path")
    _check_uncompressed(place, [file.path for file in found])
    return _own(place, found) or Shards(found, _splits_by(place, found))


def _in_folder(place: Path) -> list[ShardFile]:
    """Return the tars in a folder, and where it has none those in its folders."""
    tars = [path for path in _visible(place) if is_tar(path)]
    if tars:
        return [ShardFile(path, _word_in(path)) for path in tars]
    return [
        ShardFile(path, inner.name if split_of(inner.name) else _word_in(path))
        for inner in _visible(place)
        if inner.is_dir()
        for path in _visible(inner)
        if is_tar(path)
    ]


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_hidden(path.name))


def _word_in(path: Path) -> str:
    """Return the word for a split in a name such as imagenet-train-000.tar, empty for none and for several."""
    words = [word for word in re.split(r"[-_. ]+", path.name) if split_of(word)]
    return words[0] if len({split_of(word) for word in words}) == 1 else ""


def _splits_by(place: Path, files: Sequence[ShardFile]) -> str:
    in_folders = any(file.path.parent != place for file in files) and place.is_dir()
    return "the folders say" if in_folders else "the files' names say"


def _check_uncompressed(place: Path, paths: Sequence[Path]) -> None:
    """Raise BadInput for compressed tars: none is left out, and none is unpacked in secret."""
    packed = [path for path in paths if path.suffix.lower() != ".tar"]
    if packed:
        ending = next(suffix for suffix in COMPRESSED if packed[0].name.lower().endswith(suffix))
        names = some([path.name for path in packed])
        raise BadInput(
            f"{place}: {len(packed):,} of {len(paths):,} shards are compressed ({names}); images are read where they "
            f"lie in a tar, which compression hides\nunpack them: {COMPRESSED[ending]} {packed[0].parent}/*{ending}"
        )


def _own(place: Path, files: Sequence[ShardFile]) -> Shards | None:
    """Return the shards with the splits and classes of halfreal's manifests next to them; None where there are none."""
    manifests = {folder: manifest_in(folder) for folder in {file.path.parent for file in files}}
    listed: list[ShardFile] = []
    classes: list[str] | None = None
    for folder, manifest in manifests.items():
        if manifest is None or manifest.dataset is None:
            return None
        if classes not in (None, manifest.dataset.classes):
            raise BadInput(f"{place}: shards of datasets with different classes; give one of them")
        classes = manifest.dataset.classes
        there = {file.path.name: file for file in files if file.path.parent == folder}
        for split, held in manifest.dataset.splits.items():
            for shard in held.shards:
                if shard.name in there:
                    _check_size(there[shard.name].path, shard.bytes)
                    listed.append(ShardFile(there[shard.name].path, split if split_of(split) else ""))
                elif place.is_dir():
                    raise BadInput(
                        f"{folder / shard.name}: is missing, its {MANIFEST} lists it; copy all of the dataset"
                    )
    others = sorted({file.path for file in files} - {file.path for file in listed})
    if place.is_dir() and others:
        names = some([path.name for path in others])
        raise BadInput(f"{place}: {names}: not in its {MANIFEST}, which has the class names; move it elsewhere")
    return Shards(listed, "the manifest says", classes) if len(listed) == len(files) else None


def manifest_in(folder: Path) -> Manifest | None:
    """Return halfreal's manifest in a folder; None where there is none, or one of another tool."""
    path = folder / MANIFEST
    try:
        payload = read_regular(path, MANIFEST_BYTES)
        fields: Any = parse_json(payload)
    except (OSError, ValueError):
        return None
    if not isinstance(fields, dict) or fields.get("format") != "halfreal":
        return None
    return parse_manifest(payload, path)


def _check_size(path: Path, wanted: int) -> None:
    size = path.stat().st_size
    if size != wanted:
        raise BadInput(f"{path}: {size:,} bytes, its {MANIFEST} says {wanted:,}; copy it again")
