"""The command `verify`: it finds each kind of damage, names the file, and passes a whole volume."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

import jobs.verify.verification
from jobs.__main__ import main as halfreal
from jobs.export.staging import CARD, write_export
from shared.format.files import sha256
from shared.format.index import decode_index, encode_index
from shared.format.manifest import Dataset, ShardInfo
from shared.format.records import IndexInfo
from shared.format.sample import Members, encode
from shared.format.shards import join, write_shard
from shared.store.artifacts import Artifact
from shared.store.checkpoints import save
from shared.store.records.datasets import RealRecord
from shared.store.staging import BuildKey, Staging, stage

Make = Callable[..., Artifact]


def verify(path: Path, *words: str) -> Result:
    """Return the result of `halfreal verify` in this process."""
    return CliRunner().invoke(halfreal, ["verify", str(path), *words])


def problems(path: Path, *words: str) -> list[tuple[str, str]]:
    """Return (file below `path`, what is wrong with it) of what `halfreal verify` finds, which must end with 2."""
    result = verify(path, "--json", *words)
    assert result.exit_code == 2, result.output
    listed = json.loads(result.stdout)["problems"]
    return [(str(Path(each["file"]).relative_to(path)), each["what"]) for each in listed]


def test_a_whole_volume_passes(make_dataset: Make, tmp_path: Path) -> None:
    """Everything is counted; hidden drafts, caches, sources and weights are left alone."""
    for name in ("one", "two"):
        make_dataset(tmp_path / name / "real", train=9, val=3)
    for other in ("sources/mine", "weights/real", ".cache/decoded", "one/.real-pulled"):
        (tmp_path / other).mkdir(parents=True)
        (tmp_path / other / "manifest.json").write_text("theirs")
    result = verify(tmp_path, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["artifacts"], said["files"], said["pictures"], said["problems"]) == (2, 8, 24, [])
    assert said["bytes"] == sum(path.stat().st_size for path in tmp_path.glob("*/real/*.tar"))
    assert "Every file that a manifest lists is as it says. Manifests: 0 of 2 are" in verify(tmp_path).output


def change(path: Path, at: int = -1) -> None:
    """Change one bit."""
    payload = bytearray(path.read_bytes())
    payload[at] ^= 1
    path.write_bytes(payload)


def claim_other_classes(folder: Path) -> None:
    """Let the manifest count other classes than the shards do, which adds up all the same."""
    path = folder / "manifest.json"
    fields = json.loads(path.read_bytes())
    fields["dataset"]["splits"]["train"]["class_counts"] = [4, 2, 3]
    path.write_text(json.dumps(fields))


def lose_the_manifest(folder: Path) -> None:
    """Delete the manifest of what a job has made."""
    (folder / "run.json").write_text("{}")
    (folder / "manifest.json").unlink()


DAMAGES: list[tuple[Callable[[Path], object], str, str]] = [
    (lambda folder: change(folder / "train-00001.tar", 600), "train-00001.tar", "altered"),
    (lambda folder: os.truncate(folder / "train-00001.tar", 1536), "train-00001.tar", "1536 bytes"),
    (lambda folder: (folder / "train-00001.tar").unlink(), "train-00001.tar", "missing"),
    (lambda folder: change(folder / "val-00000.idx"), "val-00000.idx", "altered"),
    (lambda folder: (folder / "val-00000.idx").unlink(), "val-00000.idx", "missing"),
    (lambda folder: change(folder / "train-shards-00000.json"), "train-shards-00000.json", "altered"),
    (lambda folder: (folder / "train-00009.tar").touch(), "train-00009.tar", "not listed"),
    (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json", "is not JSON"),
    (lose_the_manifest, "manifest.json", "missing"),
    (claim_other_classes, "manifest.json", "counts other classes in train"),
]


@pytest.mark.fault(11)
@pytest.mark.parametrize(("damage", "name", "what"), DAMAGES)
def test_damage_is_found(
    damage: Callable[[Path], object], name: str, what: str, make_dataset: Make, tmp_path: Path
) -> None:
    """One problem for each damage, of the file that has it; what is next to it passes."""
    folder = make_dataset(tmp_path / "small" / "real", train=9, val=3, test=3).folder
    damage(folder)
    ((found, said),) = problems(tmp_path)
    assert (found, what in said) == (f"small/real/{name}", True), said


@pytest.fixture
def seconds_10() -> Iterator[None]:
    """Fail the test where it waits for a file that does not end."""

    def fail(*_: object) -> None:
        raise AssertionError("still reading")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def become_a_pipe(path: Path) -> None:
    """Put a pipe that nobody writes to in the place of a file."""
    path.unlink()
    os.mkfifo(path)


def become_zeros(path: Path) -> None:
    """Put a link to a device that never ends in the place of a file."""
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.fault(9)
@pytest.mark.usefixtures("seconds_10")
@pytest.mark.parametrize("become", [become_a_pipe, become_zeros])
@pytest.mark.parametrize("name", ["manifest.json", "train-00001.tar", "val-00000.idx", "train-shards-00000.json"])
def test_pipes_and_devices_are_not_read(
    become: Callable[[Path], None], name: str, make_dataset: Make, tmp_path: Path
) -> None:
    """They are named, and verify ends."""
    folder = make_dataset(tmp_path / "real", train=9, val=3).folder
    become(folder / name)
    for found, said in problems(tmp_path):
        is_said = "no file but a folder or a device" in said or said.startswith("is a link")
        assert (found, is_said) == (f"real/{name}", True), said


@pytest.mark.usefixtures("seconds_10")
def test_a_listed_pipe_and_one_of_unfinished_work_are_not_read(tmp_path: Path) -> None:
    """Nor one in the place of a file that is no shard."""
    with stage(tmp_path / "toy", BuildKey("toy", "model", {}), resumable=True) as work:
        (work.folder / "a.txt").write_text("a")
        work.commit()
    with stage(tmp_path / "more", BuildKey("toy", "model", {}), resumable=True) as work:
        os.mkfifo(work.folder / "b.safetensors")
    become_a_pipe(tmp_path / "toy" / "a.txt")
    assert ["no file" in what for _, what in problems(tmp_path)] == [True, True]


def test_an_edited_manifest_is_not_the_one_that_others_were_made_from(make_dataset: Make, tmp_path: Path) -> None:
    """What was made from it has its sha256: of a replicate, too. Alone it passes, for nothing tells."""
    real = make_dataset(tmp_path / "small" / "real", train=9)
    for name in ("gan/r00", "classifier/r00"):
        job = "train_gan" if name.startswith("gan") else "train_classifier"
        with stage(tmp_path / "small" / name, BuildKey(job, "toy", {}, {"real": real}), resumable=True) as work:
            work.commit()
    said = verify(tmp_path, "--json")
    assert (said.exit_code, json.loads(said.stdout)["manifests_confirmed"]) == (0, 1), said.output
    path = real.folder / "manifest.json"
    path.write_bytes(path.read_bytes() + b" ")
    assert problems(tmp_path) == [
        (
            "small/real/manifest.json",
            "another one than classifier/r00, gan/r00 was made from: edited, or made again since",
        )
    ]
    assert verify(real.folder).exit_code == 0


@pytest.mark.parametrize("name", ["manifest.json", "train-00001.tar", "val-00000.idx", "train-shards-00000.json"])
def test_a_link_is_no_file_of_an_artifact(name: str, make_dataset: Make, tmp_path: Path) -> None:
    """The same bytes at another place may change there, and are not in a copy of the folder."""
    folder = make_dataset(tmp_path / "small" / "real", train=9, val=3).folder
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    ((found, said),) = problems(tmp_path)
    assert (found, said.partition(":")[0]) == (f"small/real/{name}", "is a link")


def test_a_listed_file_in_a_linked_folder_is_found(tmp_path: Path) -> None:
    """A folder between the artifact and its file may be a link, too."""
    with stage(tmp_path / "toy", BuildKey("toy", "model", {}), resumable=True) as work:
        (work.folder / "a").mkdir()
        (work.folder / "a" / "b.txt").write_text("b")
        work.commit()
    (tmp_path / "toy" / "a").rename(tmp_path / "elsewhere")
    (tmp_path / "toy" / "a").symlink_to(tmp_path / "elsewhere")
    ((found, said),) = problems(tmp_path)
    assert (found, said.partition(":")[0]) == ("toy/a/b.txt", "is a link")


def test_people_see_a_table_and_what_to_do(make_dataset: Make, tmp_path: Path) -> None:
    """The table has the file as it is below PATH; below it are the commands that make it again."""
    folder = make_dataset(tmp_path / "small" / "real", train=9).folder
    change(folder / "train-00001.tar", 600)
    result = verify(tmp_path)
    assert result.exit_code == 2
    row = next(line for line in result.stdout.splitlines() if "small/real/train-00001.tar" in line)
    assert row.rstrip().endswith("preprocess")
    place = f"--data-root {tmp_path}"
    assert (
        f"\n# halfreal clean small/real {place} --yes && halfreal preprocess --experiment small {place}"
        in result.stdout
    )
    assert "make them again by the commands above" in result.stderr


def test_no_line_is_broken_in_a_pipe(make_dataset: Make, tmp_path: Path) -> None:
    """A long name and what is wrong with the file are in one line, which a search finds."""
    place = Path(*["a_long_name_of_a_folder" for _ in range(9)])
    folder = make_dataset(tmp_path / place, train=9).folder
    change(folder / "train-00001.tar", 600)
    row = next(line for line in verify(tmp_path).stdout.splitlines() if f"{place}/train-00001.tar" in line)
    assert row.rstrip().endswith("preprocess")


def test_a_name_does_nothing_to_the_terminal(make_dataset: Make, tmp_path: Path) -> None:
    """A file that somebody put there is shown with its control characters as text."""
    folder = make_dataset(tmp_path / "real", train=3).folder
    (folder / "train-\x1b[2J.tar").touch()
    (tmp_path / ".gan\x07-0123456789ab").mkdir()
    (tmp_path / ".gan\x07-0123456789ab" / "a.safetensors").touch()
    said = verify(tmp_path).output
    assert "train-" in said
    assert "a.safetensors" in said
    assert not set("\x1b\x07") & set(said)


def commit(final: Path, write: Callable[[Path], list[ShardInfo]]) -> Path:
    """Commit a dataset of one split, whose shards `write` writes into a folder: wrong ones are signed as they are."""
    with stage(final, BuildKey("preprocess", "dataset", {}), resumable=False) as work:
        fields = {"classes": ["cat", "dog", "owl"], "size_px": 16, "channels": 1, "preparation": {}}
        dataset = Dataset(**fields, splits={"train": join(write(work.folder), 3)})
        return work.commit(record=RealRecord(source="noise"), dataset=dataset).folder


def test_pictures_are_decoded(make_samples: Callable[..., list[object]], tmp_path: Path) -> None:
    """A picture that cannot be decoded, and one of another size, are found by their keys; not with --no-pictures."""

    def write(folder: Path) -> list[ShardInfo]:
        samples: list[Members] = [(each.key, encode(each)) for each in make_samples(3)]  # type: ignore[attr-defined]
        large = encode(make_samples(1, size_px=17)[0])  # type: ignore[arg-type]
        samples[0][1]["png"] = samples[0][1]["png"][:100]
        samples[1][1]["png"] = large["png"]
        return [write_shard(folder / "train-00000.tar", samples, 3)]

    folder = commit(tmp_path / "real", write)
    (_, undecoded), (_, other_size) = problems(folder)
    assert undecoded.startswith("sample 's0000' cannot be decoded")
    assert other_size == "sample 's0001' has a picture of (17, 17, 1), want (16, 16, 1)"
    assert verify(folder, "--no-pictures").exit_code == 0


def test_a_key_is_alone_in_its_split(make_samples: Callable[..., list[object]], tmp_path: Path) -> None:
    """A key that two shards of a split have is named, with both."""

    def write(folder: Path) -> list[ShardInfo]:
        samples: list[Members] = [(each.key, encode(each)) for each in make_samples(5)]  # type: ignore[attr-defined]
        return [
            write_shard(folder / f"train-{number:05d}.tar", held, 3)
            for number, held in enumerate([samples[:3], samples[3:], samples[1:2]])
        ]

    ((name, what),) = problems(commit(tmp_path / "real", write))
    assert name == "train-00002.tar"
    assert "'s0001' comes twice in train: in train-00000.tar too" in what


def test_an_index_says_where_the_samples_are(make_samples: Callable[..., list[object]], tmp_path: Path) -> None:
    """An index of another shard with equal counts is found, though its own hash is right."""

    def write(folder: Path) -> list[ShardInfo]:
        samples: list[Members] = [(each.key, encode(each)) for each in make_samples(3)]  # type: ignore[attr-defined]
        info = write_shard(folder / "train-00000.tar", samples, 3)
        index = folder / "train-00000.idx"
        rows = decode_index(index.read_bytes(), "").copy()
        rows["crc32"][1] += 1
        index.write_bytes(encode_index(rows))
        own = IndexInfo(bytes=index.stat().st_size, sha256=sha256(index.read_bytes()))
        return [info.model_copy(update={"index": own})]

    assert problems(commit(tmp_path / "real", write)) == [
        ("train-00000.idx", "does not say where the samples of its shard are")
    ]


def tensors(path: Path) -> None:
    """Write a checkpoint."""
    save(path, {"a": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(0), "c": torch.ones(5)}, {"epoch": 3})


def cut(payload: bytes) -> bytes:
    """Lose the last bytes."""
    return payload[:-4]


def altered(payload: bytes) -> bytes:
    """Change the last bit, which is a number's."""
    return payload[:-1] + bytes([payload[-1] ^ 1])


