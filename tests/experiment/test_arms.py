"""train_mixed: the images and labels that each arm's classifier sees, and how it is chosen and measured."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from jobs.train_mixed import experiment
from jobs.train_mixed.arms import ANNOTATED, ARMS, ASKED, GROUPS, OWN
from shared.data.images import Images, load_split
from shared.format.sample import decode
from shared.store.artifacts import Artifact, open_artifact
from tests.experiment.conftest import SEEDS, Mixed, Tiny, sharing
from tests.experiment.tiny import SIZE_PX, TEST, TRAIN, Spy, bars, call, fits, places, same, seen

every_arm = pytest.mark.parametrize("name", ARMS)


def facts(root: Path) -> dict[str, Any]:
    """Return the facts of the experiment in this data root."""
    return open_artifact(root / "tiny" / "mixed", "results", "train_mixed").facts


def asked(synthetic: Artifact) -> Tensor:
    """Return the requested class of each synthetic image."""
    samples = [decode(key, members, "synthetic") for key, members in synthetic.members("train")]
    return torch.tensor([sample.meta["origin"]["asked_label"] for sample in samples])


@every_arm
@pytest.mark.parametrize("seed", SEEDS)
def test_an_arm_sees_its_shares_and_nothing_else(name: str, seed: int, mixed: Mixed, tiny: Tiny) -> None:
    """Distinct real train images with their own labels, then the first synthetic ones in order."""
    train, synthetic = seen(tiny.made["real"], "train"), load_split(tiny.made["synthetic"], "train")
    n_real, n_synthetic = ARMS[name].counts(TRAIN)
    given = mixed.arms[name, seed].train
    assert len(given) == n_real + n_synthetic
    real = places(given.images[:n_real], train.images)
    assert len(set(real)) == n_real
    assert -1 not in real
    assert torch.equal(given.labels[:n_real], train.labels[real])
    assert torch.equal(given.images[n_real:], synthetic.images[:n_synthetic])
    (row,) = [row for row in mixed.artifact.facts["rows"] if (row["arm"], row["seed"]) == (name, seed)]
    assert (row["n_real"], row["n_synthetic"]) == (n_real, n_synthetic)


@every_arm
def test_synthetic_images_have_the_labels_of_their_arm(name: str, mixed: Mixed, tiny: Tiny) -> None:
    """Labels are those in the shards, or the requested classes; `test_annotators` has those of an arm's own."""
    (n_real, n_synthetic), given = ARMS[name].counts(TRAIN), mixed.arms[name, SEEDS[0]].train
    written = load_split(tiny.made["synthetic"], "train").labels
    wanted = {ANNOTATED: written, ASKED: asked(tiny.made["synthetic"])}
    assert not torch.equal(wanted[ANNOTATED], wanted[ASKED])
    if ARMS[name].labels != OWN:
        assert torch.equal(given.labels[n_real:], wanted[ARMS[name].labels][:n_synthetic])


def test_arms_with_the_same_real_share_see_the_same_real_images(mixed: Mixed) -> None:
    """30 % real and 30 % real + synthetic have the same 30 %; another seed draws others."""
    drawn = {}
    for seed in SEEDS:
        alone = mixed.arms["real_30", seed].train
        drawn[seed] = set(places(alone.images, mixed.arms["real_100", seed].train.images))
        for name, arm in ARMS.items():
            if arm.real_share == 0.3:
                assert same(mixed.arms[name, seed].train.subset(range(len(alone))), alone), name
    assert drawn[SEEDS[0]] != drawn[SEEDS[1]]


def test_real_images_are_resized_as_synthetic_ones_are(mixed: Mixed, tiny: Tiny) -> None:
    """Train and val images are the stored ones, resized by Pillow with the filter of the synthetic images."""
    fitted = mixed.arms["real_100", SEEDS[0]]
    assert same(fitted.train, seen(tiny.made["real"], "train"))
    assert same(fitted.val, seen(tiny.made["real"], "val"))


