"""`halfreal run` orders the jobs by what their options make them read, and leaves out what nobody reads."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from jobs.commands.ordering import ordered
from jobs.pipeline import EVALUATE_IMPORTED, IMPORT, JOBS, PIPELINE
from shared.errors import BadConfig

IMPORTS = {"HALFREAL_SYNTHESIZE_SOURCE": "folder", "HALFREAL_SYNTHESIZE_SOURCE_PATH": "fakes"}
SCORES = {"HALFREAL_EVALUATE_SCORED": "synthetic"}


def names(table: object, monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    """Return the order of the jobs under some variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return [row.name for row in ordered(table, [])]  # type: ignore[arg-type]


def test_a_gan_is_trained_in_the_order_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without options all rows are there, in the table's order."""
    assert names(PIPELINE, monkeypatch) == [row.name for row in PIPELINE]
    assert names(JOBS, monkeypatch) == [row.name for row in JOBS]


def test_imported_images_come_before_their_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GAN is trained; every job follows all that it reads; tune, which was asked for, stays."""
    wanted = ["preprocess", "train_classifier", "synthesize", "evaluate", "train_mixed", "report"]
    assert names(PIPELINE, monkeypatch, **IMPORTS, **SCORES) == wanted
    rows = ordered(PIPELINE, [])
    assert IMPORT in rows
    assert EVALUATE_IMPORTED in rows
    assert names(JOBS, monkeypatch) == [*wanted[:5], "tune", "report"]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (IMPORTS, "want both of imported images: --set evaluate.scored=synthetic"),
        (SCORES, "want an imported set: --set synthesize.source=folder"),
    ],
)
def test_both_jobs_are_of_one_kind(variables: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imported images next to the scores of a GAN, or the other way round, are refused before anything runs."""
    with pytest.raises(BadConfig, match=says):
        names(PIPELINE, monkeypatch, **variables)


def dry_run(root: Path, recipe: str, *words: str) -> tuple[int, str]:
    """Return exit code and output of a dry run of all jobs under a recipe."""
    (root / "own.toml").write_text(f'about = "own"\n{recipe}', encoding="utf-8")
    place = ["--recipe", str(root / "own.toml"), "--data-root", str(root / "data")]
    done = CliRunner().invoke(halfreal, ["run", *place, "--dry-run", *words])
    return done.exit_code, done.output


TWO_SETS = '[synthesize]\nsource = "folder"\nsource_path = ["a", "b"]\n[evaluate]\nscored = "synthetic"\n'


@pytest.fixture
def own_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the recipe say how many replicates there are."""
    monkeypatch.delenv("HALFREAL_REPLICATES", raising=False)


@pytest.mark.usefixtures("own_replicates")
def test_a_set_is_a_replicate(tmp_path: Path) -> None:
    """A list of paths wants as many replicates, one path wants one; both numbers are said."""
    code, said = dry_run(tmp_path, f"replicates = 2\n{TWO_SETS}")
    assert code == 0, said
    assert "train_gan" not in said
    assert "synthetic r00, r01: would be made" in said
    code, said = dry_run(tmp_path, f"replicates = 3\n{TWO_SETS}")
    assert code == 2
    assert "--source-path has 2 values, --replicates is 3: want one for each replicate" in said
    code, said = dry_run(tmp_path, TWO_SETS.replace('["a", "b"]', '"a"'))
    assert code == 2
    assert "--source-path has 1 value, --replicates is 5" in said
    code, said = dry_run(tmp_path, f"replicates = 2\n{TWO_SETS}", "--set", 'synthesize.source_path=["c", "d"]')
    assert code == 0, said


@pytest.mark.usefixtures("own_replicates")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--source-path", "fakes"], "--source-path fakes: is for imported images; say --source folder"),
        (["--labels", "annotator"], "--labels annotator: is for imported images"),
        (["--source", "folder"], "--source folder: where are the images? want --source-path PATH"),
        (["--source", "folder", "--source-path", "x", "--share", "2"], "imported images are all taken"),
        (["--source", "digits"], "'digits' is not one of 'generator', 'folder', 'csv', 'webdataset'"),
    ],
)
def test_options_of_the_other_kind_are_refused(words: list[str], says: str, tmp_path: Path) -> None:
    """What a generator needs is no option of an imported set, and the other way round."""
    done = CliRunner().invoke(halfreal, ["synthesize", "--data-root", str(tmp_path), "--dry-run", *words])
    assert done.exit_code == 2
    assert says in done.output


def test_imported_images_are_scored_on_test_alone(tmp_path: Path) -> None:
    """The reference val is for choosing a snapshot."""
    words = ["evaluate", "--scored", "synthetic", "--reference", "val", "--data-root", str(tmp_path), "--dry-run"]
    done = CliRunner().invoke(halfreal, words)
    assert done.exit_code == 2
    assert "nothing is chosen of imported images" in done.output
