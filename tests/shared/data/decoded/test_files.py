"""Files of decoded pixels: made once, by whoever comes first, whole or not there."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from shared.data.decoded import filling
from shared.data.decoded.residence import Residence
from shared.data.images import load_split
from shared.data.resizing import resized
from shared.errors import FormatError
from shared.runtime.observe.identity import Identity
from shared.runtime.observe.watching import observing
from shared.store.artifacts import Artifact

MakeDataset = Callable[..., Artifact]

ROOT = Path(__file__).resolve().parents[4]

IMAGES, SHARDS = 64, 16

SCRIPT = """
import os, signal, sys, time
from pathlib import Path
from shared.data.decoded import filling, places, residence
from shared.store.artifacts import Artifact, open_artifact
residence.SMALL_BYTES, places.in_memory = 0, lambda folder: False
folder, most = Path(sys.argv[1]), int(sys.argv[2])
read, done = Artifact.shard_members, []
def shard_members(self, path, info):
    if len(done) == most:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(path.name)
    time.sleep(0.02)
    return read(self, path, info)
Artifact.shard_members = shard_members
from shared.data.images import load_split
data = load_split(open_artifact(folder, "dataset", "preprocess"), "train")
print(" ".join(done), int(data.images.long().sum()), int(data.labels.sum()))
"""


def opener(dataset: Artifact, most: int = 1000, **environment: str) -> "subprocess.Popen[str]":
    """Start a process that opens the train split; it is killed before it decodes shard number `most`."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(dataset.folder), str(most)],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: "subprocess.Popen[str]") -> tuple[list[str], list[str]]:
    """Return the shards that a process decoded, and the sums over its pixels and labels."""
    words = process.communicate(timeout=120)[0].split()
    assert process.returncode == 0
    return words[:-2], words[-2:]


@pytest.fixture
def made(make_dataset: MakeDataset) -> Artifact:
    """Return a dataset with 16 shards of 4 images."""
    return make_dataset(train=IMAGES, channels=3)


def test_pixels_in_a_file_are_those_in_memory(made: Artifact, cache: Path) -> None:
    """Pixels, labels and their order are equal, however they are asked for."""
    held, file = load_split(made, "train", "memory"), load_split(made, "train")
    assert [path.name for path in cache.glob("*/pixels")] == ["pixels"]
    assert file.pixels.shape == (IMAGES, 3, 16, 16)
    assert torch.equal(file.labels, held.labels)
    assert torch.equal(file.images, held.images)
    numbers = torch.arange(IMAGES)
    for key in (slice(3, 40, 7), [5, 5, 2, 3, 4, 63, 0], numbers.flip(0), held.labels == 1, numbers[:0], range(9, 60)):
        assert torch.equal(file.pixels[key], held.images[torch.as_tensor(key) if isinstance(key, range) else key])


def test_who_comes_second_decodes_nothing(made: Artifact, cache: Path, decoded_shards: list[str]) -> None:
    """Another reader in this process, and one in another, find the file."""
    first = load_split(made, "train")
    assert len(decoded_shards) == SHARDS
    second = load_split(made, "train")
    assert len(decoded_shards) == SHARDS
    assert torch.equal(first.images, second.images)
    shards, sums = said(opener(made))
    assert shards == []
    assert sums == [str(int(first.images.long().sum())), str(int(first.labels.sum()))]


def test_images_are_misses_once_then_hits(made: Artifact, cache: Path) -> None:
    """Who decodes them counts misses, who finds them there hits; what is decoded into memory is a miss each time."""
    counted = []
    for residence in ("file", "file", "memory"):
        with observing(Identity("job"), lambda error: 1) as watched:
            load_split(made, "train", cast("Residence", residence))
            assert watched.waited_s > 0  # where a job trains, that is waiting
            counted.append([int(watched.values.of(f"cache_{name}_total")) for name in ("misses", "hits")])
    total = made.dataset.splits["train"].count
    assert counted == [[total, 0], [0, total], [total, 0]]


