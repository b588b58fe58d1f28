"""Who may work on an artifact at once: one process, or several with a work shard each."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Barrier

import pytest

from shared.errors import BadInput, Busy
from shared.format.manifest import Dataset
from shared.store.locks import locked
from shared.store.staging import BuildKey, stage
from shared.store.work_shards import Shard

Python = Callable[..., subprocess.CompletedProcess[str]]

OLD = BuildKey("train", "model", {"epochs": 1})
NEW = BuildKey("train", "model", {"epochs": 2})


SECOND = """
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from shared.store.staging import BuildKey, stage
from shared.errors import Busy
try:
    with stage(Path(sys.argv[1]), BuildKey("train", "model", {"epochs": 2}), resumable=False) as work:
        print("made", list(work.folder.iterdir()))
except Busy as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_of_two_processes_the_second_is_told_that_it_is_busy(final: Path, python: Python) -> None:
    """While one process builds the artifact another gets Busy (75, run again later) and touches nothing."""
    with stage(final, NEW, resumable=False) as work:
        (work.folder / "weights").write_text("mine")
        second = python(SECOND, final)
        assert second.returncode == 75
        assert "another process is making it" in second.stdout
        assert (work.folder / "weights").read_text() == "mine"
    assert python(SECOND, final).stdout == "made []\n"


def test_busy_is_raised_for_any_build_key_of_the_artifact(final: Path) -> None:
    """The lock is the artifact's, not the build key's: two build keys compete for one name."""
    with stage(final, OLD, resumable=True), pytest.raises(Busy), stage(final, NEW, resumable=True):
        pass


def test_only_the_main_process_locks_and_clears(final: Path) -> None:
    """Other processes get the main process's folder while it holds the lock, and leave it alone."""
    with stage(final, NEW, resumable=False) as lead:
        (lead.folder / "weights").write_text("w")
        with stage(final, NEW, resumable=False, is_main=False) as other:
            assert other.folder == lead.folder
        assert (lead.folder / "weights").read_text() == "w"


def test_work_shards_share_a_staging_folder_and_exclude_the_whole(tmp_path: Path) -> None:
    """Two work shards share one folder; the same shard twice, or a shard and the whole at once, is busy."""
    final, request = tmp_path / "model", BuildKey("job", "model", {})
    with stage(final, request, resumable=True, shard=Shard(0, 2)) as first:
        (first.folder / "a").write_text("kept")
        with stage(final, request, resumable=True, shard=Shard(1, 2)) as second:
            assert second.folder == first.folder
        with pytest.raises(Busy), stage(final, request, resumable=True, shard=Shard(0, 2)):
            pass
        with pytest.raises(Busy), stage(final, request, resumable=False):
            pass
    assert (first.folder / "a").exists()
    with (
        stage(final, request, resumable=True),
        pytest.raises(Busy),
        stage(final, request, resumable=True, shard=Shard(0, 2)),
    ):
        pass


def test_records_of_work_shards_are_not_in_the_artifact(tmp_path: Path) -> None:
    """Registrations of workers, records of items, and files of another plan are gone after the commit."""
    final, request = tmp_path / "real", BuildKey("job", "dataset", {})
    empty = Dataset(classes=["a"], size_px=8, channels=1, preparation={}, splits={})
    with stage(final, request, resumable=False, shard=Shard(0, 2)) as work:
        (work.folder / "train-00009.tar").write_text("of an earlier plan")
        made = work.commit(dataset=empty)
    assert made.manifest.files == []
    assert [path.name for path in final.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("keep", [True, False])
def test_a_worker_that_fails_for_bad_input_unregisters(keep: bool, tmp_path: Path) -> None:
    """Others may then start with other options; its work is dropped unless the job resumes or another shard runs."""
    final = tmp_path / "real"
    for number, other_at_work in enumerate((False, True)):
        request = BuildKey("job", "dataset", {"number": number})
        with ExitStack() as held:
            if other_at_work:
                held.enter_context(stage(final, request, resumable=keep, shard=Shard(1, 2)))
            with suppress(BadInput), stage(final, request, resumable=keep, shard=Shard(0, 2)) as work:
                (work.folder / "train-00000.tar").write_text("done")
                raise BadInput("no image can be read")
            assert work.folder.exists() == (keep or other_at_work)
            assert list(work.folder.rglob("begun-00000.json")) == []


def test_work_shards_that_start_together_are_never_busy(final: Path) -> None:
    """Each probes whether a process builds the whole; the probe is not mistaken for such a process."""
    together, told = Barrier(8), []

    def begin(index: int) -> None:
        for _ in range(50):
            together.wait()
            try:
                with locked(final, Shard(index, 8)):
                    pass
            except Busy as error:
                told.append(error)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(8)))
    assert told == []
