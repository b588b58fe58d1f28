"""Work shards: any number of processes, in any order, killed and restarted, produce the bytes of one process."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

import jobs.preprocess.writer as preprocess_writer
from shared.store.artifacts import Artifact, open_artifact
from shared.store.staging import Staging
from tests.conftest import quicken

ROOT = Path(__file__).resolve().parents[3]

ORDERS = [[1, 0], [0, 1], [2, 0, 1], [1, 2, 0], [6, 5, 4, 3, 2, 1, 0]]
"""Orders in which the work shards run, one after the other; seven are more than some splits have shards."""

RunJob = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("as_if_sent")


def real(root: Path) -> Artifact:
    """Open what preprocess made."""
    return open_artifact(root / "small" / "real", "dataset", "preprocess")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory, run_job: RunJob) -> Artifact:
    """Return the digits in shards of 100, from a single call, whose workers are processes."""
    root = tmp_path_factory.mktemp("one")
    with pytest.MonkeyPatch.context() as patch:
        quicken(patch)
        assert run_job("preprocess", root, "--shard-images", 100).exit_code == 0
    return real(root)


def in_parts(run_job: RunJob, job: str, root: Path, order: list[int], *words: object) -> list[Result]:
    """Run every work shard, one after the other; only the last one finds all of them done."""
    results = [run_job(job, root, *words, "--parts", len(order), "--index", index) for index in order]
    for index, result in zip(order, results, strict=True):
        assert result.exit_code == 0, result.output
        waits = f"part {index} of {len(order)} is done; others are not yet" in result.stderr
        assert waits == (index != order[-1])
    return results


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Make folders of 90 images in three classes: some duplicates, some under another label, some unreadable."""
    folder = tmp_path / "images"
    chance = np.random.default_rng(1)
    for index in range(90):
        path = folder / "abc"[index % 3] / f"{index:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if index in (7, 8, 50):
            path.write_bytes(b"no image at all")
        elif index in (20, 21, 40, 43):  # 40 has the label of 43, 20 and 21 have not
            shutil.copyfile(folder / "abc"[0] / "000.png", path)
        else:
            Image.fromarray(chance.integers(0, 256, (11, 9, 3), dtype=np.uint8)).save(path)
    return folder


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_digits_in_parts_are_the_same(order: list[int], one: Artifact, tmp_path: Path, run_job: RunJob) -> None:
    """The manifest of the digits has the same hash from one process and from any work shards in any order."""
    in_parts(run_job, "preprocess", tmp_path / "parts", order, "--shard-images", 100)
    assert real(tmp_path / "parts").sha256 == one.sha256
    assert [path.name for path in (tmp_path / "parts" / "small").iterdir() if path.is_dir()] == ["real"]
    assert not (tmp_path / "parts" / "small" / "real" / ".parts").exists()


@pytest.mark.parametrize("shard_images", [1, 7, 1000])
@pytest.mark.parametrize("order", [[1, 0], [2, 0, 1]], ids=str)
def test_a_folder_in_parts_is_the_same(
    order: list[int], shard_images: int, source: Path, tmp_path: Path, run_job: RunJob
) -> None:
    """The same holds with duplicates, limits and unreadable images, which may leave a shard without any image."""
    words = ["--source", "folder", "--source-path", source, "--shard-images", shard_images]
    words += ["--max-rejected", 0.1, "--limit", 80]
    assert run_job("preprocess", tmp_path / "one", *words).exit_code == 0
    in_parts(run_job, "preprocess", tmp_path / "parts", order, *words)
    one = real(tmp_path / "one")
    assert real(tmp_path / "parts").sha256 == one.sha256
    assert one.facts["rejected"] >= 1
    assert one.facts["duplicates"] >= 1
    assert len(one.read("rejected.jsonl").splitlines()) == one.facts["rejected"]
    assert sum(split.count for split in one.dataset.splits.values()) == 80 - one.facts["rejected"]
    keys = [key for split in one.dataset.splits for key, _ in one.members(split)]
    assert len(set(keys)) == 80 - one.facts["rejected"]


@pytest.mark.parametrize("order", ORDERS[:4], ids=str)
def test_synthetic_images_in_parts_are_the_same(
    order: list[int], volume: Path, made: dict[str, Artifact], tmp_path: Path, run_job: RunJob, plain_recipe: Path
) -> None:
    """Sharded generation and annotation give the synthetic set of one process: shards, counts, manifest."""
    (tmp_path / "small").mkdir()
    for name in ("real", "classifier", "gan", "scores"):
        (tmp_path / "small" / name).symlink_to(volume / "small" / name)
    words = ["--shard-images", 20, "--recipe", plain_recipe]
    in_parts(run_job, "synthesize", tmp_path, order, *words)
    found = open_artifact(tmp_path / "small" / "synthetic" / "r00", "dataset", "synthesize")
    assert found.sha256 == made["synthetic"].sha256
    assert {path.name for path in (found.folder / "figures").iterdir()} == {
        path.name for path in (made["synthetic"].folder / "figures").iterdir()
    }