def test_another_dataset_or_split_has_a_file_of_its_own(make_dataset: MakeDataset, tmp_path: Path, cache: Path) -> None:
    """Equal manifests share a file, others do not."""
    one = make_dataset(tmp_path / "volume" / "one", train=8, val=4)
    equal, other = (
        make_dataset(tmp_path / "volume" / "two", train=8, val=4),
        make_dataset(tmp_path / "c" / "r", train=8, val=4, seed=3),
    )
    assert one.sha256 == equal.sha256
    assert torch.equal(load_split(one, "train").images, load_split(equal, "train").images)
    pixels = [load_split(each, split).images for each, split in ((other, "train"), (one, "val"))]
    assert not torch.equal(pixels[0], load_split(one, "train").images)
    assert len(pixels[1]) == 4
    assert len(list((tmp_path / ".cache").glob("decoded/*/whole.json"))) == 3


def test_a_killed_writer_leaves_what_it_has_done(made: Artifact, cache: Path, decoded_shards: list[str]) -> None:
    """The next one decodes the others alone, and pixels are right."""
    killed = opener(made, most=5)
    killed.communicate(timeout=120)
    assert killed.returncode == -9
    assert not list(cache.glob("*/whole.json"))
    data = load_split(made, "train")
    assert decoded_shards == [f"train-{number:05d}.tar" for number in range(5, SHARDS)]
    assert torch.equal(data.images, load_split(made, "train", "memory").images)