@every_arm
def test_weights_are_chosen_on_val(name: str, mixed: Mixed, tiny: Tiny) -> None:
    """Every fit is measured on the whole real val split; no image of val or test is trained on."""
    splits = {split: seen(tiny.made["real"], split) for split in ("val", "test")}
    for seed in SEEDS:
        assert same(mixed.arms[name, seed].val, splits["val"])
        for images in splits.values():
            assert set(places(mixed.arms[name, seed].train.images, images.images)) == {-1}


@every_arm
def test_arms_are_measured_on_the_whole_test_split(name: str, mixed: Mixed, tiny: Tiny) -> None:
    """The confusion matrix of a fit is that of its network on every real test image."""
    test = seen(tiny.made["real"], "test")
    for row in [row for row in mixed.artifact.facts["rows"] if row["arm"] == name]:
        network = mixed.arms[name, row["seed"]].network.eval()
        with torch.no_grad():
            answers = network(test.images.float() / 127.5 - 1).argmax(dim=1)
        confusion = torch.bincount(3 * test.labels + answers, minlength=9).view(3, 3)
        assert row["test"]["confusion"] == confusion.tolist()
        assert row["test"]["n"] == TEST


def test_arms_share_their_seeds_and_seeds_differ(mixed: Mixed) -> None:
    """Every arm is fitted from the same seeds, each with other initial weights."""
    by_seed = {seed: {mixed.arms[name, seed].seed for name in ARMS} for seed in SEEDS}
    assert {len(found) for found in by_seed.values()} == {1}
    assert len(set.union(*by_seed.values())) == len(SEEDS)


