"""From imported images to the page: scores, arms, lineage, and what each command says where there is no generator."""

import json
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.evaluate.images import ImportedImages
from jobs.pipeline import EVALUATE, FITS, REPORT, TRAIN_MIXED
from jobs.train_mixed import fits as fitting
from jobs.train_mixed.fits import load_synthetic
from shared.data.images import load_split
from shared.models.pretrained.weights import UNPUBLISHED
from shared.runtime.seeding import Stream
from shared.store.artifacts import open_output
from shared.store.samples import asked_labels
from tests.experiment.conftest import REPLICATES, Tiny, sharing
from tests.experiment.importing import COUNTS, EVALUATED, ImportedExperiment, imports, job
from tests.experiment.tiny import TEST, TRAIN, Spy, fits, set_replicates
from tests.shared.models.inception import make_small

ARMS = "real_100,real_100_plus_synthetic_50,real_30"


@dataclass(frozen=True)
class Judged:
    """The volume with results and report; the fits that train_mixed made."""

    root: Path
    spy: Spy

    @property
    def folder(self) -> Path:
        """The experiment's folder."""
        return self.root / "tiny"


@pytest.fixture(scope="module")
def judged(imported: ImportedExperiment, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Train some arms and write the page; the volume shares what the imported experiment has."""
    root = tmp_path_factory.mktemp("judged")
    (root / "tiny").mkdir()
    for path in imported.folder.iterdir():
        (root / "tiny" / path.name).symlink_to(path)
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, REPLICATES)
        spy = Spy(fitting.fit)
        patch.setattr(fitting, "fit", spy)
        for name, words in (("train_mixed", ["--arms", ARMS]), ("report", [])):
            done = job(name, root, "--recipe", recipe, *words)
            assert done.exit_code == 0, done.output
    return Judged(root, spy)


def command(judged: Judged, *words: object) -> Result:
    """Return the result of a command on the judged experiment."""
    place = ["--data-root", judged.root, "--experiment", "tiny"]
    return CliRunner().invoke(halfreal, [str(word) for word in (*words, *place)])


def test_scores_are_of_the_images_of_the_set(imported: ImportedExperiment) -> None:
    """As many images as asked for, each once, all if there are fewer; the same scores as a GAN's images get on test."""
    for number, (synthetic, scores) in enumerate(zip(imported.synthetic, imported.scores, strict=True)):
        record, count = scores.record, sum(list(COUNTS.values())[number])
        wanted = min(EVALUATED, count)
        assert wanted == (38, 36)[number]
        used = record.on_test.test_protocols["classifier"]
        assert (used.n_synthetic, used.n_real, used.reference) == (wanted, TEST, "test")
        assert record.on_test.train_reference.protocols["classifier"].n_real == TRAIN
        drawn = ImportedImages(synthetic, wanted, used.seed).draw(Stream.TEST_LATENTS)
        stored = {image.tobytes() for image in load_split(synthetic, "train").images.numpy()}
        shown = [image.tobytes() for image in drawn.images.numpy()]
        assert len(set(shown)) == len(shown) == wanted
        assert set(shown) <= stored


def test_nothing_is_chosen(imported: ImportedExperiment, tiny: Tiny) -> None:
    """There are no snapshots; the scores on test are those that a GAN's images have."""
    record = imported.scores[0].record
    assert (record.rows, record.chosen, record.worst, record.loss_indicators) == ([], None, None, None)
    generated = tiny.made["scores"].record.on_test
    assert record.on_test.test.scores.keys() == generated.test.scores.keys()
    assert record.on_test.test.by_class.keys() == generated.test.by_class.keys()
    assert record.on_test.copies.keys() == generated.copies.keys()


def test_labels_of_scored_images_are_their_own(imported: ImportedExperiment) -> None:
    """Agreement and qualities by class go by the labels of the set, not by the annotator's."""
    for synthetic, scores in zip(imported.synthetic, imported.scores, strict=True):
        used = scores.record.on_test.test_protocols["classifier"]
        drawn = ImportedImages(synthetic, used.n_synthetic, used.seed).draw(Stream.TEST_LATENTS)
        own = asked_labels(synthetic)
        assert own is not None
        stored = [image.tobytes() for image in load_split(synthetic, "train").images.numpy()]
        label_of = dict(zip(stored, own, strict=True))
        assert [label_of[image.tobytes()] for image in drawn.images.numpy()] == drawn.labels.tolist()
    right, wrong = (scores.record.on_test.test.agreement for scores in imported.scores)
    assert wrong < 0.5 < right


def test_copies_of_train_images_are_found(
    imported: ImportedExperiment, recipe: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    """A set that is the train split again is flagged in pixels; the scores of the set itself are not."""
    set_replicates(monkeypatch, 1)
    (tmp_path / "tiny").mkdir()
    for name in ("real", "classifier"):
        (tmp_path / "tiny" / name).symlink_to(imported.folder / name)
    from PIL import Image

    train = load_split(imported.real, "train")
    for number, (image, label) in enumerate(zip(train.images.numpy(), train.labels.tolist(), strict=True)):
        place = tmp_path / "copies" / imported.real.dataset.classes[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(place / f"{number}.png")
    for name, words in (("synthesize", imports(tmp_path / "copies")), ("evaluate", ["--scored", "synthetic"])):
        done = job(name, tmp_path, "--recipe", recipe, *words)
        assert done.exit_code == 0, done.output
    assert "it copies training images, by pixels" in done.output
    assert not imported.scores[0].record.on_test.copies["pixels"].flagged


def test_arms_get_the_labels_of_the_set(judged: Judged, imported: ImportedExperiment) -> None:
    """The arm of real and synthetic images learns from the set's own images and labels, wrong ones too."""
    made = open_output(FITS, judged.folder, 1)
    assert [row.arm for row in made.record.rows] == ["real_100", "real_30", "real_100_plus_synthetic_50"]
    mixed = fits(judged.spy)[-1].train
    drawn = load_synthetic(imported.synthetic[1])
    assert drawn.asked is not None
    half = TRAIN // 2
    assert torch.equal(mixed.images[TRAIN:], torch.cat([drawn.images.images] * 2)[:half])
    assert torch.equal(mixed.labels[TRAIN:], torch.cat([drawn.asked] * 2)[:half])


def test_the_verdict_knows_where_the_images_are_from(judged: Judged) -> None:
    """The record has lineage to the imported sets and none to a GAN."""
    inputs = open_output(TRAIN_MIXED, judged.folder).manifest.inputs
    assert {"synthetic/r00", "synthetic/r01", "scores/r00", "scores/r01"} <= inputs.keys()
    assert not any(name.startswith("gan") for name in {*inputs, *open_output(REPORT, judged.folder).manifest.inputs})


def test_the_page_has_the_sets_in_place_of_a_generator(judged: Judged, imported: ImportedExperiment) -> None:
    """Names, counts and hashes of the sets; no section, figure or sentence on a generator's training."""
    page = (judged.folder / "report" / "index.html").read_text("utf-8")
    assert '<section id="imported"' in page
    for artifact in imported.synthetic:
        assert f'<th scope="row">{artifact.record.imported.name}</th>' in page
        assert artifact.record.imported.sha256[:16] in page
    assert '<section id="generator"' not in page
    for words in ("snapshot of epoch", "chosen snapshot", "Losses of every epoch", "over 0 snapshots"):
        assert words not in page
    assert "replicate r00 of 2, the first" in page


def test_results_say_imported(judged: Judged) -> None:
    """In the terminal and in JSON: the sets by name, no epoch, no loss, nothing that chose."""
    shown = command(judged, "results")
    assert shown.exit_code == 0, shown.output
    assert "Imported: 40 images of fakes, with labels of their own, 1 unreadable." in shown.output
    assert "Losses" not in shown.output
    facts = json.loads(command(judged, "results", "--json").output)
    assert [each["name"] for each in facts["imported"]] == list(COUNTS)
    assert (facts["chosen_by"], facts["generator"]["replicates"][0]["epoch"]) == (None, None)


@pytest.mark.parametrize("layout", ["imagefolder", "hf", "webdataset"])
def test_an_export_says_imported(judged: Judged, tmp_path: Path, layout: str) -> None:
    """The card names the set where a family would be; rows have the file in place of a latent's seed."""
    done = command(judged, "export", "--to", layout, "--labels", "asked", "--replicate", 1, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "generator: imported (`others`, 36 images, sha256 of its files' hashes" in card
    assert "family" not in card
    assert "latent_seed" not in card
    recipe = (tmp_path / "out" / "recipe.toml").read_text("utf-8")
    (given,) = [line for line in recipe.splitlines() if line.startswith("source_path = ")]
    assert [Path(path).name for path in json.loads(given.partition(" = ")[2])] == list(COUNTS)
    if layout == "hf":
        row = json.loads((tmp_path / "out" / "metadata.jsonl").read_text("utf-8").splitlines()[0])
        assert row["imported_file"].partition("/")[0] in ("left", "middle", "right")


@pytest.mark.parametrize("words", [("sample", "--class", "left"), ("playground",)])
def test_there_is_nothing_to_draw_from(judged: Judged, words: tuple[str, ...]) -> None:
    """`sample` and `playground` say in one line that the images were imported."""
    done = command(judged, *words)
    assert done.exit_code == 2
    (line,) = done.output.strip().splitlines()
    assert "its synthetic images were imported; there is no generator to draw from" in line


def test_scores_come_after_the_images(imported: ImportedExperiment, recipe: Path, tmp_path: Path) -> None:
    """Before synthesize has imported anything, evaluate says what to run first."""
    (tmp_path / "tiny").mkdir()
    for name in ("real", "classifier"):
        (tmp_path / "tiny" / name).symlink_to(imported.folder / name)
    done = job("evaluate", tmp_path, "--recipe", recipe, "--scored", "synthetic")
    assert done.exit_code == 2
    assert "synthetic/r00: does not exist; run first: halfreal synthesize" in " ".join(done.output.split())


def test_images_of_a_generator_are_not_scored_as_imported(tiny: Tiny, recipe: Path, tmp_path: Path) -> None:
    """They were drawn from a snapshot that scores chose: those scores cannot be made from them."""
    done = job("evaluate", sharing(tiny, tmp_path), "--recipe", recipe, "--scored", "synthetic")
    assert done.exit_code == 2
    assert "drawn by this experiment's generator, want imported images" in done.output


def test_scores_of_a_gan_do_not_judge_imported_images(
    tiny: Tiny, imported: ImportedExperiment, recipe: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    """A verdict would warn of another generator's copies."""
    set_replicates(monkeypatch, REPLICATES)
    root = sharing(tiny, tmp_path)
    (root / "tiny" / "synthetic").unlink()
    (root / "tiny" / "synthetic").mkdir()
    for name in ("real", "classifier"):
        assert (tiny.root / "tiny" / name).is_dir()
    done = job("synthesize", root, "--recipe", recipe, *imports(*imported.sets))
    assert done.exit_code == 0, done.output
    done = job("train_mixed", root, "--recipe", recipe, "--arms", "real_100,real_30")
    assert done.exit_code == 2
    assert "scores of snapshots, and the synthetic images were imported" in done.output
    assert "halfreal evaluate --scored synthetic" in done.output
    shutil.rmtree(root / "tiny" / "synthetic")


@pytest.fixture
def unscored(imported: ImportedExperiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a volume with the imported images of two replicates, whose scores are to be made."""
    set_replicates(monkeypatch, REPLICATES)
    (tmp_path / "tiny").mkdir()
    for name in ("real", "classifier", "synthetic"):
        (tmp_path / "tiny" / name).symlink_to(imported.folder / name)
    return tmp_path


def test_weights_that_come_later_add_scores(
    unscored: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there stays, FID of the same images is added, and nobody speaks of a choice."""
    words = ["--recipe", recipe, "--scored", "synthetic", "--per-snapshot", "inception_clean"]
    done = job("evaluate", unscored, *words, "--replicates", 2)
    assert done.exit_code == 0, done.output
    assert "chooses" not in done.output
    before = open_output(EVALUATE, unscored / "tiny", 1).record
    assert list(before.left_out) == ["inception_clean"]
    weights = make_small(tmp_path_factory.mktemp("small"))
    (unscored / "weights").mkdir()
    shutil.copy(weights, unscored / "weights" / "any name.pt")
    monkeypatch.setenv(UNPUBLISHED, sha256(weights.read_bytes()).hexdigest())
    done = job("evaluate", unscored, *words)
    assert done.exit_code == 0, done.output
    after = open_output(EVALUATE, unscored / "tiny", 1).record
    assert (before.left_out.keys(), after.left_out) == ({"inception_clean"}, {})
    assert after.on_test.test.scores.items() > before.on_test.test.scores.items()
    assert "fid_inception_clean" in after.on_test.test.scores
    assert after.on_test.copies == before.on_test.copies
    assert after.on_test.test_protocols["inception_clean"].n_synthetic == sum(COUNTS["others"])


def test_another_set_is_another_replicate(imported: ImportedExperiment, unscored: Path, recipe: Path) -> None:
    """A longer list keeps the replicates that are there; another path in a place replaces that one alone."""
    longer = imports(*imported.sets, unscored / "third")
    done = job("synthesize", unscored, "--recipe", recipe, *longer, "--replicates", 3, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "synthetic r00, r01: already complete" in done.output
    assert "synthetic r02: cannot run yet" in done.output
    changed = imports(imported.sets[0], unscored / "third")
    done = job("synthesize", unscored, "--recipe", recipe, *changed, "--dry-run")
    assert "synthetic r00: already complete" in done.output
    assert "synthetic r01: would be rebuilt because" in done.output
