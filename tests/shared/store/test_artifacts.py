import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import FormatError, MissingArtifact
from shared.format.manifest import MANIFEST
from shared.format.sample import decode
from shared.runtime.observe.identity import Identity
from shared.runtime.observe.watching import observing
from shared.store.artifacts import Artifact, open_artifact
from shared.store.records.base import Record
from shared.store.staging import OUTPUTS, BuildKey, stage

MakeDataset = Callable[..., Artifact]


class Trained(Record):
    """A model's record for these tests."""

    loss: float


def _model(final: Path, options: dict[str, Any], files: dict[str, str], **inputs: Artifact) -> Artifact:
    """Commit an artifact of kind `model` with these text files."""
    with stage(final, BuildKey("train", "model", options, inputs), resumable=False) as work:
        for name, text in files.items():
            (work.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (work.folder / name).write_text(text)
        return work.commit(record=Trained(loss=0.5))


@pytest.fixture
def model(tmp_path: Path) -> Artifact:
    """Return a model of one file in a folder."""
    return _model(tmp_path / "lab" / "gan", {"epochs": 2}, {"snapshots/one.txt": "weights"})


def test_a_committed_artifact_can_be_opened_and_read(model: Artifact) -> None:
    """After the commit the artifact has its final name and its files, facts and options."""
    found = open_artifact(model.folder, "model", "train")
    assert found == model
    assert found.read("snapshots/one.txt") == b"weights"
    assert found.facts == {"loss": 0.5}
    assert found.manifest.options == {"epochs": 2}


def test_the_manifest_lists_each_file_with_its_size_and_sha256(model: Artifact) -> None:
    """The record of a file matches hashlib."""
    fields = json.loads((model.folder / MANIFEST).read_bytes())
    digest = hashlib.sha256(b"weights").hexdigest()
    assert fields["files"] == [{"name": "snapshots/one.txt", "bytes": 7, "sha256": digest}]


def test_an_artifact_is_named_by_the_sha256_of_its_manifest(model: Artifact) -> None:
    """The artifact's sha256 is that of manifest.json, and the next artifact records it as its input."""
    assert model.sha256 == hashlib.sha256((model.folder / MANIFEST).read_bytes()).hexdigest()
    scores = _model(model.folder.parent / "scores", {}, {}, gan=model)
    assert scores.manifest.inputs == {"gan": model.sha256}


def test_outputs_for_people_are_not_listed(tmp_path: Path) -> None:
    """Figures, TensorBoard files, run.json and the log may differ between equal runs: no manifest lists them."""
    files = {"figures/a.png": "", "tensorboard/x/events": "", "metrics.jsonl": "", "run.json": ""}
    assert {name.split("/")[0] for name in files} == set(OUTPUTS)
    made = _model(tmp_path / "gan", {}, files | {"weights": "w", ".weights.part": "half"})
    assert [info.name for info in made.manifest.files] == ["weights"]
    assert (made.folder / "figures" / "a.png").exists()


def test_equal_work_gives_equal_manifests(tmp_path: Path) -> None:
    """The same build key and content in another place, with another run.json, are the same artifact."""
    twins = [
        _model(tmp_path / place / "gan", {"epochs": 2}, {"weights": "w", "run.json": place})
        for place in ("here", "there")
    ]
    assert (twins[0].folder / MANIFEST).read_bytes() == (twins[1].folder / MANIFEST).read_bytes()


def test_a_file_that_nobody_listed_cannot_be_read(model: Artifact) -> None:
    """Jobs read what the manifest lists and nothing else."""
    (model.folder / "stray").write_text("x")
    with pytest.raises(FormatError, match="lists no file 'stray'"):
        model.read("stray")


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


FILE_DAMAGES: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "truncated": lambda path: path.write_bytes(b"weight") and None,
    "extended": _append,
}


@pytest.mark.parametrize("damage", FILE_DAMAGES)
def test_a_file_of_another_size_is_refused_on_opening(model: Artifact, damage: str) -> None:
    """Opening an artifact compares every listed file's size; the error says how to rebuild it."""
    FILE_DAMAGES[damage](model.folder / "snapshots/one.txt")
    with pytest.raises(FormatError, match=r"(?s)one\.txt: .*make it again: halfreal train --force"):
        open_artifact(model.folder, "model", "train")


def test_an_altered_file_is_refused_on_reading(model: Artifact) -> None:
    """A file of the right size and another content is refused when it is read."""
    (model.folder / "snapshots/one.txt").write_bytes(b"weighty"[::-1])
    with pytest.raises(FormatError, match=r"one\.txt: altered"):
        open_artifact(model.folder, "model", "train").read("snapshots/one.txt")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda folder: None, "does not exist"),
        (lambda folder: folder.mkdir(), "is unfinished: it has no manifest.json"),
        (lambda folder: folder.write_text("a file"), "does not exist"),
    ],
    ids=["absent", "without manifest", "a file"],
)
def test_an_artifact_without_manifest_does_not_exist(
    tmp_path: Path, prepare: Callable[[Path], None], words: str
) -> None:
    """Absent and unfinished inputs are told apart, and the error says which job to run first."""
    prepare(tmp_path / "gan")
    with pytest.raises(MissingArtifact, match=f"gan: {words}; run first: halfreal train_gan"):
        open_artifact(tmp_path / "gan", "model", "train_gan")


def test_an_artifact_of_another_kind_is_refused(model: Artifact) -> None:
    """A model where a dataset is wanted is refused, with both kinds named."""
    with pytest.raises(FormatError, match="holds a model, want a dataset; run first: halfreal preprocess"):
        open_artifact(model.folder, "dataset", "preprocess")
    with pytest.raises(FormatError, match="a model, want a dataset"):
        _ = model.dataset


