"""The command `clean`: what would go, what goes with --yes, and what never does."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from shared.data.decoded.in_use import PIXELS, USED, use
from shared.objects.address import parse
from shared.store.artifacts import Artifact
from shared.store.locking.owner import new_owner
from shared.store.locks import locked
from shared.store.remote.mirror import mirror_folder
from shared.store.staging import BuildKey, stage

Make = Callable[..., Artifact]
MONTH_S = 30 * 86400.0


@pytest.fixture(autouse=True)
def own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this user's caches, and those of the machine, out of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def clean(volume: Path, *words: object) -> Result:
    """Return the result of `halfreal clean` in this process."""
    return CliRunner().invoke(halfreal, ["clean", "--data-root", str(volume), *map(str, words)])


def old(*paths: Path) -> None:
    """Make files and folders, and what is in them, a month old."""
    for path in paths:
        for each in (path, *path.rglob("*")):
            os.utime(each, (time.time() - MONTH_S,) * 2)


def unfinished(final: Path) -> Path:
    """Leave the work on an artifact unfinished; return the folder that it is in."""
    with stage(final, BuildKey("train_gan", "model", {"epochs": 3}), resumable=True) as work:
        (work.folder / "checkpoint").write_bytes(bytes(5_000_000))
    return work.folder


def names(volume: Path) -> list[str]:
    """Return the name of every file on the volume."""
    return sorted(path.relative_to(volume).as_posix() for path in volume.rglob("*") if path.is_file())


@pytest.mark.fault(11)
def test_it_is_listed_first_and_goes_with_yes(make_dataset: Make, tmp_path: Path) -> None:
    """Old unfinished work and what was replaced go; a finished artifact, and what is young, stay."""
    volume = tmp_path / "volume"
    real = make_dataset(volume / "small" / "real", train=9).folder
    old(real)
    gone, young = unfinished(volume / "small" / "gan" / "r00"), unfinished(volume / "small" / "gan" / "r01")
    replaced = volume / "small" / ".real-replaced"
    replaced.mkdir()
    (replaced / "train-00000.tar").write_bytes(bytes(10))
    old(gone, replaced)
    before = names(volume)
    listed = clean(volume)
    assert listed.exit_code == 0, listed.output
    assert f"would go: unfinished work, 5 MB, 30.0 days old: {gone}" in listed.output
    assert f"stays, younger than 7 days: unfinished work, 5 MB, 0.0 days old: {young}" in listed.output
    assert "5 MB would be freed; --yes does that" in listed.output
    assert names(volume) == before
    done = clean(volume, "--yes")
    assert "5 MB freed" in done.output
    assert not gone.exists()
    assert not replaced.exists()
    assert young.is_dir()
    assert [name for name in names(volume) if "/real/" in name] == [name for name in before if "/real/" in name]
    assert clean(volume, "--days", 0, "--yes").exit_code == 0
    assert not young.exists()
    assert clean(volume).output == "nothing to free\n"


def test_what_is_held_stays_though_it_is_old(tmp_path: Path) -> None:
    """A job may think for longer than a week between two files."""
    staging = unfinished(tmp_path / "volume" / "small" / "gan" / "r00")
    old(staging)
    with locked(tmp_path / "volume" / "small" / "gan" / "r00"):
        assert (
            f"stays, in use: unfinished work, 5 MB, 30.0 days old: {staging}"
            in clean(tmp_path / "volume", "--yes").output
        )
    assert staging.is_dir()


def test_decoded_images_go_unless_they_are_open(tmp_path: Path) -> None:
    """By the time of their last use, which a file has."""
    volume = tmp_path / "volume"
    sets = [volume / ".cache" / "decoded" / name for name in ("open", "unused", "young")]
    held, *others = [use(folder, make=True) for folder in sets]
    for folder in sets:
        (folder / PIXELS).write_bytes(bytes(100_000))
    old(sets[0] / USED, sets[1] / USED)
    for hold in others:
        assert hold is not None
        hold.release()
    said = clean(volume, "--yes").output
    assert held is not None
    held.release()
    assert "stays, in use: decoded images" in said
    assert [folder.exists() for folder in sets] == [True, False, True]


def test_a_mirror_goes_unless_work_is_unfinished_in_it(tmp_path: Path) -> None:
    """What is finished there is in the store too; what is unfinished is on this machine alone."""
    (tmp_path / "volume").mkdir()
    idle, working = (mirror_folder(parse(f"s3://{name}/data", ""), None) for name in ("idle", "working"))
    staging = working / "small" / "gan" / ".r00-0123456789ab"
    staging.mkdir(parents=True)
    (staging / "checkpoint").write_bytes(bytes(5_000_000))
    old(idle, working)
    said = clean(tmp_path / "volume", "--yes").output
    assert f"removed: mirror, 1 kB, 30.0 days old: {idle}" in said
    assert f"stays, in use: mirror, 5 MB, 30.0 days old: {working}" in said
    assert (idle.exists(), working.exists()) == (False, True)


def made_from_real(volume: Path, real: Artifact) -> None:
    """Make a GAN of the real images."""
    key = BuildKey("train_gan", "model", {}, {"real": real})
    with stage(volume / "small" / "gan" / "r00", key, resumable=False) as work:
        work.commit()


def test_a_finished_artifact_goes_by_its_name_alone(make_dataset: Make, tmp_path: Path) -> None:
    """First it is said what was made from it; nothing else goes with it, however old that is."""
    made_from_real(tmp_path, make_dataset(tmp_path / "small" / "real", train=9))
    stale = unfinished(tmp_path / "small" / "gan" / "r01")
    old(stale)
    listed = clean(tmp_path, "small/real")
    assert "would remove" in listed.output
    assert "made from it: gan/r00" in listed.output
    assert (tmp_path / "small" / "real").is_dir()
    assert clean(tmp_path, "small/real", "--yes").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "small").iterdir() if not path.name.endswith(".lock")) == ["gan"]
    assert stale.is_dir()
    assert (tmp_path / "small" / "gan" / "r00" / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("small", "want one of small/real"),
        ("small/gan/r00", "want one of small/real"),
        ("small/../small/real", "want the name of an artifact"),
        ("../volume/small/real", "want the name of an artifact"),
        ("other/real", "no finished artifact; there is none"),
    ],
)
def test_a_name_of_something_else_removes_nothing(name: str, what: str, make_dataset: Make, tmp_path: Path) -> None:
    """An experiment is no artifact, and one wrong name keeps the right ones too."""
    volume = tmp_path / "volume"
    make_dataset(volume / "small" / "real", train=9)
    before = names(volume)
    result = clean(volume, "small/real", name, "--yes")
    assert result.exit_code == 2
    assert what in result.stderr
    assert names(volume) == before


def test_an_artifact_stays_while_its_experiment_is_at_work(make_dataset: Make, tmp_path: Path) -> None:
    """A job that reads an artifact holds no lock of it: 75, and nothing is removed."""
    make_dataset(tmp_path / "small" / "real", train=9)
    unfinished(tmp_path / "small" / "gan" / "r00")
    with locked(tmp_path / "small" / "gan" / "r00"):
        result = clean(tmp_path, "small/real", "--yes")
    assert result.exit_code == 75
    assert "is being made" in result.stderr
    assert (tmp_path / "small" / "real" / "manifest.json").is_file()


@pytest.mark.parametrize("days", ["nan", "inf"])
def test_days_are_a_finite_number(days: str, tmp_path: Path) -> None:
    """No comparison with NaN is true: everything would be old enough."""
    result = clean(tmp_path, "--days", days)
    assert result.exit_code == 2
    assert f"--days {days}: want a finite number" in result.stderr


def test_empty_locks_are_listed_and_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of earlier versions, one for each artifact; all of them are waited for at once."""
    monkeypatch.setenv("HALFREAL_LOCK_TIMEOUT_S", "0.1")
    locks = [tmp_path / "volume" / "small" / "gan" / f".r0{number}.lock" for number in range(3)]
    locks[0].parent.mkdir(parents=True)
    for path in locks:
        path.touch()
        old(path)
    listed = clean(tmp_path / "volume")
    assert all(f"would go: lock, 0 kB, 30.0 days old: {path}" in listed.output for path in locks)
    assert listed.output.splitlines()[-1].endswith("--yes does that")
    assert clean(tmp_path / "volume", "--yes").output.count("removed: lock") == 3
    assert names(tmp_path / "volume") == []


