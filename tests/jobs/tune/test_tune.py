"""`halfreal tune` as a user runs it: two workers, one of them lost; what trials read; what remains in the end."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import optuna
import pytest
from click.testing import CliRunner, Result
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from jobs.__main__ import main as halfreal
from jobs.tune.outcome import sentence
from shared.store.artifacts import Artifact, open_artifact
from shared.store.records.tune import Difference, QualityRow, Summary

ROOT = Path(__file__).resolve().parents[3]

RECIPE = """
about = "a small search"
seed = 3
threads = 1

[train_gan]
epochs = 4
batch_images = 16
width = 2
latent = 8
learning_rate = 2e-3

[evaluate]
images = 24

[tune]
trials = 4
seeds = 2

[tune.space]
train_gan.learning_rate = {low = 1e-3, high = 1e-2, log = true}
train_gan.latent = [4, 8]
"""

WATCH = """
import os, sys

def note(event, arguments):
    if event == "open" and "real/" in str(arguments[0]) and str(arguments[0]).endswith(".tar"):
        with open(os.environ["SHARDS_SEEN"], "a") as stream:
            stream.write(" ".join([os.path.basename(str(arguments[0])), *sys.argv]) + "\\n")

sys.addaudithook(note)
"""
"""A sitecustomize that every Python process loads: it logs which shards of real images are opened."""


@dataclass(frozen=True)
class Searched:
    """A volume on which two workers did a search, one of which was lost on the way."""

    root: Path
    recipe: Path
    killed: int
    seen: list[str]
    again: subprocess.CompletedProcess[str]

    @property
    def tune(self) -> Artifact:
        """The artifact."""
        return open_artifact(self.root / "small" / "tune", "study", "tune")

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """The trials as optuna's own journal reader returns them."""
        (journal,) = (self.root / "small" / "trials").glob("*/journal.log")
        storage = JournalStorage(JournalFileBackend(str(journal)))
        (name,) = optuna.get_all_study_names(storage)
        return optuna.load_study(study_name=name, storage=storage).trials