def test_only_the_augmented_arm_is_augmented(mixed: Mixed) -> None:
    """Its images are shifted before a step; those of other arms, its baseline among them, are not."""
    augmented = {name for (name, _), fitted in mixed.arms.items() if fitted.change is not None}
    assert augmented == {name for name, arm in ARMS.items() if arm.augmented}
    assert augmented == {name for name in ARMS if name.endswith("_augmented")}  # the flag says what the name says
    assert "real_30_augmented" in augmented
    change = mixed.arms["real_30_augmented", SEEDS[0]].change
    assert change is not None
    images = torch.rand(200, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    moved = change(images, torch.Generator().manual_seed(1))
    kept = (moved == images).flatten(1).all(dim=1).sum().item()
    assert 0 < kept < 40  # one of 25 shifts is zero: 8 are expected


@pytest.mark.parametrize("mirrors", [True, False])
def test_only_mirrorable_classes_are_mirrored(mirrors: bool) -> None:
    """A bright pixel left of a dark one is mirrored in half of the images, or in none."""
    images = torch.zeros(400, 1, 16, 16)
    images[:, 0, 8, 7], images[:, 0, 8, 8] = 1, -1
    moved = experiment.augmentation(mirrors)(images, torch.Generator().manual_seed(0))
    bright, dark = (value.flatten(1).argmax(dim=1) % 16 for value in (moved, -moved))
    assert set((bright - dark).abs().tolist()) == {1}
    share = (bright > dark).double().mean().item()
    assert 0.4 < share < 0.6 if mirrors else share == 0


def test_the_majority_baseline_is_from_the_train_split(mixed: Mixed, tiny: Tiny) -> None:
    """The accuracy on test of the class that is most frequent in train."""
    counts = {split: load_split(tiny.made["real"], split).labels.bincount() for split in ("train", "test")}
    wanted = counts["test"][counts["train"].argmax()].item() / TEST
    assert mixed.artifact.facts["majority_baseline"] == pytest.approx(wanted)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_trains_its_arms(group: str, mixed: Mixed, tiny: Tiny, recipe: Path, tmp_path: Path) -> None:
    """Arms train in the table's order, and give the same answers in any group."""
    root = sharing(tiny, tmp_path)
    result = call("train_mixed", root, "--recipe", recipe, "--arms", group, "--seeds", 1)
    assert result.exit_code == 0, result.output
    found = facts(root)
    assert [row["arm"] for row in found["arms"]] == [name for name in ARMS if name in GROUPS[group]]
    alike = {(row["arm"], row["seed"]): row for row in mixed.artifact.facts["rows"]}
    assert found["rows"] == [alike[row["arm"], row["seed"]] for row in found["rows"]]
    for row in found["comparisons"]:
        accuracy = {each["arm"]: each["test"]["accuracy"] for each in found["rows"]}
        assert row["difference"] == pytest.approx(accuracy[row["a"]] - accuracy[row["b"]])


def test_images_of_low_confidence_are_left_out(
    tiny: Tiny, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --min-confidence an arm takes the first images of at least that confidence."""
    synthetic = tiny.made["synthetic"]
    samples = [decode(key, members, "synthetic") for key, members in synthetic.members("train")]
    confidence = torch.tensor([sample.meta["annotation"]["confidence"] for sample in samples])
    least = confidence.sort().values[len(confidence) // 4].item()  # three quarters are enough for 70 %
    sure, whole = confidence >= least, load_split(synthetic, "train")
    assert not sure[: int(0.7 * TRAIN)].all()
    monkeypatch.setattr(experiment, "fit", spy := Spy(experiment.fit))
    words = ["--recipe", recipe, "--arms", "synthetic_only", "--seeds", 1, "--min-confidence", least]
    root = sharing(tiny, tmp_path)
    result = call("train_mixed", root, *words)
    assert result.exit_code == 0, result.output
    (fitted,) = fits(spy)
    usable = Images(whole.images[sure], whole.labels[sure])
    assert same(fitted.train, usable.subset(range(int(0.7 * TRAIN))))
    assert facts(root)["protocol"]["n_synthetic_usable"] == len(usable)


def test_a_stopped_experiment_fits_only_what_is_missing(
    mixed: Mixed, tiny: Tiny, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the fourth of six fits, it repeats only three, with the result of an uninterrupted run."""
    root, fit, left = sharing(tiny, tmp_path), experiment.fit, 3

    def cut_off(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        return fit(*arguments, **named)

    names = ["real_100", "real_30", "synthetic_only"]
    words = ["--recipe", recipe, "--arms", ",".join(names), "--seeds", len(SEEDS)]
    with monkeypatch.context() as patch:
        patch.setattr(experiment, "fit", cut_off)
        assert call("train_mixed", root, *words).exit_code != 0
    monkeypatch.setattr(experiment, "fit", spy := Spy(fit))
    result = call("train_mixed", root, *words)
    assert result.exit_code == 0, result.output
    missing = [("real_30", SEEDS[1]), *(("synthetic_only", seed) for seed in SEEDS)]
    assert [fitted.seed for fitted in fits(spy)] == [mixed.arms[each].seed for each in missing]
    wanted = [row for row in mixed.artifact.facts["rows"] if row["arm"] in names]
    assert facts(root)["rows"] == wanted


def test_images_made_from_other_real_images_are_refused(
    tiny: Tiny, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another split could put images that the generator saw into test: exit code 2, and what to run."""
    root = tmp_path / "other"
    shutil.copytree(tiny.root, root)
    monkeypatch.setattr("jobs.preprocess.sources.archives.digits", bars)
    assert call("preprocess", root, "--recipe", recipe, "--seed", 9, "--force").exit_code == 0
    result = call("train_mixed", root, "--recipe", recipe)
    assert result.exit_code == 2
    assert "made from another 'real'" in result.stderr


def test_the_annotated_images_are_larger_than_the_stored_ones(tiny: Tiny) -> None:
    """Otherwise these tests could not tell filters apart."""
    assert tiny.made["real"].dataset.size_px == SIZE_PX < tiny.made["synthetic"].dataset.size_px
