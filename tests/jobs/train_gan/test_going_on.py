"""train_gan goes on: more epochs extend what is finished or stopped, and what begins again says what is there."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result

from jobs.train_gan import loop, task
from jobs.train_gan.families import FAMILIES
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.plan import learning_rate_factor
from shared.cli.calls import existing
from shared.errors import BadConfig
from shared.store.artifacts import Artifact, open_artifact
from shared.store.checkpoints import load, save
from shared.store.records.gan import CheckpointHeader

Train = Callable[..., Result]

EXTENDED = {"epoch": 2, "from_epochs": 2, "epochs": 4}
"""What is recorded where two finished epochs become four."""


def gan(root: Path, replicate: str = "r00") -> Artifact:
    """Return the finished artifact of the volume `root`."""
    return open_artifact(root / "small" / "gan" / replicate, "model", "train_gan")


def weights(artifact: Artifact) -> dict[str, bytes]:
    """Return the bytes of every snapshot, those of each class too."""
    return {info.name: artifact.read(info.name) for info in artifact.manifest.files if "/epoch-" in info.name}


def rows(artifact: Artifact) -> list[dict[str, Any]]:
    """Return the rows of metrics.jsonl but for the speed, of every pair of networks."""
    paths = sorted(artifact.folder.rglob("metrics.jsonl"))
    lines = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "images_per_s"} for line in lines]


def unfinished(root: Path) -> list[Path]:
    """Return the staging folders of the replicate."""
    return [path for path in (root / "small" / "gan").glob(".r00-*") if path.is_dir()]


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_more_epochs_give_the_weights_of_an_undisturbed_run(family: str, train: Train, tmp_path: Path) -> None:
    """Two epochs, then four: the bytes of four at once, and everything of the first two is still there."""
    words = ["--family", family]
    assert train("whole", *words, "--epochs", 4).exit_code == 0
    assert train("cut", *words, "--epochs", 2).exit_code == 0
    longer = train("cut", *words, "--epochs", 4)
    assert longer.exit_code == 0, longer.output
    assert re.search(r"gan/r00: going on from epoch 2 of 2.* \(epochs was 2, now 4\)", longer.stderr)
    assert "extended at epoch 2 from 2 to 4 epochs" in longer.stderr
    whole, cut = gan(tmp_path / "whole"), gan(tmp_path / "cut")
    assert weights(cut) == weights(whole)
    assert len(cut.facts["snapshots"]) == 4
    assert rows(cut) == rows(whole)
    assert cut.facts == whole.facts | {"extended": [EXTENDED]}
    figures = {path.relative_to(whole.folder) for path in whole.folder.rglob("figures/*")}
    assert {path.relative_to(cut.folder) for path in cut.folder.rglob("figures/*")} == figures
    assert unfinished(tmp_path / "cut") == []
    assert "already complete" in train("cut", *words, "--epochs", 4).stderr


@pytest.mark.fault(16)
@pytest.mark.parametrize(
    ("family", "stop_after", "extended"),
    [
        ("dcgan", 4, [EXTENDED | {"epoch": 1}]),
        # an epoch of a class is one iteration: the first class is complete, the second half done, the third not begun
        ("per_class", 3, [EXTENDED | {"epoch": 1, "classes": ["dog"]}, EXTENDED | {"classes": ["cat"]}]),
    ],
)
def test_more_epochs_go_on_from_a_stopped_run(
    family: str, stop_after: int, extended: list[dict[str, Any]], train: Train, tmp_path: Path
) -> None:
    """Stopped before the end of two epochs, four are asked for: the bytes of four at once, and no leftovers."""
    words = ["--family", family]
    assert train("whole", *words, "--epochs", 4).exit_code == 0
    assert train("cut", *words, "--epochs", 2, stop_after=stop_after).exit_code == 75
    longer = train("cut", *words, "--epochs", 4)
    assert longer.exit_code == 0, longer.output
    assert "gan/r00: going on from epoch" in longer.stderr
    whole, cut = gan(tmp_path / "whole"), gan(tmp_path / "cut")
    assert weights(cut) == weights(whole)
    assert unfinished(tmp_path / "cut") == []
    assert cut.facts["extended"] == extended


@pytest.mark.parametrize("decay", ["late", "cosine"])
def test_a_decay_follows_the_longer_plan_from_there_on(
    decay: str, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The learning rate falls to 0 by the end of two epochs, and goes on at what four epochs say; it is recorded."""
    rates: list[float] = []
    step = loop.train_step

    def noted(models: Any, *arguments: Any) -> Any:
        rates.append(models.generator_optimizer.param_groups[0]["lr"])
        return step(models, *arguments)

    monkeypatch.setattr(loop, "train_step", noted)
    words = ["--decay", decay, "--learning-rate", 0.5e-3]
    assert train("a", *words, "--epochs", 2).exit_code == 0
    longer = train("a", *words, "--epochs", 4)
    wanted = [learning_rate_factor(decay, number / 6) for number in range(6)]
    wanted += [learning_rate_factor(decay, number / 12) for number in range(6, 12)]
    assert rates == pytest.approx([0.5e-3 * factor for factor in wanted])
    assert gan(tmp_path / "a").facts["extended"] == [EXTENDED | {"decay": decay}]
    now = {"late": "1", "cosine": "0.5"}[decay]
    plan = f"the decay `{decay}` follows the plan of 4 epochs from there on"
    assert f"{plan}: {now} of the full learning rate, was 0\n" in longer.stderr


