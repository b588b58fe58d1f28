"""The limits of a container are found in its control groups, of versions 1 and 2."""

import os
from pathlib import Path

import pytest

from shared.runtime.control_groups import container_bytes, container_cores
from shared.runtime.processes import usable_cores
from tests.shared.runtime.groups import CPU, MEMORY, SECOND, tree

NESTED = {
    "jobs/memory.max": 3 * 2**30,
    "jobs/one/memory.max": 2 * 2**30,
    "jobs/one/inner/memory.max": "max",
    "jobs/another/memory.max": 1,
}

FOUND = {
    "a container of version 2": ("0::/\n", SECOND, {"memory.max": 4 * 2**30}, 4 * 2**30),
    "nested, the middle one is the least": ("0::/jobs/one/inner\n", SECOND, NESTED, 2 * 2**30),
    "nested, the outer one is the least": (
        "0::/jobs/one/inner\n",
        SECOND,
        NESTED | {"jobs/memory.max": 2**30},
        2**30,
    ),
    "what is throttled from": ("0::/\n", SECOND, {"memory.max": "max", "memory.high": 5 * 2**30}, 5 * 2**30),
    "max": ("0::/jobs\n", SECOND, {"memory.max": "max", "jobs/memory.max": "max"}, None),
    "no files": ("0::/jobs\n", SECOND, {}, None),
    "an empty file": ("0::/\n", SECOND, {"memory.max": ""}, None),
    "a group outside of what the container sees": ("0::/../other\n", SECOND, {"memory.max": 2**30}, 2**30),
    "version 1": (
        "5:cpu:/\n4:memory:/docker/ab\n0::/\n",
        MEMORY,
        {"memory/docker/ab/memory.limit_in_bytes": 2**30, "memory/memory.limit_in_bytes": 9223372036854771712},
        2**30,
    ),
    "version 1, mounted from the group itself": (
        "4:memory:/docker/ab\n",
        MEMORY.replace(" / /sys", " /docker/ab /sys"),
        {"memory/memory.limit_in_bytes": 2**30},
        2**30,
    ),
    "version 1, a group around it that nobody sees": (
        "4:memory:/docker/ab\n",
        MEMORY.replace(" / /sys", " /docker/ab /sys"),
        {
            "memory/memory.limit_in_bytes": 9223372036854771712,
            "memory/memory.stat": "cache 12\nhierarchical_memory_limit 3000000000\nrss 7",
        },
        3 * 10**9,
    ),
    "version 1 without a limit": ("4:memory:/\n", MEMORY, {"memory/memory.limit_in_bytes": 9223372036854771712}, None),
    "version 1 next to an empty version 2": (
        "4:memory:/a\n0::/\n",
        MEMORY + SECOND.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"),
        {"memory/a/memory.limit_in_bytes": 2**30, "unified/cgroup.procs": 1},
        2**30,
    ),
    "controllers that are mounted together": (
        "4:cpu,memory:/a\n",
        MEMORY.replace("rw,memory", "rw,cpu,memory"),
        {"memory/a/memory.limit_in_bytes": 2**30},
        2**30,
    ),
}


@pytest.mark.fault(6)
@pytest.mark.parametrize("kind", FOUND)
def test_the_least_limit_of_the_groups_is_found(kind: str, tmp_path: Path) -> None:
    """Versions 1 and 2, wherever they are mounted; another group's limit is none."""
    own, mounts, limits, expected = FOUND[kind]
    assert container_bytes(tree(tmp_path, own, mounts, limits)) == expected


QUOTAS = {
    "a container of version 2": ("0::/\n", SECOND, {"cpu.max": "150000 100000"}, 1.5),
    "nested, the outer one is the least": (
        "0::/jobs/one\n",
        SECOND,
        {"jobs/cpu.max": "100000 100000", "jobs/one/cpu.max": "400000 100000"},
        1.0,
    ),
    "max": ("0::/jobs\n", SECOND, {"cpu.max": "max 100000", "jobs/cpu.max": "max 100000"}, None),
    "an empty file": ("0::/\n", SECOND, {"cpu.max": ""}, None),
    "version 1": (
        "5:cpu:/docker/ab\n4:memory:/docker/ab\n0::/\n",
        CPU + MEMORY,
        {"cpu/docker/ab/cpu.cfs_quota_us": 50_000, "cpu/docker/ab/cpu.cfs_period_us": 100_000},
        0.5,
    ),
    "version 1, mounted from the group itself, with another controller": (
        "3:cpu,cpuacct:/docker/ab\n",
        CPU.replace(" / /sys", " /docker/ab /sys").replace("rw,cpu", "rw,cpu,cpuacct"),
        {"cpu/cpu.cfs_quota_us": 300_000, "cpu/cpu.cfs_period_us": 100_000},
        3.0,
    ),
    "version 1 without a quota": (
        "5:cpu:/\n",
        CPU,
        {"cpu/cpu.cfs_quota_us": -1, "cpu/cpu.cfs_period_us": 100_000},
        None,
    ),
    "no files": ("0::/\n5:cpu:/\n", SECOND + CPU, {}, None),
}


@pytest.mark.fault(6)
@pytest.mark.parametrize("kind", QUOTAS)
def test_the_least_quota_of_the_groups_is_found(kind: str, tmp_path: Path) -> None:
    """Versions 1 and 2, in cores."""
    own, mounts, limits, expected = QUOTAS[kind]
    assert container_cores(tree(tmp_path, own, mounts, limits)) == expected


@pytest.mark.parametrize(("quota", "cores"), [("max", None), ("100000", 1), ("40000", 1), ("9900000", None)])
def test_a_containers_quota_counts(quota: str, cores: int | None, tmp_path: Path) -> None:
    """A quota of less than a core counts as one core; without a lower quota the process's CPU affinity counts."""
    bound = len(os.sched_getaffinity(0))
    assert usable_cores(tree(tmp_path, "0::/\n", SECOND, {"cpu.max": f"{quota} 100000"})) == (cores or bound)


def test_without_groups_there_is_no_limit(tmp_path: Path) -> None:
    """As on macOS, where no file is there."""
    assert (container_bytes(tmp_path), container_cores(tmp_path)) == (None, None)
    assert usable_cores(tmp_path) == len(os.sched_getaffinity(0))
