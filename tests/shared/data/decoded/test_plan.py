"""What a job says of its images and its memory before it opens them, and that it is what happens."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from shared.data.decoded import plan, residence
from shared.data.decoded.plan import memory_plan
from shared.data.images import load_split
from shared.runtime.memory import VARIABLE
from shared.store.artifacts import Artifact

MakeDataset = Callable[..., Artifact]


def test_small_images_are_in_memory(make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their sizes are sums over the splits that are read; a split that the dataset has not takes none."""
    monkeypatch.setenv(VARIABLE, "2GB")
    dataset = make_dataset(tmp_path / "digits" / "real", train=40, val=10)
    said = memory_plan([(dataset, split) for split in ("train", "val", "unlabelled")])
    assert said == "images: 13 kB in memory; 2 GB of memory may be used (--memory 2 GB)"


def test_the_processes_of_a_machine_are_named(
    make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one of them may use, and of what that is a part."""
    monkeypatch.setenv(VARIABLE, "4GB")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    dataset = make_dataset(tmp_path / "digits" / "real", train=40)
    assert memory_plan([(dataset, "train")]).endswith("; 2 GB of memory may be used (--memory 4 GB, 2 processes)")


def test_what_is_said_of_the_cache_is_what_happens(make_dataset: MakeDataset, tmp_path: Path, cache: Path) -> None:
    """Decoded into it by the first job, read from it by the next one."""
    dataset = make_dataset(tmp_path / "digits" / "real", train=40, val=10)
    reads = [(dataset, "train"), (dataset, "val")]
    assert memory_plan(reads).startswith(f"images: 13 kB to be decoded into the cache ({cache}); ")
    assert not cache.exists()  # what is only said changes nothing
    data = load_split(dataset, "train")
    assert memory_plan(reads[:1]).startswith(f"images: 11 kB read from the cache ({cache}); ")
    said = memory_plan(reads)
    assert said.startswith(f"images: 11 kB read from the cache, 3 kB to be decoded into the cache ({cache}); ")
    assert len(data) == 40


def test_without_room_images_are_in_memory(
    make_dataset: MakeDataset, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the cache may take nothing."""
    monkeypatch.setenv("HALFREAL_CACHE_GB", "0")
    dataset = make_dataset(tmp_path / "digits" / "real", train=40)
    assert memory_plan([(dataset, "train")]).startswith("images: 11 kB in memory; ")
    assert load_split(dataset, "train").pixels.sources[0].residence == "memory"  # type: ignore[attr-defined]
    assert not cache.exists()
    assert residence.SMALL_BYTES == 0


@pytest.mark.parametrize(
    ("free", "words"),
    [
        (2 * 10**9, "held on the GPU, which has 2 GB free"),
        (20_000, "sent to the GPU batch by batch, which has 20 kB free"),
    ],
)
def test_a_gpu_holds_what_fits(
    free: int, words: str, make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images of 10 kB go there where that is no more than half of what is free."""
    monkeypatch.setattr(plan, "free_on_gpu", lambda device: free)
    device: Any = SimpleNamespace(type="cuda")
    dataset = make_dataset(tmp_path / "digits" / "real", train=40)
    assert f"; {words}; " in memory_plan([(dataset, "train")], device)
    assert "GPU" not in memory_plan([(dataset, "train")], torch.device("cpu"))
