"""A small experiment on which every job has run, and fixtures that run jobs in this process."""

import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.pipeline import PIPELINE
from shared.format.files import sha256
from shared.format.manifest import parse_manifest
from shared.format.sample import decode
from shared.format.shards import write_split
from shared.sources.items import Source, from_array
from shared.sources.reading import Reading
from shared.store.artifacts import Artifact, open_output
from tests.conftest import flags_replace, made_once, quicken
from tests.jobs.report.records import HOSTILE_CLASSES

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

AXE = "axe-core@4"
"""The package of the checker."""

SMALL = {
    "preprocess": ["--channels", "3", "--test-fraction", "0.25"],
    "train_classifier": ["--steps", "40", "--measure-every", "20", "--width", "4"],
    "train_gan": ["--epochs", "3", "--width", "4", "--latent", "8", "--batch-images", "16", "--critic-steps", "2"],
    "evaluate": ["--images", "24"],
    "synthesize": ["--shard-images", "20"],
    "train_mixed": ["--steps", "6", "--measure-every", "3", "--batch-images", "16", "--width", "4"],
    "report": [],
}
"""Options that make every job quick."""


def hostile_source(folder: Path, reading: Reading) -> Source:
    """Return 120 pictures of 20x24 px in three classes that differ in colour, 60, 36 and 24 of them."""
    chance = np.random.default_rng(5)
    items = []
    for index in range(120):
        label = 0 if index % 10 < 5 else 1 if index % 10 < 8 else 2
        pixels = chance.integers(0, 120, (24, 20, 3), dtype=np.uint8)
        pixels[:, :, label] += 120
        items.append(from_array(pixels, label, {"index": index}))
    return Source(HOSTILE_CLASSES, items)


def call(job: str, data_root: Path, *words: object) -> Result:
    """Return the result of `halfreal job` on the CPU, in this process, for the experiment `small`."""
    place = ["--data-root", str(data_root), "--experiment", "small", "--device", "cpu"]
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.MonkeyPatch.context() as patch:
            flags_replace(patch)
            return CliRunner().invoke(halfreal, [job, *place, *map(str, words)])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quicken jobs as the experiment `small` was made; draw where a test is marked `drawn`; leave `long` ones alone."""
    marks = {mark.name for mark in request.node.iter_markers()}
    if "long" not in marks:
        quicken(monkeypatch, drawn="drawn" in marks)


@pytest.fixture(scope="session")
def run_job() -> Callable[..., Result]:
    """Return `run_job(job, data_root, *words)`: its result in this process, on the CPU, experiment `small`."""
    return call


@pytest.fixture(scope="session")
def plain_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a recipe without any option but the seed 3, so that each job has its own defaults."""
    path = tmp_path_factory.mktemp("recipe") / "plain.toml"
    path.write_text('about = "every default"\nseed = 3\n', encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def volume(tmp_path_factory: pytest.TempPathFactory, plain_recipe: Path) -> Path:
    """Run every job on an experiment `small` with hostile class names, one replicate; return its data root.

    It has all of its figures. Members were attacked with few steps: a job in a process of its own finds others.
    """

    def make(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("HALFREAL_")]:
                patch.delenv(name)
            patch.setenv("HALFREAL_REPLICATES", "1")
            patch.setattr("shared.sources.published.sets.digits", hostile_source)
            quicken(patch, drawn=True)
            for row in PIPELINE:
                result = call(row.name, root, "--recipe", plain_recipe, *SMALL[row.name])
                assert result.exit_code == 0, result.output

    return made_once(tmp_path_factory, "volume", make)


@pytest.fixture(scope="session")
def made(volume: Path) -> dict[str, Artifact]:
    """Open the artifacts of the experiment `small` by name, those of its one replicate among them."""
    return {row.writes: open_output(row, volume / "small") for row in PIPELINE}


@pytest.fixture(scope="session")
def hostile_classes() -> tuple[str, ...]:
    """Return the class names of the experiment `small`, which a page must escape."""
    return HOSTILE_CLASSES


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start a headless Chromium; skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the checker's script; skip without npm or its registry."""
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("axe")
    if npm is None:
        pytest.skip("no npm on this machine")
    fetched = subprocess.run([npm, "pack", AXE], cwd=folder, capture_output=True, timeout=120, check=False)
    packages = list(folder.glob("*.tgz"))
    if fetched.returncode or not packages:
        pytest.skip("npm cannot fetch axe-core")
    with tarfile.open(packages[0]) as package:
        script = package.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


@pytest.fixture(scope="session")
def root(volume: Path, made: dict[str, Artifact], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the small experiment, with a synthetic set that has every class and many confidences; read only."""
    copy = tmp_path_factory.mktemp("varied")
    shutil.copytree(volume, copy, dirs_exist_ok=True)
    synthetic = made["synthetic"]
    samples = [decode(key, members, "") for key, members in synthetic.members("train")]
    count = len(samples)
    varied = [
        replace(
            sample,
            label=(sample.meta["origin"]["asked_label"] + (index % 5 == 0)) % 3,
            meta=sample.meta | {"annotation": sample.meta["annotation"] | {"confidence": index * 7 % count / count}},
        )
        for index, sample in enumerate(samples)
    ]
    folder = copy / "small" / "synthetic" / "r00"
    split = write_split(folder, "train", varied, class_count=3, shard_images=20)
    dataset = synthetic.dataset.model_copy(update={"splits": {"train": split}}).paged(folder)
    facts = synthetic.facts | {"annotated_counts": split.class_counts}
    payload = synthetic.manifest.model_copy(update={"dataset": dataset, "facts": facts}).to_bytes()
    (folder / "manifest.json").write_bytes(payload)
    changed = {"synthetic/r00": sha256(payload)}
    for place in ("fits/r00", "mixed"):
        path = copy / "small" / place / "manifest.json"
        manifest = parse_manifest(path.read_bytes(), path)
        inputs = manifest.inputs | {name: changed[name] for name in manifest.inputs if name in changed}
        path.write_bytes(manifest.model_copy(update={"inputs": inputs}).to_bytes())
        changed[place] = sha256(path.read_bytes())
    return copy


@pytest.fixture(scope="session")
def varied(root: Path) -> dict[str, Artifact]:
    """Open the artifacts of that experiment by name."""
    rows = [row for row in PIPELINE if row.name != "report"]
    return {row.writes: open_output(row, root / "small") for row in rows}


class LateClock:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.late_s, self._true = 0.0, time.perf_counter

    def __call__(self) -> float:
        return self.late_s + self._true()


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> LateClock:
    """Return the clock by which training and waiting are measured."""
    made = LateClock()
    monkeypatch.setattr("shared.runtime.observe.observation.time.perf_counter", made)
    return made
