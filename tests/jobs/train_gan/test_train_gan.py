"""train_gan: what a run leaves, that it resumes bit by bit, and what its steps see."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jobs.train_gan import loop, pictures
from jobs.train_gan.families import FAMILIES
from jobs.train_gan.state import State
from shared.plots.training.panels import real_and_generated
from shared.store import checkpoints
from shared.store.artifacts import Artifact, open_artifact
from shared.store.records.gan import GanRecord
from tests.jobs.train_gan.conftest import TINY

every_family = pytest.mark.parametrize("family", sorted(FAMILIES))
every_joint_family = pytest.mark.parametrize(
    "family", sorted(name for name, row in FAMILIES.items() if not row.one_per_class)
)


def gan(root: Path) -> Artifact:
    """Return the finished artifact of the volume `root`."""
    return open_artifact(root / "small" / "gan" / "r00", "model", "train_gan")


def snapshots(artifact: Artifact) -> dict[str, bytes]:
    """Return the bytes of each snapshot."""
    return {row["file"]: artifact.read(row["file"]) for row in artifact.facts["snapshots"]}


def logged(artifact: Artifact) -> list[dict[str, Any]]:
    """Return the rows of metrics.jsonl."""
    return [json.loads(line) for line in (artifact.folder / "metrics.jsonl").read_text("utf-8").splitlines()]


@every_joint_family
def test_a_run_leaves_a_snapshot_and_a_row_for_each_epoch(
    family: str, train: Callable[..., Result], tmp_path: Path
) -> None:
    """Three epochs leave three snapshots, three rows of losses, panels, curves, progress and a TensorBoard file."""
    result = train("a", "--family", family)
    assert result.exit_code == 0, result.output
    artifact = gan(tmp_path / "a")
    names = [f"snapshots/epoch-0000{epoch}.safetensors" for epoch in (1, 2, 3)]
    assert [row["file"] for row in artifact.facts["snapshots"]] == names
    assert [row["images_seen"] for row in artifact.facts["snapshots"]] == [24, 48, 72]
    assert [(row["epoch"], row["step"]) for row in logged(artifact)] == [(1, 3), (2, 6), (3, 9)]
    drawn = {path.name for path in (artifact.folder / "figures").iterdir()}
    panels = {f"real-and-generated-epoch-0000{epoch}.png" for epoch in (1, 2, 3)}
    assert drawn == {"losses.png", "progress.png", "progress.webp", *panels}
    assert list((artifact.folder / "tensorboard").iterdir())


def test_equal_seeds_train_equal_generators(train: Callable[..., Result], tmp_path: Path) -> None:
    """The same seed gives the same snapshots, byte by byte; another seed others."""
    for name, words in (("a", []), ("b", []), ("c", ["--seed", 1])):
        assert train(name, *words).exit_code == 0
    first, second, other = (snapshots(gan(tmp_path / name)) for name in "abc")
    assert first == second
    assert not set(first.values()) & set(other.values())


def test_equal_requests_give_equal_manifests(train: Callable[..., Result], tmp_path: Path) -> None:
    """A manifest holds no time, so that equal work gives equal manifests: its sha256 names the artifact."""
    for name in ("a", "b"):
        assert train(name).exit_code == 0
    assert gan(tmp_path / "a").sha256 == gan(tmp_path / "b").sha256


@every_joint_family
@pytest.mark.parametrize("stop_after", [1, 4, 6])
def test_a_stopped_run_goes_on_bit_by_bit(
    stop_after: int, family: str, train: Callable[..., Result], tmp_path: Path
) -> None:
    """Stopped by SIGTERM after any iteration a run ends with 75; the same command ends with the same snapshots."""
    words = ["--family", family, "--decay", "cosine", "--critic-steps", 2, "--epochs", 6]
    assert train("whole", *words).exit_code == 0
    stopped = train("cut", *words, stop_after=stop_after)
    assert stopped.exit_code == 75
    assert "run the same command again" in stopped.stderr
    assert not (tmp_path / "cut" / "small" / "gan" / "r00").exists()
    resumed = train("cut", *words)
    assert resumed.exit_code == 0, resumed.output
    assert f"resumed after {16 * stop_after} images" in resumed.stderr
    whole, cut = gan(tmp_path / "whole"), gan(tmp_path / "cut")
    assert snapshots(whole) == snapshots(cut)
    assert len(snapshots(cut)) == 6
    seen = ("epoch", "step", "images_seen")
    assert [[row[key] for key in seen] for row in logged(cut)] == [[row[key] for key in seen] for row in logged(whole)]


@pytest.mark.parametrize(
    "stop_after",
    [
        3,  # the end of an epoch
        4,  # in the middle of one
    ],
)
def test_a_stopped_run_has_the_same_history(stop_after: int, train: Callable[..., Result], tmp_path: Path) -> None:
    """The losses of a resumed run are those of an uninterrupted one."""
    assert train("whole").exit_code == 0
    assert train("cut", stop_after=stop_after).exit_code == 75
    assert train("cut").exit_code == 0
    assert gan(tmp_path / "cut").facts["history"] == gan(tmp_path / "whole").facts["history"]


def test_no_epoch_is_logged_twice(train: Callable[..., Result], tmp_path: Path) -> None:
    """Stopped twice, metrics.jsonl still has each epoch once, in order."""
    assert train("a", stop_after=4).exit_code == 75
    assert train("a", stop_after=3).exit_code == 75
    assert train("a").exit_code == 0
    assert [row["epoch"] for row in logged(gan(tmp_path / "a"))] == [1, 2, 3]


def test_a_finished_run_is_not_repeated(train: Callable[..., Result]) -> None:
    """The same command again answers "already complete"; another option trains again and says why."""
    assert train("a").exit_code == 0
    assert "already complete" in train("a").stderr
    assert "learning_rate was None, now 0.001" in train("a", "--learning-rate", 0.001).stderr


def test_images_of_an_unknown_size_are_refused(
    make_dataset: Callable[..., Artifact], run_job: Callable[..., Result], plain_recipe: Path, tmp_path: Path
) -> None:
    """Images of a size that no network supports end with 2 and a list of the sizes that are supported."""
    make_dataset(tmp_path / "small" / "real", size_px=24, train=9, val=3, test=3)
    result = run_job("train_gan", tmp_path, "--recipe", plain_recipe, *TINY)
    assert result.exit_code == 2
    assert "24 px" in result.stderr
    assert "16, 32, 64, 128" in result.stderr
    assert "preprocess with --size-px" in result.stderr


def test_every_iteration_draws_its_own_latents(train: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """No two critic steps of a run see the same latents; a generator step works on those of the last critic step."""
    seen: list[bytes] = []

    def watched(step: Callable[..., Any]) -> Callable[..., Any]:
        def take(models: Any, family: Any, options: Any, batch: Any) -> Any:
            seen.extend(row.numpy().tobytes() for row in batch.latents)
            return step(models, family, options, batch)

        return take

    monkeypatch.setattr(loop, "critic_step", watched(loop.critic_step))
    monkeypatch.setattr(loop, "train_step", watched(loop.train_step))
    assert train("a", "--critic-steps", 2, "--epochs", 4).exit_code == 0
    assert len(seen) == 6 * 2 * 8  # six iterations of two critic steps on eight images
    assert len(set(seen)) == len(seen)


def test_divergence_is_reported(train: Callable[..., Result]) -> None:
    """A NaN loss ends with 2, since a retry would end there too, and names the learning rate."""
    result = train("a", "--learning-rate", "1e30")
    assert result.exit_code == 2
    assert "lower --learning-rate" in result.stderr


@pytest.mark.fault(15)
@pytest.mark.parametrize("network", ["generator", "discriminator", "average generator"])
@pytest.mark.parametrize(("precision", "way_out"), [("float32", ""), ("bf16", " or take --precision float32")])
def test_weights_that_are_not_finite_are_named(
    network: str,
    precision: str,
    way_out: str,
    train: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """NaN in a weight after the last update of epoch 2, when losses are finite, ends with 2 and without a snapshot."""
    average = State.update_average

    def planted(state: State, *arguments: Any) -> None:
        average(state, *arguments)
        networks = {"generator": state.models.generator, "discriminator": state.models.discriminator}
        if state.steps == 6:
            weights = (networks | {"average generator": state.average})[network].state_dict()
            list(weights.values())[-1].view(-1)[0] = float("nan")

    monkeypatch.setattr(State, "update_average", planted)
    result = train("a", "--precision", precision, "--learning-rate", "1e-4")
    assert result.exit_code == 2
    assert f"of the {network} is not finite by epoch 2, though the losses are" in result.stderr
    assert f"lower --learning-rate (now 0.0001){way_out} and start over with --force" in result.stderr
    left = {path.name for path in (tmp_path / "a" / "small" / "gan").glob(".r00-*/snapshots/*")}
    assert left == {"epoch-00001.safetensors"}


def test_a_run_that_lost_a_snapshot_is_never_committed(train: Callable[..., Result], tmp_path: Path) -> None:
    """If a snapshot of the unfinished run is missing, the run ends with 2 and commits no artifact that names it."""
    assert train("a", stop_after=4).exit_code == 75
    (snapshot,) = (tmp_path / "a" / "small" / "gan").glob(".r00-*/snapshots/epoch-00001.safetensors")
    snapshot.unlink()
    result = train("a")
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert not (tmp_path / "a" / "small" / "gan" / "r00").exists()


@pytest.mark.parametrize(("family", "epoch_images"), [("wgan_gp", 24), ("per_class", 8)])
def test_a_batch_is_at_most_an_epoch(
    train: Callable[..., Result], tmp_path: Path, family: str, epoch_images: int
) -> None:
    """A batch larger than the split holds every image once: three epochs are three steps."""
    found = []
    for batch_images in (1000, epoch_images):
        result = train(f"v{batch_images}", "--family", family, "--batch-images", batch_images)
        assert result.exit_code == 0, result.output
        assert (f"batches of {epoch_images} in place of" in result.output) == (batch_images == 1000)
        found.append(open_artifact(tmp_path / f"v{batch_images}" / "small" / "gan" / "r00", "model", "train_gan"))
    assert [row["images_seen"] for row in found[0].facts["history"]] == [24, 48, 72]
    assert found[0].facts == found[1].facts
    weights = [{info.name: info.sha256 for info in each.manifest.files if "epoch" in info.name} for each in found]
    assert weights[0] == weights[1]


def test_a_batch_stays_what_can_be_worked_off_in_parts(train: Callable[..., Result], tmp_path: Path) -> None:
    """The batch is cut to a multiple of --accumulate: of 24 images in five micro-batches 20 are left."""
    result = train("v", "--batch-images", 50, "--accumulate", 5, "--epochs", 1)
    assert "batches of 20 in place of --batch-images 50: an epoch has 24" in result.output
    gan = open_artifact(tmp_path / "v" / "small" / "gan" / "r00", "model", "train_gan")
    assert gan.facts["history"][-1]["images_seen"] == 40


RARE = ["--epochs", 7, "--snapshot-every-epochs", 3]
"""Snapshots after epochs 3, 6 and 7."""


def test_losses_have_a_row_for_each_epoch_where_snapshots_are_rarer(
    train: Callable[..., Result], tmp_path: Path
) -> None:
    """Seven epochs, three snapshots: seven rows on disk, in the record and in TensorBoard; snapshots have the means."""
    assert train("a", *RARE).exit_code == 0
    artifact = gan(tmp_path / "a")
    record = GanRecord.model_validate(artifact.facts)
    assert [row.epoch for row in record.history] == [3, 6, 7]
    assert record.losses is not None
    assert [(row.epoch, row.step, row.images_seen) for row in record.losses] == [
        (epoch, 3 * epoch, 24 * epoch) for epoch in range(1, 8)
    ]
    assert [{**row, "images_per_s": None} for row in logged(artifact)] == [
        {**row.facts(), "images_per_s": None} for row in record.losses
    ]
    # every epoch has three steps, so a snapshot's mean is that of its epochs' means
    for rows, row in ((record.losses[:3], record.history[0]), (record.losses[6:], record.history[2])):
        for name, value in row.losses.items():
            assert value == pytest.approx(sum(each.losses[name] for each in rows) / len(rows), rel=1e-5)
    events = EventAccumulator(str(artifact.folder / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("generator_loss")] == list(range(1, 8))
    assert [event.step for event in events.Images("samples")] == [3, 6, 7]


def test_equal_rows_are_recorded_once(train: Callable[..., Result], tmp_path: Path) -> None:
    """Where every epoch has a snapshot the history is all there is, bit by bit."""
    assert train("a").exit_code == 0
    record = GanRecord.model_validate(gan(tmp_path / "a").facts)
    assert record.losses is None
    assert record.epoch_losses == record.history


@pytest.mark.parametrize(
    "stop_after",
    [
        6,  # the end of epoch 2, which has no snapshot
        7,  # in the middle of epoch 3
        9,  # the end of epoch 3, with a snapshot
    ],
)
def test_a_stopped_run_has_the_same_losses(stop_after: int, train: Callable[..., Result], tmp_path: Path) -> None:
    """Record and checkpoint are those of an uninterrupted run, to the last bit; while stopped the rows are on disk."""
    assert train("whole", *RARE).exit_code == 0
    assert train("cut", *RARE, stop_after=stop_after).exit_code == 75
    (rows,) = (tmp_path / "cut" / "small" / "gan").glob(".r00-*/metrics.jsonl")
    assert len(rows.read_text("utf-8").splitlines()) == stop_after // 3
    assert train("cut", *RARE).exit_code == 0
    whole, cut = gan(tmp_path / "whole"), gan(tmp_path / "cut")
    assert cut.facts == whole.facts
    assert cut.read("checkpoint.safetensors") == whole.read("checkpoint.safetensors")
    assert [row["epoch"] for row in logged(cut)] == list(range(1, 8))


def test_a_checkpoint_without_losses_of_epochs_goes_on(train: Callable[..., Result], tmp_path: Path) -> None:
    """Earlier versions kept rows of snapshots alone: the run goes on from them, and its snapshots are the same."""
    assert train("whole", *RARE).exit_code == 0
    assert train("cut", *RARE, stop_after=13).exit_code == 75
    (path,) = (tmp_path / "cut" / "small" / "gan").glob(".r00-*/checkpoint.safetensors")
    tensors, header = checkpoints.load(path.read_bytes(), str(path))
    header["losses"] = None
    tree = checkpoints.unflatten(tensors, header["state"])
    sums = tree["tally"]
    for name, pair in tree.pop("since_snapshot").items():
        sums[name] = sums[name] + pair
    tensors, header["state"] = checkpoints.flatten(tree)
    checkpoints.save(path, tensors, header)
    assert train("cut", *RARE).exit_code == 0
    whole, cut = gan(tmp_path / "whole"), gan(tmp_path / "cut")
    assert snapshots(cut) == snapshots(whole)
    assert [row["epoch"] for row in cut.facts["losses"]] == [3, 5, 6, 7]
    for row, wanted in zip(cut.facts["history"], whole.facts["history"], strict=True):
        assert row == pytest.approx(wanted, rel=1e-5)


@pytest.mark.drawn
@pytest.mark.parametrize("conditional", [True, False])
def test_a_panel_names_classes_that_were_asked_for(
    conditional: bool, train: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Panels say the epoch and which side is real; rows have names only where the generator is asked for a class."""
    drawn: list[tuple[list[str], str]] = []

    def watched(real: Any, fake: Any, names: list[str], title: str) -> Any:
        drawn.append((names, title))
        return real_and_generated(real, fake, names, title)

    monkeypatch.setattr(pictures, "real_and_generated", watched)
    assert train("a", "--conditional" if conditional else "--unconditional").exit_code == 0
    names = open_artifact(tmp_path / "a" / "small" / "real", "dataset", "preprocess").dataset.classes
    assert [shown for shown, _ in drawn] == [names if conditional else []] * 3
    for epoch, (_, title) in enumerate(drawn, start=1):
        assert title.startswith(f"epoch {epoch} of 3: left real train images, right generated")
        assert ("no class asked for" in title) == (not conditional)
