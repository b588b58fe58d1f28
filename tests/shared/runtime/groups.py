"""Made-up control groups: the files by which a process sees its limits."""

from pathlib import Path

SECOND = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup rw\n"
MEMORY = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
CPU = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
OTHERS = "33 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n23 1 0:3 / /proc rw - proc proc rw\n"
"""Lines of `mountinfo`: version 2, of version 1 the trees of memory and processor time, and what limits neither."""


def tree(root: Path, own: str, mounts: str, limits: dict[str, object]) -> Path:
    """Make what a process sees of its groups: its place in them, where they are mounted, files below the mounts."""
    for name, text in {"cgroup": own, "mountinfo": OTHERS + mounts}.items():
        path = root / "proc" / "self" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, value in limits.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return root
