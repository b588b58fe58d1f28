"""WebDataset shards: tars that other tools wrote, with jpg, png or webp and cls or json, and halfreal's own."""

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from shared.errors import BadInput
from shared.format.outside import has_end, open_regular, open_tar, parse_json, whole_members
from shared.limits import FILE_BYTES, JSON_BYTES, LABEL_BYTES, NAME_LETTERS
from shared.sources.entries import Compact, Entry, understood
from shared.sources.items import Source, Unusable, is_label, named, plain, some
from shared.sources.labels import whole_value
from shared.sources.reading import Reading
from shared.sources.shards.files import ShardFile, shards_of

IMAGES = ("jpg", "jpeg", "png", "webp")

LABEL_FIELD = "label"
"""The field of a json that is the label where no option names one."""

NO_LABEL = f"is no text of one line, of at most {NAME_LETTERS} letters; want text or a whole number"

KINDS = {list: "a list", dict: "an object", float: "a decimal number", bool: "true or false"}
"""Types of a json field that cannot be a label, in words."""


class Said(NamedTuple):
    """What the members of a sample say of it, as text: its label, split and group, empty where they say nothing."""

    label: str = ""
    split: str = ""
    group: str = ""


@dataclass
class Scan:
    """The result of a pass over the headers of tars, in order."""

    entries: Compact[Entry] = field(default_factory=Compact)
    ignored: list[str] = field(default_factory=list)
    endless: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)
    labels: int = 0

    def warnings(self) -> list[str]:
        """Return a line for each kind of irregularity."""
        rows = (
            (self.ignored, "members without key or suffix, not taken", ""),
            (
                self.endless,
                "tars without an end mark, perhaps cut short",
                "; compare their number of samples, or fetch them again",
            ),
            (
                self.apart,
                "samples whose members are not next to each other, put together",
                "; other readers need them sorted: tar --sort=name -cf SORTED.tar FOLDER",
            ),
        )
        return [f"{what}: {len(names):,} ({some(names)}){do}" for names, what, do in rows if names]


def webdataset(place: Path, reading: Reading) -> Source:
    """Return the samples of the tars at `place`, in name order; see `shards_of` for what it may be.

    The label is the field of `.json` that `--label` names; without one it is `.cls` (text or a number), or the field
    `label` where there is no `.cls`. Shards of halfreal have the class names and the splits of their manifest. Members
    of one key are a sample, wherever they are in the tar. They are read where they lie, and only images, cls and json;
    nothing is unpickled. A sample without an image or a label is put aside with the reason. Raises BadInput for a tar
    that is compressed, broken or cut in a member, and for keys with dots.
    """
    shards = shards_of(place)
    scan = Scan()
    for file in shards.files:
        _scan(file, reading, scan)
    if reading.labelled and scan.entries and not scan.labels and all(entry.why for entry in scan.entries):
        raise BadInput(
            f"{place}: none of {len(scan.entries):,} samples has a label (.cls, .json); the first, "
            f"{named(scan.entries[0].origin)}: {scan.entries[0].why}\n"
            "where folders in the tar are the classes say --source folder"
        )
    # another field than the one that halfreal wrote has classes of its own
    classes = None if reading.label else shards.classes
    return understood(
        place,
        scan.entries if classes is None else (_with_name(entry, classes) for entry in scan.entries),
        reading,
        classes=classes,
        warnings=scan.warnings(),
        ignored=len(scan.ignored),
        splits_by="the field says" if reading.split_column else shards.splits_by,
    )


def _with_name(entry: Entry, classes: Sequence[str]) -> Entry:
    """Return a sample of halfreal's own with the name of its class in place of the number."""
    if entry.why or not entry.label:
        return entry
    if not entry.label.isdecimal() or int(entry.label) >= len(classes):
        return replace(entry, why=f"cls is {entry.label[:40]}; the manifest has classes 0 to {len(classes) - 1}")
    return replace(entry, label=classes[int(entry.label)])


