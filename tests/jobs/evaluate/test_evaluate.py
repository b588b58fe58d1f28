"""evaluate as a whole: cached reference features, several processes, plain shards."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.evaluate import on_test
from jobs.evaluate.evaluation import Evaluation, Plan
from jobs.evaluate.on_test import collapse, score_on_test
from jobs.evaluate.score_datasets import in_both
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.data.images import Images
from shared.metrics.features.cache import load, reference_path, store
from shared.metrics.features.frechet import frechet_distance, moments
from shared.models.extractor import Extractor
from shared.models.pretrained.weights import fetch
from shared.store.artifacts import Artifact, open_artifact
from shared.store.records.scores import ClassQualities, SampleScores
from tests.jobs.train_gan.test_gan_processes import ends, together


@pytest.fixture
def copy(volume: Path, tmp_path: Path) -> Path:
    """Return a copy of the volume that a test may change."""
    shutil.copytree(volume, tmp_path / "v")
    return tmp_path / "v"


def facts(root: Path) -> dict[str, Any]:
    """Return the facts of the experiment's scores."""
    return open_artifact(root / "small" / "scores" / "r00", "scores", "evaluate").facts


QUICK = """
import pytest
from jobs.__main__ import main
from tests.conftest import quicken
quicken(pytest.MonkeyPatch())
main()
"""
"""A process of halfreal that is quickened as the small experiment was, which takes half of the time."""


@pytest.mark.slow
@pytest.mark.parametrize("world", [2, pytest.param(4, marks=pytest.mark.long)])
def test_processes_give_the_scores_of_one(
    world: int, copy: Path, made: dict[str, Artifact], plain_recipe: Path
) -> None:
    """Processes that share the images find the numbers of one, to 1e-6."""
    words = ["-c", QUICK, "evaluate", "--data-root", str(copy), "--experiment", "small", "--device", "cpu"]
    options = ["--recipe", str(plain_recipe), "--images", "24", "--force"]
    processes = ends(together([*words, *options], world), timeout_s=600)
    assert [code for code, _ in processes] == [0] * world, processes
    alone, found = made["scores"].facts, facts(copy)
    assert found["chosen"] == alone["chosen"]
    for name, value in alone["test"].items():
        if isinstance(value, float):
            assert found["test"][name] == pytest.approx(value, rel=1e-6, abs=1e-6), name


