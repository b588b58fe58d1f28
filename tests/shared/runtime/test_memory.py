"""How much memory a process may use: of machine, container and `--memory`, among the processes that share it."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from shared.errors import BadConfig
from shared.runtime import memory
from shared.runtime.memory import (
    LOCAL_COUNTS,
    SHARED_BY,
    VARIABLE,
    allowed_bytes,
    check_images_fit,
    check_step_fits,
    in_words,
    limit,
    limit_bytes,
    processes_here,
    shared_by,
    size_bytes,
)
from tests.shared.runtime.groups import SECOND, tree

MACHINE = 16 * 2**30


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this a machine of 16 GiB, whose launcher started one process."""
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": MACHINE // 4096}.__getitem__)
    for name in LOCAL_COUNTS:
        monkeypatch.delenv(name, raising=False)


def test_without_groups_the_machine_is_the_limit(tmp_path: Path) -> None:
    """As on macOS, where no file is there."""
    assert (limit(tmp_path).bytes, limit(tmp_path).source) == (MACHINE, "this machine's memory")


@pytest.mark.parametrize(
    ("container", "asked", "expected"),
    [
        (2**30, "", "the container's limit 1.1 GB"),
        (2**30, "500MB", "--memory 500 MB"),
        (2**30, "8GB", "the container's limit 1.1 GB"),
        (64 * 2**30, "", "this machine's memory 17 GB"),
        (64 * 2**30, "900GB", "this machine's memory 17 GB"),
    ],
)
def test_the_least_of_all_is_the_limit(
    container: int, asked: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody gets more than machine and container have, however much is asked for."""
    monkeypatch.setenv(VARIABLE, asked)
    assert limit(tree(tmp_path, "0::/\n", SECOND, {"memory.max": container})).words == expected


def test_processes_on_a_machine_share_its_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two ranks that start three processes each: each of these gets a sixth."""
    monkeypatch.setenv(VARIABLE, "6GB")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert (limit_bytes(), allowed_bytes()) == (3 * 10**9, 1_500_000_000)
    for name, value in shared_by(3).items():
        monkeypatch.setenv(name, value)
    assert (processes_here(), limit_bytes()) == (6, 10**9)
    assert limit(tmp_path).words == "--memory 6 GB, 6 processes"
    # what these start shares their part in turn
    assert shared_by(2) == {SHARED_BY: "6"}


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("LOCAL_WORLD_SIZE", "4", 4),
        ("OMPI_COMM_WORLD_LOCAL_SIZE", "2", 2),
        ("SLURM_STEP_TASKS_PER_NODE", "4(x2)", 4),
        ("SLURM_STEP_TASKS_PER_NODE", "3(x2),1", 3),
    ],
)
def test_launchers_say_how_many_processes_there_are(
    name: str, text: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in its own variable."""
    monkeypatch.setenv(name, text)
    assert processes_here() == count


@pytest.mark.parametrize("text", ["0", "-1", "two"])
def test_a_number_of_processes_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable and what it holds."""
    monkeypatch.setenv("LOCAL_WORLD_SIZE", text)
    with pytest.raises(BadConfig, match=f"LOCAL_WORLD_SIZE={text}: want a number of processes"):
        limit_bytes()


SIZES = {
    "8GB": 8 * 10**9,
    "8 gb": 8 * 10**9,
    "8G": 8 * 10**9,
    "1.5GB": 1_500_000_000,
    "500MB": 500 * 10**6,
    "512MiB": 512 * 2**20,
    "4Gi": 4 * 2**30,
    "70kB": 70_000,
    "2TB": 2 * 10**12,
    "9B": 9,
}


@pytest.mark.parametrize("text", SIZES)
def test_a_size_is_read_as_it_is_written(text: str) -> None:
    """Decimal units, and binary ones with an i."""
    assert size_bytes(text, "--memory") == SIZES[text]


@pytest.mark.parametrize("text", ["8", "GB", "-8GB", "8 XB", "0GB", "8GB 2", "nan GB", "0.0001B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """A number alone could be bytes or gigabytes."""
    with pytest.raises(BadConfig, match=f"--memory {text}: want a size with its unit, such as 8GB"):
        size_bytes(text, "--memory")


@pytest.mark.parametrize(
    ("count", "words"),
    [(47_300_000, "47 MB"), (2 * 10**9, "2 GB"), (2_460_000_000, "2.5 GB"), (999, "1 kB"), (3 * 10**12, "3 TB")],
)
def test_sizes_are_said_in_short(count: int, words: str) -> None:
    """Two figures are enough."""
    assert in_words(count) == words


def test_what_fills_half_of_the_memory_is_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine of 16 MiB, images of 16x16 px with features of 8 KiB: 8 MiB hold 992 of 8,448 bytes, and no more."""
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 4096}.__getitem__)
    check_images_fit("--images", 992, 16, 1)
    with pytest.raises(BadConfig, match=r"--images 993: .* half of this machine's memory 17 MB; want at most 992"):
        check_images_fit("--images", 993, 16, 1)


def test_a_refusal_says_whose_limit_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for by --memory, and among how many processes it is divided."""
    monkeypatch.setenv(VARIABLE, "64MB")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(BadConfig, match=r"half of --memory 64 MB, 2 processes; want at most 1,893"):
        check_images_fit("--images", 2000, 16, 1)


def test_a_gpu_has_what_is_free_and_what_this_process_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 80 GB, 10 are free; this process has 30 of the others, of which its tensors take 12."""
    cuda: Any = torch.cuda
    monkeypatch.setattr(cuda, "mem_get_info", lambda device: (10 * 10**9, 80 * 10**9))
    monkeypatch.setattr(cuda, "memory_reserved", lambda device: 30 * 10**9)
    monkeypatch.setattr(cuda, "memory_allocated", lambda device: 12 * 10**9)
    device: Any = SimpleNamespace(type="cuda")
    assert memory.free_on_gpu(device) == 28 * 10**9
    check_step_fits("small_cnn", 28, 64, 10**9, 0, device)
    with pytest.raises(BadConfig, match=r"28\.0 GB are free on the GPU; want at most 28"):
        check_step_fits("small_cnn", 29, 64, 10**9, 0, device)
