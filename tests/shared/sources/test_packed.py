"""Zips and tars of class folders are read where they lie; what is wrong with one is said by name."""

import struct
import tarfile
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from shared.errors import BadInput
from shared.limits import FILE_BYTES
from shared.sources.folders import folder
from shared.sources.items import Source
from shared.sources.packed import Member, open_archive, read_member
from shared.sources.reading import Reading
from tests.jobs.preprocess.source_files import done, everything, fill
from tests.jobs.preprocess.test_tars import encoded


def files(count: int = 3, top: str = "") -> dict[str, bytes]:
    """Return images of two classes by their path."""
    return {
        f"{top}{name}/{index}.png": encoded(10 * place + index, "PNG")
        for place, name in enumerate(("cat", "dog"))
        for index in range(count)
    }


def write_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, payload in members.items():
            archive.writestr(zipfile.ZipInfo(name), payload, method)
    return path


def write_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    """Write a tar."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, payload in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(payload)
            archive.addfile(info, BytesIO(payload))
    return path


def content(source: Source) -> dict[str, tuple[str, bytes]]:
    """Return class and bytes of each image by its path."""
    return {str(item.origin["file"]): (source.classes[item.label], item.read()) for item in source.items}


def wrong(place: Path, reading: Reading | None = None) -> str:
    """Return the message with which a source is refused."""
    with pytest.raises(BadInput) as caught:
        folder(place, reading or Reading())
    return str(caught.value)


def test_a_zip_and_a_tar_are_read_as_the_folder_that_they_hold(tmp_path: Path) -> None:
    """Stored or deflated, in a folder of the archive's name or not; images are those bytes, and nothing is unpacked."""
    wanted = {name: (name.split("/")[0], payload) for name, payload in files().items()}
    stored = write_zip(tmp_path / "a.zip", files(), zipfile.ZIP_STORED)
    for place in (write_zip(tmp_path / "A.ZIP", files()), stored, write_tar(tmp_path / "a.tar", files())):
        assert content(folder(place, Reading())) == wanted
    inner = folder(write_zip(tmp_path / "b.zip", files(top="photos/")), Reading())
    assert inner.classes == ("cat", "dog")
    dotted = folder(write_tar(tmp_path / "c.tar", files(top="./")), Reading())
    assert content(dotted) == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A.ZIP", "a.tar", "a.zip", "b.zip", "c.tar"]


def test_splits_in_an_archive_are_splits(tmp_path: Path) -> None:
    """The rules for folders are the same inside."""
    place = write_zip(tmp_path / "a.zip", {**files(4, "train/"), **files(2, "test/")})
    source = folder(place, Reading())
    assert [source.classes, list(source.partition or ())] == [("cat", "dog"), ["test"] * 4 + ["train"] * 8]


def test_preprocess_reads_a_zip_in_several_processes(tmp_path: Path) -> None:
    """The images are those of the folder that was packed, with several processes that read one file."""
    fill(tmp_path / "images", {"cat": 300, "dog": 300})
    write_zip(
        tmp_path / "images.zip",
        {
            str(path.relative_to(tmp_path / "images")): path.read_bytes()
            for path in (tmp_path / "images").rglob("*.png")
        },
    )
    words = ("--source", "folder", "--threads", "2", "--source-path")
    made = []
    for place in ("images", "images.zip"):
        artifact = done(tmp_path / f"volume of {place}", *words, str(tmp_path / place))
        made.append(everything(artifact))
    for split, samples in made[0].items():
        for one, other in zip(samples, made[1][split], strict=True):
            assert (one.key, one.label, one.meta) == (other.key, other.label, other.meta)
            np.testing.assert_array_equal(one.image, other.image)


def test_hidden_files_and_those_of_macos_are_left_out(tmp_path: Path) -> None:
    """Finder's archives have a second tree of files that look like images."""
    extra = {"__MACOSX/cat/._0.png": b"x", "cat/.DS_Store": b"x", ".hidden/1.png": b"x"}
    source = folder(write_zip(tmp_path / "a.zip", {**files(), **extra}), Reading())
    assert (len(source.items), source.warnings) == (6, [])


def test_names_that_lead_out_and_links_are_named_and_not_taken(tmp_path: Path) -> None:
    """Nothing is unpacked, so they could do nothing; a set that has them is not what it seems."""
    extra = {"../cat/9.png": b"x", "/etc/9.png": b"x", "cat/../../9.png": b"x"}
    said = "links and names that lead out of the archive, not taken: "
    source = folder(write_zip(tmp_path / "a.zip", {**files(), **extra}), Reading())
    assert len(source.items) == 6
    assert f"{said}3 (../cat/9.png, /etc/9.png, cat/../../9.png)" in source.warnings
    with tarfile.open(write_tar(tmp_path / "a.tar", files()), "a") as archive:
        link = tarfile.TarInfo("cat/passwd.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    source = folder(tmp_path / "a.tar", Reading())
    assert (len(source.items), f"{said}1 (cat/passwd.png)" in source.warnings) == (6, True)


def test_backslashes_in_a_zip_from_windows_separate_folders(tmp_path: Path) -> None:
    """Some tools there write them, against the format."""
    names = {name.replace("/", "\\"): payload for name, payload in files().items()}
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, payload in names.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, payload)
    assert folder(path, Reading()).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("name", "command"), [("a.tar.gz", "gunzip"), ("a.tgz", "gunzip"), ("a.tar.xz", "unxz"), ("a.tar.zst", "zstd -d")]
)
def test_an_archive_that_is_compressed_as_a_whole_is_refused_with_what_to_do(
    tmp_path: Path, name: str, command: str
) -> None:
    """To read its last image all of it has to be unpacked, and for each image again."""
    place = write_tar(tmp_path / name, files(), "w:xz" if name.endswith("xz") else "w:gz")
    said = wrong(place)
    assert f"{place}: is compressed as a whole, and no image in it can be read where it lies" in said
    assert f"unpack it: tar -xf {place}, or take the compression away: {command} {place}" in said