def test_a_dataset_gives_its_samples_split_by_split(make_dataset: MakeDataset) -> None:
    """Samples are read in order over all shards of the requested split."""
    real = make_dataset(train=9, val=2)
    assert [path.name for path, _ in real.shards("train")] == [f"train-0000{index}.tar" for index in range(3)]
    assert [key for key, _ in real.members("train")] == [f"train000{index}" for index in range(9)]
    assert [decode(key, members, "").label for key, members in real.members("val")] == [0, 1]
    assert [info.name for info in real.manifest.files] == []


def test_an_unknown_split_is_refused_with_the_known_ones(make_dataset: MakeDataset) -> None:
    """The error lists the existing splits."""
    with pytest.raises(FormatError, match="no split 'test', it has train, val"):
        make_dataset(train=2, val=1).shards("test")


def test_a_shard_too_many_is_refused(make_dataset: MakeDataset) -> None:
    """A tar that the manifest does not list would be read by any glob: the dataset is refused."""
    real = make_dataset(train=2)
    shutil.copy(real.folder / "train-00000.tar", real.folder / "train-00001.tar")
    with pytest.raises(FormatError, match=r"train-00001\.tar: a shard that the manifest does not list"):
        open_artifact(real.folder, "dataset", "preprocess")


def test_a_shard_too_few_is_refused(make_dataset: MakeDataset) -> None:
    """A missing shard is noticed on opening, before any work begins."""
    real = make_dataset(train=6)
    (real.folder / "train-00001.tar").unlink()
    with pytest.raises(FormatError, match=r"(?s)train-00001\.tar: missing.*halfreal preprocess --force"):
        open_artifact(real.folder, "dataset", "preprocess")


def test_equal_build_keys_share_a_fingerprint_and_others_do_not(make_dataset: MakeDataset) -> None:
    """The fingerprint depends on job, kind, options and inputs, and on nothing else: not on the options' order."""
    real, other = make_dataset(train=1), make_dataset(train=1, seed=5)
    request = BuildKey("train", "model", {"a": 1, "b": (1, 2)}, {"real": real})
    assert BuildKey("train", "model", {"b": [1, 2], "a": 1}, {"real": real}).fingerprint == request.fingerprint
    others = [
        BuildKey("tune", "model", {"a": 1, "b": (1, 2)}, {"real": real}),
        BuildKey("train", "study", {"a": 1, "b": (1, 2)}, {"real": real}),
        BuildKey("train", "model", {"a": 2, "b": (1, 2)}, {"real": real}),
        BuildKey("train", "model", {"a": 1, "b": (1, 2)}, {"real": other}),
        BuildKey("train", "model", {"a": 1, "b": (1, 2)}),
    ]
    assert len({request.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_differences_name_what_changed(make_dataset: MakeDataset, tmp_path: Path) -> None:
    """Each changed, new or dropped option is named with its old and new value, then each changed input."""
    real = make_dataset(train=1)
    made = _model(tmp_path / "gan", {"epochs": 2, "family": "wgan", "widths": (1, 2)}, {}, real=real)
    same = BuildKey("train", "model", {"widths": (1, 2), "family": "wgan", "epochs": 2}, {"real": real})
    assert same.differences(made.manifest) == []
    other = make_dataset(train=1, seed=5)
    changed = BuildKey("train", "model", {"epochs": 3, "latent": 8, "widths": (1, 2)}, {"real": other})
    assert changed.differences(made.manifest) == [
        "epochs was 2, now 3",
        "family was 'wgan', now None",
        "latent was None, now 8",
        "its input 'real' changed",
    ]


def test_options_are_recorded_as_json_holds_them(tmp_path: Path) -> None:
    """Paths become text and tuples lists, so that the next run's equal options compare equal."""
    options = {"folder": Path("a/b"), "sizes": (1, 2)}
    made = _model(tmp_path / "gan", options, {})
    assert made.manifest.options == {"folder": "a/b", "sizes": [1, 2]}
    assert BuildKey("train", "model", options).differences(made.manifest) == []


def test_the_picture_read_back_is_the_picture_written(make_dataset: MakeDataset) -> None:
    """No pixel changes from commit to decoding: numpy's generator gives the same noise again."""
    real = make_dataset(train=1, channels=3, seed=9)
    key, members = next(iter(real.members("train")))
    expected = np.random.default_rng(9).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert np.array_equal(decode(key, members, "").image, expected)


def test_an_artifact_that_may_not_be_read_is_not_called_absent(
    make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebuilding would not help: the system's own reason reaches the user."""
    made = make_dataset(tmp_path / "real", train=4)

    def forbidden(path: Path, most_bytes: int) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("shared.store.artifacts.read_regular", forbidden)
    with pytest.raises(PermissionError, match=r"real/manifest\.json"):
        open_artifact(made.folder, "dataset", "preprocess")


def test_bytes_that_are_read_are_counted(make_dataset: MakeDataset, model: Artifact) -> None:
    """Each shard as it is read, each file of a model; what a manifest says of them reads nothing."""
    dataset = make_dataset(train=4)
    sizes = [info.bytes for _, info in dataset.shards("train")]
    with observing(Identity("job"), lambda error: 1) as watched:
        assert [info.bytes for _, info in dataset.shards("train")] == sizes
        assert watched.values.of("read_bytes_total") == 0
        assert len(list(dataset.members("train"))) == 4
        assert watched.values.of("read_bytes_total") == sum(sizes) > 0
        model.read("snapshots/one.txt")
        assert watched.values.of("read_bytes_total") == sum(sizes) + len("weights")
