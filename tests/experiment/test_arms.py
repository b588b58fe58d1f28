"""train_mixed: the images and labels that each arm's classifier sees, and how it is chosen and measured."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from jobs.pipeline import FITS, TRAIN_MIXED
from jobs.train_mixed import fits as fitting
from jobs.train_mixed.arms import ANNOTATED, ARMS, ASKED, GIVEN, GROUPS, OWN, chosen_arms
from jobs.train_mixed.options import CAP, LEAST_GAIN
from shared.data.images import Images, load_split
from shared.data.standard_augmentation import standard_augmentation
from shared.format.sample import decode
from shared.runtime.seeding import Stream, derive_seed, fit_seed, replicate_seed
from shared.store.artifacts import Artifact, open_output
from shared.store.checkpoints import load
from tests.experiment.conftest import REPLICATES, SEED, Mixed, Tiny, sharing
from tests.experiment.tiny import OPTIONS, SIZE_PX, TEST, TRAIN, Spy, bars, call, fits, places, same, seen

TRAINED = chosen_arms("all", conditional=True, unlabelled=False)

every_arm = pytest.mark.parametrize("name", TRAINED)
every_replicate = pytest.mark.parametrize("replicate", range(REPLICATES))


def facts(root: Path) -> dict[str, Any]:
    """Return the facts of the experiment in this data root."""
    return open_output(TRAIN_MIXED, root / "tiny").facts


def option(name: str) -> int:
    """Return the value of an option of train_mixed in the tiny experiment."""
    words = OPTIONS["train_mixed"]
    return int(str(words[words.index(name) + 1]))


def asked(synthetic: Artifact) -> Tensor:
    """Return the requested class of each synthetic image."""
    samples = [decode(key, members, "synthetic") for key, members in synthetic.members("train")]
    return torch.tensor([sample.meta["origin"]["asked_label"] for sample in samples])


def synthetic_part(name: str, given: Images) -> Images:
    """Return what comes after an arm's real images; nothing for a copied arm, whose images must be there twice."""
    n_real, _ = ARMS[name].counts(TRAIN)
    if not ARMS[name].copied:
        return given.subset(range(n_real, len(given)))
    assert same(given.subset(range(n_real)), given.subset(range(n_real, 2 * n_real)))
    return given.subset(range(2 * n_real, len(given)))


@every_arm
@every_replicate
def test_an_arm_sees_its_shares_and_nothing_else(name: str, replicate: int, mixed: Mixed, tiny: Tiny) -> None:
    """Distinct real train images with their own labels, then the first synthetic ones of its replicate in order."""
    train = seen(tiny.made["real"], "train")
    own, other = (
        load_split(tiny.replicates[number].made["synthetic"], "train") for number in (replicate, 1 - replicate)
    )
    n_real, n_synthetic = ARMS[name].counts(TRAIN, len(own))
    given = mixed.arms[name, replicate].train
    real = places(given.images[:n_real], train.images)
    assert len(set(real)) == n_real
    assert -1 not in real
    assert torch.equal(given.labels[:n_real], train.labels[real])
    synthetic = synthetic_part(name, given)
    assert torch.equal(synthetic.images, own.images[:n_synthetic])
    assert set(places(synthetic.images, other.images)) <= {-1}
    (row,) = [row for row in mixed.artifact.facts["rows"] if (row["arm"], row["replicate"]) == (name, replicate)]
    assert (row["n_real"], row["n_synthetic"], row["fit"]) == (n_real, n_synthetic, 0)


@every_arm
@every_replicate
def test_synthetic_images_have_the_labels_of_their_arm(name: str, replicate: int, mixed: Mixed, tiny: Tiny) -> None:
    """Labels are those in the shards, or the requested classes; `test_annotators` has those of an arm's own."""
    synthetic = tiny.replicates[replicate].made["synthetic"]
    annotated, requested = load_split(synthetic, "train").labels, asked(synthetic)
    _, n_synthetic = ARMS[name].counts(TRAIN, len(annotated))
    assert not torch.equal(annotated, requested)
    wanted = {ANNOTATED: annotated, ASKED: requested, GIVEN: requested}  # this generator was asked for classes
    if ARMS[name].labels != OWN:
        given = synthetic_part(name, mixed.arms[name, replicate].train)
        assert torch.equal(given.labels, wanted[ARMS[name].labels][:n_synthetic])