@pytest.mark.fault(16)
def test_threads_name_no_other_work(train: Train, tmp_path: Path) -> None:
    """Stopped with one thread, the run goes on with two, in the same folder, and is complete for any number."""
    assert train("a", "--threads", 1, stop_after=4).exit_code == 75
    assert "would go on from epoch 1 of 3" in train("a", "--threads", 2, "--dry-run").stdout
    resumed = train("a", "--threads", 2)
    assert resumed.exit_code == 0, resumed.output
    assert "resumed after 32 images" in resumed.stderr
    assert unfinished(tmp_path / "a") == []
    assert "already complete" in train("a", "--threads", 1).stderr


@pytest.mark.fault(16)
def test_an_extension_that_is_stopped_loses_nothing(train: Train, tmp_path: Path) -> None:
    """What is finished stays as it was, and is complete for who asks for it; the same command goes on to the end."""
    assert train("whole", "--epochs", 4).exit_code == 0
    assert train("cut", "--epochs", 2).exit_code == 0
    before = {path: path.read_bytes() for path in gan(tmp_path / "cut").folder.rglob("*") if path.is_file()}
    assert train("cut", "--epochs", 4, stop_after=4).exit_code == 75
    assert {path: path.read_bytes() for path in before} == before
    again = train("cut", "--epochs", 2)
    assert "already complete" in again.stderr
    assert "unfinished work with epochs 4 is at epoch 3 of 4; give that option again to go on with it" in again.stderr
    assert "going on from epoch 3 of 4 (epochs was 2, now 4)" in train("cut", "--epochs", 4).stderr
    cut = gan(tmp_path / "cut")
    assert weights(cut) == weights(gan(tmp_path / "whole"))
    assert cut.facts["extended"] == [EXTENDED]


def test_every_extension_is_recorded(train: Train, tmp_path: Path) -> None:
    """One epoch, stopped; two, finished; three: an entry for each, and the bytes of three at once."""
    assert train("whole", "--epochs", 3).exit_code == 0
    assert train("a", "--epochs", 1, stop_after=1).exit_code == 75
    for epochs in (2, 3):
        assert train("a", "--epochs", epochs).exit_code == 0
    found = gan(tmp_path / "a")
    assert [(row["epoch"], row["from_epochs"], row["epochs"]) for row in found.facts["extended"]] == [
        (0, 1, 2),
        (2, 2, 3),
    ]
    assert weights(found) == weights(gan(tmp_path / "whole"))


