"""`halfreal compare` as a user runs it: page, JSON and tables, replicates of the verdict, refusals, a reference."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.compare import under_reference
from jobs.compare.command import compare_after_run
from jobs.compare.experiments import open_experiment
from jobs.compare.reference import Reference, Settings
from jobs.compare.under_reference import Generator
from shared.data.resizing import converted
from shared.metrics.compare import UNKNOWN
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from shared.runtime.seeding import derive_seed, replicate_seed
from shared.store.artifacts import open_artifact
from tests.jobs.compare.conftest import add_replicate

pytestmark = pytest.mark.drawn

NAME = "frechet_classifier"


def compare(root: Path, *words: object) -> Result:
    """Return the result of `halfreal compare` on the volume, on the CPU, in this process."""
    arguments = ["compare", *map(str, words), "--data-root", str(root), "--device", "cpu"]
    return CliRunner().invoke(halfreal, arguments, env={"COLUMNS": "200"})


def numbers(path: Path) -> Any:
    """Return what the JSON of a comparison holds."""
    return json.loads((path / "compare.json").read_text())


def refused(result: Result, *mentions: str) -> None:
    """Assert exit code 2 and an error of at most three lines with these words."""
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) <= 3
    for mention in mentions:
        assert mention in result.stderr


def test_two_experiments_become_a_page_numbers_and_tables(root: Path) -> None:
    """Both files are where the last lines say; one replicate of each shows no winner."""
    result = compare(root, "small", "twin")
    assert result.exit_code == 0, result.output
    folder = root / "compare" / "small+twin"
    assert result.stdout.endswith(f"page: {folder / 'index.html'}\nnumbers: {folder / 'compare.json'}\n")
    found = numbers(folder)
    assert UNKNOWN in found["sentence"]
    assert found["winner"] is None
    assert found["sentence"] in (folder / "index.html").read_text()
    assert " ".join(found["sentence"].split()) in " ".join(result.stdout.split())
    assert found["scores"][NAME]["small"] == found["scores"][NAME]["twin"]
    assert found["reference"] is None
    assert not [name for name in found["scores"] if name.endswith(("_se", "_slope", "_std"))]
    for name in ("small", "twin"):
        over = found["over_epochs"]["experiments"][name]
        assert over["lowest"] < over["mean"] < over["highest"]
        assert found["experiments"][name]["replicates"] == ["r00"]
        assert found["arms"]["real_100"][name]["mean"] == pytest.approx(found["arms"]["real_100"]["small"]["mean"])
    for words in ("best epoch", "finding", "no source with printed numbers"):
        assert words in result.stdout


def test_files_are_where_they_are_asked_for(root: Path, tmp_path: Path) -> None:
    """--out names the page and --json the numbers, which are next to the page without it."""
    assert compare(root, "small", "twin", "--out", tmp_path / "new" / "a.html").exit_code == 0
    assert (tmp_path / "new" / "a.html").is_file()
    assert (tmp_path / "new" / "compare.json").is_file()
    assert compare(root, "small", "twin", "--out", tmp_path / "a.html", "--json", tmp_path / "b.json").exit_code == 0
    assert (tmp_path / "b.json").is_file()
    assert not (root / "compare").exists()


def test_replicates_are_those_of_the_verdict(root: Path) -> None:
    """One that was scored later is not in the verdict and not compared; without a verdict all are."""
    add_replicate(root / "twin")
    assert list(open_experiment(root / "twin").scores) == [0]
    shutil.rmtree(root / "twin" / "mixed")
    assert list(open_experiment(root / "twin").scores) == [0, 1]
    assert compare(root, "small", "twin").exit_code == 0
    found = numbers(root / "compare" / "small+twin")["experiments"]
    assert found["small"]["replicates"] == ["r00"]
    assert found["twin"]["replicates"] == ["r00", "r01"]
    assert (found["small"]["of_verdict"], found["twin"]["of_verdict"]) == (True, False)


def test_other_scores_than_the_verdict_has_are_refused(root: Path, plain_recipe: Path) -> None:
    """Scores that were made again after the verdict are out of step with it: the error says what to do."""
    path = root / "twin" / "scores" / "r00" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"agreement": ', b'"agreement":  ', 1))
    refused(compare(root, "small", "twin"), "rebuild them together")


@pytest.mark.parametrize(
    ("words", "mention"),
    [
        (["small"], "at least two experiments"),
        (["small", "small"], "small is named more than once"),
        (["small", "sources"], "the volume has other things"),
        (["small", "../small"], "want letters"),
        (["none", "small", "nor"], "no experiment none and no nor; run first: halfreal run"),
        (["small", "twin", "--reference", "none"], "no experiment none; run first: halfreal run"),
        (["small", "twin", "--reference", "compare"], "the volume has other things"),
        (["small", "twin", "--images", "50"], "--reference"),
        (["small", "twin", "--extractor", "classifier"], "--reference"),
    ],
)
def test_what_cannot_be_compared_is_refused(words: list[str], mention: str, shared_root: Path) -> None:
    """Exit code 2 and what to do."""
    refused(compare(shared_root, *words), mention)


def test_other_protocols_need_a_reference(root: Path) -> None:
    """Another size, colour and classifier: refused, with the difference and the way out; nothing is written."""
    refused(compare(root, "small", "tuned"), "different protocols (classifier)", "reference_sha256", "--reference")
    assert not (root / "compare").exists()


def test_a_reference_brings_experiments_onto_one_protocol(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three experiments, one of them at another size without a verdict, against the images of the first.

    Page and JSON state the protocol and what was different. The same command again computes nothing.
    """
    words = ["small", "twin", "tuned", "--reference", "small", "--images", 30]
    result = compare(root, *words)
    assert result.exit_code == 0, result.output
    folder = root / "compare" / "small+twin+tuned@small"
    found = numbers(folder)
    real = open_artifact(root / "small" / "real", "dataset", "preprocess")
    used = found["reference"]["protocol"]
    assert (used["reference_sha256"], used["reference"], used["n_synthetic"]) == (real.sha256, "test", 30)
    assert used["n_real"] == real.dataset.splits["test"].count
    assert used["extractor"] == "classifier"
    assert found["protocols"] == {"classifier": used}
    assert found["scores"][NAME]["small"] == found["scores"][NAME]["twin"] != found["scores"][NAME]["tuned"]
    assert all(math.isfinite(each["mean"]) for each in found["scores"][NAME].values())
    assert "agreement" not in found["scores"]
    (note,) = [note for note in found["reference"]["notes"] if note.startswith("tuned was made with")]
    assert "size 32 px (reference: 16 px)" in note
    assert "channels 1 (reference: 3)" in note
    assert "resize_filter lanczos (reference: " in note
    assert found["over_epochs"]["why_not"].startswith("classifier: ")
    page = (folder / "index.html").read_text()
    assert "Everything is scored against the real test images of <strong>small</strong>" in page
    assert "These numbers do not compare between experiments" in page

    def never(self: Generator) -> dict[str, float]:
        raise AssertionError("scored again")

    monkeypatch.setattr(Generator, "scores", never)
    again = compare(root, *words)
    assert again.exit_code == 0, again.output
    assert numbers(folder) == found


