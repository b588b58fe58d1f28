"""What `halfreal judge` refuses before any work, and what it calls `halfreal run` with."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.judge import command
from jobs.judge.inputs import Images, read_images
from shared.cli.progress import Reporter
from shared.sources.reading import Reading
from tests.jobs.judge.picture_sets import CLASSES, write_set


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write real, held-out and two synthetic sets and go there: paths are relative to where one is."""
    for seed, (name, each) in enumerate({"real": 12, "held": 6, "first": 8, "second": 8}.items()):
        write_set(tmp_path / name, each, seed)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record the words that `halfreal run` would be called with, in place of running it."""
    calls: list[list[str]] = []
    monkeypatch.setattr(command, "run", calls.append)
    monkeypatch.setattr(command, "finish", lambda folder, out, json_file: None)
    monkeypatch.setattr("jobs.compare.command.compare_after_run", lambda *arguments: calls.append(["compare"]))
    return calls


def judge(*words: object) -> Result:
    """Return the result of `halfreal judge words...` in this process."""
    return CliRunner().invoke(halfreal, ["judge", *map(str, words)])


def refused(*words: object) -> str:
    """Return why a call is refused: with exit code 2, in three lines at most, before anything is made."""
    result = judge(*words)
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) <= 3, result.stderr
    assert not Path("data").exists()
    return result.stderr


def images(given: str) -> Images:
    """Return the images of a path as judge reads those of a folder."""
    return read_images(given, lambda kind, place: Reading())


def values(words: list[str]) -> dict[str, str]:
    """Return the options that words set, the last one of each."""
    return dict(word.split("=", 1) for flag, word in pairwise(words) if flag == "--set")


def test_mistakes_in_paths_are_found_before_any_work(sets: Path, called: list[list[str]]) -> None:
    """A path that is not there, one place named twice, a set within another one."""
    assert "there is no" in refused("rael", "first")
    assert "there is no" in refused("real", "first", "--held-out", "nothing")
    assert "are one place" in refused("real", "real")
    assert "are one place" in refused("real", "first", "first")
    assert "are one place" in refused("real", "first", "--held-out", sets / "real")
    write_set(sets / "real" / "inside", 3, 9)
    assert "one lies within the other" in refused("real", "first", "--held-out", "real/inside")
    assert called == []


def test_sets_of_other_classes_are_refused(sets: Path, called: list[list[str]]) -> None:
    """Named by the path and the class; labels by the annotator are the way out for synthetic images alone."""
    write_set(sets / "others", 10, 5, classes=("bar", "cat"))
    said = refused("real", "others")
    assert "SYNTHETIC others: classes that REAL lacks: cat" in said
    assert "--labels annotator" in said
    said = refused("real", "first", "--held-out", "others")
    assert "--held-out others: classes that REAL lacks: cat" in said
    assert "--labels" not in said
    assert judge("real", "others", "--labels", "annotator").exit_code == 0
    write_set(sets / "one", 8, 5, classes=("bar",))
    assert "want" in refused("one", "first")
    assert "2" in refused("one", "first")


def test_too_few_images_are_refused(sets: Path, called: list[list[str]]) -> None:
    """Each split needs one of each class, and held-out images are a split; a handful of synthetic ones says nothing."""
    write_set(sets / "few", 2, 5)
    assert "want at least 3 of each" in refused("few", "first")
    assert judge("few", "first", "--held-out", "held").exit_code == 0
    assert "SYNTHETIC few: 6 images" in refused("real", "few")
    assert called
    write_set(sets / "one", 1, 5, classes=CLASSES[:2])
    assert "--held-out one: 2 images of 3 classes" in refused("real", "first", "--held-out", "one")


def test_one_set_is_one_replicate(sets: Path, called: list[list[str]]) -> None:
    """Absolute paths; five fits of the one set; a name from the folders' names."""
    assert judge("real", "first", "--seed", "3", "--size-px", "32").exit_code == 0
    (words,) = called
    assert words[:6] == ["--recipe", "judge", "--experiment", "judge-real-first", "--data-root", "data"]
    assert words[words.index("--replicates") + 1] == "1"
    assert words[words.index("--seed") + 1] == "3"
    found = values(words)
    assert found["preprocess.source_path"] == str(sets / "real")
    assert found["synthesize.source_path"] == str(sets / "first")
    assert found["preprocess.source"] == found["synthesize.source"] == "folder"
    assert found["preprocess.size_px"] == "32"
    assert found["train_mixed.fits"] == "5"
    assert "preprocess.held_out" not in found
    assert "train_mixed.network" not in found