@pytest.mark.parametrize(("damage", "what"), [(cut, "its header says"), (altered, "numbers were altered")])
def test_tensors_are_whole(damage: Callable[[bytes], bytes], what: str, tmp_path: Path) -> None:
    """A snapshot that was damaged before the commit, which signs it as it is, and one of unfinished work, are found."""
    key = BuildKey("toy", "model", {})

    def write(work: Staging, hurt: Callable[[bytes], bytes]) -> None:
        tensors(work.folder / "snapshot.safetensors")
        path = work.folder / "snapshot.safetensors"
        path.write_bytes(hurt(path.read_bytes()))

    for name, hurt in (("good", bytes), ("bad", damage)):
        with stage(tmp_path / name, key, resumable=True) as work:
            write(work, hurt)
            work.commit()
        with stage(tmp_path / f"unfinished_{name}", key, resumable=True) as work:
            write(work, hurt)
    unfinished, bad = problems(tmp_path)  # hidden names come first
    assert unfinished[0] == f".unfinished_bad-{key.fingerprint}/snapshot.safetensors"
    assert bad[0] == "bad/snapshot.safetensors"
    assert unfinished[1] == bad[1]
    assert what in bad[1]


def test_an_edited_card_of_an_export_is_no_damage(tmp_path: Path) -> None:
    """People fill in the licence; any other file of an export must be as it was written."""

    def write(folder: Path) -> None:
        (folder / CARD).write_text("licence: ?")
        (folder / "a.png").write_text("a picture")

    out = tmp_path / "small" / "export" / "imagefolder"
    out.parent.mkdir(parents=True)
    write_export(out, BuildKey("export", "export", {}), write)
    (out / CARD).write_text("licence: mine")
    assert verify(tmp_path).exit_code == 0
    change(out / "a.png")
    assert [name for name, _ in problems(tmp_path)] == ["small/export/imagefolder/a.png"]