@every_replicate
def test_the_published_design_is_exactly_seventy_and_thirty(replicate: int, mixed: Mixed, tiny: Tiny) -> None:
    """Of 66 train images 20 real ones and the first floor(0.7 * 66) = 46 synthetic ones, annotated; N in all."""
    design = mixed.arms["synthetic_70_real_30", replicate].train
    alone = mixed.arms["real_30", replicate].train
    written = load_split(tiny.replicates[replicate].made["synthetic"], "train")
    assert (TRAIN, len(alone), len(design)) == (66, 20, 66)
    assert same(design.subset(range(20)), alone)
    assert same(design.subset(range(20, 66)), written.subset(range(46)))
    assert same(mixed.arms["real_100", replicate].train, seen(tiny.made["real"], "train"))


def test_arms_with_the_same_real_share_see_the_same_real_images(mixed: Mixed) -> None:
    """In a replicate arms are paired, alone, mixed or augmented; another replicate draws other real images."""
    drawn = {}
    for replicate in range(REPLICATES):
        first: dict[float, Images] = {}
        for name in TRAINED:
            n_real, _ = ARMS[name].counts(TRAIN)
            given = mixed.arms[name, replicate].train.subset(range(n_real))
            assert same(given, first.setdefault(ARMS[name].real_share, given)), name
        everything = mixed.arms["real_100", replicate].train.images
        drawn[replicate] = {share: set(places(given.images, everything)) for share, given in first.items()}
        assert len(first) == 8
    parts = [share for share in drawn[0] if 0 < share < 1]
    assert [share for share in parts if drawn[0][share] == drawn[1][share]] == []


def test_real_images_are_resized_as_synthetic_ones_are(mixed: Mixed, tiny: Tiny) -> None:
    """Train and val images are the stored ones, resized by Pillow with the filter of the synthetic images."""
    fitted = mixed.arms["real_100", 0]
    assert same(fitted.train, seen(tiny.made["real"], "train"))
    assert same(fitted.val, seen(tiny.made["real"], "val"))


@every_arm
def test_weights_are_chosen_on_val(name: str, mixed: Mixed, tiny: Tiny) -> None:
    """Every fit is measured on the whole real val split; no image of val or test is trained on."""
    splits = {split: seen(tiny.made["real"], split) for split in ("val", "test")}
    for replicate in range(REPLICATES):
        assert same(mixed.arms[name, replicate].val, splits["val"])
        for images in splits.values():
            assert set(places(mixed.arms[name, replicate].train.images, images.images)) == {-1}


@every_arm
def test_arms_are_measured_on_the_whole_test_split(name: str, mixed: Mixed, tiny: Tiny) -> None:
    """The confusion matrix of a fit is that of its network on every real test image."""
    test = seen(tiny.made["real"], "test")
    rows = [row for row in mixed.artifact.facts["rows"] if row["arm"] == name]
    assert [row["replicate"] for row in rows] == list(range(REPLICATES))
    for row in rows:
        network = mixed.arms[name, row["replicate"]].network.eval()
        with torch.no_grad():
            answers = network(test.images.float() / 127.5 - 1).argmax(dim=1)
        confusion = torch.bincount(3 * test.labels + answers, minlength=9).view(3, 3)
        assert row["test"]["confusion"] == confusion.tolist()
        assert row["test"]["n"] == TEST


def test_arms_share_the_seed_of_their_replicate(mixed: Mixed) -> None:
    """In a replicate every arm is fitted from the same seed, each replicate with other initial weights."""
    for replicate in range(REPLICATES):
        seed = replicate_seed(SEED, replicate)
        assert {mixed.arms[name, replicate].seed for name in TRAINED} == {derive_seed(seed, Stream.ARM_FIT)}
        rows = [row for row in mixed.artifact.facts["rows"] if row["replicate"] == replicate]
        assert {row["seed"] for row in rows} == {seed}


