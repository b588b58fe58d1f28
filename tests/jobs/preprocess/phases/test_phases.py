"""The phases of preprocess: parts divide what is read, wait for each other, and take over what ended ones left."""

import os
import subprocess
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

import jobs.preprocess.phases.phase as phase_module
import jobs.preprocess.phases.reading as reading
import shared.sources.items
from jobs.preprocess.phases.phase import Phases
from jobs.preprocess.splits import in_drawn_order, leaders_of, split_indexes
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.format.files import write_json
from shared.sources.digests import Digests
from shared.sources.folders import folder
from shared.sources.items import read_file
from shared.sources.reading import Reading
from shared.store.artifacts import Artifact, open_artifact
from shared.store.locks import locked
from shared.store.work_shards import FOLDER, Shard
from tests.jobs.preprocess.source_files import done, everything, fill, picture

ROOT = Path(__file__).resolve().parents[4]

RunJob = Callable[..., Result]

WORDS = ("--size-px", 8, "--shard-images", 11)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Cut the work into pieces of 7 images, and list each image file that is read."""
    log: list[Path] = []

    def logged(path: Path) -> bytes:
        log.append(path)
        return read_file(path)

    monkeypatch.setattr(shared.sources.items, "read_file", logged)
    monkeypatch.setattr(reading, "PIECE_IMAGES", 7)
    return log


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Make a folder of 310 images in three classes, in the order of the classes; some are copies, some broken."""
    folder = tmp_path / "images"
    fill(folder, {"a": 150, "b": 100, "c": 60})
    for index in (3, 40, 80):
        (folder / "a" / f"{index:03d}.png").write_bytes(f"no image {index}".encode())
    picture(1005).save(folder / "b" / "090.png")  # that of b/005.png
    return folder


def prepare(run_job: RunJob, root: Path, source: Path, *words: object) -> Result:
    """Run the job, which must succeed."""
    made = run_job("preprocess", root, "--source", "folder", "--source-path", source, *WORDS, *words)
    assert made.exit_code == 0, made.output
    return made


def real(root: Path) -> Artifact:
    """Open what was made."""
    return open_artifact(root / "small" / "real", "dataset", "preprocess")


def read_bytes(paths: list[Path]) -> int:
    """Return the bytes of these files together."""
    return sum(path.stat().st_size for path in paths)


SELECTIONS = {
    "all": ["--max-rejected", 0.05],
    "exact": ["--max-rejected", 0.05, "--limit-train", 150],
    "drawn": ["--max-rejected", 0.05, "--audit-fraction", 0.2, "--train-val-fraction", 0.5],
}


@pytest.mark.parametrize("selection", SELECTIONS)
def test_parts_divide_what_is_read(
    selection: str, source: Path, read: list[Path], tmp_path: Path, run_job: RunJob
) -> None:
    """2 and 4 parts together read no more than one process does, and make the same set; so each image once a phase."""
    words = SELECTIONS[selection]
    prepare(run_job, tmp_path / "one", source, *words)
    alone, read[:] = read_bytes(read), []
    for parts in (2, 4):
        for index in range(parts):
            made = prepare(run_job, tmp_path / str(parts), source, *words, "--parts", parts, "--index", index)
            assert ("complete in" in made.stderr) == (index == parts - 1)
        together, read[:] = read_bytes(read), []
        assert together <= 1.05 * alone
        assert real(tmp_path / str(parts)).sha256 == real(tmp_path / "one").sha256


def test_a_part_reads_its_share_and_ends_where_others_have_not_begun(
    source: Path, read: list[Path], tmp_path: Path, run_job: RunJob
) -> None:
    """A quarter of the images, once; it says which parts are missing. Run again, it reads nothing a second time."""
    words = ["--max-rejected", 0.05, "--parts", 4, "--index", 1]
    said = prepare(run_job, tmp_path, source, *words).stderr
    assert "digests: missing from parts 0, 2, 3, not at work on them" in said
    assert "part 1 of 4 is done; others are not yet" in said
    assert len(read) == len(set(read)) == 11 * 7  # 45 pieces, of which 1, 5, ..., 41 are this part's
    prepare(run_job, tmp_path, source, *words)
    assert len(read) == 11 * 7