@pytest.fixture(scope="module")
def searched(volume: Path, tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """Start two workers, kill one with SIGKILL while its trial trains, let the other finish; then run tune again."""
    place = tmp_path_factory.mktemp("search")
    root, recipe = place / "v", place / "small.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    for name in ("real", "classifier"):
        shutil.copytree(volume / "small" / name, root / "small" / name)
    (place / "guard").mkdir()
    (place / "guard" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HALFREAL_")}
    environment = plain | {"PYTHONPATH": f"{place / 'guard'}:{ROOT}", "SHARDS_SEEN": str(place / "seen")}
    words = [sys.executable, "-m", "jobs", "tune", "--recipe", str(recipe), "--data-root", str(root)]
    words += ["--experiment", "small", "--device", "cpu"]

    with (place / "said").open("wb") as log:
        first = subprocess.Popen(words, env=environment, stderr=log)
        deadline = time.monotonic() + 120
        while not list(root.glob("small/trials/*/0000/gan/.r00-*/snapshots/*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        second = subprocess.Popen(words, env=environment, stderr=log)
        first.kill()
        first.wait()
        try:
            second.wait(timeout=1200)
        finally:
            second.terminate()
            second.wait()
    said = (place / "said").read_text(encoding="utf-8")
    assert second.returncode == 0, said
    assert "trial 0 taken over" in said
    again = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    seen = (place / "seen").read_text(encoding="utf-8").splitlines()
    return Searched(root, recipe, first.returncode, seen, again)


@pytest.mark.long
def test_no_trial_is_lost_or_counted_twice(searched: Searched) -> None:
    """With one worker killed there are exactly as many trials as were asked for, and each ended."""
    assert searched.killed == -signal.SIGKILL
    assert [trial.number for trial in searched.trials] == [0, 1, 2, 3]
    assert {trial.state.name for trial in searched.trials} <= {"COMPLETE", "PRUNED"}
    facts = searched.tune.facts
    assert [trial["number"] for trial in facts["trials"]] == [0, 1, 2, 3]
    assert Counter(trial["state"] for trial in facts["trials"])["refused"] == 0
    finished = [trial for trial in facts["trials"] if trial["state"] == "finished"]
    assert facts["best"]["value"] == min(trial["value"] for trial in finished)
    for trial in finished:
        assert trial["value"] == min(score for _, score in trial["curve"])


@pytest.mark.long
def test_trials_never_open_the_test_split(searched: Searched) -> None:
    """No process of a trial opens a test shard; the baseline and tuned runs do, so the log does record them."""
    trials = [line for line in searched.seen if re.search(r"--experiment \d{4}\b", line)]
    assert {line.partition("-")[0] for line in trials} == {"train", "val"}
    after = [line for line in searched.seen if "--experiment recipe-seed-4" in line]
    assert any(line.startswith("test-") for line in after)


@pytest.mark.long
def test_a_trial_is_an_ordinary_experiment(searched: Searched) -> None:
    """A finished trial's folder holds whole artifacts, made with its options from this experiment's images."""
    (study,) = (searched.root / "small" / "trials").iterdir()
    real = open_artifact(searched.root / "small" / "real", "dataset", "preprocess")
    for trial in searched.tune.facts["trials"]:
        if trial["state"] == "finished":
            gan = open_artifact(study / f"{trial['number']:04d}" / "gan" / "r00", "model", "train_gan")
            assert gan.manifest.inputs == {"real": real.sha256}
            assert {f"train_gan.{name}": gan.manifest.options[name] for name in ("learning_rate", "latent")} == {
                name: pytest.approx(value) for name, value in trial["params"].items()
            }
            assert gan.manifest.options["seed"] == 3
        else:
            assert not list((study / f"{trial['number']:04d}").glob("gan/.r*-*/*"))


@pytest.mark.long
def test_before_and_after_are_on_test(searched: Searched) -> None:
    """Both sides were trained from two fresh seeds and scored on test; the table has their numbers."""
    facts = searched.tune.facts
    (study,) = (searched.root / "small" / "trials").iterdir()
    assert facts["seeds"] == [4, 5]
    assert facts["protocol"]["reference"] == "test"
    row = facts["comparison"]["rows"][0]
    values = [
        open_artifact(study / f"recipe-seed-{seed}" / "scores" / "r00", "scores", "evaluate").facts["test"][row["name"]]
        for seed in (4, 5)
    ]
    assert row["name"] == facts["score"] == "frechet_classifier"
    assert row["before"]["values"] == values
    assert row["before"]["low"] < row["before"]["mean"] < row["before"]["high"]
    assert {row["name"] for row in facts["comparison"]["rows"]} >= {"agreement", "synthetic_only_accuracy"}


@pytest.mark.long
def test_the_tuned_recipe_is_one_that_run_takes(searched: Searched, tmp_path: Path) -> None:
    """`halfreal run --recipe tuned.toml --dry-run` accepts it; train_gan has the best trial's options there."""
    tuned = searched.root / "small" / "tune" / "tuned.toml"
    result = CliRunner().invoke(halfreal, ["run", "--dry-run", "--recipe", str(tuned), "--data-root", str(tmp_path)])
    assert result.exit_code == 0, result.output
    dry = CliRunner().invoke(halfreal, ["train_gan", "--dry-run", "--recipe", str(tuned)]).output
    for name, value in searched.tune.facts["best"]["params"].items():
        assert f"  {name.partition('.')[2]} = {value!r}\n" in dry
    assert "  epochs = 4\n" in dry


@pytest.mark.long
def test_the_figures_are_there(searched: Searched) -> None:
    """History, curves, parallel coordinates, importances, baseline and tuned are pictures in the artifact."""
    names = {path.stem for path in (searched.tune.folder / "figures").iterdir()}
    assert names == {"history", "trial_curves", "parallel", "importances", "comparison", "baseline_and_tuned"}
    shares = searched.tune.facts["importances"]
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.long
def test_the_same_command_again_is_already_complete(searched: Searched) -> None:
    """A finished search is not repeated."""
    assert searched.again.returncode == 0, searched.again.stderr
    assert "already complete" in searched.again.stderr


@pytest.mark.long
def test_other_options_are_in_the_tuned_recipe_at_once(searched: Searched, tmp_path: Path) -> None:
    """An option that no trial depends on changes the tuned recipe and repeats no trial."""
    shutil.copytree(searched.root / "small", tmp_path / "small", symlinks=True)
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE + "\n[synthesize]\nshare = 0.3\n", encoding="utf-8")
    words = ["tune", "--recipe", str(recipe), "--data-root", str(tmp_path), "--experiment", "small", "--device", "cpu"]
    result = CliRunner().invoke(halfreal, words)
    assert result.exit_code == 0, result.output
    assert "rebuilding because" in result.output
    assert "trial 4" not in result.output
    assert "share = 0.3" in (tmp_path / "small" / "tune" / "tuned.toml").read_text(encoding="utf-8")


@pytest.mark.long
def test_the_report_has_a_section_on_it(
    searched: Searched, volume: Path, tmp_path: Path, run_job: Callable[..., Result], plain_recipe: Path
) -> None:
    """The report of a tuned experiment shows baseline and tuned; others have no such section."""
    root = tmp_path / "v"
    shutil.copytree(volume / "small", root / "small")
    page = root / "small" / "report" / "index.html"
    assert '<section id="tuning"' not in page.read_text(encoding="utf-8")
    shutil.copytree(searched.tune.folder, root / "small" / "tune")
    result = run_job("report", root, "--recipe", plain_recipe)
    assert result.exit_code == 0, result.output
    text = unescape(page.read_text(encoding="utf-8"))
    assert "its input 'tune' changed" in result.output
    assert '<section id="tuning"' in text
    assert searched.tune.facts["comparison"]["sentence"].split(" (")[0] in text
    assert searched.tune.sha256[:16] in text
    manifest = json.loads((root / "small" / "tune" / "manifest.json").read_bytes())
    manifest["inputs"]["real"] = "0" * 64
    (root / "small" / "tune" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert run_job("report", root, "--recipe", plain_recipe).exit_code == 0
    assert '<section id="tuning"' not in page.read_text(encoding="utf-8")


def row(low: float | None, high: float | None, outcome: str, after: float = 2.0) -> QualityRow:
    """Return a row of the table of baseline and tuned options: 3.0 for the baseline."""
    sides = (Summary(values=[mean] * 3, mean=mean, std=0.0, low=mean, high=mean) for mean in (3.0, after))
    return QualityRow(
        name="frechet_classifier",
        lower_is_better=True,
        before=next(sides),
        after=next(sides),
        change=Difference(difference=after - 3.0, low=low, high=high),
        outcome=outcome,
    )


@pytest.mark.parametrize(
    ("found", "unchanged", "words"),
    [
        (row(-1.5, -0.5, "better"), False, "Tuning lowered frechet_classifier from 3 to 2 on test"),
        (row(0.5, 1.5, "worse", 4.0), False, "Tuning raised frechet_classifier from 3 to 4 on test"),
        (row(-1.5, 0.5, "no difference shown"), False, "Tuning made no difference to frechet_classifier"),
        (row(None, None, "no difference shown"), False, "one seed of each cannot say more"),
        (row(0.0, 0.0, "unchanged", 3.0), True, "No trial did better on val than the recipe's own options"),
    ],
)
def test_the_sentence_says_what_the_interval_says(found: QualityRow, unchanged: bool, words: str) -> None:
    """Better, worse and no difference shown each have their own sentence, with the interval."""
    said = sentence(found, unchanged)
    assert words in said
    if found.outcome in ("better", "worse"):
        assert f"{found.change.low:+.3g} to {found.change.high:+.3g}, 3 seeds each" in said
