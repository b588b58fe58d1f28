"""Artifacts of a volume in a store: committed by one put, seen whole or not at all, fetched as far as they are read."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.errors import Busy, FormatError, HalfrealError
from shared.format.manifest import MANIFEST
from shared.format.shards import preview
from shared.objects.client import Store
from shared.objects.fetching import REMOTE
from shared.store.artifacts import Artifact, open_artifact
from shared.store.remote import lease as leases
from shared.store.remote.mirror import mirror_of
from shared.store.remote.pull import pull
from shared.store.staging import BuildKey, finished, stage
from tests.objects.conftest import QUICK_S, Volume
from tests.objects.proxy import Fault

OLD, NEW = BuildKey("train", "model", {"epochs": 1}), BuildKey("train", "model", {"epochs": 2})
PLACE = "digits/gan"
ROOT = Path(__file__).resolve().parents[2]

MakeDataset = Callable[..., Artifact]


def make(root: Path, key: BuildKey = NEW, text: str = "weights", place: str = PLACE) -> Artifact:
    """Commit an artifact of a file that the manifest lists and one for people."""
    with stage(root / place, key, resumable=True) as work:
        (work.folder / "snapshots").mkdir()
        (work.folder / "snapshots" / "one").write_text(text)
        (work.folder / "run.json").write_text(f'"{text}"')
        return work.commit()


def names(folder: Path) -> list[str]:
    """Return the files in a folder that are not hidden, by their place in it."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if not path.name.startswith("."))


def test_another_machine_sees_what_was_committed(volume: Volume) -> None:
    """The same manifest and the same files, those for people too; it is asked for once."""
    made = make(volume.machine("a"))
    other = volume.machine("b")
    assert not (other / PLACE).exists()
    assert pull(other / "digits") == [PLACE]
    found = open_artifact(other / PLACE, "model", "train")
    assert (found.sha256, found.read("snapshots/one")) == (made.sha256, b"weights")
    assert (found.folder / "run.json").read_text() == '"weights"'
    before = len(volume.proxy.seen)
    assert pull(other / "digits") == []
    assert [(each.method, each.received < 4000) for each in volume.proxy.seen[before:]] == [("GET", True)]


def test_the_store_has_the_files_by_the_manifests_hash(volume: Volume) -> None:
    """Keys are as the documentation says; those of what was replaced are deleted."""
    make(volume.machine("a"), OLD)
    digest = make(volume.machine("a"), NEW).sha256[:12]
    lease = f"{PLACE}/lease.json"
    files = [f".files/{PLACE}/{digest}/snapshots/one", f".outputs/{PLACE}/{digest}/run.json"]
    assert volume.stored() == [*files, lease, f"{PLACE}/{MANIFEST}"]


def test_shards_stay_in_the_store_until_they_are_read(volume: Volume, make_dataset: MakeDataset) -> None:
    """Opening asks for neither shards nor indexes; a sample costs its own bytes, a shard those of the shard."""
    made = make_dataset(volume.machine("a") / "digits" / "real", train=60)
    other = volume.machine("b")
    pull(other / "digits")
    found = open_artifact(other / "digits" / "real", made.manifest.kind, made.manifest.job)
    size_bytes = sum((made.folder / name).stat().st_size for name in names(made.folder) if name.endswith(".tar"))
    assert not [name for name in names(found.folder) if name.endswith((".tar", ".idx"))]
    assert volume.proxy.received(r"\.tar|\.idx") == 0
    train = found.dataset.splits["train"]
    shown = preview(found.folder, train, 1)
    assert len(shown) == len(found.dataset.classes)
    assert 0 < volume.proxy.received(r"\.tar") < size_bytes / 8
    assert [key for key, _ in found.members("train")] == [key for key, _ in made.members("train")]
    assert not [name for name in names(found.folder) if name.endswith(".tar")]


def test_a_shard_that_was_altered_in_the_store_is_refused(volume: Volume, make_dataset: MakeDataset) -> None:
    """Its hash is compared as on a disk."""
    made = make_dataset(volume.machine("a") / "digits" / "real", train=3)
    other = volume.machine("b")
    pull(other / "digits")
    (key,) = [key for key in volume.stored(".files") if key.endswith("train-00000.tar")]
    altered = bytearray((made.folder / "train-00000.tar").read_bytes())
    altered[600] ^= 1
    (volume.folder / "altered").write_bytes(altered)
    Store(volume.address).put_file(key, volume.folder / "altered")
    found = open_artifact(other / "digits" / "real", made.manifest.kind, made.manifest.job)
    with pytest.raises(FormatError, match="altered since it was written"):
        list(found.members("train"))


