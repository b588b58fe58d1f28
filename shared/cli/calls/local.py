"""What of a call runs at once on this machine: replicates on its cores, replicates and parts of them on its GPUs.

A process of its own has each GPU, the only one that it sees, so that the work on a GPU is that of a machine with one.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared.cli.calls.call import Call, Common, Piece
from shared.disk.durable import remove_tree
from shared.runtime.pool import Pool
from shared.store.job import Job
from shared.store.work_shards import WHOLE, Shard

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The variable that says which GPUs a process sees."""

GPU_FILES = "nvidia[0-9]*"
"""The files of the GPUs in /dev."""


def local_gpus(call: Call, pool: Pool, todo: Sequence[Piece]) -> list[str]:
    """Return the GPUs of this machine that work on some artifacts may be divided among, as `VISIBLE` names them.

    None where there is one, or where the device is one of several that was named.
    """
    if not todo[0].row.gpu or call.common.device not in ("auto", "cuda"):
        return []
    if len(todo) == 1 and not _divides(call, todo):
        return []
    if len(todo) == 1 and len(named_gpus()) < 2:
        return []  # whoever has one has not to wait until another process has imported torch
    found: list[str] | None = pool.ask(usable_gpus)
    return found if found and len(found) > 1 else []


def named_gpus() -> list[str]:
    """Return the GPUs that this process would see, by the environment or by their files."""
    told = os.environ.get(VISIBLE)
    if told is not None:
        return [name.strip() for name in told.split(",") if name.strip()]
    return [str(number) for number in range(len(list(Path("/dev").glob(GPU_FILES))))]


def may_use_gpu(row: Job[Any], device: str) -> bool:
    """Whether an artifact may be made on a GPU, as far as that can be told without torch."""
    return row.gpu and (bool(named_gpus()) if device == "auto" else device != "cpu")


def usable_gpus() -> list[str]:
    """Return those of them that torch can use."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    told = named_gpus() if os.environ.get(VISIBLE) else [str(number) for number in range(count)]
    return told[:count]


def divided(call: Call, todo: Sequence[Piece], gpus: int) -> list[Piece]:
    """Return what each process does: whole artifacts, or parts of them where there are more GPUs than artifacts.

    An artifact that other machines make parts of is not divided again.
    """
    if len(todo) >= gpus or not _divides(call, todo):
        return list(todo)
    shares = [Shard(number, gpus).over_replicates(len(todo)) for number in range(gpus)]
    for piece in todo:
        make_way(call, piece)
    return [replace(todo[place], shard=shard) for ((place, shard),) in shares]


def _divides(call: Call, todo: Sequence[Piece]) -> bool:
    row = todo[0].row
    return row.parts and call.step(row).how.divides and all(piece.shard == WHOLE for piece in todo)


def make_way(call: Call, piece: Piece) -> None:
    """Let parts begin on an artifact that this call makes whole; Busy while another process makes it.

    Parts of an earlier call, on another number of GPUs, say, are forgotten, and not what they have finished; with
    --force that goes as well.
    """
    from shared.store.locks import locked
    from shared.store.staging import staging_folder
    from shared.store.work_shards import forget

    final = call.final(piece)
    with locked(final):
        folder = staging_folder(final, call.key(piece))
        if call.common.force:
            remove_tree(folder)
        forget(folder)


def at_once(pool: Pool, common: Common, replicates: int, gpu: bool = True) -> int:
    """Return how many replicates run at once: one for every `threads` cores; one on a GPU or where torch takes all.

    `gpu` says whether the job can use one.
    """
    from shared.runtime.processes import usable_cores

    # asked of another process: torch takes seconds to import, and the processes that need it have it already
    on_gpu = gpu and common.device != "cpu" and pool.ask(_device_type, common.device) != "cpu"
    if not common.threads or on_gpu:
        return 1
    count = max(usable_cores() // common.threads, 1)
    # one more where the last round would leave cores idle: five replicates on two cores take 2.5 times as long as one
    return count + 1 if common.threads == 1 < count and replicates % count else count


def _device_type(name: str) -> str:
    from shared.runtime.devices import pick_device

    return pick_device(name).type
