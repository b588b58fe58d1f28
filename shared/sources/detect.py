"""Where a source is, given the path that somebody typed, and which row of SOURCES reads it. Imports nothing heavy."""

import bz2
import gzip
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

from shared.errors import BadInput
from shared.format.outside import open_regular, open_tar

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")

COMPRESSED = {
    **dict.fromkeys((".tar.gz", ".tgz"), "gunzip"),
    **dict.fromkeys((".tar.zst", ".tzst"), "zstd -d"),
    **dict.fromkeys((".tar.xz", ".txz"), "unxz"),
    **dict.fromkeys((".tar.bz2", ".tbz2", ".tbz"), "bunzip2"),
}
"""Suffixes of compressed tars, and the command that makes a tar of one."""

PEEKED, PEEKED_BYTES = 200, 1 << 26
"""Members of a tar that are looked at to tell shards from packed folders, and where the last one begins at most: a
compressed one is unpacked up to there."""

UNPACKERS = {
    **dict.fromkeys((".gz", ".tgz"), gzip.GzipFile),
    **dict.fromkeys((".xz", ".txz"), lzma.LZMAFile),
    **dict.fromkeys((".bz2", ".tbz2", ".tbz"), bz2.BZ2File),
}
"""What reads the bytes of a compressed tar, by its last suffix."""

MOST_SHARDS = 100_000
"""Names that a pattern may have: a mistyped range must not fill the memory."""

NOT_THE_USERS = ("@eaDir", "__MACOSX")
"""Folders that Synology's disks and macOS's archiver add, with small copies of images: never taken."""

BRACES = re.compile(r"\{([^{}]*)\}")
RANGE = re.compile(r"(\d+)\.\.(\d+)")


def find(given: str | None, default: str, sources: Path, *, may_be_new: bool = False) -> Path:
    """Return where a source is: `given`, a path or a pattern of shards, or the folder `default` of `sources`.

    A relative path is looked for where the command is called, then below `sources`: one rule for options, variables
    and recipes. On the volume itself, where containers are, `sources` comes first: experiments lie there. A path that
    is in neither is below `sources` where it `may_be_new`, for sets that are downloaded. Raises BadInput, which names
    both places, for any other, and for an address.
    """
    if not given:
        return sources / default
    check_no_address(given)
    try:
        path = Path(given).expanduser()
    except RuntimeError:  # ~name of a user that does not exist: a folder may be called so
        path = Path(given)
    places = [path] if path.is_absolute() else [Path.cwd() / path, sources / path]
    if Path.cwd() == sources.parent.resolve():
        places.reverse()
    for place in places:
        if there(place):
            return place
    if may_be_new:
        return path if path.is_absolute() else sources / path
    names = " nor ".join(str(place) for place in places)
    rule = "" if path.is_absolute() else "; a relative path is looked for where you are, then below sources/"
    came = f"there is neither {names}{rule}" if len(places) > 1 else "does not exist"
    raise BadInput(f"{given}: {came}\nwant a folder of images, a table, shards or an archive; is the name mistyped?")


def check_no_address(given: str) -> None:
    """Raise BadInput for an address in place of a path: nothing is read over a network."""
    if re.match(r"\w[\w+.-]+://|pipe:", given):
        raise BadInput(f"{given}: an address; download the files first, and give their folder")


def there(place: Path) -> bool:
    """Return whether a file or folder, or a file of a pattern, exists."""
    try:
        return place.exists() or any(path.exists() for path in files_of(place))
    except OSError:  # a name that is too long for the file system
        return False


def files_of(place: Path) -> list[Path]:
    """Return the files of a pattern such as `data-{000..003}.tar` or `{train,val}.tar`, in its order.

    Empty for a path without braces, and for one that exists under just this name.
    """
    if "{" not in str(place) or place.exists():
        return []
    return [Path(name) for name in _expanded(str(place))]