def test_what_is_replaced_while_it_is_read_is_to_be_run_again(volume: Volume, make_dataset: MakeDataset) -> None:
    """Its files are gone, which is nobody's mistake: exit code 75. A lost file is one: 2."""
    mine, other = volume.machine("a"), volume.machine("b")
    make_dataset(mine / "digits" / "real", train=3)
    pull(other / "digits")
    found = open_artifact(other / "digits" / "real", "dataset", "preprocess")
    store = Store(volume.address)
    store.delete(key for key in volume.stored(".files") if key.endswith("train-00000.tar"))
    with pytest.raises(FormatError, match="missing in s3:"):
        list(found.members("train"))
    make_dataset(mine / "digits" / "real", train=5)
    with pytest.raises(Busy, match="was replaced in the object store while it was read"):
        list(found.members("train"))
    pull(other / "digits")
    again = open_artifact(other / "digits" / "real", "dataset", "preprocess")
    assert (
        len(list(again.members("train"))) == again.dataset.splits["train"].count > found.dataset.splits["train"].count
    )


def test_what_is_gone_in_the_store_goes_here(volume: Volume) -> None:
    """Unfinished work of this machine stays, and what other experiments have."""
    other = volume.machine("b")
    make(volume.machine("a"))
    make(volume.machine("a"), place="cats/gan")
    pull(other / "digits")
    pull(other / "cats")
    with stage(other / "digits" / "scores", NEW, resumable=True) as work:
        (work.folder / "half").touch()
    Store(volume.address).delete([f"{PLACE}/{MANIFEST}"])
    assert pull(other / "digits") == []
    assert not (other / PLACE).exists()
    assert (work.folder / "half").exists()
    assert (other / "cats" / "gan" / MANIFEST).exists()


KILLED = f"""
import os, signal, sys
from pathlib import Path
from shared.objects.client import Store
from tests.objects.test_commit import NEW, make
plain = Store.put_if
def put_if(store, key, payload, there):
    if key.endswith("manifest.json"):
        os.kill(os.getpid(), {int(signal.SIGKILL)})
    return plain(store, key, payload, there)
Store.put_if = put_if
make(Path(sys.argv[1]))
"""


def test_a_writer_that_is_killed_leaves_nothing_that_is_seen(volume: Volume) -> None:
    """Files are in the store, no reader sees anything; the next run commits them, and what nobody wants goes."""
    mine = volume.machine("a")
    words = [sys.executable, "-c", KILLED, str(mine)]
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    (left,) = volume.stored(f".files/{PLACE}")
    assert pull(volume.machine("b") / "digits") == []
    (volume.folder / "orphan").write_text("of a commit that was cut off")
    for kind in (".files", ".outputs"):
        Store(volume.address).put_file(f"{kind}/{PLACE}/{'0' * 12}/orphan", volume.folder / "orphan")
    before = volume.proxy.count("PUT", "snapshots/one")
    made = finished(mine / PLACE, NEW)  # at once: the lease is that of a process of this machine which is gone
    assert made is not None
    assert volume.proxy.count("PUT", "snapshots/one") == before
    assert volume.stored(".files") == [left]
    assert len(volume.stored(".outputs")) == 1
    assert pull(volume.machine("b") / "digits") == [PLACE]


