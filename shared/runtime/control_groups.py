"""What a container allows: the limits of this process's control groups, of versions 1 and 2.

A group lies within others, each of which may have a lower limit, so that the least of all holds. Files are below
`root`; where there are none, as on macOS, there is no limit.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

NEVER = 1 << 60
"""A limit of memory from here on is none: version 1 writes the largest number that there is."""

OF_VERSION_2 = ("memory.max", "memory.high")
OF_VERSION_1 = ("memory.limit_in_bytes", "memory.stat")
"""The files with limits of memory in the folder of a group; `memory.stat` knows of groups that a container cannot see.
"""


def container_bytes(root: Path = Path("/")) -> int | None:
    """Return the least limit of memory, in bytes; None without one."""
    limits = [
        size
        for folder, is_second in _groups("memory", root)
        for name in (OF_VERSION_2 if is_second else OF_VERSION_1)
        if (size := _bytes_in(folder / name)) is not None
    ]
    return min(limits, default=None)


def container_cores(root: Path = Path("/")) -> float | None:
    """Return the least quota of processor time, in cores; None without one."""
    quotas = []
    for folder, is_second in _groups("cpu", root):
        if is_second:
            words = _text(folder / "cpu.max").split()
        else:
            words = [*_text(folder / "cpu.cfs_quota_us").split(), *_text(folder / "cpu.cfs_period_us").split()]
        # without a quota version 2 says "max", version 1 says -1
        if len(words) == 2 and all(word.isdecimal() and int(word) for word in words):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def _groups(controller: str, root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the folders of the groups that limit this process, from the innermost outwards, and if they are version 2.

    `controller` is `memory` or `cpu`: version 1 has a tree of groups for each, version 2 one for all.
    """
    own = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        if number == "0" or controller in controllers.split(","):
            own[number == "0"] = PurePosixPath(place)
    for within, mount, is_second in _mounts(controller, root):
        if is_second not in own:
            continue
        # in a container the folder that is mounted is often the group itself, although its path is longer
        group = own[is_second]
        relative = group.relative_to(within) if group.is_relative_to(within) else PurePosixPath()
        inner = PurePosixPath() if ".." in relative.parts else relative
        for level in (inner, *inner.parents):
            yield root / mount.relative_to("/") / level, is_second


def _mounts(controller: str, root: Path) -> Iterator[tuple[PurePosixPath, PurePosixPath, bool]]:
    """Yield, of each mounted tree of groups that may limit: what is mounted, where, whether by version 2."""
    for line in _text(root / "proc/self/mountinfo").splitlines():
        mounted, _, kind = line.partition(" - ")
        fields, what = mounted.split(), kind.split()
        if len(fields) < 5 or not what:
            continue
        if what[0] == "cgroup2" or (what[0] == "cgroup" and controller in what[-1].split(",")):
            yield PurePosixPath(fields[3]), PurePosixPath(fields[4]), what[0] == "cgroup2"


def _bytes_in(path: Path) -> int | None:
    """Return the limit in the file of a group; None for a missing file, and for "max" or a number that means none."""
    words = _text(path).split()
    if path.name == "memory.stat":
        at = words.index("hierarchical_memory_limit") + 1 if "hierarchical_memory_limit" in words else len(words)
        words = words[at : at + 1]
    return int(words[0]) if len(words) == 1 and words[0].isdecimal() and int(words[0]) < NEVER else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:  # no Linux, or a group that is not to be seen
        return ""