def test_what_is_no_archive_or_broken_is_refused_by_name(tmp_path: Path) -> None:
    """A web page under the name of a zip, a zip without its end, a tar that is cut, a compressed one without suffix."""
    (tmp_path / "page.zip").write_text("<html>quota</html>")
    assert "page.zip: cannot be read as a zip (File is not a zip file); fetch it again" in wrong(tmp_path / "page.zip")
    whole = write_zip(tmp_path / "a.zip", files()).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert "cut.zip: cannot be read as a zip" in wrong(tmp_path / "cut.zip")
    whole = write_tar(tmp_path / "a.tar", files()).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:700])
    assert "cut.tar: cannot be read as an uncompressed tar (cut short in cat/0.png)" in wrong(tmp_path / "cut.tar")
    with tarfile.open(tmp_path / "a.tar") as archive:
        third = archive.getmembers()[2].offset
    for name, at in (("first", 0), ("third", third)):
        (tmp_path / f"{name}.tar").write_bytes(whole[: at + 148] + b"zzzzzz" + whole[at + 154 :])
    assert "first.tar: cannot be read as an uncompressed tar (" in wrong(tmp_path / "first.tar")
    assert f"third.tar: cannot be read as an uncompressed tar (broken header at byte {third:,})" in wrong(
        tmp_path / "third.tar"
    )
    (tmp_path / "joined.tar").write_bytes(whole + whole)
    assert f"goes on after its end, at byte {len(whole):,}: broken, or several tars joined" in wrong(
        tmp_path / "joined.tar"
    )
    write_tar(tmp_path / "gz.tar", files(), "w:gz")
    assert "gz.tar: cannot be read as an uncompressed tar" in wrong(tmp_path / "gz.tar")


def test_a_zip_with_a_password_or_another_method_is_refused(tmp_path: Path) -> None:
    """What would fail for every image is said once, before any is read."""
    path = write_zip(tmp_path / "a.zip", files())
    payload = path.read_bytes()
    at = payload.index(b"PK\1\2") + 8
    path.write_bytes(payload[:at] + struct.pack("<H", 1) + payload[at + 2 :])
    assert "1 files are encrypted (cat/0.png); unpack it with its password" in wrong(path)
    write_zip(path, files(), zipfile.ZIP_BZIP2)
    assert "cat/0.png is packed by method 12, want none or deflate" in wrong(path)


def test_a_damaged_image_in_a_zip_is_put_aside(tmp_path: Path) -> None:
    """Its checksum tells, where its size and its header may be right."""
    path = write_zip(tmp_path / "a.zip", files(), zipfile.ZIP_STORED)
    payload = bytearray(path.read_bytes())
    payload[200] ^= 1
    path.write_bytes(payload)
    first, second = folder(path, Reading()).items[:2]
    with pytest.raises(ValueError, match="the archive is broken there"):
        first.read()
    assert second.read()


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Neither one that says how large it is, nor one that lies."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, payload in files().items():
            archive.writestr(name, payload)
        with archive.open("cat/bomb.png", "w") as stream:
            for _ in range(FILE_BYTES // (1 << 20) + 1):
                stream.write(bytes(1 << 20))
    (bomb,) = [item for item in folder(path, Reading()).items if "bomb" in str(item.origin["file"])]
    with pytest.raises(ValueError, match=r"bytes, want at most 268,435,456"):
        bomb.read()
    found = open_archive(path).members["cat", "bomb.png"]
    with pytest.raises(ValueError, match="another checksum or length than it says"):
        read_member(path, Member(found.start, found.packed, 100, found.method, zlib.crc32(bytes(100))))


def test_a_folder_that_holds_archives_alone_says_which_to_give(tmp_path: Path) -> None:
    """An archive in a folder is not opened: it may be a copy of what lies next to it."""
    write_zip(tmp_path / "set" / "train.zip", files())
    assert f"archives in it are not opened: --source-path {tmp_path / 'set' / 'train.zip'}" in wrong(tmp_path / "set")
    samples = {"0.png": encoded(0, "PNG"), "0.cls": b"1"}
    (tmp_path / "shards").mkdir()
    shard = write_tar(tmp_path / "shards" / "0.tar", samples)
    assert f"--source-path {shard}, or --source webdataset if these are shards" in wrong(shard.parent)
    assert "files .cls have the classes of shards: say --source webdataset" in wrong(shard)
    place = write_zip(tmp_path / "a.zip", {"images/0.png": b"x", "labels.csv": b"file,label\n"})
    assert "if the table labels.csv in it has the labels, unpack it and give the table" in wrong(place)
