"""What it costs that nothing is lost: shards and checkpoints with and without flushes to disk, hashes and steps."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.bench.row import Row, Work
from tests.bench.rows.noise import coarse_noise

IMAGES, SIZE_PX, SHARD_IMAGES = 4000, 64, 1000

WEIGHTS = 8_000_000
"""Numbers of a checkpoint, 32 MB: a generator and a discriminator of 64 px, with their optimizers."""


class _NoHash:
    """What takes the place of a sha256."""

    def __init__(self, payload: object = b"") -> None:
        pass

    def update(self, payload: object) -> None:
        """Do nothing."""

    def hexdigest(self) -> str:
        """Return a hash of nothing."""
        return "0" * 64


WITHOUT: dict[str, dict[str, object]] = {
    "without fsync": {"shared.disk.durable.sync": lambda *_: None},
    "without hashes": {
        "hashlib.sha256": _NoHash,
        "shared.format.shards.read_whole": lambda path, *_: path.read_bytes(),
        "shared.store.tensor_file.digest_of": lambda _: "0" * 64,
        "shared.store.checkpoints.digest_of": lambda _: "",
    },
    "without counted steps": {"shared.disk.durable.step": lambda *_: None},
    "without reading back": {"shared.store.tensor_file.TensorFile.is_in": lambda *_: True},
}
"""What of safety is left out, by patches."""


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Leave out some of safety."""
    with ExitStack() as held:
        for target, replacement in (patched for name in names for patched in WITHOUT[name].items()):
            held.enter_context(patch(target, replacement))
        yield


def peers(ours: Callable[[Any], Work], writes_checkpoints: bool) -> dict[str, Callable[[Any], Work]]:
    """Return the same work without each part of safety that it has, and without all of them."""
    parts = list(WITHOUT)[: None if writes_checkpoints else -1]
    sides: dict[str, Sequence[str]] = {name: [name] for name in parts} | {"without all of them": parts}

    def peer(names: Sequence[str]) -> Callable[[Any], Work]:
        def make(made: Any) -> Work:
            work = ours(made)

            def unsafe() -> Any:
                with without(*names):
                    return work()

            return unsafe

        return make

    return {name: peer(names) for name, names in sides.items()}


@dataclass(frozen=True)
class Written:
    """Samples, a folder in which they are as shards, and the record of these."""

    folder: Path
    samples: list[Any]
    split: Any


def _shards(folder: Path) -> Written:
    from shared.format.shards import write_split

    samples = list(coarse_noise(IMAGES))
    split = write_split(folder, "train", iter(samples), class_count=10, shard_images=SHARD_IMAGES)
    return Written(folder, samples, split)


def _write(made: Written) -> Work:
    from shared.format.shards import write_split

    def write() -> list[bytes]:
        write_split(made.folder, "train", iter(made.samples), class_count=10, shard_images=SHARD_IMAGES)
        return []

    return write


def _read(made: Written) -> Work:
    from shared.format.shards import read_shard

    return lambda: [
        sample.image.tobytes() for shard in made.split.shards for sample in read_shard(made.folder / shard.name, shard)
    ]


def _weights(folder: Path) -> Path:
    import torch

    from shared.store.checkpoints import save

    save(folder / "weights", {"weights": torch.randn(WEIGHTS, generator=torch.Generator().manual_seed(0))}, {})
    return folder


def _save(folder: Path) -> Work:
    from shared.format.versions import write_next
    from shared.store.checkpoints import load
    from shared.store.tensor_file import TensorFile

    tensors, facts = load((folder / "weights").read_bytes(), "weights")
    return lambda: write_next(folder / "saved", TensorFile(tensors, facts))


def _load(folder: Path) -> Work:
    from shared.store.checkpoints import load

    # without hashes its own check is left out too, which compares with what was written
    def loaded() -> bytes:
        payload = (folder / "weights").read_bytes()
        with patch("shared.store.checkpoints.digest_of", _recorded(payload)) if _left_out() else ExitStack():
            return load(payload, "weights")[0]["weights"][:9].numpy().tobytes()

    return loaded


def _left_out() -> bool:
    return hashlib.sha256 is _NoHash  # type: ignore[comparison-overlap]


def _recorded(payload: bytes) -> Callable[[object], str]:
    from shared.format.tensor_header import LENGTH_BYTES, parse_header

    size = int.from_bytes(payload[:LENGTH_BYTES], "little")
    digest = parse_header(payload[LENGTH_BYTES : LENGTH_BYTES + size])["sha256"]
    return lambda _: str(digest)


def _equal(ours: Any, theirs: Any) -> None:
    assert ours == theirs


def _row(about: str, count: int, unit: str, prepare: Callable[[Path], Any], ours: Callable[[Any], Work]) -> Row:
    return Row(about, count, unit, prepare, ours, peers(ours, writes_checkpoints=ours is _save), _equal)


ROWS = {
    "safe-shards": _row("4,000 images of 64 px to 4 shards", IMAGES, "images", _shards, _write),
    "safe-reading": _row("4,000 images of 64 px from 4 shards", IMAGES, "images", _shards, _read),
    "safe-checkpoint": _row("a checkpoint of 32 MB is written", 1, "checkpoints", _weights, _save),
    "safe-resume": _row("a checkpoint of 32 MB is read", 1, "checkpoints", _weights, _load),
}
