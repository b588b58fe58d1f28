"""The staging folder: crashes at every step, and what obstructs it."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shared.disk.durable import write_whole
from shared.errors import BadInput, Busy, FormatError, MissingArtifact
from shared.format import pages
from shared.format.manifest import MANIFEST, Dataset
from shared.format.pages import write_pages
from shared.format.sample import Sample
from shared.format.shards import write_split
from shared.store.artifacts import Artifact, open_artifact
from shared.store.staging import BuildKey, finished, stage
from shared.store.work_shards import FOLDER, Shard, register

Python = Callable[..., subprocess.CompletedProcess[str]]

OLD = BuildKey("train", "model", {"epochs": 1})
NEW = BuildKey("train", "model", {"epochs": 2})


def _make(final: Path, request: BuildKey, text: str, *, keep: bool = False) -> Artifact:
    with stage(final, request, resumable=keep) as work:
        (work.folder / "weights").write_text(text)
        return work.commit()


def _files(folder: Path) -> list[str]:
    """Return the names of the files of work in a staging folder."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def _names(final: Path) -> set[str]:
    """Return the entries of the artifact's folder except locks."""
    return {path.name for path in final.parent.iterdir() if path.suffix != ".lock"}


def test_while_it_is_made_nothing_has_the_final_name(final: Path) -> None:
    """The staging folder is a hidden sibling; the final name appears with the commit."""
    with stage(final, NEW, resumable=False) as work:
        (work.folder / "weights").write_text("w")
        assert not final.exists()
        assert work.folder.parent == final.parent
        assert work.folder.name.startswith(".")
        work.commit()
        assert final.exists()
    assert _names(final) == {"gan"}


def test_the_old_artifact_stays_until_the_new_one_is_committed(final: Path) -> None:
    """Until the commit readers see the old artifact, after it the new one, and nothing of the old remains."""
    _make(final, OLD, "old")
    with stage(final, NEW, resumable=False) as work:
        (work.folder / "weights").write_text("new")
        assert open_artifact(final, "model", "train").read("weights") == b"old"
        work.commit()
    assert open_artifact(final, "model", "train").read("weights") == b"new"
    assert _names(final) == {"gan"}


@pytest.mark.parametrize("keep", [True, False])
def test_a_failing_run_keeps_its_staging_folder_only_if_it_can_be_resumed(final: Path, keep: bool) -> None:
    """With `keep` the next run with the same build key finds the work, without it the staging folder is gone."""
    folders = []

    def run() -> None:
        with stage(final, NEW, resumable=keep) as work:
            folders.append(work.folder)
            (work.folder / "weights").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run()
    assert not final.exists()
    assert folders[0].exists() is keep
    with stage(final, NEW, resumable=keep) as again:
        assert _files(again.folder) == (["weights"] if keep else [])


@pytest.mark.parametrize(("name", "stays"), [("checkpoint", True), ("tensorboard/events", False)])
def test_bad_input_before_any_work_leaves_no_staging_folder(final: Path, name: str, stays: bool) -> None:
    """A refused run leaves no empty staging folder that nothing would ever resume."""
    with suppress(BadInput), stage(final, NEW, resumable=True) as work:
        (work.folder / name).parent.mkdir(exist_ok=True)
        (work.folder / name).write_text("w")
        raise BadInput("training diverged")
    assert work.folder.exists() == stays


def test_another_build_key_never_sees_the_staging_folder(final: Path) -> None:
    """A changed option starts empty; the staging folder of the first build key stays for its own next run."""
    with stage(final, OLD, resumable=True) as work:
        (work.folder / "weights").write_text("half")
    with stage(final, NEW, resumable=True) as other:
        assert _files(other.folder) == []
    assert (work.folder / "weights").read_text() == "half"


