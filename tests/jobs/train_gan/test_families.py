"""Options that contradict a family, or each other, are refused before any work."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result

from jobs.train_gan import pictures
from jobs.train_gan.families import FAMILIES, NETWORKS
from jobs.train_gan.options import GanOptions, resolve
from shared.errors import BadConfig
from shared.models.snapshots import grid_images, load_snapshot, snapshot_name
from shared.plots.training.panels import real_and_generated
from shared.store.artifacts import Artifact, open_artifact
from shared.store.checkpoints import load
from shared.store.records.gan import GanRecord

TINY = ["--epochs", 2, "--batch-images", 4, "--width", 2, "--latent", 4]


def config(family: str, **changes: Any) -> GanOptions:
    """Return a config of this family with these changes."""
    options: dict[str, Any] = {"epochs": 1, "snapshot_every_epochs": 1, "batch_images": 8, "latent": 4, "width": 2}
    options |= {"decay": "none", "ema_images": 0, "seed": 0}
    return GanOptions(family=family, **(options | changes))


@pytest.mark.parametrize(
    ("family", "changes", "says"),
    [
        ("wgan_gp", {"discriminator_norm": "batch"}, "batch norm couples the images"),
        ("r3gan", {"discriminator_norm": "batch"}, "take instance, layer, spectral or none"),
        ("wgan_gp", {"networks": "rps_learnopencv", "discriminator_norm": "batch"}, "gradient penalty for each image"),
        ("dcgan", {"penalty_weight": 1.0}, "--penalty-weight: the family dcgan has no such thing"),
        ("wgan_gp", {"clip": 0.01}, "--clip: the family wgan_gp has no such thing"),
        ("dcgan", {"auxiliary_weight": 1.0}, "--auxiliary-weight"),
        ("wgan", {"beta1": 0.5}, "--beta1: the family wgan"),
        ("wgan", {"beta2": 0.5}, "--beta2: the family wgan"),
        ("cgan", {"conditional": False}, "--unconditional: the family cgan always uses labels"),
        ("dcgan", {"real_target": 0.1, "fake_target": 0.9}, "want the target of real images above that of fakes"),
        ("dcgan", {"augment": "translation,translation"}, "want each one once"),
        ("acgan", {"conditional": False}, "always uses labels"),
        ("per_class", {"conditional": True}, "never uses labels"),
        ("dcgan", {"networks": "rps_literal", "conditional": False}, "need labels"),
        ("acgan", {"networks": "class"}, "no auxiliary head"),
        ("wgan_gp", {"generator_norm": "instance"}, "have a norm of their own"),
        ("wgan_gp", {"real_target": 0.9}, "label smoothing: the loss wasserstein has no targets"),
        ("dcgan", {"loss": "hinge", "fake_target": 0.1}, "label smoothing: the loss hinge"),
        ("dcgan", {"augment": "translation,rotation"}, "unknown 'rotation'; want some of"),
        ("dcgan", {"accumulate": 3}, "--accumulate 3: does not divide --batch-images 8"),
    ],
)
def test_contradictions_are_refused(family: str, changes: dict[str, Any], says: str) -> None:
    """A config cannot contradict its family; the error names the option and what to do."""
    with pytest.raises(BadConfig) as caught:
        config(family, **changes)
    assert says in str(caught.value)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("networks", NETWORKS)
def test_families_and_networks_go_together_or_say_why_not(family: str, networks: str) -> None:
    """Any family takes any networks, except those without the labels or auxiliary head that it needs."""
    row, pair = FAMILIES[family], NETWORKS[networks]
    wants_head = row.auxiliary_weight is not None
    impossible = (pair.needs_labels and not row.conditional) or (wants_head and not pair.has_auxiliary)
    if impossible:
        with pytest.raises(BadConfig):
            config(family, networks=networks)
    else:
        assert resolve(config(family, networks=networks)).networks == networks


def test_a_contradiction_is_found_by_dry_run(
    run_job: Callable[..., Result], plain_recipe: Path, tmp_path: Path
) -> None:
    """Wrong options end with 2 before any data is read."""
    words = ["--recipe", plain_recipe, "--dry-run", "--family", "wgan_gp", "--discriminator-norm", "batch"]
    result = run_job("train_gan", tmp_path, *words)
    assert result.exit_code == 2
    assert "batch norm couples" in " ".join(result.stderr.split())


@pytest.mark.parametrize("recipe", ["digits", "mnist_digitwise_tuned", "cifar10_wgan_gp"])
@pytest.mark.parametrize("family", FAMILIES)
def test_any_family_goes_with_any_recipe(
    family: str, recipe: str, run_job: Callable[..., Result], tmp_path: Path
) -> None:
    """A family given as a flag drops what the recipe sets for its own; the rest of the recipe stays."""
    result = run_job("train_gan", tmp_path, "--recipe", recipe, "--family", family, "--dry-run")
    assert result.exit_code == 0, result.output
    assert f"family = {family!r}" in result.output


def test_another_loss_drops_the_familys_label_smoothing() -> None:
    """per_class smooths labels for its cross-entropy; with a hinge loss there is nothing to smooth."""
    found = resolve(config("per_class", loss="hinge"))
    assert (found.loss, found.real_target, found.fake_target) == ("hinge", 1.0, 0.0)


@pytest.fixture
def per_class(
    tmp_path: Path, make_dataset: Callable[..., Artifact], run_job: Callable[..., Result], plain_recipe: Path
) -> Artifact:
    """Return a tiny gan of the family per_class, two epochs on 18 images of three classes."""
    make_dataset(tmp_path / "small" / "real", train=18, val=6, test=6)
    result = run_job("train_gan", tmp_path, "--recipe", plain_recipe, "--family", "per_class", *TINY)
    assert result.exit_code == 0, result.output
    return open_artifact(tmp_path / "small" / "gan" / "r00", "model", "train_gan")


def test_per_class_trains_a_generator_for_each_class(per_class: Artifact) -> None:
    """Each class has new networks and the same number of epochs; a snapshot names one generator of each."""
    facts = per_class.facts
    assert [row["epoch"] for row in facts["snapshots"]] == [1, 2]
    assert facts["conditional"] is True
    assert facts["generator"]["classes"] == 3
    assert facts["generator"]["member"]["classes"] == 0
    histories = facts["class_histories"]
    assert len(histories) == 3
    assert {tuple(row["epoch"] for row in rows) for rows in histories.values()} == {(1, 2)}
    assert facts["history"][-1]["images_seen"] == sum(rows[-1]["images_seen"] for rows in histories.values())
    first = [rows[0]["discriminator_loss"] for rows in histories.values()]
    assert len(set(first)) == 3
    assert facts["history"][0]["discriminator_loss"] == pytest.approx(sum(first) / 3)


def test_every_class_has_losses_of_every_epoch(
    make_dataset: Callable[..., Artifact], run_job: Callable[..., Result], plain_recipe: Path, tmp_path: Path
) -> None:
    """With a snapshot every two of three epochs each class and their mean have three rows of losses."""
    make_dataset(tmp_path / "small" / "real", train=18, val=6, test=6)
    words = ["--family", "per_class", *TINY, "--epochs", 3, "--snapshot-every-epochs", 2]
    assert run_job("train_gan", tmp_path, "--recipe", plain_recipe, *words).exit_code == 0
    record = GanRecord.model_validate(open_artifact(tmp_path / "small" / "gan" / "r00", "model", "train_gan").facts)
    assert [row.epoch for row in record.history] == [2, 3]
    assert record.losses is not None
    by_class = list(record.class_epoch_losses.values())
    assert [[row.epoch for row in rows] for rows in by_class] == [[1, 2, 3]] * 3
    for place, row in enumerate(record.losses):
        losses = [rows[place].losses["generator_loss"] for rows in by_class]
        assert row.losses["generator_loss"] == pytest.approx(sum(losses) / 3)
        assert row.step == sum(rows[place].step for rows in by_class)


@pytest.mark.drawn
def test_per_class_has_panels_of_all_classes_and_of_each(
    make_dataset: Callable[..., Artifact],
    run_job: Callable[..., Result],
    plain_recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After each epoch one panel of all classes by name, drawn by their own generators, and one for each class."""
    drawn: list[tuple[torch.Tensor, torch.Tensor, list[str]]] = []

    def watched(real: torch.Tensor, fake: torch.Tensor, names: list[str], title: str) -> Any:
        drawn.append((real, fake, names))
        return real_and_generated(real, fake, names, title)

    monkeypatch.setattr(pictures, "real_and_generated", watched)
    real = make_dataset(tmp_path / "small" / "real", train=18, val=6, test=6)
    words = ["--recipe", plain_recipe, "--family", "per_class", *TINY]
    assert run_job("train_gan", tmp_path, *words).exit_code == 0
    gan = open_artifact(tmp_path / "small" / "gan" / "r00", "model", "train_gan")
    names = [f"real-and-generated-epoch-0000{epoch}.png" for epoch in (1, 2)]
    for folder in ("figures", *(f"classes/{label:03d}/figures" for label in range(3))):
        assert {path.name for path in (gan.folder / folder).glob("real-*")} == set(names)
    classes = real.dataset.classes
    assert [shown for _, _, shown in drawn] == [[name] for name in classes for _ in (1, 2)] + [classes] * 2
    for epoch, (reals, fakes, _) in enumerate(drawn[-2:], start=1):
        network = load_snapshot(gan, snapshot_name(epoch), torch.device("cpu"))
        assert torch.equal(fakes, grid_images(network, range(3), 4))
        assert len(reals) == len(fakes)


