"""Where experiments live, as `--data-root` says: a folder, or a place in an object store."""

import os
from pathlib import Path
from typing import Any

import click

from shared.errors import BadConfig
from shared.objects.address import is_address, parse
from shared.runtime import cache_place
from shared.runtime.observe.log import say
from shared.store.work_shards import Shard

IN_A_STORE = "halfreal.in_a_store"
"""The key of click's context that is there where the option named a place in an object store."""


class Volume(click.Path):
    """A folder; an address such as s3://bucket/prefix becomes the folder of its mirror on this machine."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder; BadConfig for an address that cannot be."""
        if not isinstance(value, str) or not is_address(value):
            return super().convert(value, param, ctx)
        from shared.store.remote.mirror import mirror_folder

        given = None
        if ctx is not None:
            ctx.meta[IN_A_STORE] = value
            given = ctx.params.get("cache_dir")  # eager, so that it is known
        return mirror_folder(parse(value, "--data-root"), given or cache_place.chosen())


def bring(folder: Path) -> None:
    """Bring the mirror of the experiment in `folder` up to date, and say what came; nothing for a volume on a disk."""
    from shared.store.remote.pull import pull

    came = pull(folder)
    if came:
        say("pulled", f"from the object store: {', '.join(came)}", artifacts=came)


def bring_all(volume: Path) -> None:
    """Bring the mirrors of all experiments of a volume up to date; nothing for a volume on a disk."""
    from shared.store.remote.mirror import mirror_of

    mirror = mirror_of(volume)
    for name in mirror.store.folders("") if mirror is not None else ():
        if not name.startswith("."):
            bring(volume / name)


def check_on_one_machine(context: click.Context, shard: Shard) -> None:
    """Raise BadConfig where several machines would share work that a volume in an object store does not hold.

    What is unfinished is in the mirror, which each machine has to itself.
    """
    address = context.meta.get(IN_A_STORE)
    if address is None:
        return
    if shard.count > 1:
        raise BadConfig(
            f"--data-root {address}: parts of one job need a volume that they share, for what is unfinished\n"
            "run it whole on one machine (all its cores and GPUs are used), or on a volume that is a folder"
        )
    world, local = (os.environ.get(name, "1") for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if world != "1" and world != local:
        raise BadConfig(
            f"--data-root {address}: {world} processes on several machines need a volume that they share, for what is "
            "unfinished\nrun it on one machine, or on a volume that is a folder"
        )