def test_a_record_that_lacks_a_field_is_found(make_dataset: Make, tmp_path: Path) -> None:
    """Later jobs read the record, so a manifest without it is as broken as a shard."""
    folder = make_dataset(tmp_path / "real", train=3).folder
    path = folder / "manifest.json"
    fields = json.loads(path.read_bytes())
    del fields["facts"]["source"]
    path.write_text(json.dumps(fields))
    ((name, what),) = problems(folder)
    assert name == "manifest.json"
    assert "source" in what


def test_what_is_replaced_meanwhile_was_not_lost(
    make_dataset: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that commits while its artifact is verified takes files away: that is said instead of what is missing."""
    folder = make_dataset(tmp_path / "real", train=3).folder
    check = jobs.verify.verification.check

    def replaced_first(task: object) -> object:
        (folder / "train-00000.tar").unlink(missing_ok=True)
        (folder / "manifest.json").write_bytes(b"{}")
        return check(task)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs.verify.verification, "check", replaced_first)
    (name, what), *others = problems(tmp_path)
    assert (name, others) == ("real", [])
    assert "was replaced" in what


def test_any_number_of_processes_finds_the_same(make_dataset: Make, tmp_path: Path) -> None:
    """Two processes share the files of many shards, and report in the same order."""
    folder = make_dataset(tmp_path / "real", train=140).folder
    for number in (3, 20):
        change(folder / f"train-{number:05d}.tar", 600)
    one, two = (problems(folder, "--threads", threads) for threads in ("1", "2"))
    assert [name for name, _ in one] == ["train-00003.tar", "train-00020.tar"]
    assert one == two


def test_it_imports_no_torch(python: Callable[..., object], make_dataset: Make, tmp_path: Path) -> None:
    """It begins at once, and needs little memory."""
    make_dataset(tmp_path / "real", train=3)
    code = "import sys\nfrom jobs.verify.command import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
    done = python(f"{code}    print(end.code, 'torch' in sys.modules)", tmp_path)
    assert done.stdout.splitlines()[-1] == "0 False", done  # type: ignore[attr-defined]


def test_an_experiment_is_named_where_its_volume_is_not(make_dataset: Make, tmp_path: Path) -> None:
    """PATH is a folder: that of an experiment on the volume is what was meant."""
    make_dataset(tmp_path / "small" / "real", train=3)
    result = CliRunner().invoke(halfreal, ["verify", "small", "--data-root", str(tmp_path)])
    assert (result.exit_code, f"did you mean {tmp_path / 'small'}?" in result.stderr) == (2, True)


@pytest.mark.parametrize(("name", "what"), [("gone", "does not exist"), ("empty", "nothing there can be verified")])
def test_a_folder_without_anything_is_refused(name: str, what: str, tmp_path: Path) -> None:
    """A mistyped path must not pass as verified."""
    (tmp_path / "empty").mkdir()
    result = verify(tmp_path / name)
    assert result.exit_code == 2
    assert what in result.stderr
