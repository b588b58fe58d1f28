"""The worked examples of docs/extending.md: each is added to its file as the page shows it, then used."""

import csv
import importlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from jobs.export.formats import FORMATS
from jobs.export.pictures import Picture
from jobs.train_gan.families import FAMILIES
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_mixed import questions
from jobs.train_mixed.arms import ARMS, chosen_arms
from shared.cli.recipes import load_recipe
from shared.format.png import encode_png
from shared.metrics import metric
from shared.metrics.metric import FeaturePair
from shared.models.extractor import Features, FeatureSet
from shared.models.tables import EXTRACTORS
from shared.sources.reading import Reading
from shared.sources.table import SOURCES
from shared.store.records.datasets import Annotation, Origin, SampleMeta
from tests.documented import ROOT, blocks

PAGE = ROOT / "docs" / "extending.md"

NAMED = {
    text.partition("\n")[0].removeprefix("# "): text
    for block in blocks(PAGE)
    if (text := block.text).startswith(("# jobs/", "# shared/"))
}
"""The examples of the page by the file that they name."""


@pytest.fixture
def add() -> Iterator[Callable[[str], ModuleType]]:
    """Return `add(file)`: run the example of a file at its end; all is as before after the test."""
    undo: list[Callable[[], object]] = []

    def added(file: str) -> ModuleType:
        name = file.removesuffix(".py").replace("/", ".")
        if (ROOT / file).exists():
            module = importlib.import_module(name)
            undo.append(partial(restore, module, dict(vars(module)), tables(module)))
        else:
            sys.modules[name] = module = ModuleType(name)
            undo.append(partial(sys.modules.pop, name))
        exec(compile(NAMED[file], file, "exec"), vars(module))
        return module

    yield added
    for each in reversed(undo):
        each()


def tables(module: ModuleType) -> list[tuple[dict[Any, Any], dict[Any, Any]]]:
    """Return the tables of a module, each with a copy: `TABLE[name] = row` changes it in place."""
    return [(value, dict(value)) for name, value in vars(module).items() if name.isupper() and isinstance(value, dict)]


def restore(module: ModuleType, before: dict[str, Any], copies: list[tuple[dict[Any, Any], dict[Any, Any]]]) -> None:
    """Bring back what a module had before an example was added to it."""
    for name in vars(module).keys() - before.keys():
        delattr(module, name)
    vars(module).update(before)
    for table, rows in copies:
        table.clear()
        table.update(rows)


def test_every_table_has_a_worked_example() -> None:
    """A row for each table that the page is about, a function where the row names a new one."""
    assert list(NAMED) == [
        "jobs/train_gan/families.py",
        *("shared/metrics/features/means.py", "shared/metrics/metric.py"),
        *("shared/models/extractors.py", "shared/models/tables.py"),
        *("shared/sources/flowers.py", "shared/sources/table.py"),
        *("jobs/train_mixed/arms.py", "jobs/train_mixed/questions.py"),
        "jobs/export/formats.py",
        "jobs/recipes/digits_r3gan.toml",
    ]


def test_a_family(add: Callable[[str], ModuleType]) -> None:
    """It is a choice of `train_gan`, with the settings of its row."""
    add("jobs/train_gan/families.py")
    options: dict[str, Any] = {"epochs": 1, "snapshot_every_epochs": 1, "batch_images": 8, "latent": 4, "width": 2}
    resolved = resolve(GanOptions(family="lsgan", **options, decay="none", ema_images=0, seed=0))
    assert (resolved.loss, resolved.learning_rate, resolved.discriminator_norm) == ("least_squares", 1e-3, "batch")
    assert FAMILIES["lsgan"] == resolved


def sides(real: float, synthetic: float) -> FeaturePair:
    """Return a pair of sets of 10 images each, with 4 equal features."""
    made = [
        FeatureSet(Features(np.full((10, 4), value, np.float32), np.ones((10, 1), np.float32)), np.zeros(10, np.int64))
        for value in (synthetic, real)
    ]
    return FeaturePair(*made, classes=["a"], seed=0)


def test_a_score(add: Callable[[str], ModuleType]) -> None:
    """Its value is stored under its name and the extractor's: sqrt(4 * 3^2) is 6."""
    add("shared/metrics/features/means.py")
    add("shared/metrics/metric.py")
    row = metric.metric_of("means_thumbnails", ["thumbnails"])
    assert isinstance(row, metric.FeatureMetric)
    assert row.compute.get()(sides(1, 4)) == {row.key: 6.0}
    assert row.compute.get()(sides(2, 2)) == {row.key: 0.0}