def _expanded(pattern: str) -> list[str]:
    """Return the names of a pattern, as the shell and WebDataset expand it."""
    parts = BRACES.split(pattern)
    choices = [_choices(part) if index % 2 else [part] for index, part in enumerate(parts)]
    count = 1
    for names in choices:
        count *= len(names)
    if count > MOST_SHARDS:
        raise BadInput(f"{pattern}: names {count:,} files, want at most {MOST_SHARDS:,}; is a number mistyped?")
    return ["".join(chosen) for chosen in product(*choices)]


def _choices(inside: str) -> list[str]:
    """Return the texts that braces allow: those of a range, padded as its ends are, or those between commas."""
    found = RANGE.fullmatch(inside)
    if not found:
        return inside.split(",") if "," in inside else ["{" + inside + "}"]
    first, last = int(found[1]), int(found[2])
    if abs(last - first) >= MOST_SHARDS:
        raise BadInput(f"{{{inside}}}: names {abs(last - first) + 1:,} files, want at most {MOST_SHARDS:,}")
    width = max(len(found[1]), len(found[2])) if "0" in (found[1][0], found[2][0]) else 0
    step = 1 if last >= first else -1
    return [f"{number:0{width}d}" for number in range(first, last + step, step)]


def kind_of(path: Path) -> str:
    """Return the row of SOURCES that reads a path: "folder", "csv" (tables of all kinds) or "webdataset".

    Told by names, and for a tar by its first members. Raises BadInput for what none of them reads.
    """
    if path.is_dir():
        return "webdataset" if has_shards(path) else "folder"
    if files_of(path):
        return "webdataset"
    if not path.is_file():
        raise BadInput(f"{path}: does not exist; want a folder, a table, shards or a zip")
    name = path.name.lower()
    if name.endswith(TABLES):
        return "csv"
    if name.endswith(".zip"):
        return "folder"
    if name.endswith((".tar", *COMPRESSED)):
        return "webdataset" if _has_samples(path) else "folder"
    raise BadInput(f"{path}: no source; want a folder of images, a table ({', '.join(TABLES)}), a .tar or a .zip")


def is_hidden(name: str) -> bool:
    """Return whether a file or folder of this name is none of the user's: hidden, or made by the system."""
    return name.startswith(".") or name in NOT_THE_USERS


def is_tar(path: Path) -> bool:
    """Return whether a file is a tar by its name, compressed or not."""
    return path.name.lower().endswith((".tar", *COMPRESSED)) and path.is_file()


def has_shards(folder: Path) -> bool:
    """Return whether a folder has tars, or folders with nothing but tars, and no other folders."""
    entries = [entry for entry in folder.iterdir() if not is_hidden(entry.name)]
    folders = [entry for entry in entries if entry.is_dir()]
    if any(is_tar(entry) for entry in entries):
        # halfreal's own datasets have a folder of figures next to their shards
        return not folders or (folder / "manifest.json").is_file()
    return bool(folders) and all(_only_tars(inner) for inner in folders)


def _only_tars(folder: Path) -> bool:
    files = [entry for entry in folder.iterdir() if not is_hidden(entry.name)]
    return any(is_tar(entry) for entry in files) and not any(entry.is_dir() for entry in files)


def _has_samples(path: Path) -> bool:
    """Return whether a tar is a shard: among its first members are labels of samples, or it cannot be read."""
    try:
        return any(name.lower().endswith((".cls", ".json")) for name in islice(_names(path), PEEKED))
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError):
        return True  # the source that reads it says what is wrong


def _names(path: Path) -> Iterator[str]:
    with open_tar(path, UNPACKERS.get(path.suffix.lower(), open_regular)) as archive:
        for member in archive:
            # StyleGAN's list of labels is no sample's
            if member.isfile() and member.name.rpartition("/")[2] != "dataset.json":
                yield member.name
            if archive.offset > PEEKED_BYTES:
                return