def test_the_snapshot_of_the_first_end_stays(train: Train, tmp_path: Path) -> None:
    """Epoch 2 is no multiple of three, but was the last one once; its snapshot and its pictures stay."""
    every = ["--snapshot-every-epochs", 3]
    assert train("whole", *every, "--epochs", 6).exit_code == 0
    for epochs in (2, 6):
        assert train("cut", *every, "--epochs", epochs).exit_code == 0
    whole, cut = gan(tmp_path / "whole"), gan(tmp_path / "cut")
    assert [row["epoch"] for row in cut.facts["snapshots"]] == [2, 3, 6]
    assert [row["epoch"] for row in cut.facts["history"]] == [2, 3, 6]
    assert weights(whole).items() <= weights(cut).items()
    assert rows(cut) == rows(whole)  # of every epoch


def test_epochs_that_were_seen_already_are_recorded(train: Train, tmp_path: Path) -> None:
    """An iteration of five batches sees five epochs of few images: four epochs need no more than two did."""
    words = ["--batch-images", 24, "--critic-steps", 5]
    assert train("whole", *words, "--epochs", 4).exit_code == 0
    for epochs in (2, 4):
        assert train("cut", *words, "--epochs", epochs).exit_code == 0
    cut = gan(tmp_path / "cut")
    assert [(row["epoch"], row["images_seen"]) for row in cut.facts["snapshots"]] == [(2, 120), (4, 120)]
    assert weights(gan(tmp_path / "whole")).items() <= weights(cut).items()
    assert "already complete" in train("cut", *words, "--epochs", 4).stderr


def test_the_checkpoint_of_an_earlier_version_is_extended(train: Train, tmp_path: Path) -> None:
    """One that does not say how many epochs were planned is that of a finished run, whose last row says it."""
    assert train("a", "--epochs", 2).exit_code == 0
    folder = gan(tmp_path / "a").folder
    path, manifest = folder / "checkpoint.safetensors", folder / "manifest.json"
    tensors, facts = load(path.read_bytes(), "")
    assert {facts.pop(name) for name in ("epochs", "batch_images")} == {2, 8}
    assert len(facts.pop("snapshots")) == 2
    save(path, tensors, facts)
    listed = json.loads(manifest.read_bytes())
    (entry,) = [info for info in listed["files"] if info["name"] == path.name]
    entry["bytes"] = path.stat().st_size
    listed["options"]["threads"] = 7
    manifest.write_text(json.dumps(listed))
    assert train("a", "--epochs", 4).exit_code == 0
    assert gan(tmp_path / "a").facts["extended"] == [EXTENDED]


def test_fewer_epochs_are_refused(train: Train, tmp_path: Path) -> None:
    """Three epochs are there, two are asked for: a dry run and the run say how to keep the third; nothing is lost."""
    assert train("a").exit_code == 0
    before = gan(tmp_path / "a").sha256
    for words in (["--dry-run"], []):
        refused = train("a", "--epochs", 2, *words)
        assert refused.exit_code == 2
        assert "gan/r00: 3 epochs are there, 2 epochs asked for; the others would be lost" in refused.stderr
        assert "--epochs 3 (halfreal run: --set train_gan.epochs=3)" in refused.stderr
    assert gan(tmp_path / "a").sha256 == before
    assert train("a", "--epochs", 2, "--force").exit_code == 0
    assert [row["epoch"] for row in gan(tmp_path / "a").facts["snapshots"]] == [1, 2]


