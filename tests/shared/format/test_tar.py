"""Archives by hand are those of tarfile, byte for byte."""

import io
import tarfile

import pytest

from shared.format import tar

FILES = [("a.cls", b"7"), ("a.json", b"{}"), ("k" * 95 + ".png", bytes(range(256)) * 40), ("empty.cls", b"")]


def _tarfiles(files: list[tuple[str, bytes]]) -> bytes:
    """Return the archive that tarfile writes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


def _ours(files: list[tuple[str, bytes]]) -> bytes:
    whole = b"".join(tar.member(name.encode(), content) for name, content in files)
    return whole + tar.closing(len(whole))


@pytest.mark.parametrize("count", range(len(FILES) + 1))
@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 10_240, 20_000])
def test_every_byte_is_tarfiles(count: int, size: int) -> None:
    """Headers, padding and end equal those of Python's own writer for plain files without owner and time."""
    files = [*FILES[:count], ("last.png", b"\xff" * size)]
    assert _ours(files) == _tarfiles(files)


def test_what_tarfile_wrote_is_read() -> None:
    """Every member is read with its name and content, in order, also in GNU and pax format."""
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
            for name, content in FILES:
                header = tarfile.TarInfo(name)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
        assert list(tar.members(buffer.getvalue())) == FILES


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_non_regular_members_have_no_content(kind: bytes) -> None:
    """Links, folders, pipes and devices are read as a name without content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        header = tarfile.TarInfo("x.png")
        header.type, header.linkname = kind, "elsewhere"
        archive.addfile(header)
    assert [content for _, content in tar.members(buffer.getvalue())] == [None]


@pytest.mark.parametrize(
    "payload", [b"no tar" * 1000, _tarfiles(FILES)[:300], _tarfiles(FILES)[:512], _tarfiles(FILES[:3])[:4000]]
)
def test_a_broken_archive_is_refused(payload: bytes) -> None:
    """Text, a truncated header and a truncated member raise ValueError."""
    with pytest.raises(ValueError, match=r"ustar|cut off"):
        list(tar.members(payload))


def test_a_size_below_zero_is_refused() -> None:
    """A negative size in a header, which would loop forever, is an error."""
    whole = tar.member(b"a.cls", b"7") + tar.END
    with pytest.raises(ValueError, match="below 0"):
        list(tar.members(whole[:124] + b"-0000001000\0" + whole[136:]))