def test_a_commit_that_fails_is_done_by_the_next_run(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    """The store fails at the manifest: exit code 1, the work stays, and is committed without its being done again."""
    mine = volume.machine("a")
    volume.proxy.faults.append(Fault("busy", "PUT", MANIFEST, times=99))
    with pytest.raises(HalfrealError, match="run the same command again") as caught:
        make(mine)
    assert caught.value.exit_code == 1
    assert not (mine / PLACE).exists()
    volume.proxy.faults.clear()
    made = finished(mine / PLACE, NEW)
    assert made is not None
    assert made.read("snapshots/one") == b"weights"


def test_a_commit_that_was_cut_off_is_not_put_over_another_machines(volume: Volume, quick: None) -> None:
    """Which has made the same meanwhile: what others have read stays."""
    mine, other = volume.machine("a"), volume.machine("b")
    volume.proxy.faults.append(Fault("busy", "PUT", MANIFEST, times=99))
    with pytest.raises(HalfrealError):
        make(mine, text="mine")
    volume.proxy.faults.clear()
    theirs = make(other, text="theirs")
    pull(mine / "digits")
    found = finished(mine / PLACE, NEW)
    assert found is not None
    assert (found.sha256, found.read("snapshots/one")) == (theirs.sha256, b"theirs")
    assert pull(other / "digits") == []


def test_an_artifact_comes_whole_over_a_bad_line(
    volume: Volume, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of fault once, while it is pulled and while its shards are read."""
    mine, other = volume.machine("a"), volume.machine("b")
    made = make_dataset(mine / "digits" / "real", train=60)
    make(mine)
    for path in ("list-type", "manifest", "snapshots", r"\.tar"):
        kinds = ("busy", "silent", "cut", "lost", "slow")
        volume.proxy.faults += [Fault(kind, "GET", path, seconds=1.3) for kind in kinds]
    monkeypatch.setenv("HALFREAL_STORE_TIMEOUT_S", QUICK_S)
    assert sorted(pull(other / "digits")) == ["digits/gan", "digits/real"]
    assert open_artifact(other / PLACE, "model", "train").read("snapshots/one") == b"weights"
    found = open_artifact(other / "digits" / "real", "dataset", "preprocess")
    assert list(found.members("train")) == list(made.members("train"))
    assert [fault for fault in volume.proxy.faults if fault.times and fault.kind == "busy"] == []


def test_a_commit_whose_answer_is_lost_is_one(volume: Volume, quick: None) -> None:
    """The manifest that is there is its own."""
    volume.proxy.faults.append(Fault("lost", "PUT", MANIFEST))
    make(volume.machine("a"))
    assert pull(volume.machine("b") / "digits") == [PLACE]


def test_who_commits_later_ends_with_busy(volume: Volume) -> None:
    """Without its lease being asked for: the put of the manifest decides by itself."""
    mine, other = volume.machine("a"), volume.machine("b")
    with stage(mine / PLACE, NEW, resumable=True) as work:
        (work.folder / "one").touch()
        Store(volume.address).delete([f"{PLACE}/lease.json"])
        make(other, OLD)
        lease = json.loads(Store(volume.address).get(f"{PLACE}/lease.json").payload)  # type: ignore[union-attr]
        leases.tokens[mine / PLACE] = lease["token"]
        with pytest.raises(Busy, match="another machine has finished it meanwhile"):
            work.commit()
    assert pull(mine / "digits") == [PLACE]
    assert open_artifact(mine / PLACE, "model", "train").manifest.options == {"epochs": 1}
    there = finished(mine / PLACE, NEW)  # the work that lost is no artifact any more
    assert there is not None
    assert there.manifest.options == {"epochs": 1}


def test_what_is_unfinished_is_this_machines_own(volume: Volume) -> None:
    """A hidden folder of the mirror, such as one with the trials of a tuning, is no volume in the store."""
    made = make(volume.machine("a") / "digits" / ".tune-0123456789ab" / "trials", place="0001/gan")
    assert not (made.folder / REMOTE).exists()
    assert volume.proxy.seen == []


def test_a_volume_on_a_disk_is_as_it_was(tmp_path: Path) -> None:
    """Nothing is written, asked for or renamed otherwise."""
    made = make(tmp_path / "volume")
    assert mirror_of(made.folder) is None
    assert pull(made.folder.parent) == []
    assert not (made.folder / REMOTE).exists()
    assert {path.name for path in made.folder.parent.iterdir() if path.suffix != ".lock"} == {"gan"}
    shutil.rmtree(made.folder / "snapshots")
    with pytest.raises(FormatError, match="missing"):
        made.read("snapshots/one")


def test_each_step_costs_the_requests_that_the_documentation_says(volume: Volume) -> None:
    """A commit, nothing new, a new artifact: by kind, LIST apart from GET and HEAD."""

    def spent(since: int) -> dict[str, int]:
        seen = volume.proxy.seen[since:]
        lists = sum(each.method == "GET" and "list-type" in each.path for each in seen)
        reads = sum(each.method in ("GET", "HEAD") for each in seen) - lists
        return {"list": lists, "read": reads, "put": sum(each.method == "PUT" for each in seen)}

    mine, other = volume.machine("a"), volume.machine("b")
    make(mine)
    # the work on it reads the lease and the manifest's version, takes the lease and gives it back; the commit reads the
    # lease; a file that is listed, one for people, and the manifest are put
    assert spent(0) == {"list": 3, "read": 3, "put": 2 + 3}
    before = len(volume.proxy.seen)
    pull(other / "digits")
    assert spent(before) == {"list": 2, "read": 3, "put": 0}
    before = len(volume.proxy.seen)
    pull(other / "digits")
    assert spent(before) == {"list": 1, "read": 0, "put": 0}
