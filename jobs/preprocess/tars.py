"""Foreign WebDataset shards: tars that other tools wrote, with jpg, png or webp and cls or json."""

import json
import tarfile
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from jobs.preprocess.items import Item, Source, Unusable, is_label, named, open_bytes, plain, some, unusable
from jobs.preprocess.options import PreprocessOptions
from shared.errors import BadInput

IMAGES = ("jpg", "jpeg", "png", "webp")

KINDS = {list: "a list", dict: "an object", float: "a decimal number", bool: "true or false", type(None): "null"}
"""What a json field may be that is no label, in words."""


class Found(NamedTuple):
    """A sample of a tar: its label as text and where its image lies, or `why` it cannot be used."""

    tar: Path
    key: str
    label: str = ""
    start: int = 0
    size: int = 0
    why: str = ""

    @property
    def origin(self) -> dict[str, Any]:
        """What finds the sample again."""
        return {"source": "webdataset", "file": self.tar.name, "key": self.key}


def webdataset(place: Path, config: PreprocessOptions) -> Source:
    """Return the samples of the tars at `place`, a folder of `*.tar` or one file, in name order.

    The label is `.cls` (text or a number) or, in `.json`, the field that `--label` names. Class names are the
    labels themselves, numbers in numeric order, texts in alphabetical order. Members are read where they lie in
    the tar, and only images, cls and json; nothing is unpickled. A sample without an image or a label is put aside
    with the reason. Raises BadInput for a tar that is compressed, broken or cut in a member, and for fewer than two
    labels.
    """
    tars = [place] if place.is_file() else sorted(path for path in place.glob("*.tar") if path.is_file())
    if not tars:
        raise BadInput(f"{place}: no *.tar there; put the shards there, or give --source-path")
    ignored: list[str] = []
    endless: list[str] = []
    found = [sample for tar in tars for sample in _samples(tar, config.label_name or "", ignored, endless)]
    names = {sample.label for sample in found if not sample.why}
    if not names:
        first = f"; the first, {named(found[0].origin)}: {found[0].why}" if found else ""
        raise BadInput(
            f"{place}: none of {len(found):,} samples can be used{first}\n"
            "want an image and a .cls or a .json in each; --label names the field of the .json"
        )
    if len(names) < 2:
        raise BadInput(f"{place}: {len(names)} different labels, want at least 2")
    if all(name.isdecimal() for name in names):
        classes = sorted(names, key=lambda name: (int(name), name))
    else:
        classes = sorted(names)
    labels = {name: label for label, name in enumerate(classes)}
    items = [
        unusable(sample.why, sample.origin)
        if sample.why
        else Item(
            labels[sample.label], sample.origin, partial(_read_part, sample.tar, sample.start, sample.size), open_bytes
        )
        for sample in found
    ]
    return Source(tuple(classes), items, warnings=_warnings(ignored, endless), ignored=len(ignored))


def _warnings(ignored: list[str], endless: list[str]) -> list[str]:
    """Return a line for each kind of thing that people should know of."""
    rows = (
        (ignored, "members without key or suffix, not taken", ""),
        (
            endless,
            "tars without an end mark, perhaps cut short",
            "; compare their number of samples, or fetch them again",
        ),
    )
    return [f"{what}: {len(found):,} ({some(found)}){do}" for found, what, do in rows if found]


def _samples(tar: Path, field: str, ignored: list[str], endless: list[str]) -> list[Found]:
    """Return the samples of a tar, and name what people should know of.

    `ignored` gets the members that are of no sample, as WebDataset sees it, `endless` the tar if it has no end mark.
    """
    found: list[Found] = []
    try:
        with tarfile.open(tar, mode="r:") as archive:
            for key, group in groupby(_members(archive, tar.stat().st_size), key=_key):
                members = {_kind(member): member for member in group}
                if key.rpartition("/")[2] and "" not in members:
                    found.append(_sample(tar, archive, key, members, field))
                else:
                    ignored += [member.name for member in members.values()]
            if not _has_end(archive):
                endless.append(tar.name)
                if found and found[-1].why:
                    found[-1] = found[-1]._replace(why=f"perhaps cut short: {found[-1].why}")
    except tarfile.TarError as error:
        raise BadInput(
            f"{tar}: cannot be read as an uncompressed tar ({error}); unpack .gz first, or fetch it again"
        ) from error
    return found