KILLED = """
import os, signal, sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from shared.store.staging import BuildKey, stage
with stage(Path(sys.argv[1]), BuildKey("train", "model", {"epochs": 2}), resumable=sys.argv[2] == "keep") as work:
    (work.folder / "weights").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("keep", ["keep", "drop"])
def test_a_killed_run_leaves_nothing_that_looks_finished(final: Path, python: Python, keep: str) -> None:
    """After SIGKILL the final name is absent, the lock is free, and the next run resumes or starts over."""
    assert python(KILLED, final, keep).returncode == -9
    assert finished(final, NEW) is None
    with pytest.raises(MissingArtifact):
        open_artifact(final, "model", "train")
    with stage(final, NEW, resumable=keep == "keep") as work:
        assert _files(work.folder) == (["weights"] if keep == "keep" else [])


class Cut(BaseException):
    """Simulated loss of power."""


STEPS = [(os, "fsync"), (Path, "replace"), (Path, "rename"), (shutil, "rmtree")]


@pytest.fixture
def cut_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Return `cut_after(n)`: from then on the n-th change on disk raises Cut, as does every later one."""

    def arm(count: int) -> None:
        left = [count]

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def step(*words: Any, **options: Any) -> Any:
                left[0] -= 1
                if left[0] <= 0:
                    raise Cut
                return real(*words, **options)

            return step

        for owner, name in STEPS:
            monkeypatch.setattr(owner, name, counted(getattr(owner, name)))

    yield arm
    monkeypatch.undo()


def _commit_cut_off(final: Path, arm: Callable[[], None]) -> None:
    with stage(final, NEW, resumable=True) as work:
        (work.folder / "weights").write_text("new")
        arm()
        work.commit()


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("step", range(1, 9))
def test_a_commit_cut_off_at_any_step_leaves_the_old_or_the_new_whole(
    final: Path, cut_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, step: int, old: bool
) -> None:
    """The same command again finds the old artifact, the new one, or nothing; never half of one.

    Nothing of the old one is removed before the new one has its name.
    """
    if old:
        _make(final, OLD, "old")
    with suppress(Cut):
        _commit_cut_off(final, partial(cut_after, step))
    monkeypatch.undo()
    if old and not (final / "weights").exists():
        assert "old" in [path.read_text() for path in final.parent.rglob("weights")]
    found = finished(final, NEW)
    if found is None:
        assert not old
        assert not (final / MANIFEST).exists()
    else:
        assert found.read("weights") in ((b"old", b"new") if old else (b"new",))
    assert _make(final, NEW, "new").read("weights") == b"new"
    assert _names(final) == {"gan"}


def test_the_cuts_reach_from_the_first_to_the_last_step(
    final: Path, cut_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut at the first step leaves the old artifact, one after eight steps the new: the range above is enough."""
    found = []
    for step in (1, 9):
        shutil.rmtree(final.parent, ignore_errors=True)
        _make(final, OLD, "old")
        with suppress(Cut):
            _commit_cut_off(final, partial(cut_after, step))
        monkeypatch.undo()
        found.append((final / "weights").read_text())
    assert found == ["old", "new"]


def test_a_commit_cut_off_before_the_final_name_is_completed(final: Path) -> None:
    """A staging folder with a manifest is whole: `finished` gives it its name, and readers see it."""
    _make(final, OLD, "old")
    made = _make(final.parent / "elsewhere", NEW, "new")
    with stage(final, NEW, resumable=True) as work:
        (work.folder / "weights").write_text("new")
        write_whole(work.folder / MANIFEST, (made.folder / MANIFEST).read_bytes())
    found = finished(final, NEW)
    assert found is not None
    assert found.read("weights") == b"new"
    assert _names(final) == {"gan", "elsewhere"}


def test_what_a_disk_would_not_remove_goes_with_the_next_call(final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit whose removal of records of the work fails (EIO) is whole; the same command again removes them."""
    with stage(final, NEW, resumable=True) as work:
        register(work.folder, final, NEW, Shard(0, 2), lambda index: False)
        failed = []

        def failing(kind: str, path: Path) -> None:
            if kind == "unlink" and FOLDER in path.parts:
                failed.append(path)
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

        with monkeypatch.context() as patch:
            patch.setattr("shared.disk.durable.step", failing)
            work.commit()
    assert failed
    assert (final / FOLDER).is_dir()
    assert finished(final, NEW) is not None
    assert not (final / FOLDER).exists()


def test_finished_returns_an_artifact_of_any_build_key(final: Path) -> None:
    """An artifact of another build key is returned, so that the caller can say what changed."""
    old = _make(final, OLD, "old")
    assert finished(final, NEW) == old
    assert finished(final.parent / "none", NEW) is None


def test_a_folder_of_the_user_in_the_way_is_refused(final: Path) -> None:
    """A folder without a manifest may be the user's own: the run stops and says to move it."""
    final.mkdir(parents=True)
    (final / "thesis.txt").write_text("mine")
    with pytest.raises(FormatError, match=r"gan: in the way and not an artifact.*move it away"):
        finished(final, NEW)
    assert (final / "thesis.txt").read_text() == "mine"


def test_a_commit_never_removes_a_folder_of_the_user(final: Path) -> None:
    """`finished` was not called first, or the folder appeared during the run: the commit must not remove it."""
    final.mkdir(parents=True)
    (final / "thesis.txt").write_text("mine")
    with pytest.raises(FormatError, match="in the way"):
        _make(final, NEW, "new")
    assert (final / "thesis.txt").read_text() == "mine"


def test_finished_leaves_a_commit_alone_that_is_still_running(final: Path) -> None:
    """Between manifest and final name the staging folder belongs to the process that holds the lock."""
    manifest = _make(final.parent / "elsewhere", NEW, "new").manifest
    with stage(final, NEW, resumable=True) as work:
        (work.folder / "weights").write_text("new")
        write_whole(work.folder / MANIFEST, manifest.to_bytes())
        with suppress(Busy):
            finished(final, NEW)
        assert work.folder.exists()


def test_threads_identify_nothing(final: Path) -> None:
    """Keys that differ in threads alone are equal, in tables of options too; what was built with them is no change."""
    one, two = (
        BuildKey("tune", "study", {"threads": n, "others": {"evaluate": {"threads": n, "images": 8}}}) for n in (1, 2)
    )
    assert one.fingerprint == two.fingerprint
    assert one.plain_options == {"others": {"evaluate": {"images": 8}}}
    built = _make(final, one, "w").manifest
    older = built.model_copy(update={"options": one.options})
    assert two.differences(older) == two.differences(built) == []


def test_a_change_within_a_table_of_options_is_named(tmp_path: Path) -> None:
    """Options that are a table of their own are compared one by one."""
    with stage(
        tmp_path / "tune", BuildKey("tune", "study", {"train_gan": {"epochs": 4, "width": 8}}), resumable=False
    ) as work:
        made = work.commit()
    asked = BuildKey("tune", "study", {"train_gan": {"epochs": 5, "width": 8}})
    assert asked.differences(made.manifest) == ["train_gan.epochs was 4, now 5"]


def _of_shards(folder: Path) -> list[str]:
    """Return the names of the shards, indexes and pages there."""
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".tar", ".idx") or "-shards-" in path.name)


