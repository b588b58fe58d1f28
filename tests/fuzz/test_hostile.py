"""Files that were made to do harm are refused or rejected, each by its name; none is waited for."""

import errno
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from shared.cli.exit_codes import from_os_error
from shared.cli.recipes import load_recipe
from shared.errors import BadInput
from shared.format.manifest import parse_manifest
from shared.format.outside import parse_json, read_regular
from shared.limits import FOLDERS_DEEP, JSON_BYTES, LABEL_BYTES, NAME_LETTERS
from shared.sources.items import Source
from shared.sources.reading import Reading, Target
from shared.sources.table import SOURCES
from shared.sources.work import Unreadable, digest, pixels_of
from tests.fuzz.readers import dataset_files, picture

DEEP = 3_000


def read(kind: str, place: Path, **reading: object) -> Source:
    """Return the images of a source."""
    return SOURCES[kind].read.get()(place, Reading(**reading))  # type: ignore[arg-type]


def class_folders(folder: Path) -> Path:
    """Write two images of each of two classes."""
    for name in "ab":
        (folder / name).mkdir(parents=True)
        for number in range(2):
            (folder / name / f"{number}.png").write_bytes(picture(number))
    return folder


def tar_of(path: Path, members: dict[str, bytes]) -> Path:
    """Write a tar."""
    with tarfile.open(path, "w") as archive:
        for name, payload in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(payload)
            archive.addfile(info, io.BytesIO(payload))
    return path


def reasons(source: Source) -> dict[str, str]:
    """Return why images cannot be used, by the key of each."""
    found = ((item.origin.get("key", item.origin["file"]), digest(item)) for item in source.items)
    return {str(key): made.reason for key, made in found if isinstance(made, Unreadable)}


@pytest.mark.fault(8)
def test_links_to_themselves_are_no_obstacle(tmp_path: Path) -> None:
    """In the source, in a class folder, as an image: what can be read is read."""
    place = class_folders(tmp_path / "set")
    for name in ("loop", "a/loop", "a/loop.png"):
        (place / name).symlink_to(Path(name).name)
    source = read("folder", place)
    assert source.classes == ("a", "b")
    assert reasons(source) == {"a/loop.png": "Too many levels of symbolic links"}


@pytest.mark.fault(8)
@pytest.mark.parametrize("depth", [FOLDERS_DEEP, 300])
def test_folders_within_folders(tmp_path: Path, depth: int) -> None:
    """More than FOLDERS_DEEP within each other are bad input, by a place: no deeper one is looked at."""
    place = class_folders(tmp_path / "set")
    descriptor = os.open(place / "a", os.O_RDONLY)
    try:
        for _ in range(depth):  # one step at a time: no path can be as long
            os.mkdir("d", dir_fd=descriptor)
            inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
    finally:
        os.close(descriptor)
    with pytest.raises(BadInput, match=f"lies {FOLDERS_DEEP + 1} folders deep in the source, want at most"):
        read("folder", place)


@pytest.mark.fault(8)
def test_nesting_that_no_parser_ends(tmp_path: Path) -> None:
    """3,000 brackets: a recipe, a manifest and the json of a sample are refused by name."""
    recipe = tmp_path / "r.toml"
    recipe.write_text(f'about = "a"\n[train_gan]\nx = {"[" * DEEP}{"]" * DEEP}\n')
    with pytest.raises(BadInput, match=r"r\.toml: cannot be read as TOML \(nested too deep\)"):
        load_recipe(str(recipe))
    with pytest.raises(BadInput, match=r"manifest\.json: is not JSON \(nested too deep\)"):
        parse_manifest(b"[" * 100_000, tmp_path / "manifest.json")
    with pytest.raises(ValueError, match="nested too deep"):
        parse_json('{"a":' * 100_000)


@pytest.mark.fault(8)
def test_a_bad_sample_does_not_end_the_job(tmp_path: Path) -> None:
    """A label of 5,000 digits or 200,000 letters, a json of megabytes: each sample is put aside with its reason."""
    members: dict[str, bytes] = {}
    for number in range(4):
        members |= {f"good{number}.png": picture(number), f"good{number}.cls": b"%d" % (number % 2)}
    bad = {
        "digits.cls": b"9" * (NAME_LETTERS + 1),
        "long.cls": b"x" * 200_000,
        "large.json": b'{"label": "a", "x": "' + b"x" * JSON_BYTES + b'"}',
    }
    pictures = {f"{name.partition('.')[0]}.png": picture() for name in bad}
    source = read("webdataset", tar_of(tmp_path / "t.tar", {**members, **bad, **pictures}))
    assert source.classes == ("0", "1")
    assert reasons(source) == {
        "digits": f"cls is no text of one line, of at most {NAME_LETTERS} letters; want text or a whole number",
        "long": f"cls of 200,000 bytes, want at most {LABEL_BYTES:,}",
        "large": f"json of {len(bad['large.json']):,} bytes, want at most {JSON_BYTES:,}",
    }