def test_several_sets_are_replicates(sets: Path, called: list[list[str]]) -> None:
    """A list of paths and versions in their order; three fits each make five or more."""
    assert judge("real", "first", "second", "--held-out", "held", "--network", "resnet18").exit_code == 0
    (words,) = called
    assert words[words.index("--experiment") + 1] == "judge-real-first-and-1-more-held-out-held"
    assert words[words.index("--replicates") + 1] == "2"
    found = values(words)
    assert json.loads(found["synthesize.source_path"]) == [str(sets / "first"), str(sets / "second")]
    assert len(set(json.loads(found["synthesize.source_version"]))) == 2
    assert found["train_mixed.fits"] == "3"
    assert found["preprocess.held_out"] == str(sets / "held")
    assert found["train_mixed.network"] == found["train_classifier.network"] == "resnet18"


def test_different_generators_are_compared(sets: Path, called: list[list[str]]) -> None:
    """An experiment each, all of them checked before the first begins, and the comparison at the end."""
    assert judge("real", "first", "second", "--compare").exit_code == 0
    names = [words[words.index("--experiment") + 1] for words in called[:-1]]
    assert names == ["judge-real-first", "judge-real-second"] * 2
    assert ["--dry-run" in words for words in called[:-1]] == [True, True, False, False]
    assert called[-1] == ["compare"]
    assert {words[words.index("--replicates") + 1] for words in called[:-1]} == {"1"}
    assert "one set of synthetic images alone" in refused("real", "first", "--compare")
    assert judge("real", "first", "second", "--compare", "--experiment", "mine").exit_code == 0
    assert called[-2][3] == "mine-second"


def test_the_users_own_settings_win(sets: Path, called: list[list[str]]) -> None:
    """`--set` comes last, and a recipe of the user's own is passed on."""
    Path("own.toml").write_text('extends = "judge"\nabout = "own"\n')
    assert judge("real", "first", "--set", "train_mixed.fits=2", "--recipe", "own.toml").exit_code == 0
    assert values(called[0])["train_mixed.fits"] == "2"
    assert called[0][1] == "own.toml"


def test_images_are_understood_as_the_jobs_will_read_them(sets: Path, called: list[list[str]]) -> None:
    """A table whose label column has an unusual name, for real and held-out images, and the synthetic ones' own."""
    for name, column in (("real", "animal"), ("held", "animal"), ("first", "beast")):
        files = sorted((sets / name).rglob("*.png"))
        rows = [f"{path.relative_to(sets)},{path.parent.name},x" for path in files]
        (sets / f"{name}.csv").write_text("\n".join([f"file,{column},other", *rows]))
    called_with = ("real.csv", "first.csv", "--held-out", "held.csv")
    assert "label" in refused(*called_with)
    settings = ("--set", "preprocess.label=animal", "--set", "synthesize.label=beast")
    assert judge(*called_with, *settings).exit_code == 0
    assert values(called[0])["preprocess.source"] == "csv"


def test_a_version_is_of_what_the_images_are(sets: Path) -> None:
    """The same for the same files in another place or written again; another one for another image, class or number."""
    version = images("first").version(Reporter("test"))
    assert write_set(sets / "copy", 8, 2)
    assert images("copy").version(Reporter("test")) == version
    (sets / "copy" / "bar" / "000.png").write_bytes((sets / "copy" / "dot" / "000.png").read_bytes())
    changed = images("copy").version(Reporter("test"))
    assert changed != version
    (sets / "copy" / "bar" / "000.png").unlink()
    fewer = images("copy").version(Reporter("test"))
    assert fewer not in (version, changed)
    (sets / "first" / "dot").rename(sets / "first" / "line")
    assert images("first").version(Reporter("test")) != version