def test_a_commit_removes_the_shards_indexes_and_pages_of_an_earlier_attempt(
    tmp_path: Path, make_samples: Callable[..., list[Sample]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resumed run with fewer images leaves no file behind that its manifest does not list; other files stay."""
    monkeypatch.setattr(pages, "PAGE_SHARDS", 2)
    key = BuildKey("preprocess", "dataset", {"seed": 0})
    with stage(tmp_path / "real", key, resumable=True) as work:
        for split in ("train", "val"):
            earlier = write_split(work.folder, split, make_samples(18), class_count=3, shard_images=2)
            write_pages(work.folder, split, earlier.shards, 3)
        (work.folder / "my-shards-notes.json").write_text("{}")
        split_made = write_split(work.folder, "train", make_samples(6), class_count=3, shard_images=2)
        dataset = Dataset(
            classes=["cat", "dog", "owl"], size_px=16, channels=1, preparation={}, splits={"train": split_made}
        )
        made = work.commit(dataset=dataset)
    assert _of_shards(made.folder) == [
        "my-shards-notes.json",
        *[f"train-0000{number}.{suffix}" for number in range(3) for suffix in ("idx", "tar")],
        "train-shards-00000.json",
        "train-shards-00001.json",
    ]
    # neither shards nor what belongs to them are listed twice
    assert [info.name for info in made.manifest.files] == ["my-shards-notes.json"]


def test_equal_datasets_have_equal_manifests(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """The same samples give the same pages and the same manifest, so that the dataset has the same name."""
    one, two = (make_dataset(tmp_path / name, train=9, val=2) for name in ("a", "b"))
    assert one.sha256 == two.sha256
    assert one.manifest.to_bytes() == two.manifest.to_bytes()


def test_a_manifest_names_every_byte_of_its_dataset(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """Another picture of the same size changes the manifest, through shard, page and index."""
    one, two = (make_dataset(tmp_path / str(seed), train=9, seed=seed) for seed in (0, 1))
    kinds = [{info.sha256 for _, info in made.shards("train")} for made in (one, two)]
    assert not kinds[0] & kinds[1]
    assert one.dataset.splits["train"].pages != two.dataset.splits["train"].pages
    assert one.sha256 != two.sha256