def test_a_point_of_a_study_is_kept_by_the_options_of_the_study(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which multiplies the epochs that it is given: the number that is there would be another one."""
    assert train("a").exit_code == 0
    monkeypatch.setattr(existing, "is_point", lambda folder: folder == tmp_path / "a" / "small")
    refused = train("a", "--epochs", 2)
    assert refused.exit_code == 2
    assert "give the study the options that it was made with, or --force" in refused.stderr
    assert "--epochs 3" not in refused.stderr


@pytest.mark.fault(16)
def test_another_option_says_what_is_there_and_how_to_keep_it(train: Train, tmp_path: Path) -> None:
    """Finished epochs are named, and unfinished ones with another value, which that value goes on with."""
    assert train("a", "--learning-rate", 0.002).exit_code == 0
    assert train("a", "--learning-rate", 0.003, stop_after=4).exit_code == 75
    words = ["--learning-rate", 0.001]
    (folder,) = unfinished(tmp_path / "a")
    wanted = [
        "because learning_rate was 0.002, now 0.001; what is there (3 epochs, complete) is replaced at the end; "
        "keep it: --experiment NAME",
        "unfinished work with learning_rate 0.003 is at epoch 1 of 3; give that option again to go on with it, "
        f"or remove {folder}",
    ]
    for run in (train("a", *words, "--dry-run"), train("a", *words)):
        assert [line for line in wanted if line not in run.output] == []
    assert folder.exists()
    assert "would go on from epoch 1 of 3" in train("a", "--learning-rate", 0.003, "--dry-run").stdout
    forced = train("a", "--force", "--dry-run").stdout
    assert "unfinished work would be dropped" in forced


def test_a_stopped_run_of_the_same_epochs_says_where_it_goes_on(train: Train, tmp_path: Path) -> None:
    """Without anything that is finished a dry run tells how far the work is."""
    assert train("a", stop_after=7).exit_code == 75
    assert "would go on from epoch 2 of 3" in train("a", "--dry-run").stdout
    assert "gan/r00: going on from epoch 2 of 3\n" in train("a").stderr


def test_parts_go_on(train: Train, tmp_path: Path) -> None:
    """Classes in two parts, finished or stopped, are extended in two parts: the bytes of a single process."""
    words = ["--family", "per_class", "--batch-images", 4]
    parts = [[*words, "--parts", 2, "--index", index] for index in (0, 1)]
    assert train("whole", *words, "--epochs", 4).exit_code == 0
    for part in parts:
        assert train("finished", *part, "--epochs", 2).exit_code == 0
    assert train("stopped", *parts[0], "--epochs", 2, stop_after=7).exit_code == 75
    assert train("stopped", *parts[1], "--epochs", 2, stop_after=3).exit_code == 75
    for root in ("finished", "stopped"):
        for part in parts:
            result = train(root, *part, "--epochs", 4)
            assert result.exit_code == 0, result.output
        assert weights(gan(tmp_path / root)) == weights(gan(tmp_path / "whole"))
        assert unfinished(tmp_path / root) == []
    assert gan(tmp_path / "finished").facts["extended"] == [EXTENDED]


def test_every_replicate_goes_on(train: Train, tmp_path: Path) -> None:
    """Each has a folder and a seed of its own; one that is added begins at the beginning."""
    assert train("whole", "--epochs", 4, "--replicates", 3, "--processes", 1).exit_code == 0
    assert train("cut", "--epochs", 2, "--replicates", 2, "--processes", 1).exit_code == 0
    longer = train("cut", "--epochs", 4, "--replicates", 3, "--processes", 1)
    assert longer.stderr.count("going on from epoch 2 of 2") == 2
    for name in ("r00", "r01", "r02"):
        assert weights(gan(tmp_path / "cut", name)) == weights(gan(tmp_path / "whole", name))
        assert ("extended" in gan(tmp_path / "cut", name).facts) == (name != "r02")


def capped(tmp_path: Path, make_dataset: Callable[..., Artifact], monkeypatch: pytest.MonkeyPatch, world: int) -> int:
    """Return the batch of 25 images that `world` processes go on with, where 24 were used before."""
    header = CheckpointHeader(state={}, steps=1, history=[], batch_images=24)
    monkeypatch.setattr(task, "read_header", lambda folder: header)
    config = GanOptions(batch_images=1000)
    group: Any = SimpleNamespace(world=world)
    real = make_dataset(tmp_path / f"real-{world}", train=25)
    return task.Task(group, resolve(config), config, real, tmp_path).capped().config.batch_images


@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_batch_that_was_used_stays(
    world: int, tmp_path: Path, make_dataset: Callable[..., Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that was cut to the images there are stays as it is for any processes: their order depends on it."""
    assert capped(tmp_path, make_dataset, monkeypatch, world) == 24


def test_processes_that_cannot_share_the_batch_are_refused(
    tmp_path: Path, make_dataset: Callable[..., Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five processes cannot share 24 images: what is there is named, and what to do."""
    with pytest.raises(BadConfig, match=r"batches of 24 images.*5 processes.*\ngo on with as many processes as before"):
        capped(tmp_path, make_dataset, monkeypatch, 5)
