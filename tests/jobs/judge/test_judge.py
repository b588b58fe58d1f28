"""The whole of `halfreal judge` on small sets whose worth is known."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from tests.jobs.judge.picture_sets import write_set

pytestmark = pytest.mark.long

FIRST_LINE = "the generator may have seen the test images"

QUICK = {
    "train_classifier.steps": 40,
    "train_classifier.width": 4,
    "train_classifier.measure_every": 20,
    "train_mixed.steps": 60,
    "train_mixed.width": 4,
    "train_mixed.measure_every": 20,
    "train_mixed.fits": 3,
}


def judge(folder: Path, *words: object) -> Result:
    """Return the result of judging sets below a folder, which is where one is."""
    quick = [word for name, value in QUICK.items() for word in ("--set", f"{name}={value}")]
    files = ["--out", "out/page.html", "--json", "out/numbers.json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        called = ["judge", *map(str, words), "--size-px", "16", "--threads", "1", "--device", "cpu", *files, *quick]
        result = CliRunner().invoke(halfreal, called)
    assert result.exit_code == 0, result.output
    return result


def numbers(folder: Path) -> dict[str, Any]:
    """Return the numbers that judge wrote."""
    found: dict[str, Any] = json.loads((folder / "out" / "numbers.json").read_text("utf-8"))
    return found


def exported(folder: Path) -> str:
    """Return the card of an export of the only experiment, after comparing its labels with the folders of the set."""
    (experiment,) = (folder / "data").glob("judge-*")
    place = ["--data-root", str(experiment.parent), "--experiment", experiment.name, "--out", str(folder / "export")]
    result = CliRunner().invoke(halfreal, ["export", *place, "--to", "imagefolder"])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in (folder / "export" / "samples.jsonl").read_text("utf-8").splitlines()]
    assert {row["file"].split("/")[0] == row["imported_file"].split("/")[-2] for row in rows} == {True}
    return (folder / "export" / "README.md").read_text("utf-8")


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Write few real images of each class, and held-out ones; return the folder that they are in."""
    write_set(tmp_path / "real", 20, 0)
    write_set(tmp_path / "held", 60, 1)
    return tmp_path


def test_good_images_help_where_real_ones_are_held_out(real: Path) -> None:
    """Many images as good as real ones; the same call is complete, and another image in the folder is noticed."""
    write_set(real / "good", 100, 2)
    result = judge(real, "real", "good", "--held-out", "held")
    found = numbers(real)
    headline = found["headline"]
    assert (headline["outcome"], headline["like_for_like"], found["first_line"]) == ("helped", True, None)
    assert (headline["a"], headline["b"]) == ("real_100_plus_synthetic_all", "real_100")
    assert not found["copies"]["flagged"]
    assert "[1/6] preprocess" in result.stderr
    assert "train_gan" not in result.stderr
    assert result.stdout.splitlines()[-2:] == ["page: out/page.html", "numbers: out/numbers.json"]
    page = (real / "out" / "page.html").read_text("utf-8")
    assert headline["sentence"] in page
    assert FIRST_LINE not in page
    assert "The generator may have seen the val images, too" in page
    card = exported(real)
    assert "The first answer was reached with such labels" in card
    assert "--labels given" in card
    assert "not of this one" not in card  # one set: the verdict is of it
    again = judge(real, "real", "good", "--held-out", "held", "--dry-run")
    assert again.stdout.count("already complete") == 7
    (real / "good" / "bar" / "000.png").write_bytes((real / "good" / "bar" / "001.png").read_bytes())
    changed = judge(real, "real", "good", "--held-out", "held", "--dry-run")
    assert changed.stdout.count("already complete") == 2  # what is made of real images alone
    assert "would be rebuilt because source_version was" in changed.stdout


def test_test_images_as_synthetic_ones_never_help(real: Path) -> None:
    """Nobody held anything out: a gain from the test images themselves is no help, and that is the first line."""
    shutil.copytree(real / "held", real / "seen")
    (real / "real").rename(real / "train")
    (real / "all").mkdir()
    (real / "train").rename(real / "all" / "train")
    (real / "held").rename(real / "all" / "test")
    result = judge(real, "all", "seen")
    found = numbers(real)
    headline = found["headline"]
    assert headline["low"] > 0
    assert (headline["outcome"], headline["like_for_like"]) == ("not held out", False)
    assert found["first_line"] == FIRST_LINE
    assert result.stdout.splitlines()[0] == FIRST_LINE
    page = (real / "out" / "page.html").read_text("utf-8")
    body = page[page.index("<main>") :]
    assert body.index(FIRST_LINE) < body.index("<h1>")
    assert " helped: " not in page


def test_held_out_images_that_a_set_has_were_seen(real: Path) -> None:
    """The same with --held-out, among good ones: files that are test images refute that these were not seen."""
    write_set(real / "seen", 40, 2)
    for path in sorted((real / "held").rglob("0[0-3]*.png")):
        shutil.copy(path, real / "seen" / path.parent.name / f"held-{path.name}")
    result = judge(real, "real", "seen", "--held-out", "held")
    found = numbers(real)
    assert (found["first_line"], found["headline"]["like_for_like"]) == (FIRST_LINE, False)
    assert found["headline"]["outcome"] != "helped"
    (files,) = found["protocol"]["test_files"].values()
    advice = f"{files} files of seen are test images: give others with --held-out, or remove them."
    assert FIRST_LINE in (lines := result.stdout.splitlines())
    assert lines[lines.index(FIRST_LINE) + 1] == advice
    page = (real / "out" / "page.html").read_text("utf-8")
    assert advice in page
    assert f"{files} files are test images" in page


def test_images_with_wrong_labels_do_not_help(real: Path) -> None:
    """They hurt, or nothing is shown."""
    write_set(real / "wrong", 60, 3, wrong=True)
    judge(real, "real", "wrong", "--held-out", "held")
    assert numbers(real)["headline"]["outcome"] in ("hurt", "no effect shown")


def test_copies_are_flagged_and_never_help(real: Path) -> None:
    """Byte for byte the real images, with held-out ones."""
    shutil.copytree(real / "real", real / "same")
    result = judge(real, "real", "same", "--held-out", "held")
    found = numbers(real)
    assert found["copies"]["flagged"]
    assert found["headline"]["outcome"] in ("copies", "no effect shown", "hurt")
    assert "Synthetic images are copies of training images" in result.stdout


def test_several_sets_are_replicates(real: Path) -> None:
    """Their interval is over sets; sets may differ in size."""
    write_set(real / "one", 40, 4)
    write_set(real / "two", 44, 5)
    judge(real, "real", "one", "two", "--held-out", "held", "--set", "train_mixed.fits=1")
    found = numbers(real)
    assert found["headline"]["replicates"] == 2
    assert "120 to 132 synthetic images" in found["headline"]["sentence"]