COUNTED = """
import sys
from pathlib import Path
import shared.sources.items as items
import jobs.preprocess.phases.reading as reading
import jobs.preprocess.writer as writer
log, read, write = Path(sys.argv.pop(1)), items.read_file, writer.write_shard
def read_file(path):
    with log.open("a") as stream:
        stream.write(f"{path}\\n")
    return read(path)
def write_shard(path, *words):
    with log.with_suffix(".shards").open("a") as stream:
        stream.write(f"{path.name}\\n")
    return write(path, *words)
items.read_file, writer.write_shard, reading.PIECE_IMAGES = read_file, write_shard, 7
from jobs.preprocess.__main__ import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_parts_at_once_divide_both_phases(source: Path, read: list[Path], tmp_path: Path, run_job: RunJob) -> None:
    """Four processes started together wait for each other's digests, then each shard is written once, by any of them.

    They read together what one reads.
    """
    prepare(run_job, tmp_path / "one", source, "--max-rejected", 0.05)
    words = ["--data-root", tmp_path / "parts", "--experiment", "small", "--source", "folder", "--source-path", source]
    words += [*WORDS, "--threads", 1, "--max-rejected", 0.05, "--parts", 4]
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", COUNTED, tmp_path / f"{index}.log", *map(str, words), "--index", str(index)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(4)
    ]
    said = [process.communicate(timeout=300)[1] for process in begun]
    assert [process.returncode for process in begun] == [0] * 4, said
    logged = [Path(line) for log in tmp_path.glob("*.log") for line in log.read_text().splitlines()]
    assert read_bytes(logged) <= 1.05 * read_bytes(read)
    shards = Counter(line for log in tmp_path.glob("*.shards") for line in log.read_text().splitlines())
    assert set(shards.values()) == {1}
    assert real(tmp_path / "parts").sha256 == real(tmp_path / "one").sha256


def phases(root: Path, index: int, begins: bool = True) -> Phases:
    """Return the phases of part `index` of 2, which has begun; its process is at work while it has the lock."""
    folder = root / ".real-0123456789ab"
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    if begins:
        write_json(folder / FOLDER / f"begun-{index:05d}.json", {})
    return Phases(Run({}, folder, root / "sources", "cpu", Reporter("job"), Shard(index, 2)))


def test_a_part_waits_for_one_that_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes on as soon as the pieces of the other are there, of which it does none."""
    monkeypatch.setattr(phase_module, "POLL_S", 0.01)
    mine, other = (phases(tmp_path, index).begin("digests", 4, "files") for index in range(2))
    did: list[int] = []
    ends: list[bool] = []

    def do(todo: list[int]) -> None:
        for number in todo:
            did.append(number)
            mine.pieces.done(number, "mine")

    with locked(tmp_path / "real", Shard(1, 2)):
        waiting = threading.Thread(target=lambda: ends.append(mine.complete(do)))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert did == [0, 2]
        for number in (1, 3):
            other.pieces.done(number, "other's")
        waiting.join(30)
    assert (ends, did) == ([True], [0, 2])
    assert mine.pieces.records() == ["mine", "other's", "mine", "other's"]
    assert "digests: waiting for part 1" in capsys.readouterr().err


def test_parts_that_found_other_files_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """Neither makes a piece that the other can use."""
    mine, _ = (phases(tmp_path, index).begin("digests", 4, f"files {index}") for index in range(2))
    ends: list[bool] = []

    def do(todo: list[int]) -> None:
        for number in todo:
            mine.pieces.done(number, "")

    with locked(tmp_path / "real", Shard(1, 2)):
        going = threading.Thread(target=lambda: ends.append(mine.complete(do)), daemon=True)
        going.start()
        going.join(20)
        assert ends == [False]
    assert mine.pieces.todo(Shard(1, 2)) == [1, 3]


@pytest.mark.parametrize("has_begun", [True, False])
def test_what_an_ended_part_left_is_taken_over(has_begun: bool, tmp_path: Path) -> None:
    """All of its pieces that are not done; none of a part that has not begun, which may still come."""
    other = phases(tmp_path, 1, has_begun).begin("digests", 6, "files")
    other.pieces.done(3, "")
    mine = phases(tmp_path, 0).begin("digests", 6, "files")
    did: list[list[int]] = []

    def do(todo: list[int]) -> None:
        did.append(todo)
        for number in todo:
            mine.pieces.done(number, "")

    assert mine.complete(do) == has_begun
    assert did == [[0, 2, 4], *([[1, 5]] if has_begun else [])]


def test_each_shard_has_the_classes_of_the_whole(tmp_path: Path) -> None:
    """The files are in the order of their classes; the shards are not, and hold the images of the splits as drawn."""
    fill(tmp_path / "images", {"a": 80, "b": 80, "c": 80})
    artifact = done(tmp_path, "--source", "folder", "--source-path", str(tmp_path / "images"), "--shard-images", "24")
    shards = [info for _, info in artifact.shards("train")]
    assert len(shards) == 7
    # a hypergeometric draw of 24 of 168: fewer than 2 of 56 have a chance of 0.0003
    assert min(min(info.class_counts) for info in shards) >= 2
    labels = np.repeat([0, 1, 2], 80)
    expected = split_indexes(labels, [str(index) for index in range(240)], None, 0.1, 0.2, 0)
    names = [f"{name}/{index:03d}.png" for name in "abc" for index in range(80)]
    for split, found in everything(artifact).items():
        files = [sample.meta["origin"]["file"] for sample in found]
        assert sorted(files) == [names[index] for index in expected[split].tolist()]
        assert files != sorted(files)
        assert [sample.key for sample in found] == [f"{split}-{place:08d}" for place in range(len(found))]


def test_the_order_depends_on_the_seed_alone() -> None:
    """Equal for equal seeds, another for another seed, and always all of the images."""
    places = np.arange(10, 110)
    first, again, other = (in_drawn_order(places, seed) for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()
    assert sorted(first.tolist()) == sorted(other.tolist()) == places.tolist()


def test_an_image_of_a_folder_takes_less_than_a_kilobyte(tmp_path: Path) -> None:
    """While the folder is listed, and 750 bytes once it is: names, and what reads the file."""
    for name in "ab":
        (tmp_path / name).mkdir()
        for index in range(1500):
            (tmp_path / name / f"{index:07d}.png").touch()
    tracemalloc.start()
    source = folder(tmp_path, Reading())
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 750 * len(source.items)
    assert peak < 1000 * len(source.items)


def test_digests_take_few_bytes_an_image() -> None:
    """A million images are compared in less than 200 bytes each, and equal ones found; texts alone would take 113."""
    rows = np.random.default_rng(0).integers(0, 256, (200_000, 32), dtype=np.uint8)
    rows[77_777] = rows[5]
    digests = Digests(rows)
    assert digests[5] == rows[5].tobytes().hex()
    tracemalloc.start()
    leaders = leaders_of(digests)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * len(rows)
    assert np.flatnonzero(leaders != np.arange(len(rows))).tolist() == [77_777]
    assert leaders[77_777] == 5
