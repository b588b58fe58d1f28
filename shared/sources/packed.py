"""Images in a zip or a tar, read where they lie in it: nothing is unpacked, and so no name leads anywhere."""

import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from shared.errors import BadInput
from shared.format.outside import has_end, open_regular, open_tar, whole_members
from shared.limits import FILE_BYTES
from shared.sources.detect import COMPRESSED, is_hidden
from shared.sources.items import Unusable, plain, some

LOCAL_HEADER = struct.Struct("<4s22xHH")
"""What precedes a file in a zip: its mark, and the lengths of the name and of the extra field that follow."""


class Member(NamedTuple):
    """A file in an archive: where its bytes begin, how many they are, and what they are once unpacked.

    `method` is the zip's, 0 for bytes as they are; `crc` their checksum, None where the archive has none.
    """

    start: int
    packed: int
    size: int
    method: int = ZIP_STORED
    crc: int | None = None


class Archive(NamedTuple):
    """The files in an archive by their path in it, and the names that are not taken."""

    members: dict[tuple[str, ...], Member]
    ignored: list[str]

    def warnings(self) -> list[str]:
        """Return a line about what is not taken."""
        what = "links and names that lead out of the archive, not taken"
        return [f"{what}: {len(self.ignored):,} ({some(self.ignored)})"] if self.ignored else []

    def reader(self, place: Path) -> Callable[[tuple[str, ...]], Callable[[], bytes]]:
        """Return the function that returns what reads a file; it goes to other processes."""
        return lambda parts: partial(read_member, place, self.members[parts])


def is_archive(place: Path) -> bool:
    """Return whether a file is a zip or a tar by its name."""
    return place.name.lower().endswith((".zip", ".tar", *COMPRESSED))


def open_archive(place: Path) -> Archive:
    """Return what is in a zip or a tar; hidden files, and those of the system, are left out.

    Links, and names that lead out of the archive, are ignored, and named. Raises BadInput for a file that is neither,
    or broken, encrypted, packed by a method other than deflate, or compressed as a whole.
    """
    name = place.name.lower()
    for ending, command in COMPRESSED.items():
        if name.endswith(ending):
            raise BadInput(
                f"{place}: is compressed as a whole, and no image in it can be read where it lies\n"
                f"unpack it: tar -xf {place}, or take the compression away: {command} {place}"
            )
    return _of_tar(place) if name.endswith(".tar") else _of_zip(place)


def _of_zip(place: Path) -> Archive:
    try:
        with open_regular(place) as stream, ZipFile(stream) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (BadZipFile, OSError, NotImplementedError, ValueError, struct.error) as error:
        raise BadInput(f"{place}: cannot be read as a zip ({error}); fetch it again") from error
    if locked := [info.filename for info in infos if info.flag_bits & 1]:
        raise BadInput(f"{place}: {len(locked):,} files are encrypted ({some(locked)}); unpack it with its password")
    found = Archive({}, [])
    methods: dict[int, str] = {}
    # a zip from Windows may have backslashes, which a name on Windows cannot have
    windows = not any("/" in info.filename for info in infos)
    for info in infos:
        parts = _parts(info.filename.replace("\\", "/") if windows else info.filename, found)
        if parts:
            found.members[parts] = _member(info)
            if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                methods.setdefault(info.compress_type, info.filename)
    if methods:
        raise BadInput(
            f"{place}: {plain(next(iter(methods.values())))} is packed by method {next(iter(methods))}, want none or "
            "deflate; unpack it, or pack it as others do"
        )
    return found


def _member(info: ZipInfo) -> Member:
    return Member(info.header_offset, info.compress_size, info.file_size, info.compress_type, info.CRC)


def _of_tar(place: Path) -> Archive:
    found = Archive({}, [])
    try:
        with open_tar(place) as archive:
            for member in whole_members(archive, place.stat().st_size):
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    found.ignored.append(member.name)
                elif parts := _parts(member.name, found):
                    found.members[parts] = Member(member.offset_data, member.size, member.size)
            has_end(archive)  # or it says that it is broken; a tar without its end mark is whole
    except (tarfile.TarError, OSError) as error:
        raise BadInput(f"{place}: cannot be read as an uncompressed tar ({error}); fetch it again") from error
    return found


def _parts(name: str, found: Archive) -> tuple[str, ...]:
    """Return the parts of a name; none for a hidden file and for one that leads out, which is ignored."""
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts or name.startswith("/") or not parts:
        found.ignored.append(name)
        return ()
    return () if any(map(is_hidden, parts)) else parts


def read_member(place: Path, member: Member) -> bytes:
    """Return a file of an archive; Unusable for one that is broken or larger than FILE_BYTES."""
    if max(member.size, member.packed) > FILE_BYTES:
        raise Unusable(f"{member.size:,} bytes, want at most {FILE_BYTES:,}")
    with open_regular(place) as stream:
        stream.seek(member.start)
        if member.crc is not None:
            mark, name, extra = LOCAL_HEADER.unpack(stream.read(LOCAL_HEADER.size).ljust(LOCAL_HEADER.size))
            if mark != b"PK\3\4":
                raise Unusable("the zip is broken there")
            stream.seek(name + extra, 1)
        payload = stream.read(member.packed)
    if member.method == ZIP_DEFLATED:
        payload = _inflated(payload, member.size)
    if len(payload) != member.size or (member.crc is not None and zlib.crc32(payload) != member.crc):
        raise Unusable("the archive is broken there: another checksum or length than it says")
    return payload


def _inflated(payload: bytes, size: int) -> bytes:
    """Return bytes as deflate packed them, no more than one above `size`: a zip's own word for it may be wrong."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload, size + 1)
    except zlib.error as error:
        raise Unusable(f"the zip is broken there: {error}") from error


def folders_of(members: dict[tuple[str, ...], Member]) -> Iterator[tuple[str, ...]]:
    """Yield the folders of an archive's files down to the second level, sorted."""
    yield from sorted({parts[:depth] for parts in members for depth in (1, 2) if len(parts) > depth})
