"""A whole experiment on random splits: no replicate knows its test images, and every command reads it."""

import json
import math
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy import stats

from jobs.__main__ import main as halfreal
from jobs.pipeline import ARTIFACTS, EVALUATE, FITS, PIPELINE, PREPROCESS, REPORT, SYNTHESIZE, TRAIN_GAN, TRAIN_MIXED
from jobs.playground.index import ExperimentIndex
from jobs.train_mixed.experiment import tuned_on_more, tuned_on_one_split
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.store.artifacts import open_output
from shared.store.lineage import open_inputs
from shared.store.records.mixed import MixedRecord
from shared.store.replicates import place
from tests.conftest import quicken
from tests.jobs.conftest import SMALL, call, hostile_source

REPLICATES = 3

WORDS = SMALL | {"preprocess": [*SMALL["preprocess"], "--resplit"]}


def make(root: Path, recipe: Path, replicates: int) -> None:
    """Run every job of the experiment `small`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("HALFREAL_")]:
            patch.delenv(name)
        patch.setenv("HALFREAL_REPLICATES", str(replicates))
        patch.setenv("HALFREAL_PROCESSES", "1")  # in this process, where the source is another one
        patch.setattr("shared.sources.published.sets.digits", hostile_source)
        quicken(patch)
        for row in PIPELINE:
            result = call(row.name, root, "--recipe", recipe, *WORDS[row.name])
            assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, plain_recipe: Path) -> Path:
    """Run every job on random splits, three replicates; return the data root."""
    made = tmp_path_factory.mktemp("splits")
    make(made, plain_recipe, REPLICATES)
    return made


def command(root: Path, *words: object) -> Result:
    """Return the result of a command on the experiment."""
    return CliRunner().invoke(halfreal, [str(words[0]), "--data-root", str(root), *map(str, words[1:])])


def record(root: Path) -> MixedRecord:
    """Return the verdict."""
    return open_output(TRAIN_MIXED, root / "small").record


def test_a_replicate_reads_its_own_split_and_no_other(root: Path) -> None:
    """Nothing that a replicate is made from, its extractor included, was made from another replicate's images."""
    for row in ARTIFACTS:
        for number in range(REPLICATES if row.replicated else 0):
            inputs = open_output(row, root / "small", number).manifest.inputs
            assert inputs
            assert all(name.endswith(f"r{number:02d}") for name in inputs), (row.writes, inputs)


def test_the_verdict_is_that_of_the_splits_by_hand(root: Path) -> None:
    """From the accuracies in the rows of the fits: variance (1/3 + n_test/n_train) S^2, Student's t."""
    found = record(root)
    splits = [open_output(PREPROCESS, root / "small", number).dataset.splits for number in range(REPLICATES)]
    ratio = float(np.mean([split["test"].count / split["train"].count for split in splits]))
    assert found.protocol.test_over_train == pytest.approx(ratio)
    assert found.protocol.resplit == "all"
    assert found.headline is not None
    spreads = []
    for answer in (found.headline, *found.questions):
        a, b = (np.array([row.test.accuracy for row in found.rows if row.arm == arm]) for arm in (answer.a, answer.b))
        assert answer.values == pytest.approx(a - b)
        spreads.append(float((a - b).std(ddof=1)))
        reach = stats.t.ppf((1 + answer.level) / 2, REPLICATES - 1) * math.sqrt(1 / REPLICATES + ratio) * spreads[-1]
        # images are added so that no interval has a width of zero; none reaches beyond 100 points
        assert answer.high - answer.low >= min(answer.difference + reach, 1) - max(answer.difference - reach, -1) - 0.02
        assert answer.freedom == REPLICATES - 1
    assert max(spreads) > 0.01


def test_every_command_reads_it(root: Path, tmp_path: Path) -> None:
    """Results, samples, an export with its card, the list of experiments and a comparison."""
    printed = json.loads(command(root, "results", "--experiment", "small", "--json").stdout)
    assert printed["protocol"]["resplit"] == "all"
    assert set(printed["variance"].values()) == {None}
    shown = command(root, "results", "--experiment", "small")
    assert "the spread between splits" in " ".join(shown.output.split())
    for replicate in range(REPLICATES):
        out = tmp_path / f"{replicate}.png"
        result = command(
            root, "sample", "--experiment", "small", "--class", 0, "--replicate", replicate, "--out", out, "--count", 4
        )
        assert result.exit_code == 0, result.output
    out = tmp_path / "set"
    result = command(root, "export", "--experiment", "small", "--to", "webdataset", "--out", out, "--replicate", 1)
    assert result.exit_code == 0, result.output
    card = (out / "README.md").read_text("utf-8")
    assert "real/r01" in card
    assert ExperimentIndex(root).names() == ["small"]
    assert ExperimentIndex(root, 2).open("small").real.folder.name == "r02"
    shutil.copytree(root / "small", root / "twin")
    try:
        result = command(root, "compare", "small", "twin")
        assert result.exit_code == 0, result.output
        result = command(root, "compare", "small", "twin", "--reference", "small", "--images", 24)
        assert result.exit_code == 0, result.output
        page = next(root.glob("compare/*/index.html")).read_text("utf-8")
        assert "../../small/report/index.html" in page
    finally:
        shutil.rmtree(root / "twin")


