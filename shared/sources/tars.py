"""Foreign WebDataset shards: tars that other tools wrote, with jpg, png or webp and cls or json."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from shared.errors import BadInput
from shared.sources.items import Item, Source, Unusable, is_label, named, open_bytes, plain, some, unusable
from shared.sources.reading import Reading

IMAGES = ("jpg", "jpeg", "png", "webp")

KINDS = {list: "a list", dict: "an object", float: "a decimal number", bool: "true or false", type(None): "null"}
"""Types of a json field that cannot be a label, in words."""


class Found(NamedTuple):
    """A sample of a tar: its label as text and where its image lies, or `why` it cannot be used."""

    tar: Path
    key: str
    label: str = ""
    start: int = 0
    size: int = 0
    why: str = ""

    @property
    def origin(self) -> dict[str, object]:
        """What finds the sample again."""
        return {"source": "webdataset", "file": self.tar.name, "key": self.key}


@dataclass
class Scan:
    """The result of a pass over the headers of tars, in order."""

    samples: list[Found] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    endless: list[str] = field(default_factory=list)

    def labels(self) -> set[str]:
        """Return the different labels of samples that can be used."""
        return {sample.label for sample in self.samples if not sample.why}

    def warnings(self) -> list[str]:
        """Return a line for each kind of irregularity."""
        cut = "; compare their number of samples, or fetch them again"
        rows = (
            (self.ignored, "members without key or suffix, not taken", ""),
            (self.endless, "tars without an end mark, perhaps cut short", cut),
        )
        return [f"{what}: {len(names):,} ({some(names)}){do}" for names, what, do in rows if names]


def webdataset(place: Path, reading: Reading) -> Source:
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
    scan = Scan()
    for tar in tars:
        _scan(tar, reading.label or "", scan)
    classes = _classes(place, scan)
    labels = {name: label for label, name in enumerate(classes)}
    # only offsets are kept: images are read when they are prepared, from any process
    items = [_item(sample, labels) for sample in scan.samples]
    return Source(classes, items, warnings=scan.warnings(), ignored=len(scan.ignored))


def _classes(place: Path, scan: Scan) -> tuple[str, ...]:
    """Return the labels in order, numbers by their value; BadInput for fewer than two."""
    names = scan.labels()
    if not names:
        first = f"; the first, {named(scan.samples[0].origin)}: {scan.samples[0].why}" if scan.samples else ""
        raise BadInput(
            f"{place}: none of {len(scan.samples):,} samples can be used{first}\n"
            "want an image and a .cls or a .json in each; --label names the field of the .json"
        )
    if len(names) < 2:
        raise BadInput(f"{place}: {len(names)} different labels, want at least 2")
    if all(name.isdecimal() for name in names):
        # 007 and 7 are different labels of one value: the text decides between them
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def _item(sample: Found, labels: dict[str, int]) -> Item:
    """Return a sample as an item of its label, or as one that is known to be unusable."""
    if sample.why:
        return unusable(sample.why, sample.origin)
    read = partial(_read_part, sample.tar, sample.start, sample.size)
    return Item(labels[sample.label], sample.origin, read, open_bytes)


def _scan(tar: Path, label_field: str, scan: Scan) -> None:
    """Add the samples of a tar to `scan`, and its irregularities.

    `ignored` gets the members that are of no sample, as WebDataset sees it, `endless` the tar if it has no end mark.
    """
    samples: list[Found] = []
    try:
        # "r:" refuses compressed tars, in which members cannot be read where they lie
        with tarfile.open(tar, mode="r:") as archive:
            for key, group in groupby(_members(archive, tar.stat().st_size), key=_key):
                # WebDataset groups neighbours with the same key, so order matters and a later repeat is another sample
                members = {_kind(member): member for member in group}
                if key.rpartition("/")[2] and "" not in members:
                    samples.append(_sample(tar, archive, key, members, label_field))
                else:
                    scan.ignored += [member.name for member in members.values()]
            if not _has_end(archive):
                scan.endless.append(tar.name)
                # a cut at the boundary of a member looks like a sample that lacks some
                if samples and samples[-1].why:
                    samples[-1] = samples[-1]._replace(why=f"perhaps cut short: {samples[-1].why}")
    except tarfile.TarError as error:
        raise BadInput(
            f"{tar}: cannot be read as an uncompressed tar ({error}); unpack .gz first, or fetch it again"
        ) from error
    # at the end, so that a tar that breaks in the middle adds nothing
    scan.samples += samples


def _members(archive: tarfile.TarFile, size: int) -> Iterator[tarfile.TarInfo]:
    """Yield the files in a tar of `size` bytes; ReadError where one is not whole."""
    for member in archive:
        # tarfile seeks over contents, and so does not notice that the last ones are missing
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


def _sample(
    tar: Path, archive: tarfile.TarFile, key: str, members: dict[str, tarfile.TarInfo], label_field: str
) -> Found:
    """Return what the members of one key make."""
    try:
        image = next((members[kind] for kind in IMAGES if kind in members), None)
        if image is None:
            raise Unusable(f"no image (.{', .'.join(IMAGES)}); members: {', '.join(members)}")
        return Found(tar, key, _label(archive, members, label_field), image.offset_data, image.size)
    except Unusable as error:
        return Found(tar, key, why=str(error))


def _label(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], label_field: str) -> str:
    """Return the label of a sample as text of one line; Unusable if it has none."""
    kind = next((kind for kind in ("cls", "json") if kind in members), None)
    if kind is None:
        raise Unusable(f"no label (.cls, .json); members: {', '.join(members)}")
    stream = archive.extractfile(members[kind])
    payload = stream.read() if stream else b""
    label = payload.decode("utf-8", "replace").strip() if kind == "cls" else _field(payload, label_field)
    if not is_label(label):
        where = "cls" if kind == "cls" else f"field {label_field!r}"
        raise Unusable(f"{where} is {'no text of one line' if label else 'empty'}; want text or a whole number")
    return label


def _field(payload: bytes, label_field: str) -> str:
    """Return a field of a json as text; Unusable if it is no text and no whole number."""
    try:
        fields: Any = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"json is broken: {error}") from error
    if not isinstance(fields, dict):
        raise Unusable(
            f"json is {KINDS.get(type(fields), 'a single value')}; want an object with the field {label_field!r}"
        )
    if label_field not in fields:
        raise Unusable(f"json has no field {label_field!r}; it has fields: {', '.join(fields) or 'none'}")
    value = fields[label_field]
    # exact types: True is an int in Python, and 1.0 would name another class than 1
    if type(value) not in (str, int):
        raise Unusable(f"field {label_field!r} is {KINDS[type(value)]}; want text or a whole number")
    return str(value)


def _read_part(tar: Path, start: int, size: int) -> bytes:
    """Return `size` bytes of a file from `start` on."""
    with tar.open("rb") as stream:
        stream.seek(start)
        return stream.read(size)