def test_a_run_of_several_ends_with_a_comparison_in_any_case(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By their own scores where these compare, else against the real images of the first; why is said."""
    compare_after_run(root, ("small", "twin"), "cpu")
    assert numbers(root / "compare" / "small+twin")["reference"] is None
    compare_after_run(root, ("small", "tuned"), "cpu")
    assert numbers(root / "compare" / "small+tuned@small")["reference"]["experiment"] == "small"
    said = capsys.readouterr().err
    assert "different protocols (classifier)" in said
    assert "comparing against the real images of small: --reference small" in said


def test_a_reference_needs_only_real_images_and_its_classifier(root: Path) -> None:
    """A second reference at another size has no GAN: real images and, for its own classifier, that."""
    for name in ("real", "classifier"):
        shutil.copytree(root / "tuned" / name, root / "native" / name)
    words = ["small", "tuned", "--reference", "native", "--extractor", "classifier", "--images", 20]
    assert compare(root, *words).exit_code == 0
    found = numbers(root / "compare" / "small+tuned@native")["reference"]
    assert found["format"] == "32 px grey, resized by Pillow's lanczos filter"
    assert [note.split()[0] for note in found["notes"] if "was made with" in note] == ["small"]
    shutil.rmtree(root / "native" / "classifier")
    refused(compare(root, *words), "run first: halfreal train_classifier")


def test_images_under_a_reference_are_fresh_and_in_its_format(root: Path) -> None:
    """A seed for each image from a stream of its own, the reference's class shares, size, channels and filter."""
    source = Reference(root / "tuned", Settings("classifier", 12, 5, "cpu"), NAME, root / "weights")
    small = open_experiment(root / "small")
    generator = Generator.of(source, small, 0)
    assert generator.file == small.records[0].chosen.file
    seeds = [derive_seed(replicate_seed(5, 0), 25, index) for index in range(12)]
    gan, cpu = small.gans[0], torch.device("cpu")
    wanted = draw_images(load_snapshot(gan, generator.file, cpu), latents_of(seeds, 8), generator.asked)
    assert wanted.shape[1:] == (3, 16, 16)
    found = generator.drawn()
    assert torch.equal(found, converted(wanted, 32, 1, "lanczos"))
    assert torch.bincount(generator.asked).tolist() == [6, 4, 2]
    other = Generator(source, gan, generator.file, 1, generator.asked)
    assert not torch.equal(other.drawn(), found)


def test_kept_scores_are_those_of_the_same_work(tmp_path: Path) -> None:
    """Another key, and a file that is not whole, are computed again."""
    first = under_reference.kept(tmp_path, {"a": 1}, lambda: {"x": 1.0})
    assert first == ({"x": 1.0}, True)
    assert under_reference.kept(tmp_path, {"a": 1}, lambda: {"x": 2.0}) == ({"x": 1.0}, False)
    assert under_reference.kept(tmp_path, {"a": 2}, lambda: {"x": 3.0}) == ({"x": 3.0}, True)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-20])
    assert under_reference.kept(tmp_path, {"a": 1}, lambda: {"x": 4.0}) == ({"x": 4.0}, True)