def _scan(file: ShardFile, reading: Reading, scan: Scan) -> None:
    """Add the samples of a tar to `scan`, and its irregularities.

    `ignored` gets the members that are of no sample, as WebDataset sees it, `endless` the tar if it has no end mark.
    """
    tar = file.path
    entries: list[Entry] = []
    try:
        with open_tar(tar) as archive:
            members = [each for each in whole_members(archive, tar.stat().st_size) if each.isfile()]
            for key, kinds in _samples(tar, members, scan).items():
                scan.labels += bool({"cls", "json"} & kinds.keys())
                entries.append(_entry(file, archive, key, kinds, reading))
            if not has_end(archive):
                scan.endless.append(tar.name)
                # a cut at the boundary of a member looks like a sample that lacks some
                entries = [
                    _cut_short(entry) if members and entry.origin["key"] == _key(members[-1]) else entry
                    for entry in entries
                ]
    except tarfile.TarError as error:
        raise BadInput(
            f"{tar}: cannot be read as an uncompressed tar ({error}); unpack .gz first, or fetch it again"
        ) from error
    # at the end, so that a tar that breaks in the middle adds nothing
    scan.entries.extend(entries)


def _cut_short(entry: Entry) -> Entry:
    return replace(entry, why=f"perhaps cut short: {entry.why}") if entry.why else entry


def _samples(tar: Path, members: Sequence[tarfile.TarInfo], scan: Scan) -> dict[str, dict[str, tarfile.TarInfo | None]]:
    """Return the members of each sample by kind, None for a kind that is there twice, in the order of first members.

    What is of no sample goes to `scan.ignored`, and where the members of one are not neighbours to `scan.apart`.
    """
    samples: dict[str, dict[str, tarfile.TarInfo | None]] = {}
    apart: dict[str, None] = {}
    last = ""
    for member in members:
        key, kind = _key(member), _kind(member)
        if not key.rpartition("/")[2] or not kind:
            scan.ignored.append(member.name)
            continue
        kinds = samples.setdefault(key, {})
        if kinds and key != last:
            # a writer that puts all images first and all labels then: WebDataset would see samples without a label
            apart[key] = None
        kinds[kind] = None if kind in kinds else member
        last = key
    for key, kinds in samples.items():
        _check_dots(tar, key, list(kinds), len(members))
    scan.apart += apart
    return samples


def _check_dots(tar: Path, key: str, kinds: Sequence[str], count: int) -> None:
    """Raise BadInput for a key that seems to go on after its first dot: cam.0001.png next to cam.0001.cls."""
    if any(kind in IMAGES for kind in kinds):
        return  # 7.png, 7.cls and 7.mask.png, 7.mask.json: one sample of several images
    stems = {kind.rpartition(".")[0] for kind in kinds if kind.rpartition(".")[2] in IMAGES}
    labelled = {kind.rpartition(".")[0] for kind in kinds if kind.rpartition(".")[2] in ("cls", "json")}
    for stem in sorted((stems & labelled) - {""}):
        raise BadInput(
            f"{tar}: {plain(key)}.{plain(stem[:60])}: a key with a dot; WebDataset cuts keys at their first dot, and "
            f"takes {len(kinds):,} of {count:,} members for one sample\n"
            "unpack it, rename the files to have no dot but that of the suffix, pack it: tar --sort=name -cf NEW.tar ."
        )


def _key(member: tarfile.TarInfo) -> str:
    """Return the member's path up to the first dot of its last part, as WebDataset cuts it."""
    folder, slash, name = member.name.rpartition("/")
    return folder + slash + name.split(".", 1)[0]


def _kind(member: tarfile.TarInfo) -> str:
    return member.name.rpartition("/")[2].partition(".")[2].lower()