def test_the_label_picks_the_generator(per_class: Artifact) -> None:
    """The snapshot draws an image of class c with the generator trained on class c alone."""
    cpu = torch.device("cpu")
    name = per_class.facts["snapshots"][-1]["file"]
    together = load_snapshot(per_class, name, cpu)
    latents = torch.randn(3, 4)
    images = together(latents, torch.tensor([2, 0, 1]))
    for place, label in enumerate([2, 0, 1]):
        alone = load_snapshot(per_class, f"classes/{label:03d}/snapshots/epoch-00002.safetensors", cpu)
        assert torch.equal(images[place], alone(latents, torch.zeros(3, dtype=torch.int64))[place])


def test_a_joined_snapshot_holds_the_hashes_of_its_members(per_class: Artifact) -> None:
    """A snapshot of all classes has no weights, but the name and manifest sha256 of every class's file."""
    name = per_class.facts["snapshots"][0]["file"]
    tensors, facts = load(per_class.read(name), name)
    assert tensors == {}
    listed = {info.name: info.sha256 for info in per_class.manifest.files}
    assert facts["members"] == {file: listed[file] for file in facts["members"]}
    assert len(facts["members"]) == 3


def test_per_class_resumes_in_its_current_class(
    per_class: Artifact,
    tmp_path: Path,
    make_dataset: Callable[..., Artifact],
    run_job: Callable[..., Result],
    plain_recipe: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped in the second class, the same command resumes there and ends with bit-identical files."""
    import os
    import signal

    from jobs.train_gan import loop

    root, done, step = tmp_path / "cut", 0, loop.train_step
    make_dataset(root / "small" / "real", train=18, val=6, test=6)
    words = ["--recipe", plain_recipe, "--family", "per_class", *TINY]

    def counted(*arguments: Any) -> Any:
        nonlocal done
        done += 1
        if done == 4:  # each class has three iterations
            os.kill(os.getpid(), signal.SIGTERM)
        return step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", counted)
        assert run_job("train_gan", root, *words).exit_code == 75
    assert run_job("train_gan", root, *words).exit_code == 0
    assert done == 4
    cut = open_artifact(root / "small" / "gan" / "r00", "model", "train_gan")
    assert cut.sha256 == per_class.sha256


def test_processes_share_the_classes_and_the_last_one_finishes(
    per_class: Artifact,
    tmp_path: Path,
    make_dataset: Callable[..., Artifact],
    run_job: Callable[..., Result],
    plain_recipe: Path,
) -> None:
    """Each index of an Indexed Job trains its classes; the last one commits the artifact of a single process."""
    root = tmp_path / "parts"
    make_dataset(root / "small" / "real", train=18, val=6, test=6)
    words = ["--recipe", plain_recipe, "--family", "per_class", "--parts", 2, *TINY]
    second = run_job("train_gan", root, *words, "--index", 1)
    assert second.exit_code == 0, second.output
    assert "part 1 of 2 is done; others are not yet" in second.stderr
    assert not (root / "small" / "gan" / "r00").exists()
    first = run_job("train_gan", root, *words, "--index", 0)
    assert first.exit_code == 0, first.output
    assert open_artifact(root / "small" / "gan" / "r00", "model", "train_gan").sha256 == per_class.sha256
    assert "already complete" in run_job("train_gan", root, *words, "--index", 1).stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--family", "per_class", "--parts", 2, "--index", 2], "want less than --parts 2"),
        (["--family", "per_class", "--parts", 2, "--index", 1, "--force"], "would drop the other parts' work"),
        (["--family", "dcgan", "--parts", 2, "--index", 1], "by per_class or --generators"),
    ],
)
def test_meaningless_work_shards_are_refused(
    words: list[object],
    says: str,
    tmp_path: Path,
    make_dataset: Callable[..., Artifact],
    run_job: Callable[..., Result],
) -> None:
    """An index out of range, --force with an index, an index for a single-network family: exit code 2."""
    make_dataset(tmp_path / "small" / "real", train=18, val=6, test=6)
    result = run_job("train_gan", tmp_path, *words, *TINY)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())


def test_a_class_without_images_is_refused(
    tmp_path: Path, make_dataset: Callable[..., Artifact], run_job: Callable[..., Result], plain_recipe: Path
) -> None:
    """per_class needs train images of every class; the error names the class."""
    make_dataset(tmp_path / "small" / "real", classes=("a", "b", "lonely"), train=2, val=6, test=6)
    result = run_job("train_gan", tmp_path, "--recipe", plain_recipe, "--family", "per_class", *TINY)
    assert result.exit_code == 2
    assert "no train images" in result.stderr


@pytest.mark.parametrize(("mirrors", "code"), [(True, 0), (False, 2)])
def test_flips_are_for_sources_that_allow_them(
    mirrors: bool, code: int, tmp_path: Path, make_dataset: Callable[..., Artifact], run_job: Callable[..., Result]
) -> None:
    """Digits are refused: their dataset says that a mirror changes the class."""
    make_dataset(tmp_path / "small" / "real", facts={"mirrors": mirrors}, train=8, val=6, test=6)
    result = run_job("train_gan", tmp_path, "--flips", *TINY)
    assert result.exit_code == code, result.output
    assert ("in a mirror" in result.stderr) is (code == 2)


@pytest.mark.parametrize("compiler", [None, "no-such-compiler -O2"])
def test_compiling_needs_a_compiler(
    compiler: str | None,
    tmp_path: Path,
    make_dataset: Callable[..., Artifact],
    run_job: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without g++ and the compiler that CXX names, --compile ends with 2 before training."""
    make_dataset(tmp_path / "small" / "real", train=8, val=6, test=6)
    if compiler is None:
        monkeypatch.delenv("CXX", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setenv("CXX", compiler)
    result = run_job("train_gan", tmp_path, "--compile", *TINY)
    assert result.exit_code == 2, result.output
    assert "needs a C++ compiler" in result.stderr
    assert not (tmp_path / "small" / "gan" / "r00").exists()