def test_two_runs_give_the_same_digits(
    copy: Path, made: dict[str, Artifact], run_job: Any, plain_recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command with --force writes a manifest with the same hash; what may take long says how far it is."""
    monkeypatch.setenv("HALFREAL_PROGRESS_S", "0")
    result = run_job("evaluate", copy, "--recipe", plain_recipe, "--images", 24, "--force")
    assert result.exit_code == 0, result.output
    again = open_artifact(copy / "small" / "scores" / "r00", "scores", "evaluate")
    assert again.facts == made["scores"].facts
    for work in ("look for copies", "compare directions", "look for members"):
        assert re.search(rf"evaluate: {work}: ([\d,]+)/\1 pairs of images \(100 %\)", result.output), result.output


@pytest.mark.slow
def test_reference_features_are_extracted_once(copy: Path, run_job: Callable[..., Result], plain_recipe: Path) -> None:
    """The features of real images are cached on the volume; another run reads them and finds the same numbers."""
    fetch("efficientnet_lite0", copy / "weights")
    words = ["--recipe", plain_recipe, "--images", 24, "--extractors", "efficientnet_lite0", "--force"]
    assert run_job("evaluate", copy, *words).exit_code == 0
    first, files = facts(copy), sorted((copy / "weights" / "references").iterdir())
    assert len(files) == 3  # test, all of train, and as many train images as are drawn
    stamps = [path.stat().st_mtime_ns for path in files]
    assert run_job("evaluate", copy, *words).exit_code == 0
    assert facts(copy) == first
    assert [path.stat().st_mtime_ns for path in files] == stamps
    assert "frechet_efficientnet_lite0" in first["test"]
    assert any("1,280 features" in line for line in first["warnings"])


def test_a_reference_is_named_after_all_that_it_depends_on(tmp_path: Path) -> None:
    """Another extractor, weights, resizer, dataset or split is another file; a broken file counts as absent."""

    def apply(images: torch.Tensor) -> Any:
        return images, images

    variants = [("a", "h", "r", "m", "test"), ("b", "h", "r", "m", "test"), ("a", "i", "r", "m", "test")]
    variants += [("a", "h", "s", "m", "test"), ("a", "h", "r", "n", "test"), ("a", "h", "r", "m", "val")]
    paths = [reference_path(tmp_path, Extractor(a, h, r, apply), m, part) for a, h, r, m, part in variants]
    assert len(set(paths)) == len(variants)
    extracted = Extractor("a", "h", "r", lambda part: (part, part)).extract(torch.rand(3, 2))
    store(paths[0], extracted)
    cached = load(paths[0])
    assert cached is not None
    np.testing.assert_array_equal(cached.features, extracted.features)
    arrays = safetensors.numpy.load_file(paths[0])
    for wrong in (arrays | {"features": arrays["features"] * 1.5}, arrays | {"features": arrays["features"][:2]}):
        safetensors.numpy.save_file(wrong, paths[1])
        assert load(paths[1]) is None
    paths[0].write_bytes(paths[0].read_bytes()[:20])
    assert load(paths[0]) is None


def test_few_images_are_no_collapse() -> None:
    """Missing classes are reported only from ten images per class on."""
    cat = ClassQualities(class_name="cat", qualities=None, ratios=None, category=None)
    test = SampleScores(scores={"recall_classifier": 1.0}, agreement=None, classes=[cat])
    assert collapse(test, test, "classifier", images=9) == []
    (line,) = collapse(test, test, "classifier", images=10)
    (of_a_set,) = collapse(test, test, "classifier", images=10, imported="syn1")
    assert of_a_set.startswith("little variety: syn1 has few or no images of ")
    assert "cat" in line


def test_images_that_are_in_both_sets_are_counted() -> None:
    """A set against itself has all of them; images of another size are none of them."""
    images = torch.arange(4 * 3 * 2 * 2, dtype=torch.uint8).reshape(4, 3, 2, 2)
    assert [in_both(images, images), in_both(images[:3], images[2:]), in_both(images, 255 - images)] == [4, 1, 0]
    assert in_both(images, images[:, :, :1, :1]) == 0


@pytest.mark.slow
def test_shards_are_scored_as_they_are(copy: Path, make_dataset: Callable[..., Artifact]) -> None:
    """`evaluate between` scores one dataset against another, with the protocol, and needs no experiment."""
    fetch("efficientnet_lite0", copy / "weights")
    folders = [str(copy / "small" / name) for name in ("synthetic/r00", "real")]
    words = ["evaluate", "between", *folders, "--data-root", str(copy), "--device", "cpu"]
    result = CliRunner().invoke(halfreal, words)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["scores"]["frechet_efficientnet_lite0"] > 0
    assert found["protocol"]["reference_sha256"] == open_artifact(Path(folders[1]), "dataset", "preprocess").sha256
    assert not any("too: copies score" in line for line in found["warnings"])
    few = str(make_dataset(train=12).folder)
    itself = CliRunner().invoke(halfreal, ["evaluate", "between", few, few, *words[4:], "--split", "train"])
    assert "12 of 12 images are in train of the real dataset, too: copies score" in itself.stdout
    for wrong in ([*words, "--extractor", "classifier"], ["evaluate", "between", str(copy), folders[1]]):
        assert CliRunner().invoke(halfreal, wrong).exit_code == 2


def test_the_chosen_snapshot_is_scored_against_all_of_train(made: dict[str, Artifact], tmp_path: Path) -> None:
    """Papers print the distance to the train images: it is to all of them, also where fewer images are drawn."""
    inputs = {"real": made["real"], "classifier/r00": made["classifier"]}
    run = Run(inputs, tmp_path, tmp_path, "cpu", Reporter("evaluate"))
    work = Evaluation(run, Plan(24, ("classifier",), ("classifier",), 0), made["gan"].record.conditional)
    drawn = Images(torch.randint(0, 256, (24, 3, 16, 16), dtype=torch.uint8), work.asked)
    (scorer,) = work.among(("classifier",))
    found = score_on_test(work, [scorer], drawn).train_reference
    assert found is not None
    points = [
        scorer.extract(images, images[:, 0, 0, 0]).features for images in (drawn.images, work.splits["train"].images)
    ]
    assert len(points[1]) > 24
    distance = frechet_distance(*moments(points[0]), *moments(points[1]))
    assert found.scores["frechet_classifier"] == pytest.approx(distance, rel=1e-3)
    protocol = found.protocols["classifier"]
    assert (protocol.reference, protocol.n_real, protocol.n_synthetic) == ("train", len(points[1]), 24)


def test_distances_by_class_are_between_equal_numbers(made: dict[str, Artifact], tmp_path: Path) -> None:
    """With more synthetic images than train has, those of a class are as many as its real ones, whose score is next."""
    inputs = {"real": made["real"], "classifier/r00": made["classifier"]}
    run = Run(inputs, tmp_path, tmp_path, "cpu", Reporter("evaluate"))
    work = Evaluation(run, Plan(300, ("classifier",), ("classifier",), 0), made["gan"].record.conditional)
    rng = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (300, 3, 16, 16), dtype=torch.uint8, generator=rng)
    drawn = Images(noise, work.asked)
    (scorer,) = work.among(("classifier",))
    found = score_on_test(work, [scorer], drawn)
    train, test = work.splits["train"], work.splits["test"]
    for label, name in enumerate(work.classes):
        own = {"train": train.images[train.labels == label], "drawn": drawn.images[drawn.labels == label]}
        few = len(own["train"])
        points = {key: scorer.extract(images, images[:, 0, 0, 0]).features for key, images in own.items()}
        real = scorer.extract(test.images[test.labels == label], test.labels[test.labels == label]).features

        def distance(features: Any, real: Any = real) -> float:
            return frechet_distance(*moments(features), *moments(real))

        assert few < len(own["drawn"])
        assert found.real.by_class["frechet_classifier"][name] == pytest.approx(distance(points["train"]), rel=1e-3)
        value = found.test.by_class["frechet_classifier"][name]
        assert value == pytest.approx(distance(points["drawn"][:few]), rel=1e-3)
        assert value != pytest.approx(distance(points["drawn"]), rel=1e-2)  # else the test could not tell


def test_features_on_disk_find_the_same_copies(
    made: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there are more training images than are held: all of them are searched, and nothing is left of the file.

    How much memory may be used is said before.
    """
    inputs = {"real": made["real"], "classifier/r00": made["classifier"]}
    run = Run(inputs, tmp_path, tmp_path, "cpu", Reporter("evaluate"))
    work = Evaluation(run, Plan(24, ("classifier",), ("classifier",), 0), made["gan"].record.conditional)
    (scorer,) = work.among(("classifier",))
    train = work.splits["train"]
    drawn = scorer.extract(train.images[-24:], train.labels[-24:])
    assert re.search(
        r"^evaluate: images: .* in memory; .* of memory may be used", capsys.readouterr().err, re.MULTILINE
    )
    held = on_test.feature_copies(work, scorer, drawn)
    monkeypatch.setattr(on_test, "MOST_TRAIN_IMAGES", 20)
    monkeypatch.setattr(on_test, "EXTRACTED_IMAGES", 7)
    found = on_test.feature_copies(work, scorer, drawn)
    assert found.n_train == len(train) > 20
    assert found.flagged == held.flagged
    places = {pair.synthetic: pair.train for pair in found.closest}
    assert places == {place: len(train) - 24 + place for place in places}
    assert found.memorisation == pytest.approx(held.memorisation, abs=1e-6)
    assert [*tmp_path.iterdir()] == []