def test_pieces_of_another_start_of_the_machine_are_checked(
    made: Artifact, cache: Path, decoded_shards: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece whose bytes did not reach the disk is decoded again, although its mark says that it is done."""
    opener(made, most=5).communicate(timeout=120)
    (pixels,) = cache.glob("*/pixels")
    with pixels.open("r+b") as stream:
        stream.seek(2 * 4 * 768)
        stream.write(bytes(4 * 768))
    monkeypatch.setattr(filling, "this_boot", lambda: 12345)
    data = load_split(made, "train")
    assert sorted(decoded_shards) == ["train-00002.tar", *(f"train-{number:05d}.tar" for number in range(5, SHARDS))]
    assert torch.equal(data.images, load_split(made, "train", "memory").images)


def test_processes_that_begin_together_share_the_work(made: Artifact, cache: Path) -> None:
    """Each shard is decoded by one of three, and all of them have the whole."""
    outcomes = [said(process) for process in [opener(made) for _ in range(3)]]
    assert sorted(name for shards, _ in outcomes for name in shards) == [
        f"train-{number:05d}.tar" for number in range(SHARDS)
    ]
    assert outcomes[0][1] == outcomes[1][1] == outcomes[2][1]


def test_each_of_four_ranks_decodes_its_quarter(made: Artifact, cache: Path) -> None:
    """At most 0.27 of the shards, however late the others come."""
    processes = [opener(made, RANK=str(rank), WORLD_SIZE="4") for rank in range(4)]
    for rank, (shards, _) in enumerate(map(said, processes)):
        assert shards == [f"train-{number:05d}.tar" for number in range(rank, SHARDS, 4)]


def test_a_rank_that_does_not_come_is_not_waited_for(
    made: Artifact, cache: Path, decoded_shards: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its share is done by the others after a while."""
    monkeypatch.setattr(filling, "PATIENCE_S", 0.1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    load_split(made, "train")
    assert decoded_shards[:4] == [f"train-{number:05d}.tar" for number in range(1, SHARDS, 4)]
    assert len(decoded_shards) == SHARDS


@pytest.mark.parametrize("place", ["pixels", "labels"])
@pytest.mark.parametrize("change", ["cut", "written to"])
def test_an_altered_file_is_made_again(
    made: Artifact, cache: Path, decoded_shards: list[str], place: str, change: str
) -> None:
    """Another size, and a write since, are noticed when the file is opened."""
    load_split(made, "train")
    (path,) = cache.glob(f"*/{place}")
    with path.open("r+b") as stream:
        if change == "cut":
            stream.truncate(path.stat().st_size - 1)
        else:
            stream.write(b"\x07\x07\x07\x07")
    data, wanted = load_split(made, "train"), load_split(made, "train", "memory")
    assert len(decoded_shards) == 3 * SHARDS
    assert torch.equal(data.images, wanted.images)
    assert torch.equal(data.labels, wanted.labels)


def test_a_file_that_is_cut_while_it_is_open_is_an_error(made: Artifact, cache: Path) -> None:
    """It names the file, and what to do; the process goes on."""
    data = load_split(made, "train")
    (path,) = cache.glob("*/pixels")
    os.truncate(path, 10 * 768)
    assert len(data.pixels[:10]) == 10
    with pytest.raises(FormatError, match=r"pixels: cut off; delete .* it is made again"):
        data.pixels[8:12]


def test_a_damaged_shard_is_named_and_the_others_stay(made: Artifact, cache: Path, decoded_shards: list[str]) -> None:
    """Nothing is whole, and what was decoded before the error need not be again."""
    path = made.folder / "train-00003.tar"
    payload = path.read_bytes()
    path.write_bytes(payload[:700] + bytes([payload[700] ^ 1]) + payload[701:])
    with pytest.raises(FormatError, match=r"train-00003\.tar: altered"):
        load_split(made, "train")
    assert not list(cache.glob("*/whole.json"))
    path.write_bytes(payload)
    load_split(made, "train")
    assert decoded_shards[4:] == [f"train-{number:05d}.tar" for number in range(3, SHARDS)]


@pytest.mark.parametrize("fails_at", [0, 9])
def test_a_full_disk_is_left_as_it_was(
    made: Artifact, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails_at: int
) -> None:
    """What was written is deleted, and the next place is taken."""
    write, written = os.pwrite, []

    def pwrite(descriptor: int, payload: Any, at: int) -> int:
        if Path(f"/proc/self/fd/{descriptor}").readlink().is_relative_to(cache):
            written.append(at)
            if len(written) > fails_at:
                raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, payload, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    data = load_split(made, "train")
    assert len(written) == fails_at + 1
    assert list(cache.iterdir()) == []
    assert len(list((tmp_path / "temporary").glob("*/decoded/*/whole.json"))) == 1
    assert torch.equal(data.images, load_split(made, "train", "memory").images)


def test_without_a_place_pixels_are_in_memory(
    made: Artifact, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A volume, and a temporary folder, to which nothing can be written are no error."""
    for folder in (tmp_path / ".cache", tmp_path / "temporary"):
        folder.write_text("no folder")
    data = load_split(made, "train")
    assert torch.equal(data.images, load_split(made, "train", "memory").images)


def test_a_whole_file_on_a_read_only_volume_is_read(
    made: Artifact, cache: Path, decoded_shards: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing need be written to open it."""
    load_split(made, "train")
    real = os.open

    def read_only(path: Any, flags: int, *mode: int, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *mode, **more)

    def no_time(*words: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", read_only)
    monkeypatch.setattr(os, "utime", no_time)
    data = load_split(made, "train")
    assert len(data.images) == IMAGES
    assert len(decoded_shards) == SHARDS


def test_another_size_is_made_once_too(made: Artifact, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the pixels that `resized` gives, in a file of its own by size and filter."""
    wanted = load_split(made, "train", "memory").images
    calls = []

    def counted(images: torch.Tensor, size_px: int, resize_filter: str) -> torch.Tensor:
        calls.append(len(images))
        return resized(images, size_px, resize_filter)

    monkeypatch.setattr("shared.data.decoded.work.resized", counted)
    for size_px, resize_filter in ((8, "box"), (8, "lanczos"), (24, "box"), (8, "box")):
        found = load_split(made, "train").at(size_px, resize_filter)
        assert torch.equal(found.images, resized(wanted, size_px, resize_filter))
    assert sum(calls) == 3 * IMAGES
    assert len(list(cache.glob("*/whole.json"))) == 4


def test_what_is_read_is_no_more_than_what_is_asked_for(
    made: Artifact, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Views read nothing; rows that follow each other are read at once."""
    data, reads = load_split(made, "train"), []
    preadv = os.preadv

    def counted(descriptor: int, buffers: Any, at: int) -> int:
        reads.append((at // 768, len(buffers[0]) // 768))
        return preadv(descriptor, buffers, at)

    monkeypatch.setattr(os, "preadv", counted)
    view = (data.subset(range(10, 30)) + data).subset([3, 4, 5, 1, 21, 22])
    assert reads == []
    assert len(view.images) == 6
    assert reads == [(13, 3), (11, 1), (1, 2)]