def test_a_snapshot_is_scored_on_the_split_of_its_replicate(root: Path) -> None:
    """The val images and the classifier of another replicate have seen what this one's generator must not."""
    for number in range(REPLICATES):
        scores = open_output(EVALUATE, root / "small", number)
        snapshot = scores.record.rows[0]
        file = root / "small" / place(TRAIN_GAN, number) / snapshot.file
        seed = scores.manifest.options["seed"]
        words = ("snapshot", file, "--data-root", root, "--experiment", "small", "--device", "cpu", "--seed", seed)
        result = CliRunner().invoke(halfreal, ["evaluate", *map(str, words), "--images", "24"])
        assert result.exit_code == 0, result.output
        printed = json.loads(result.stdout.splitlines()[-1])
        assert printed[scores.record.chosen_score] == snapshot.scores[scores.record.chosen_score]


def test_the_page_says_what_intervals_are_for(root: Path) -> None:
    """The corrected interval is named, and what a replicate is; the recipe makes the same splits again."""
    page = (open_output(REPORT, root / "small").folder / "index.html").read_text("utf-8")
    assert "Nadeau and Bengio 2003" in page
    assert "a new random split, a new generator" in page
    assert re.search(r"resplit = (&#34;|\")all", page)
    assert "halfreal: small" in page


def test_tuning_on_one_split_is_found(root: Path, tmp_path: Path) -> None:
    """A search in the experiment, and a recipe of tuned options, are named."""
    folder = tmp_path / "small"
    shutil.copytree(root / "small", folder)

    def found() -> list[str]:
        return tuned_on_one_split(
            Run(open_inputs(TRAIN_MIXED, folder, replicates=REPLICATES), folder, tmp_path, "cpu", Reporter("test"))
        )

    assert found() == []
    (folder / "tune").mkdir()
    (folder / "tune" / "manifest.json").write_text("{}")
    path = folder / place(SYNTHESIZE, 0) / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"recipe": "rps_cgan_tuned"}))
    assert found() == ["tune of this experiment", "recipe rps_cgan_tuned"]


@pytest.mark.parametrize("share", ["train_val_fraction", "labelled_fraction"])
def test_a_recipe_that_was_tuned_on_more_is_found(tmp_path: Path, share: str) -> None:
    """Where the experiment has a share of the images or labels, on any split; a whole one has what it was tuned on."""

    def found(recipe: str, **fractions: float | None) -> list[str]:
        whole = dict.fromkeys(("train_val_fraction", "labelled_fraction"), 1.0)
        real = SimpleNamespace(record=SimpleNamespace(resplit=None, **(whole | fractions)))
        drawn = SimpleNamespace(folder=tmp_path / f"drawn-{recipe}")
        drawn.folder.mkdir(exist_ok=True)
        (drawn.folder / "run.json").write_text(json.dumps({"recipe": recipe}))
        # a search needs a recipe of its own: only what is read of the inputs is made here
        inputs = {PREPROCESS.writes: real, SYNTHESIZE.writes: drawn}
        return tuned_on_more(SimpleNamespace(input=lambda job: inputs[job.writes]))  # type: ignore[arg-type]

    assert found("rps_cgan_tuned", **{share: 0.1}) == ["recipe rps_cgan_tuned"]
    assert (
        found("rps_cgan", **{share: 0.1}) == found("rps_cgan_tuned") == found("rps_cgan_tuned", **{share: None}) == []
    )


def test_more_replicates_are_added_to_those_that_there_are(root: Path, plain_recipe: Path, tmp_path: Path) -> None:
    """A fourth split leaves the three as they are; the verdict is of four, and one is flagged as added."""
    shutil.copytree(root, tmp_path / "v")
    before = {
        (row.writes, number): open_output(row, root / "small", number).sha256
        for row in (PREPROCESS, EVALUATE, FITS)
        for number in range(REPLICATES)
    }
    make(tmp_path / "v", plain_recipe, REPLICATES + 1)
    folder = tmp_path / "v" / "small"
    rows = {row.writes: row for row in ARTIFACTS}
    assert {key: open_output(rows[key[0]], folder, key[1]).sha256 for key in before} == before
    protocol = record(tmp_path / "v").protocol
    assert (protocol.replicates, protocol.planned, protocol.added) == (4, 3, 1)