def test_every_arm_is_trained_by_the_same_rule(mixed: Mixed) -> None:
    """Patience, the least gain, the cap and the control of equal steps are those of the options in every fit."""
    rules = {
        (extras.patience, extras.least_gain, extras.most_steps, extras.equal_steps)
        for extras in (fitted.extras for fitted in mixed.arms.values())
    }
    assert rules == {(option("--patience"), LEAST_GAIN, CAP * option("--steps"), True)}
    assert all(row["stopped_at"] <= CAP * option("--steps") for row in mixed.artifact.facts["rows"])


def test_only_the_augmented_arms_are_augmented(mixed: Mixed) -> None:
    """Theirs is the standard augmentation, without mirrors for digits; other arms, baselines among them, have none."""
    augmented = {name for (name, _), fitted in mixed.arms.items() if fitted.extras.augment is not None}
    assert augmented == {name for name, arm in ARMS.items() if arm.augmented}
    assert augmented == {name for name in ARMS if name.endswith("_augmented")}  # the flag says what the name says
    images = torch.randint(0, 256, (40, 1, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    labels = torch.arange(40) % 3
    plain, mirrored = (standard_augmentation(mirrors, 3)(images, labels, 1) for mirrors in (False, True))
    assert not torch.equal(plain[0], mirrored[0])
    for name in augmented:
        change = mixed.arms[name, 0].extras.augment
        assert change is not None
        for found, wanted in zip(change(images, labels, 1), plain, strict=True):
            assert torch.equal(found, wanted)


def test_the_majority_baseline_is_from_the_train_split(mixed: Mixed, tiny: Tiny) -> None:
    """The accuracy on test of the class that is most frequent in train."""
    counts = {split: load_split(tiny.made["real"], split).labels.bincount() for split in ("train", "test")}
    wanted = counts["test"][counts["train"].argmax()].item() / TEST
    assert mixed.artifact.facts["majority_baseline"] == pytest.approx(wanted)


@pytest.mark.parametrize("group", [group for group in GROUPS if group not in ("all", "labels")])
def test_a_group_trains_its_arms(group: str, mixed: Mixed, tiny: Tiny, recipe: Path, tmp_path: Path) -> None:
    """Arms train in the table's order, and give the same answers in any group, also where there is one replicate."""
    root = sharing(tiny, tmp_path)
    result = call("train_mixed", root, "--recipe", recipe, "--arms", group)
    assert result.exit_code == 0, result.output
    found = facts(root)
    assert [row["arm"] for row in found["arms"]] == [name for name in ARMS if name in GROUPS[group]]
    alike = {row["arm"]: row for row in mixed.artifact.facts["rows"] if row["replicate"] == 0}
    assert found["rows"] == [alike[row["arm"]] for row in found["rows"]]


def test_the_answers_are_of_paired_differences_over_replicates(mixed: Mixed) -> None:
    """In each replicate the value is the difference in accuracy of the two arms; the answer is their mean."""
    found = mixed.artifact.facts
    assert [row["arm"] for row in found["arms"]] == TRAINED
    accuracy = {(row["arm"], row["replicate"]): row["test"]["accuracy"] for row in found["rows"]}
    answers = [found["headline"], *found["questions"]]
    assert (answers[0]["a"], answers[0]["b"]) == ("real_100_plus_synthetic_100", "real_100")
    assert len(answers) > 4
    for row in answers:
        values = [accuracy[row["a"], number] - accuracy[row["b"], number] for number in range(REPLICATES)]
        assert row["values"] == pytest.approx(values)
        assert row["difference"] == pytest.approx(sum(values) / REPLICATES)


def test_the_answers_are_those_of_the_fits(mixed: Mixed, tiny: Tiny) -> None:
    """The files of a replicate hold the probabilities of its own networks on test, which the rows were counted from."""
    test = seen(tiny.made["real"], "test").images.float() / 127.5 - 1
    for replicate, artifact in enumerate(mixed.fits):
        for name in TRAINED:
            file = fitting.fit_file(name, 0)
            held = load(artifact.read(file), file)[0]["probabilities"]
            with torch.no_grad():
                wanted = mixed.arms[name, replicate].network.eval()(test).softmax(dim=1)
            assert torch.allclose(held, wanted, atol=1e-5), (name, replicate)


def test_images_of_low_confidence_are_left_out(
    tiny: Tiny, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --min-confidence an arm takes the first images of at least that confidence."""
    synthetic = tiny.made["synthetic"]
    samples = [decode(key, members, "synthetic") for key, members in synthetic.members("train")]
    confidence = torch.tensor([sample.meta["annotation"]["confidence"] for sample in samples])
    least = confidence.sort().values[len(confidence) // 4].item()
    sure, whole = confidence >= least, load_split(synthetic, "train")
    assert not sure[: int(0.7 * TRAIN)].all()
    monkeypatch.setattr(fitting, "fit", spy := Spy(fitting.fit))
    words = ["--recipe", recipe, "--arms", "synthetic_only", "--min-confidence", least]
    root = sharing(tiny, tmp_path)
    result = call("train_mixed", root, *words)
    assert result.exit_code == 0, result.output
    (fitted,) = fits(spy)
    usable = Images(whole.images[sure], whole.labels[sure])
    assert same(fitted.train, usable.subset(range(int(0.7 * TRAIN))))
    assert facts(root)["protocol"]["n_synthetic_usable"] == len(usable)


def test_a_stopped_experiment_fits_only_what_is_missing(
    tiny: Tiny, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the fourth of six fits, it repeats only three, with the artifact of an uninterrupted run."""
    names = ["real_100", "real_30", "synthetic_only"]
    words = ["--recipe", recipe, "--arms", ",".join(names), "--fits", 2]
    roots, fit, left = {}, fitting.fit, 3
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
        roots[name] = sharing(tiny, tmp_path / name)
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "fit", whole := Spy(fit))
        assert call("train_mixed", roots["whole"], *words).exit_code == 0

    def cut_off(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        return fit(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "fit", cut_off)
        assert call("train_mixed", roots["cut"], *words).exit_code != 0
    monkeypatch.setattr(fitting, "fit", rest := Spy(fit))
    result = call("train_mixed", roots["cut"], *words)
    assert result.exit_code == 0, result.output
    expected = fits(whole)
    assert [fitted.seed for fitted in expected] == [derive_seed(fit_seed(SEED, n), Stream.ARM_FIT) for n in (0, 1)] * 3
    for found, wanted in zip(fits(rest), expected[3:], strict=True):
        assert found.seed == wanted.seed
        assert same(found.train, wanted.train)
    made = [open_output(FITS, root / "tiny") for root in roots.values()]
    assert made[0].sha256 == made[1].sha256
    assert [(row["arm"], row["fit"]) for row in made[0].facts["rows"]] == [(name, n) for name in names for n in (0, 1)]


def test_every_fit_of_a_replicate_is_another_draw(
    tiny: Tiny, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fit 1 has the next synthetic images and other real ones than fit 0; arms are paired fit by fit."""
    monkeypatch.setattr(fitting, "fit", spy := Spy(fitting.fit))
    words = ["--recipe", recipe, "--arms", "real_30,synthetic_70_real_30", "--fits", 2]
    assert call("train_mixed", sharing(tiny, tmp_path), *words).exit_code == 0
    alone, mixed = fits(spy)[:2], fits(spy)[2:]
    written = load_split(tiny.made["synthetic"], "train")
    for number in (0, 1):
        assert same(mixed[number].train.subset(range(20)), alone[number].train)
        assert same(mixed[number].train.subset(range(20, 66)), written.subset(range(46 * number, 46 * (number + 1))))
    train = seen(tiny.made["real"], "train").images
    assert set(places(alone[0].train.images, train)) != set(places(alone[1].train.images, train))


def test_images_made_from_other_real_images_are_refused(
    tiny: Tiny, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another split could put images that the generator saw into test: exit code 2, and what to run."""
    root = tmp_path / "other"
    shutil.copytree(tiny.root, root)
    monkeypatch.setattr("shared.sources.published.sets.digits", bars)
    assert call("preprocess", root, "--recipe", recipe, "--seed", 9, "--force").exit_code == 0
    result = call("train_mixed", root, "--recipe", recipe)
    assert result.exit_code == 2
    assert "made from another 'real'" in result.stderr


def test_the_annotated_images_are_larger_than_the_stored_ones(tiny: Tiny) -> None:
    """Otherwise these tests could not tell filters apart."""
    assert tiny.made["real"].dataset.size_px == SIZE_PX < tiny.made["synthetic"].dataset.size_px