@pytest.mark.fault(8)
@pytest.mark.parametrize("name", ["x" * 256, "a/" * 2_500 + "b", "a\0b", "a\x1bb"])
def test_names_in_a_manifest_that_no_file_has(name: str, tmp_path: Path) -> None:
    """Names that are too long or have control characters end with the field and the reason."""
    fields = json.loads(dataset_files()["manifest.json"])
    fields["files"] = [{"name": name, "bytes": 1, "sha256": "0" * 64}]
    with pytest.raises(BadInput, match=r"manifest\.json: field files\.0\.name: "):
        parse_manifest(json.dumps(fields).encode(), tmp_path / "manifest.json")


@pytest.mark.fault(8)
@pytest.mark.parametrize("number", [errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EFBIG])
def test_what_the_system_says_of_files_that_cannot_be_is_bad_input(number: int) -> None:
    """A link to itself, a name that is too long, a limit on the size of files: trying again cannot help."""
    found = from_os_error(OSError(number, os.strerror(number), "/a/b"))
    assert isinstance(found, BadInput)
    assert str(found).startswith(f"/a/b: {os.strerror(number)}; ")


@pytest.mark.fault(9)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".tar", ".zip"])
def test_pipes_and_devices_are_not_read(tmp_path: Path, suffix: str) -> None:
    """As a table, an archive or shards: bad input at once, though nobody writes to the pipe."""
    kind = {".tar": "webdataset", ".zip": "folder"}.get(suffix, "csv")
    pipe = tmp_path / f"pipe{suffix}"
    os.mkfifo(pipe)
    device = tmp_path / f"device{suffix}"
    device.symlink_to("/dev/zero")
    for place in (pipe, device):
        with pytest.raises((BadInput, OSError)) as caught:
            read(kind, place)
        error = caught.value if isinstance(caught.value, BadInput) else from_os_error(caught.value)
        assert isinstance(error, BadInput), caught.value
        assert str(place) in str(error)


@pytest.mark.fault(9)
def test_a_pipe_in_place_of_a_recipe_or_manifest(tmp_path: Path) -> None:
    """Neither is waited for."""
    os.mkfifo(tmp_path / "r.toml")
    with pytest.raises(BadInput, match=r"r\.toml: cannot be read as TOML \(no file but a folder or a device\)"):
        load_recipe(str(tmp_path / "r.toml"))
    with pytest.raises(OSError, match="no file but a folder or a device"):
        read_regular(tmp_path / "r.toml", 10)


@pytest.mark.fault(9)
def test_members_of_gigabytes_are_not_read(tmp_path: Path) -> None:
    """3 GB of zeros as `.cls` and as the long name of a member: put aside, or refused, and never in memory."""
    labels = {"a.cls": b"x", "b.cls": b"y"}
    path = tar_of(tmp_path / "t.tar", {**{f"{key}.png": picture() for key in "abc"}, **labels})
    huge = 3 << 30
    _append(path, "c.cls", huge)
    assert reasons(read("webdataset", path)) == {"c": f"cls of {huge:,} bytes, want at most {LABEL_BYTES:,}"}
    named = tar_of(tmp_path / "u.tar", {"a.png": picture()})
    _append(named, "x", huge, tarfile.GNUTYPE_LONGNAME)
    with pytest.raises(BadInput, match=r"u\.tar: cannot be read as an uncompressed tar \(a header of 3,221,225,"):
        read("webdataset", named)


def _append(path: Path, name: str, size: int, kind: bytes = tarfile.REGTYPE) -> None:
    """Add a member of `size` zeros, as a hole of the file, in place of the end mark."""
    with tarfile.open(path) as archive:
        archive.getmembers()
        end = archive.offset
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    with path.open("r+b") as stream:
        stream.seek(end)
        stream.write(info.tobuf(tarfile.GNU_FORMAT))
        stream.truncate(end + 512 + size + 1024)


def test_a_file_larger_than_its_limit_is_not_read(tmp_path: Path) -> None:
    """One byte above is too much; the reason says how many there may be."""
    (tmp_path / "f").write_bytes(b"x" * 11)
    with pytest.raises(OSError, match="larger than 10 bytes, the most that is read"):
        read_regular(tmp_path / "f", 10)
    assert read_regular(tmp_path / "f", 11) == b"x" * 11


@pytest.mark.fault(8)
def test_any_error_of_a_decoder_rejects_the_picture(tmp_path: Path) -> None:
    """A DDS of a kind that Pillow does not know ends in NotImplementedError: the picture is put aside by its name."""
    place = class_folders(tmp_path / "set")
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "DDS")
    (place / "a" / "odd.dds").write_bytes(buffer.getvalue()[:80] + b"\0\xff\0\0" + buffer.getvalue()[84:])
    target, source = Target(size_px=8, channels=1), read("folder", place)
    found = {str(item.origin["file"]): pixels_of(target, item) for item in source.items}
    assert found["a/odd.dds"] == Unreadable("cannot be read: NotImplementedError: Unknown pixel format flags 65280")