def test_an_extractor(add: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """Grey and colour images have 3 x 8 x 8 features in [-1, 1] each."""
    add("shared/models/extractors.py")
    add("shared/models/tables.py")
    extractor = EXTRACTORS["thumbnails"].get()({}, tmp_path, torch.device("cpu"))
    assert extractor.name == "thumbnails"
    for channels in (1, 3):
        images = torch.stack([torch.zeros(channels, 16, 16), torch.full((channels, 16, 16), 255)]).to(torch.uint8)
        features = extractor.extract(images).features
        assert (features.shape, features.min(axis=1).tolist(), features.max(axis=1).tolist()) == (
            (2, 192),
            [-1, 1],
            [-1, 1],
        )


def paint(folder: Path, count: int, size_px: int = 20) -> None:
    """Write pictures of two kinds of flowers that differ in colour."""
    chance = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number in range(count):
        for place, name in enumerate(("daisy", "rose")):
            pixels = chance.integers(0, 100, (size_px, size_px, 3), dtype=np.uint8)
            pixels[:, :, place] += 150
            Image.fromarray(pixels).save(folder / f"{name}-{number:03d}.jpg")


def test_a_source(add: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """Classes from the names of files, each image of its class, in order."""
    add("shared/sources/flowers.py")
    add("shared/sources/table.py")
    paint(tmp_path / "flowers", 2)
    source = SOURCES["flowers"].read.get()(tmp_path / "flowers", Reading())
    assert source.classes == ("daisy", "rose")
    assert [(item.label, item.origin["file"]) for item in source.items] == [
        (0, "daisy-000.jpg"),
        (0, "daisy-001.jpg"),
        (1, "rose-000.jpg"),
        (1, "rose-001.jpg"),
    ]
    picture = source.items[0].decode(source.items[0].read())
    assert np.asarray(picture).shape == (20, 20, 3)


def test_an_arm(add: Callable[[str], ModuleType]) -> None:
    """It can be chosen, has 50 real and 100 synthetic images of 100, and is compared with half of the real ones."""
    add("jobs/train_mixed/arms.py")
    add("jobs/train_mixed/questions.py")
    name = "real_50_plus_synthetic_100"
    assert chosen_arms(f"short,real_50,{name}", conditional=True)[-1] == name
    assert ARMS[name].counts(100) == (50, 100)
    _, asked = questions.answerable([name, "real_50", "real_100"])
    assert [(question.a, question.b) for question in asked] == [(name, "real_50")]


def pictures() -> list[Picture]:
    """Return two synthetic images as `export` hands them to a layout."""
    meta = SampleMeta(
        origin=Origin(generator_sha256="0" * 64, snapshot="a", latent_seed=7),
        annotation=Annotation(classifier_sha256="1" * 64, confidence=0.75),
    )
    png = encode_png(np.zeros((4, 4, 1), np.uint8))
    return [
        Picture(key=f"s-{label}", png=png, label=label, annotated=label, asked=1, confidence=0.75, meta=meta)
        for label in (0, 1)
    ]


def test_a_layout(add: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """A line for each image with what is known of it, and its PNG where the line says."""
    add("jobs/export/formats.py")
    FORMATS["csv"].write(tmp_path, iter(pictures()), ["a", "b"])
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = {"annotated_label": "0", "asked_label": "1", "confidence": "0.75", "latent_seed": "7"}
    assert rows[0] == {"file": "images/s-0.png", "label": "0", **known}
    assert [row["label"] for row in rows] == ["0", "1"]
    assert all((tmp_path / row["file"]).read_bytes() == pictures()[0].png for row in rows)


def test_a_recipe(tmp_path: Path) -> None:
    """The demo's options, but for the family."""
    path = tmp_path / "digits_r3gan.toml"
    path.write_text(NAMED["jobs/recipes/digits_r3gan.toml"], encoding="utf-8")
    assert [table.get("family") for table in load_recipe(str(path)).tables("train_gan")] == [None, "wgan_gp", "r3gan"]


TRIED = """
about = "Every example of the page in one experiment."
seed = 3
threads = 1
replicates = 2

[preprocess]
source = "flowers"
size_px = 16
channels = 3
test_fraction = 0.25

[train_classifier]
steps = 20
measure_every = 10
width = 4

[train_gan]
family = "lsgan"
epochs = 1
width = 4
latent = 8
batch_images = 16

[evaluate]
images = 24
extractors = "classifier,thumbnails"
per_snapshot = "thumbnails"

[train_mixed]
arms = "short,real_50,real_50_plus_synthetic_100"
steps = 4
measure_every = 2
batch_images = 8
width = 4
"""


@pytest.mark.long
def test_all_examples_in_one_experiment(tmp_path: Path) -> None:
    """In a copy of the checkout with the examples in it: the page has the new arm and score, export the new layout."""
    checkout, data = tmp_path / "checkout", tmp_path / "data"
    for name in ("halfreal", "jobs", "shared"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in NAMED.items():
        with (checkout / name).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{text}")
    paint(data / "sources" / "flowers", 40)
    recipe = tmp_path / "tried.toml"
    recipe.write_text(TRIED, encoding="utf-8")

    def halfreal(*words: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "jobs", *map(str, words)], cwd=checkout, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    place = ("--data-root", data, "--experiment", "tried")
    halfreal("run", "--recipe", recipe, *place, "--device", "cpu")
    results = halfreal("results", "--json", *place)
    assert "means_thumbnails" in results
    assert "real_50_plus_synthetic_100" in results
    page = (data / "tried" / "report" / "index.html").read_text(encoding="utf-8")
    assert "half of the real + as many synthetic as there are real" in page
    assert "synthetic images to half of the real ones" in page
    halfreal("export", "--to", "csv", "--out", tmp_path / "out", *place)
    assert len((tmp_path / "out" / "labels.csv").read_text("utf-8").splitlines()) > 10
    assert "digits_r3gan" in halfreal("recipes")
