"""What `halfreal judge` refuses before any work, and what it calls `halfreal run` with."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.judge import command
from jobs.judge.inputs import Images, read_images
from jobs.pipeline import PREPROCESS, SYNTHESIZE
from shared.cli.progress import Reporter
from shared.format.manifest import MANIFEST, Manifest
from shared.sources.reading import Reading
from shared.store.job import Job
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


def made(folder: Path, job: Job, **options: object) -> None:
    """Write what is left of a finished job as far as judge looks at it: the options that it was called with."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(kind=job.kind, job=job.name, halfreal="0", options=options, inputs={}, files=[])
    (folder / MANIFEST).write_bytes(manifest.to_bytes())


def test_an_experiment_about_other_folders_is_not_replaced(sets: Path, called: list[list[str]]) -> None:
    """Its real, held-out and synthetic folders are those of the call, unless somebody named it."""
    call = ("real", "first", "second", "--held-out", "held")
    folder = sets / "data" / "judge-real-first-and-1-more-held-out-held"
    same = {"real": sets / "real", "held": sets / "held", "r00": sets / "first"}
    for other in (None, "real", "held", "r00"):
        place = {name: str(sets / "elsewhere" if name == other else path) for name, path in same.items()}
        made(folder / "real", PREPROCESS, source_path=place["real"], held_out=place["held"])
        made(folder / "synthetic" / "r00", SYNTHESIZE, source_path=place["r00"])
        result = judge(*call)
        assert result.exit_code == (2 if other else 0), (other, result.output)
        if other:
            assert f"an experiment about {sets / 'elsewhere'}, not about {same[other]}" in " ".join(
                result.stderr.split()
            )
            assert judge(*call, "--dry-run").exit_code == 2
            assert judge(*call, "--experiment", folder.name).exit_code == 0
    made(folder / "synthetic" / "r00", SYNTHESIZE, source_path=str(sets / "first"))
    write_set(sets / "third", 8, 9)
    # the second set is not finished: it may be any
    assert judge("real", "first", "third", "--held-out", "held").exit_code == 0


@pytest.mark.parametrize(
    ("words", "mention"),
    [
        (("--out", "-"), "--out -: nothing is written to standard output"),
        (("--json", "held"), "directory"),
        (("--out", "first/page.html"), "--out first/page.html: lies in the images first"),
        (("--json", "held/deep/er.json", "--held-out", "held"), "lies in the images held"),
        (("--out", "file/page.html"), "no folder that you may write in"),
        (("--out", "one", "--json", "./one"), "want one for each"),
    ],
)
def test_files_are_checked_before_any_work(
    words: tuple[str, ...], mention: str, sets: Path, called: list[list[str]]
) -> None:
    """A file that cannot be written would cost the hours before it; one among the images would become one of them."""
    (sets / "file").touch()
    assert mention in refused("real", "first", *words)
    assert mention in refused("real", "first", *words, "--dry-run")
    assert judge("real", "first", "--out", "new/folder/page.html", "--json", "new/numbers.json").exit_code == 0
    assert not (sets / "new").exists()


def test_errors_say_which_argument_is_meant(sets: Path, called: list[list[str]]) -> None:
    """Options of jobs are named as judge takes them; the annotator is the way out for synthetic images alone."""
    for number, path in enumerate(sorted((sets / "second").rglob("*.png"))):
        (sets / "flat").mkdir(exist_ok=True)
        path.rename(sets / "flat" / f"{path.parent.name}-{number}.png")
    said = refused("real", "flat")
    assert said.startswith("error: SYNTHETIC flat: ")
    assert "--set synthesize.label_from=REGEX; or say --labels annotator" in said
    assert judge("real", "flat", "--labels", "annotator").exit_code == 0
    assert judge("real", "flat", "--set", "synthesize.label_from=(bar|dot|ring)").exit_code == 0
    for words, role in ((("flat", "first"), "REAL"), (("real", "first", "--held-out", "flat"), "--held-out")):
        said = refused(*words)
        assert said.startswith(f"error: {role} flat: ")
        assert "--set preprocess.label_from=REGEX" in said
        assert "annotator" not in said
    assert "download the files first" in refused("real", "https://example.org/set.zip")


def test_settings_that_name_images_are_refused(sets: Path, called: list[list[str]]) -> None:
    """Judge would check other images than the jobs read."""
    for name, argument in (("preprocess.source-path", "REAL"), ("synthesize.source_path", "SYNTHETIC")):
        assert f"give them as {argument}" in refused("real", "first", "--set", f"{name}=x")
    assert "give them as --held-out" in refused("real", "first", "--set", "preprocess.held_out=held")
    said = refused("real", "first", "--set", "preproces.size_px=8")
    assert "no job preproces; did you mean preprocess?; jobs are preprocess, " in said


def test_what_the_test_images_lack_is_said_first(sets: Path, called: list[list[str]]) -> None:
    """None held out, or some classes alone; in a dry run, too."""
    write_set(sets / "one", 8, 5, classes=CLASSES[:1])
    for words in ((), ("--dry-run",)):
        assert "the generator may have seen the test images" in judge("real", "first", *words).stderr
        assert judge("real", "first", "--held-out", "held", *words).stderr == ""
        said = judge("real", "first", "--held-out", "one", *words).stderr
        assert "--held-out one: no image of 2 of 3 classes (dot, ring)" in said
    Path("own.toml").write_text('extends = "judge"\nabout = "own"\n[preprocess]\nheld_out = "held"\n')
    assert judge("real", "first", "--recipe", "own.toml").stderr == ""


def test_results_of_an_unfinished_judgement_name_the_call(sets: Path) -> None:
    """The jobs by themselves would be called without the paths."""
    (sets / "data" / "it" / "real").mkdir(parents=True)
    for recipe, mention in (("judge", "the same `halfreal judge` call again"), ("other", "run first: halfreal")):
        (sets / "data" / "it" / "real" / "run.json").write_text(json.dumps({"recipe": recipe}))
        result = CliRunner().invoke(halfreal, ["results", "--experiment", "it"])
        assert result.exit_code == 2
        assert mention in result.stderr