KILLED_BETWEEN = """
import os, signal, sys
import jobs.preprocess.writer as writer
from jobs.preprocess.__main__ import main
writer.write_shards = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""

KILLED = """
import os, signal, sys
import jobs.preprocess.writer as writer
from jobs.preprocess.__main__ import main
write, written = writer.write_shard, []
def write_two(*words):
    if len(written) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    written.append(words[0].name)
    return write(*words)
writer.write_shard = write_two
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_killed_part_goes_on(
    one: Artifact,
    tmp_path: Path,
    run_job: RunJob,
    python: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A killed worker keeps the shards that it has written; restarted, it writes the others, nothing twice.

    It does those of the part that ended before, too.
    """
    words = ["--shard-images", 100]
    place = ["--data-root", tmp_path / "parts", "--experiment", "small", "--parts", 2]
    assert "others are not yet" in run_job("preprocess", tmp_path / "parts", *words, "--parts", 2, "--index", 1).stderr
    killed = python(KILLED, *words, *place, "--index", 0)
    assert killed.returncode == -9, killed.stderr
    written = []
    write = preprocess_writer.write_shard

    def counted(path: Path, *rest: object) -> object:
        written.append(path.name)
        return write(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(preprocess_writer, "write_shard", counted)
    assert run_job("preprocess", tmp_path / "parts", *words, "--parts", 2, "--index", 0).exit_code == 0
    assert real(tmp_path / "parts").sha256 == one.sha256
    shards = [shard.name for split in one.dataset.splits.values() for shard in split.shards]
    assert len(shards) == 13 + 2 + 4  # 1,257, 180 and 360 images in hundreds
    assert written == shards[0::2][2:] + shards[1::2]


@pytest.mark.slow
@pytest.mark.parametrize("next_part", [0, 1])
def test_a_part_killed_between_the_phases_is_taken_over(
    next_part: int,
    one: Artifact,
    tmp_path: Path,
    run_job: RunJob,
    python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Killed when it had hashed its images, its work is finished by itself, run again, or by the part after it."""
    words = ["--shard-images", 100]
    place = ["--data-root", tmp_path / "parts", "--experiment", "small", "--parts", 2]
    assert run_job("preprocess", tmp_path / "parts", *words, "--parts", 2, "--index", 1).exit_code == 0
    killed = python(KILLED_BETWEEN, *words, *place, "--index", 0)
    assert killed.returncode == -9, killed.stderr
    done = run_job("preprocess", tmp_path / "parts", *words, "--parts", 2, "--index", next_part)
    assert "complete in" in done.stderr
    assert real(tmp_path / "parts").sha256 == one.sha256


def test_a_killed_run_starts_over(
    one: Artifact, tmp_path: Path, run_job: RunJob, python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """A killed process that did all of the work leaves no artifact; restarted, it makes the whole."""
    words = ["--shard-images", 100]
    killed = python(KILLED, *words, "--data-root", tmp_path / "killed", "--experiment", "small")
    assert killed.returncode == -9, killed.stderr
    assert not (tmp_path / "killed" / "small" / "real").exists()
    assert run_job("preprocess", tmp_path / "killed", *words).exit_code == 0
    assert real(tmp_path / "killed").sha256 == one.sha256
    assert [path.name for path in (tmp_path / "killed" / "small").iterdir() if path.is_dir()] == ["real"]
    names = {path.name for path in one.folder.iterdir()}
    assert {path.name for path in (tmp_path / "killed" / "small" / "real").iterdir()} == names


def test_the_last_part_may_be_stopped_too(
    one: Artifact, tmp_path: Path, run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while it merges, the last worker merges after a restart; so does any other worker."""
    words = ["--shard-images", 100, "--parts", 2]
    assert run_job("preprocess", tmp_path / "parts", *words, "--index", 0).exit_code == 0

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Staging, "commit", stopped)
        assert run_job("preprocess", tmp_path / "parts", *words, "--index", 1).exit_code == 75
    assert not (tmp_path / "parts" / "small" / "real").exists()
    assert "complete in" in run_job("preprocess", tmp_path / "parts", *words, "--index", 0).stderr
    assert "already complete" in run_job("preprocess", tmp_path / "parts", *words, "--index", 1).stderr
    assert real(tmp_path / "parts").sha256 == one.sha256


@pytest.mark.slow
def test_parts_at_once_finish_once(one: Artifact, tmp_path: Path) -> None:
    """Four processes started together, as an Indexed Job does, succeed, and the set is that of one process."""
    command = [sys.executable, "-m", "jobs.preprocess", "--data-root", str(tmp_path / "parts"), "--experiment", "small"]
    command += ["--shard-images", "100", "--parts", "4"]
    processes = [
        subprocess.Popen(
            command,
            env=os.environ | {"PYTHONPATH": str(ROOT), "JOB_COMPLETION_INDEX": str(index)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(4)
    ]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert sum("preprocess: complete in" in message for message in said) == 1
    assert real(tmp_path / "parts").sha256 == one.sha256


def test_an_index_without_parts_is_refused(tmp_path: Path, run_job: RunJob) -> None:
    """`--index 1` alone would silently do all of the work; a cluster's variable alone means one shard of one."""
    refused = run_job("preprocess", tmp_path, "--index", 1)
    assert (refused.exit_code, "say by --parts" in refused.stderr) == (2, True)
    assert not (tmp_path / "small").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--parts", 2, "--index", 1, "--seed", 1], "seed was 0, now 1"),
        (["--parts", 2, "--index", 1, "--size-px", 8], "size_px was 16, now 8"),
        (["--parts", 3, "--index", 1], "--parts was 2, now 3"),
    ],
)
def test_parts_of_different_options_are_refused(
    words: list[object], says: str, tmp_path: Path, run_job: RunJob
) -> None:
    """A worker whose options differ from another's ends with 2, and names the difference and the work in its way."""
    assert run_job("preprocess", tmp_path, "--parts", 2, "--index", 0).exit_code == 0
    (draft,) = (tmp_path / "small").glob(".real-*/")
    before = {path for path in draft.rglob("*") if path.is_file()}
    refused = run_job("preprocess", tmp_path, *words)
    assert refused.exit_code == 2
    assert says in refused.stderr
    assert str(draft) in refused.stderr
    assert len(refused.stderr.splitlines()) <= 3
    assert list((tmp_path / "small").glob(".real-*/")) == [draft]
    assert {path for path in draft.rglob("*") if path.is_file()} == before
    shutil.rmtree(draft)
    assert run_job("preprocess", tmp_path, *words).exit_code == 0


def test_bad_input_leaves_the_way_free(source: Path, tmp_path: Path, run_job: RunJob) -> None:
    """Too many unreadable images are noticed on merging; then a run with other options may begin at once."""
    words = ["--source", "folder", "--source-path", source, "--shard-images", 7]
    assert run_job("preprocess", tmp_path, *words, "--parts", 2, "--index", 0).exit_code == 0
    last = run_job("preprocess", tmp_path, *words, "--parts", 2, "--index", 1)
    assert (last.exit_code, "more than --max-rejected 1.0%" in last.stderr) == (2, True)
    rejected = (tmp_path / "small" / "real-rejected.jsonl").read_text("utf-8").splitlines()
    assert sorted(json.loads(line)["origin"]["file"] for line in rejected) == ["b/007.png", "c/008.png", "c/050.png"]
    assert list((tmp_path / "small").glob(".real-*/")) == []
    in_parts(run_job, "preprocess", tmp_path, [0, 1], *words, "--max-rejected", 0.1)


def test_images_that_went_between_the_parts_leave_nothing(source: Path, tmp_path: Path, run_job: RunJob) -> None:
    """Where images disappeared after a worker had begun, its surplus shards are not in the set."""
    words = ["--source", "folder", "--source-path", source, "--shard-images", 1, "--max-rejected", 0.1, "--parts", 2]
    assert run_job("preprocess", tmp_path, *words, "--index", 0).exit_code == 0
    for path in sorted(source.rglob("*.png"))[10:20]:
        path.unlink()
    # nothing that the first worker did is of use, and as it has ended all is done by this one
    assert "complete in" in run_job("preprocess", tmp_path, *words, "--index", 1).stderr
    assert run_job("preprocess", tmp_path / "one", *words[:-2]).exit_code == 0
    assert real(tmp_path).sha256 == real(tmp_path / "one").sha256


def test_images_that_changed_between_the_phases_never_mix(
    source: Path, tmp_path: Path, run_job: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that is no longer what was hashed ends the part that prepares it; restarted, it is hashed again."""
    words = ["--source", "folder", "--source-path", source, "--shard-images", 7, "--max-rejected", 0.1, "--parts", 2]

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(preprocess_writer, "write_shards", stopped)
        assert run_job("preprocess", tmp_path, *words, "--index", 0).exit_code == 75
    Image.fromarray(np.full((5, 5), 128, np.uint8)).save(source / "b" / "007.png")
    ended = [run_job("preprocess", tmp_path, *words, "--index", index) for index in (0, 1, 0, 1)]
    assert sorted(result.exit_code for result in ended) == [0, 0, 0, 1]  # 1: to be tried again
    assert "b/007.png: changed since it was first read" in "".join(result.stderr for result in ended)
    assert run_job("preprocess", tmp_path / "one", *words[:-2]).exit_code == 0
    assert real(tmp_path).sha256 == real(tmp_path / "one").sha256
    assert real(tmp_path).facts["rejected"] == 2
