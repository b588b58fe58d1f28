"""How much memory a job may use: what its container, its machine or `--memory` allows, and what a GPU has free.

Without torch, for command lines. A limit is the machine's; the processes on it that share the work share it too.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import BadConfig
from shared.runtime.control_groups import container_bytes

if TYPE_CHECKING:
    import torch

VARIABLE = "HALFREAL_MEMORY"
"""The variable that `--memory` sets for this process and those that it starts."""

SHARED_BY = "HALFREAL_MEMORY_SHARED_BY"
"""The variable by which a process tells each of those that it starts next to each other how many they are."""

LOCAL_COUNTS = ("LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_STEP_TASKS_PER_NODE")
"""How torchrun, Open MPI, MPICH and Slurm say how many processes they started on this machine; the first one holds."""

LARGEST_SHARE = 0.5
"""The largest share of the limit, or of a GPU's free memory, that images held at once may take."""

FEATURE_BYTES = 4 * 2048
"""What is known of an image: as many numbers as the largest extractor gives."""

UNITS = {unit: 1000**power for power, unit in enumerate(("B", "K", "M", "G", "T"))}
UNITS |= {f"{unit}B": size for unit, size in UNITS.items() if unit != "B"}
UNITS |= {f"{unit}I{end}": 1024**power for power, unit in enumerate("KMGT", start=1) for end in ("", "B")}
"""Bytes of a unit, in capitals: as people write them, and as Kubernetes does (8Gi)."""


@dataclass(frozen=True)
class Limit:
    """`machine_bytes` of memory for all of a job's `processes` on this machine; `source` says by what."""

    machine_bytes: int
    source: str
    processes: int = 1

    @property
    def bytes(self) -> int:
        """What one of the processes may use."""
        return self.machine_bytes // self.processes

    @property
    def words(self) -> str:
        """The limit in words, such as "the container's limit 4 GB, 2 processes"."""
        shared = f", {self.processes} processes" if self.processes > 1 else ""
        return f"{self.source} {in_words(self.machine_bytes)}{shared}"


def limit(root: Path = Path("/")) -> Limit:
    """Return the limit of this process: the least of machine, container and `--memory`; files are below `root`.

    BadConfig where a variable holds what is no size or number.
    """
    found = [(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "this machine's memory")]
    found += [(least, "the container's limit") for least in [container_bytes(root)] if least is not None]
    if asked := os.environ.get(VARIABLE, ""):
        found.append((size_bytes(asked, VARIABLE), "--memory"))
    return Limit(*min(found, key=lambda each: each[0]), processes_here())


def limit_bytes() -> int:
    """Return how many bytes this process may use; see `limit`."""
    return limit().bytes


def allowed_bytes() -> int:
    """Return how many bytes of images this process may hold at once: LARGEST_SHARE of its limit."""
    return int(LARGEST_SHARE * limit_bytes())


def free_on_gpu(device: "torch.device") -> int:
    """Return how many bytes are free on a GPU: for every process, or kept by this one's allocator."""
    from torch.cuda import mem_get_info, memory_allocated, memory_reserved

    return mem_get_info(device)[0] + memory_reserved(device) - memory_allocated(device)


def processes_here() -> int:
    """Return how many processes share this machine's memory: those of a launcher, and those that a job started."""
    return _local_processes() * _count(SHARED_BY)


def shared_by(count: int) -> dict[str, str]:
    """Return the environment of each of `count` processes that this one starts next to each other."""
    return {SHARED_BY: str(count * _count(SHARED_BY))}


def _local_processes() -> int:
    return next((_count(name) for name in LOCAL_COUNTS if os.environ.get(name)), 1)


def _count(name: str) -> int:
    text = os.environ.get(name) or "1"
    # Slurm's counts are such as 4(x2): four on each of two machines
    match = re.fullmatch(r"([1-9]\d*)(\(x\d+\))?(,.*)?", text)
    if match is None:
        raise BadConfig(f"{name}={text}: want a number of processes, 1 or more; unset it or use a launcher")
    return int(match[1])


def size_bytes(text: str, where: str) -> int:
    """Return a size such as "8GB", "500 MB" or "8Gi" in bytes; BadConfig, which names `where`, for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", text.strip())
    unit = UNITS.get(match[2].upper()) if match else None
    size = int(float(match[1]) * unit) if match and unit else 0
    if not size:
        raise BadConfig(f"{where} {text}: want a size with its unit, such as 8GB, 500MB or 4GiB")
    return size


def in_words(count: int) -> str:
    """Return a number of bytes for people, such as "47 MB" or "2.5 GB"."""
    for unit in ("TB", "GB", "MB"):
        if count >= UNITS[unit]:
            size = count / UNITS[unit]
            return f"{size:,.0f} {unit}" if size >= 10 or round(size, 1) == round(size) else f"{size:.1f} {unit}"
    return f"{-(-count // 1000)} kB"


def check_images_fit(option: str, images: int, size_px: int, channels: int) -> None:
    """Raise BadConfig where `images` uint8 images and their features take more than LARGEST_SHARE of the memory."""
    allowed, per_image = allowed_bytes(), channels * size_px**2 + FEATURE_BYTES
    if images * per_image > allowed:
        raise BadConfig(
            f"{option} {images:,}: with their features these would take {images * per_image / 1e9:,.0f} GB, more than "
            f"half of {limit().words}; want at most {allowed // per_image:,}"
        )


def check_step_fits(
    network: str,
    batch_images: int,
    size_px: int,
    image_bytes: int,
    weight_bytes: int,
    device: "torch.device",
    smaller: str = "a smaller --network",
) -> None:
    """Raise BadConfig where a step's batch does not fit, with the largest one that does.

    A step takes `image_bytes` for each image and `weight_bytes` however many there are. On a GPU what is free of its
    memory is what there is, elsewhere LARGEST_SHARE of the limit. `smaller` is what to do, besides smaller images,
    where no batch fits.
    """
    if device.type == "cuda":
        allowed, whose = free_on_gpu(device), "free on the GPU"
    else:
        allowed, whose = allowed_bytes(), f"half of {limit().words}"
    needed = weight_bytes + batch_images * image_bytes
    if needed <= allowed:
        return
    most = (allowed - weight_bytes) // max(image_bytes, 1)
    advice = f"want at most {most}" if most >= 2 else f"want smaller images (--size-px), or {smaller}"
    raise BadConfig(
        f"--batch-images {batch_images}: a step of {network} on images of {size_px} px takes about "
        f"{needed / 1e9:,.1f} GB\n{allowed / 1e9:,.1f} GB are {whose}; {advice}"
    )
