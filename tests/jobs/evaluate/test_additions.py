"""Weights that are missing and come later: what is said, what chooses, what is added, and what stays.

A small network in the layout of the published TorchScript takes Inception's place; it is admitted by its hash.
"""

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import jobs.evaluate.selection
from jobs.__main__ import main as halfreal
from jobs.commands.run import dry_run_jobs
from jobs.pipeline import EVALUATE, PIPELINE
from shared.format.files import sha256
from shared.format.manifest import MANIFEST
from shared.models.pretrained.weights import UNPUBLISHED
from shared.store.artifacts import Artifact, open_output
from shared.store.records.scores import OnTest, ScoresRecord
from tests.jobs.conftest import SMALL
from tests.shared.models.inception import make_small

FID = ["--per-snapshot", "inception_clean", "--extractors", "classifier,inception_clean", "--images", 24]

LATER = ("synthesize", "train_mixed", "report")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the small network's file."""
    return make_small(tmp_path_factory.mktemp("small"))


class Volume:
    """A copy of the small experiment, on which jobs ask for FID of every snapshot."""

    def __init__(self, root: Path, run_job: Callable[..., Result], recipe: Path) -> None:
        self.root, self.run_job, self.recipe = root, run_job, recipe

    def __call__(self, job: str, *words: object) -> str:
        """Run a job; return what it wrote to standard error."""
        own = FID if job == "evaluate" else SMALL[job]
        result = self.run_job(job, self.root, "--recipe", self.recipe, *own, *words)
        assert result.exit_code == 0, result.output
        return result.stderr

    def rest(self) -> list[str]:
        """Run the jobs after evaluate; return what each said."""
        return [self(job) for job in LATER]

    def scores(self, replicate: int = 0) -> Artifact[ScoresRecord]:
        """Open the scores."""
        return open_output(EVALUATE, self.root / "small", replicate)

    @property
    def page(self) -> str:
        """The report."""
        return (self.root / "small" / "report" / "index.html").read_text(encoding="utf-8")

    def results(self, *words: str) -> str:
        """Return what `results` prints."""
        place = ["--data-root", str(self.root), "--experiment", "small"]
        result = CliRunner().invoke(halfreal, ["results", *place, *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    def bring(self, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put weights on the volume, and admit them."""
        (self.root / "weights").mkdir(exist_ok=True)
        shutil.copy(weights, self.root / "weights" / "any name.pt")
        monkeypatch.setenv(UNPUBLISHED, sha256(weights.read_bytes()))


@pytest.fixture
def fid(volume: Path, tmp_path: Path, run_job: Callable[..., Result], plain_recipe: Path) -> Volume:
    """Return a volume whose scores are to be made."""
    shutil.copytree(volume, tmp_path / "v")
    return Volume(tmp_path / "v", run_job, plain_recipe)


@pytest.mark.slow
def test_scores_are_added_to_what_is_finished(fid: Volume, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without weights all is made and says what is missing; with them only the scores and the page are made again.

    The scores are those that a single call makes with weights, where the same score chooses.
    """
    said = fid("evaluate")
    command = f"halfreal weights fetch inception --data-root {fid.root}"
    assert f"FID: weights missing (inception_clean). Bring them with: {command}" in said
    fid.rest()
    assert "<strong>FID: weights missing</strong> (inception_clean)" in fid.page.split("<h1>")[0]
    assert "<code>halfreal weights fetch inception</code>" in fid.page.split("<h1>")[0]
    assert fid.results().startswith(f"FID: weights missing (inception_clean). Bring them with: {command}")
    assert '"missing_weights": [\n  {' in fid.results("--json")
    before = fid.scores()
    assert (before.record.fallback, before.record.chosen_score) == ("inception_clean", "frechet_classifier")

    fid.bring(small, monkeypatch)
    assert "adding inception_clean; all that is there stays" in fid("evaluate")
    after = fid.scores()
    assert after.identity == before.sha256 != after.sha256
    *later, report = fid.rest()
    assert [text.count("already complete") for text in later] == [1, 2]  # fits and mixed are two artifacts
    assert "rebuilding because its input 'scores/r00' changed" in report
    assert "already complete" in fid("evaluate")
    assert "weights missing" not in fid.page
    assert "fid_inception_clean" in fid.page
    assert "FID of every snapshot; it was not what chose." in fid.page
    found = json.loads(fid.results("--json"))
    assert (found["missing_weights"], found["fallback_for"]) == ([], "inception_clean")
    for key, reference in (("score_protocols", "test"), ("score_protocols_train", "train")):
        assert found[key]["inception_clean"]["reference"] == reference
    assert len(found["scores_against_train"]["fid_inception_clean"]["values"]) == 1
    printed = " ".join(fid.results().split())
    n_test, n_train = (found[key]["classifier"]["n_real"] for key in ("score_protocols", "score_protocols_train"))
    assert re.search(rf"fid_inception_clean [\d.]+ against {n_test} real test images; of real train images", printed)
    assert re.search(rf"fid_inception_clean [\d.]+ against {n_train} real train images, as papers print it", printed)
    assert re.search(r"inception_score_inception_clean [\d.]+; of real train images", printed)
    assert "weights that nobody published" in fid.page.split("<h1>")[0]
    assert_added(before, after)

    fid("evaluate", "--per-snapshot", "classifier")
    at_once = fid.scores().record
    assert after.record.chosen == at_once.chosen != at_once.worst
    for part in ("test", "real", "copies", "train_reference", "test_protocols"):
        assert getattr(after.record.on_test, part) == getattr(at_once.on_test, part), part

    assert "chose epoch" in fid("evaluate", "--force")
    scratch = fid.scores()
    assert (scratch.record.fallback, scratch.record.chosen_score) == (None, "fid_inception_clean")
    assert scratch.identity == scratch.sha256
    assert [row.scores["fid_inception_clean"] for row in scratch.record.rows] == pytest.approx(
        [row.scores["fid_inception_clean"] for row in after.record.rows]
    )
    assert "rebuilding because its input 'scores/r00' changed" in fid("synthesize")


def assert_added(before: Artifact[ScoresRecord], after: Artifact[ScoresRecord]) -> None:
    """Check that all that was there is there, and Inception's scores next to it, against both references."""
    old, new = before.record, after.record
    assert (new.chosen, new.worst, new.chosen_score, new.fallback) == (
        old.chosen,
        old.worst,
        old.chosen_score,
        old.fallback,
    )
    assert (set(old.left_out), new.left_out) == ({"inception_clean"}, {})
    for row, known in zip(new.rows, old.rows, strict=True):
        assert row.scores | known.scores == row.scores
        assert {"fid_inception_clean", "kid_inception_clean"} <= row.scores.keys() - known.scores.keys()
    mine, known = new.on_test, old.on_test
    assert mine is not None
    assert known is not None
    for part, had in ((mine.test, known.test), (mine.real, known.real)):
        assert part.scores | had.scores == part.scores
        assert part.by_class | had.by_class == part.by_class
        assert {"fid_inception_clean", "inception_score_inception_clean"} <= part.scores.keys() - had.scores.keys()
    assert mine.copies == known.copies
    assert mine.test.classes == known.test.classes
    assert mine.train_reference is not None
    assert {"frechet_classifier", "fid_inception_clean"} <= mine.train_reference.scores.keys()
    for protocols, reference in ((mine.test_protocols, "test"), (mine.train_reference.protocols, "train")):
        assert set(protocols) == {"classifier", "inception_clean"}
        assert {protocol.reference for protocol in protocols.values()} == {reference}
        assert protocols["inception_clean"].unpublished
        assert protocols["classifier"].unpublished is None
    assert {line.split(":")[0] for line in mine.warnings} >= {
        "fid_inception_clean against test",
        "fid_inception_clean against train",
    }


def test_an_addition_that_is_cut_off_leaves_the_scores_whole(
    fid: Volume, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure while scores are added changes nothing; the next call adds them."""
    fid("evaluate")
    folder = fid.root / "small" / "scores"
    whole = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    fid.bring(small, monkeypatch)
    with monkeypatch.context() as patch:

        def cut(*_: Any) -> OnTest:
            raise OSError("no space left")

        patch.setattr(jobs.evaluate.selection, "with_more", cut)
        result = fid.run_job("evaluate", fid.root, "--recipe", fid.recipe, *FID)
        assert result.exit_code not in (0, 2)
    there = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert there == whole
    fid("evaluate")
    assert "fid_inception_clean" in fid.scores().record.rows[0].scores


@pytest.mark.slow
def test_replicates_that_are_added_later_are_chosen_alike(
    fid: Volume, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One score chooses all replicates: the fallback's where one was chosen by it; with --force FID chooses all."""
    fid("evaluate")
    fid.bring(small, monkeypatch)
    for job in ("train_classifier", "train_gan"):
        fid(job, "--replicates", 2, "--processes", 1)
    two = ["--replicates", 2, "--processes", 1]
    assert "classifier chose the other replicates" in fid("evaluate", *two)
    first, second = fid.scores(0).record, fid.scores(1).record
    assert first.chosen_score == second.chosen_score == "frechet_classifier"
    assert first.fallback == second.fallback == "inception_clean"
    assert first.rows[0].scores.keys() == second.rows[0].scores.keys()
    fid("evaluate", *two, "--force")
    assert {fid.scores(number).record.chosen_score for number in range(2)} == {"fid_inception_clean"}


def test_the_fallback_is_an_option(fid: Volume) -> None:
    """`--fallback` chooses; where its weights are missing too, the classifier does, and that is said."""
    said = fid("evaluate", "--fallback", "efficientnet_lite0")
    assert "until then classifier chooses the snapshots in place of inception_clean" in said
    assert fid.scores().record.chosen_score == "frechet_classifier"


def test_scores_of_an_earlier_version_are_complete(fid: Volume) -> None:
    """A manifest without the option `fallback`, which went by its default, is not made again."""
    fid("evaluate")
    path = fid.root / "small" / "scores" / "r00" / MANIFEST
    text = path.read_text(encoding="utf-8")
    older = text.replace('"fallback": "classifier",', "", 1)
    assert older != text
    path.write_text(older, encoding="utf-8")
    assert "already complete" in fid("evaluate")
    assert "fallback was 'classifier', now 'efficientnet_lite0'" in fid("evaluate", "--fallback", "efficientnet_lite0")


def test_a_dry_run_says_what_would_be_added(fid: Volume, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scores would be given, the report be rebuilt, and nothing else would be made."""
    fid("evaluate")
    fid.rest()
    fid.bring(small, monkeypatch)
    recipe = fid.root / "fid.toml"
    tables = {row.name: dict(zip(SMALL[row.name][::2], SMALL[row.name][1::2], strict=True)) for row in PIPELINE}
    tables["evaluate"] = dict(zip(FID[::2], FID[1::2], strict=True))
    lines = ['about = "small"', "seed = 3"]
    for name, options in tables.items():
        lines += [f"[{name}]"]
        for flag, value in options.items():
            number = str(value).replace(".", "", 1).isdigit()
            lines.append(f"{str(flag)[2:].replace('-', '_')} = {value if number else repr(str(value))}")
    recipe.write_text("\n".join(lines).replace("'", '"'), encoding="utf-8")
    words = ["--recipe", str(recipe), "--data-root", str(fid.root), "--experiment", "small", "--device", "cpu"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert dry_run_jobs(PIPELINE, [*words, "--dry-run"]) == []
    said = [line.strip() for line in out.getvalue().splitlines() if " = " not in line and " would write " not in line]
    assert "scores r00: would be given inception_clean; all that is there stays" in said
    assert sum("already complete" in line for line in said) == 6
    assert said[-1] == "would be rebuilt because its input 'scores' would be"