def _entry(
    file: ShardFile, archive: tarfile.TarFile, key: str, kinds: dict[str, tarfile.TarInfo | None], reading: Reading
) -> Entry:
    """Return what the members of one key make."""
    origin: dict[str, object] = {"source": "webdataset", "file": file.path.name, "key": key}
    try:
        if twice := [kind for kind, member in kinds.items() if member is None]:
            raise Unusable(f"{', '.join(twice)} is there twice in the tar")
        members = {kind: member for kind, member in kinds.items() if member is not None}
        image = next((members[kind] for kind in IMAGES if kind in members), None)
        if image is None:
            raise Unusable(f"no image (.{', .'.join(IMAGES)}); members: {', '.join(members)}"[:200])
        if image.size > FILE_BYTES or image.issparse():
            raise Unusable(f"an image of {image.size:,} bytes, want at most {FILE_BYTES:,}")
        said = _said(archive, members, reading)
    except Unusable as error:
        return Entry("", origin, bytes, why=str(error))
    read = partial(_read_part, file.path, image.offset_data, image.size)
    split = file.split if reading.split_column is None else said.split
    # only offsets are kept: images are read when they are prepared, from any process
    return Entry(said.label, origin, read, split=split, group=said.group)


def _said(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], reading: Reading) -> Said:
    """Return what a sample says of itself; Unusable if it has no label, or no field that an option names."""
    fields: dict[str, Any] = {}
    by_cls = reading.label is None and "cls" in members
    wanted = bool(reading.split_column or reading.group_column) or (reading.labelled and not by_cls)
    if wanted and "json" in members:
        fields = _fields(_content(archive, members["json"], JSON_BYTES), reading.label or LABEL_FIELD)
    label = ""
    if reading.labelled and by_cls:
        label = _content(archive, members["cls"], LABEL_BYTES).decode("utf-8", "replace").strip()
        if label and not is_label(label):
            raise Unusable(f"cls {NO_LABEL}")
    elif reading.labelled:
        if "json" not in members:
            where = "no json" if reading.label else "no label (.cls, .json)"
            raise Unusable(f"{where}; members: {', '.join(members)}"[:200])
        label = _field(fields, reading.label or LABEL_FIELD)
    return Said(
        label,
        _field(fields, reading.split_column) if reading.split_column else "",
        _field(fields, reading.group_column) if reading.group_column else "",
    )


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, most_bytes: int) -> bytes:
    if member.size > most_bytes or member.issparse():
        raise Unusable(f"{_kind(member)} of {member.size:,} bytes, want at most {most_bytes:,}")
    stream = archive.extractfile(member)
    return stream.read() if stream else b""


def _fields(payload: bytes, wanted: str) -> dict[str, Any]:
    """Return the fields of a json; Unusable if it has none."""
    try:
        fields: Any = parse_json(payload)
    except ValueError as error:
        raise Unusable(f"json is broken: {error}") from error
    if not isinstance(fields, dict):
        what = "null" if fields is None else KINDS.get(type(fields), "a single value")
        raise Unusable(f"json is {what}; want an object with the field {wanted!r}")
    return fields


def _field(fields: dict[str, Any], wanted: str) -> str:
    """Return a field of a json as text, empty for null; Unusable if it is no text and no whole number."""
    if wanted not in fields:
        raise Unusable(
            f"json has no field {wanted!r}; it has fields: {some(list(fields), 8) or 'none'}; --label names one"
        )
    value = whole_value(fields[wanted])
    if value is None:
        return ""
    # exact types: True is an int in Python, and 0.5 names no class
    if type(value) not in (str, int):
        raise Unusable(f"field {wanted!r} is {KINDS[type(value)]}; want text or a whole number")
    text = str(value).strip()
    if text and not is_label(text):
        raise Unusable(f"field {wanted!r} {NO_LABEL}")
    return text


def _read_part(tar: Path, start: int, size: int) -> bytes:
    """Return `size` bytes of a file from `start` on."""
    with open_regular(tar) as stream:
        stream.seek(start)
        return stream.read(size)
