"""Foreign WebDataset shards: tars that other tools wrote, with jpg, png or webp and cls or json."""

import json
import tarfile
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from jobs.preprocess.config import PreprocessConfig
from jobs.preprocess.items import Item, Source, open_bytes
from shared.errors import BadInput

IMAGES = ("jpg", "jpeg", "png", "webp")


def webdataset(place: Path, config: PreprocessConfig) -> Source:
    """Return the samples of the tars at `place`, a folder of `*.tar` or one file, in name order.

    The label is `.cls` (text or a number) or, in `.json`, the field that `--label` names. Class names are the
    labels themselves, numbers in numeric order, texts in alphabetical order. Members are read where they lie in
    the tar, and only images, cls and json; nothing is unpickled. Raises BadInput for a tar that is compressed or
    broken and for a sample without an image or a label.
    """
    tars = [place] if place.is_file() else sorted(place.glob("*.tar"))
    if not tars:
        raise BadInput(f"{place}: no *.tar there; put the shards there, or give --source-path")
    found = [sample for tar in tars for sample in _samples(tar, config.label or "label")]
    names = {name for name, *_ in found}
    numeric = all(name.isdigit() for name in names)
    classes = sorted(names, key=int) if numeric else sorted(names)
    labels = {name: label for label, name in enumerate(classes)}
    items = [
        Item(
            labels[name],
            {"source": "webdataset", "file": tar.name, "key": key},
            partial(_read_part, tar, start, size),
            open_bytes,
        )
        for name, tar, key, start, size in found
    ]
    return Source(tuple(classes), items)


def _samples(tar: Path, field: str) -> Iterator[tuple[str, Path, str, int, int]]:
    """Yield (label, tar, key, offset and size of the image) of each sample."""
    try:
        with tarfile.open(tar, mode="r:") as archive:
            files = (member for member in archive if member.isfile())
            for key, group in groupby(files, key=_key):
                members = {_kind(member): member for member in group}
                label = _label(archive, members, field)
                image = next((members[kind] for kind in IMAGES if kind in members), None)
                if label is None or image is None:
                    wanted = (
                        f"a .cls or a .json with {field!r}" if label is None else f"an image (.{', .'.join(IMAGES)})"
                    )
                    raise BadInput(f"{tar}: sample {key!r} has members {', '.join(members)}, want {wanted}")
                yield label, tar, key, image.offset_data, image.size
    except tarfile.TarError as error:
        raise BadInput(
            f"{tar}: cannot be read as an uncompressed tar ({error}); unpack .gz first, or fetch it again"
        ) from error


def _key(member: tarfile.TarInfo) -> str:
    """Return the member's path up to the first dot of its last part, as WebDataset cuts it."""
    folder, slash, name = member.name.rpartition("/")
    return folder + slash + name.split(".", 1)[0]


def _kind(member: tarfile.TarInfo) -> str:
    return member.name.rpartition("/")[2].partition(".")[2].lower()


def _label(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], field: str) -> str | None:
    """Return the label of a sample as text, or None if it has none."""
    for kind in ("cls", "json"):
        if kind in members:
            stream = archive.extractfile(members[kind])
            payload = stream.read() if stream else b""
            if kind == "cls":
                return payload.decode("utf-8", "replace").strip() or None
            return _field(payload, field)
    return None


def _field(payload: bytes, field: str) -> str | None:
    try:
        fields: Any = json.loads(payload)
    except ValueError:
        return None
    value = fields.get(field) if isinstance(fields, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _read_part(tar: Path, start: int, size: int) -> bytes:
    """Return `size` bytes of a file from `start` on."""
    with tar.open("rb") as stream:
        stream.seek(start)
        return stream.read(size)