def test_scripts_get_json(make_dataset: Make, tmp_path: Path) -> None:
    """What goes, what stays and why, before and after; of a finished artifact what was made from it."""
    volume = tmp_path / "volume"
    made_from_real(volume, make_dataset(volume / "small" / "real", train=9))
    gone, young = unfinished(volume / "small" / "gan" / "r01"), unfinished(volume / "small" / "gan" / "r02")
    old(gone)
    for words, is_removed in (((), False), (("--yes",), True)):
        said = json.loads(clean(volume, "--json", *words).stdout)
        assert (said["volume"], said["removed"]) == (str(volume), is_removed)
        first, second = said["found"]
        assert (first["kind"], first["path"], first["goes"], first["stays"]) == (
            "unfinished work",
            str(gone),
            True,
            None,
        )
        assert (first["removed"], gone.exists()) == (is_removed, not is_removed)
        assert first["unused_s"] == pytest.approx(MONTH_S, abs=100)
        assert (second["path"], second["goes"], second["stays"]) == (str(young), False, "younger than 7 days")
    (real,) = json.loads(clean(volume, "small/real", "--json").stdout)["found"]
    assert (real["kind"], real["made_from_it"], real["removed"]) == ("artifact", ["gan/r00"], False)


def test_what_is_damaged_was_perhaps_made_from_it(make_dataset: Make, tmp_path: Path) -> None:
    """Nobody can read from what it was made, so it is named apart, for people and for scripts."""
    volume = tmp_path / "volume"
    made_from_real(volume, make_dataset(volume / "small" / "real", train=9))
    (volume / "small" / "gan" / "r00" / "manifest.json").write_text("{")
    assert "; damaged, perhaps made from it: gan/r00" in clean(volume, "small/real").output
    (real,) = json.loads(clean(volume, "small/real", "--json").stdout)["found"]
    assert (real["made_from_it"], real["perhaps_made_from_it"]) == ([], ["gan/r00"])