def _members(archive: tarfile.TarFile, size: int) -> Iterator[tarfile.TarInfo]:
    """Yield the files in a tar of `size` bytes; ReadError where one is not whole."""
    for member in archive:
        if archive.offset > size:
            raise tarfile.ReadError(f"cut short in {plain(member.name)}")
        if member.isfile():
            yield member


def _has_end(archive: tarfile.TarFile) -> bool:
    """Return whether a tar has zeros after its last member, or nothing; some writers leave the end mark out.

    Raises ReadError where other bytes follow: tarfile takes a header that is broken or cut for the end.
    """
    stream: Any = archive.fileobj
    stream.seek(archive.offset)
    block = stream.read(tarfile.BLOCKSIZE)
    if block.strip(b"\0"):
        what = "broken header" if len(block) == tarfile.BLOCKSIZE else "cut short in the header"
        raise tarfile.ReadError(f"{what} at byte {archive.offset:,}")
    return bool(block)


def _key(member: tarfile.TarInfo) -> str:
    """Return the member's path up to the first dot of its last part, as WebDataset cuts it."""
    folder, slash, name = member.name.rpartition("/")
    return folder + slash + name.split(".", 1)[0]


def _kind(member: tarfile.TarInfo) -> str:
    return member.name.rpartition("/")[2].partition(".")[2].lower()


def _sample(tar: Path, archive: tarfile.TarFile, key: str, members: dict[str, tarfile.TarInfo], field: str) -> Found:
    """Return what the members of one key make."""
    try:
        image = next((members[kind] for kind in IMAGES if kind in members), None)
        if image is None:
            raise Unusable(f"no image (.{', .'.join(IMAGES)}); members: {', '.join(members)}")
        return Found(tar, key, _label(archive, members, field), image.offset_data, image.size)
    except Unusable as error:
        return Found(tar, key, why=str(error))


def _label(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], field: str) -> str:
    """Return the label of a sample as text of one line; Unusable if it has none."""
    kind = next((kind for kind in ("cls", "json") if kind in members), None)
    if kind is None:
        raise Unusable(f"no label (.cls, .json); members: {', '.join(members)}")
    stream = archive.extractfile(members[kind])
    payload = stream.read() if stream else b""
    label = payload.decode("utf-8", "replace").strip() if kind == "cls" else _field(payload, field)
    if not is_label(label):
        where = "cls" if kind == "cls" else f"field {field!r}"
        raise Unusable(f"{where} is {'no text of one line' if label else 'empty'}; want text or a whole number")
    return label


def _field(payload: bytes, field: str) -> str:
    """Return a field of a json as text; Unusable if it is no text and no whole number."""
    try:
        fields: Any = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"json is broken: {error}") from error
    if not isinstance(fields, dict):
        raise Unusable(f"json is {KINDS.get(type(fields), 'a single value')}; want an object with the field {field!r}")
    if field not in fields:
        raise Unusable(f"json has no field {field!r}; it has fields: {', '.join(fields) or 'none'}")
    value = fields[field]
    if type(value) not in (str, int):
        raise Unusable(f"field {field!r} is {KINDS[type(value)]}; want text or a whole number")
    return str(value)


def _read_part(tar: Path, start: int, size: int) -> bytes:
    """Return `size` bytes of a file from `start` on."""
    with tar.open("rb") as stream:
        stream.seek(start)
        return stream.read(size)