def test_an_artifact_that_has_lost_its_manifest_goes_by_its_name(make_dataset: Make, tmp_path: Path) -> None:
    """It is in the way of the job that makes it again; a folder that no job has made is none."""
    folder = make_dataset(tmp_path / "small" / "real", train=9).folder
    (folder / "manifest.json").unlink()
    assert clean(tmp_path, "small/real", "--yes").exit_code == 2
    (folder / "run.json").write_text("{}")
    assert clean(tmp_path, "small/real", "--yes").exit_code == 0
    assert not folder.exists()


def test_a_name_that_is_given_twice_is_one(make_dataset: Make, tmp_path: Path) -> None:
    """It can be removed once."""
    make_dataset(tmp_path / "small" / "real", train=9)
    done = clean(tmp_path, "small/real", "small/real/", "--yes")
    assert (done.exit_code, done.output.count("removed")) == (0, 1)


@pytest.mark.parametrize("beats", [False, True])
def test_work_of_a_machine_that_is_gone_goes(beats: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lock is old: whether it still beats is heard first, as long as that takes."""
    monkeypatch.setenv("HALFREAL_LOCK_TIMEOUT_S", "0.1")
    staging = unfinished(tmp_path / "volume" / "small" / "gan" / "r00")
    lock = staging.parent / ".r00.lock"
    owner = replace(new_owner(), host="node7", boot_id="other").to_line()
    lock.write_bytes(owner + b"1")
    old(staging, lock)
    looks = []

    def beat() -> Iterator[None]:
        for _ in range(1000):
            looks.append(None)
            if beats:
                lock.write_bytes(owner + b"%d" % len(looks))
            time.sleep(0.002)
            yield

    monkeypatch.setattr("shared.store.locking.taking.pauses", beat)
    done = clean(tmp_path / "volume", "--yes")
    assert "listening to them for 0 s" in done.stderr
    assert (staging.exists(), lock.exists()) == (beats, beats)
    assert len(looks) > 1
