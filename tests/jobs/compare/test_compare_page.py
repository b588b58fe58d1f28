"""The page and the tables of a comparison: the winner, printed numbers, pictures, hostile names."""

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from markupsafe import escape

from jobs.compare import comparison as module
from jobs.compare.comparison import Comparison
from jobs.compare.experiments import Experiment, recipe_of
from jobs.compare.page import render
from jobs.compare.published import COUNTERPARTS, printed_rows, printed_words
from jobs.compare.reference import Settings
from jobs.compare.terminal import print_comparison
from jobs.pipeline import SYNTHESIZE
from shared.cli.progress import Reporter
from shared.cli.recipes import PUBLISHED_VALUES, Published
from shared.metrics.compare import WITHIN, Scored, compare_scores
from shared.metrics.over_epochs import compare_epochs
from shared.plots import answers
from shared.store.artifacts import open_output
from tests.jobs.compare.conftest import experiment
from tests.jobs.report.test_report import Page

pytestmark = pytest.mark.drawn

NAME = "frechet_classifier"
HOSTILE = '<script>fetch("https://example.org/")</script>'


def comparison(*experiments: Experiment) -> Comparison:
    """Return the comparison of some experiments by their own scores."""
    named = {each.name: each for each in experiments}
    scores = compare_scores({name: Scored.of(list(each.records.values())) for name, each in named.items()})
    epochs = compare_epochs({name: each.records for name, each in named.items()}, scores.score)
    return Comparison(named, scores, epochs, None)


def printed(capsys: pytest.CaptureFixture[str], of: Comparison, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what the terminal shows, in one line."""
    monkeypatch.setenv("COLUMNS", "250")
    print_comparison(of)
    return " ".join(capsys.readouterr().out.split())


@pytest.fixture(scope="module")
def three(volume: Path) -> Comparison:
    """Return a comparison of three experiments, of which the first is far better and the others are alike."""
    folder = volume / "small"
    return comparison(
        experiment(folder, "best", 0.1, 0.101, 0.102),
        experiment(folder, "one", 1.0, 1.1, 1.2),
        experiment(folder, HOSTILE, 1.05, 1.1, 1.25),
    )


@pytest.fixture(scope="module")
def page(three: Comparison) -> str:
    """Return the page of that comparison."""
    return render(three)


def test_the_winner_is_in_the_first_heading(page: str, three: Comparison) -> None:
    """One sentence at the top: who is better than every other, by which score, with the numbers."""
    heading = Page(page).texts["h1"][0]
    assert heading.startswith(f"best is better than every other: {NAME} on test, lower is better: best 4.")
    assert three.facts()["winner"] == "best"


def test_experiments_that_are_alike_have_no_winner(volume: Path) -> None:
    """Within the spread over replicates, in the heading and for each column over epochs."""
    folder = volume / "small"
    found = comparison(experiment(folder, "one", 1.0, 1.1, 1.2), experiment(folder, "two", 1.05, 1.1, 1.25))
    assert WITHIN in Page(render(found)).texts["h1"][0]
    assert {finding.words for finding in found.epochs.findings.values()} == {WITHIN}


def test_the_page_is_one_file_and_escapes_names(page: str) -> None:
    """The one script is ours, there is no address; hostile names are text; pictures are inline and described."""
    elements = Page(page).elements
    assert [attributes for tag, attributes in elements if tag in ("script", "iframe")] == [{}]
    assert Page(page).texts["script"][0].strip() == files("jobs.report").joinpath("values.js").read_text().strip()
    assert [attributes["href"] for tag, attributes in elements if tag == "link"] == ["data:,"]
    assert HOSTILE not in page
    images = [attributes for tag, attributes in elements if tag == "image"]
    assert len(images) >= 3
    assert all(str(each["xlink:href"]).startswith("data:image/webp;base64,") for each in images)
    charts = [attributes for tag, attributes in elements if tag == "svg"]
    assert len(charts) == 4
    assert all(chart["aria-label"] for chart in charts)
    assert str(charts[0]["aria-label"]).startswith("Distance over epochs on val; lowest: best ")


def test_an_extrapolated_score_says_of_which_side(
    page: str, three: Comparison, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Next to its name on the page, below the table in the terminal; no other score says so."""
    name = "frechet_classifier_infinite"
    assert f"<code>{name}</code> (synthetic side only)</td>" in page
    assert page.count("(synthetic side only)") == 1
    assert f"{name} (synthetic side only): the number of real images" in printed(capsys, three, monkeypatch)


def test_curves_are_one_for_each_replicate(page: str) -> None:
    """All replicates of all experiments are drawn together."""
    drawn = {str(attributes.get("id")) for tag, attributes in Page(page).elements if tag == "g"}
    assert {f"curve-{name}-{number}" for name in ("best", "one") for number in range(3)} <= drawn


def test_best_epochs_are_named(page: str, three: Comparison) -> None:
    """The table has the lowest with its epoch and replicate, and a picture of it."""
    over = three.epochs.experiments["best"]
    assert f"{over.best_epoch} (r00)" in page
    assert f"best: epoch {over.best_epoch} of replicate r00" in " ".join(page.split())


def with_recipe(volume: Path, recipe: str | None, published: Published | None, **changes: Any) -> Experiment:
    """Return the small experiment as if it was made by a recipe whose source prints this."""
    return experiment(volume / "small", "ours", 1.0, 1.1, recipe=recipe, published=published, **changes)


EVERYTHING = Published(
    "paper",
    {
        "fid_lowest": 238.36,
        "fid_mean": 312.75,
        "fid_highest": 473.5,
        "inception_score": 2.48,
        "accuracy_real": 1.0,
        "accuracy_with_synthetic": 0.99,
    },
)


def test_every_printed_number_has_a_counterpart() -> None:
    """What a recipe may have is what the comparison knows."""
    assert tuple(COUNTERPARTS) == PUBLISHED_VALUES == tuple(EVERYTHING.values)


def test_printed_numbers_are_next_to_ours(
    volume: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accuracies come from the arms; without Inception FID and Inception Score are said not to be measured."""
    ours = with_recipe(volume, "paper", EVERYTHING)
    rows = {row.about: row for row in printed_rows(ours)}
    assert [row.printed for row in rows.values()] == list(EVERYTHING.values.values())
    assert ours.mixed is not None
    for about, arm in (
        ("accuracy, real images alone", "real_100"),
        ("accuracy, with synthetic images added", "real_100_plus_synthetic_100"),
    ):
        assert rows[about].ours.value == ours.mixed.arm(arm).accuracy.mean
        assert arm in rows[about].ours.note
    assert rows["lowest FID over epochs"].ours.value is None
    assert rows["Inception Score"].ours.note == "not measured"
    found = comparison(ours, experiment(volume / "small", "other", 1.0))
    page = render(found)
    shown = printed(capsys, found, monkeypatch)
    for number in ("238.36", "312.75", "473.5", "2.48"):
        assert f"<td>{number}</td>" in page
        assert number in shown
    for text in (page, shown):
        assert "halfreal weights fetch" in text


def test_fid_of_every_snapshot_is_next_to_the_printed_one(volume: Path) -> None:
    """Lowest, mean and highest FID over all snapshots, with the epoch of the lowest; the Inception Score on test."""
    ours = with_recipe(volume, "paper", EVERYTHING)
    for scores in ours.scores.values():
        facts: Any = scores.manifest.facts
        for place, row in enumerate(facts["rows"]):
            row["fid_inception_clean"] = (200.0, 100.0, 300.0)[place]
        facts["test"]["inception_score_inception_clean"] = 3.5
        facts["real"]["inception_score_inception_clean"] = 9.0
    rows = {row.about: row for row in printed_rows(ours)}
    values = [rows[f"{column} FID over epochs"].ours.value for column in ("lowest", "mean", "highest")]
    assert values == [100.0, 200.0, 300.0]
    assert rows["lowest FID over epochs"].ours.note.endswith("epoch 2")
    assert rows["Inception Score"].ours.value == 3.5


@pytest.mark.parametrize(
    ("recipe", "published", "words", "tuned"),
    [
        ("paper", EVERYTHING, "printed for paper", False),
        ("paper_tuned", EVERYTHING, "printed for paper; paper_tuned is its tuned or changed counterpart", True),
        ("paper", Published("paper", {}), "none printed for paper", False),
        ("digits", None, "no source with printed numbers", False),
        (None, None, "recipe not recorded", False),
    ],
)
def test_it_says_whose_numbers_they_are(
    recipe: str | None, published: Published | None, words: str, tuned: bool, volume: Path
) -> None:
    """The recipe's own, those of the one that it extends, none printed, or not known."""
    ours = with_recipe(volume, recipe, published)
    assert (printed_words(ours), ours.tuned) == (words, tuned)


def test_a_run_records_its_recipe(volume: Path, tmp_path: Path) -> None:
    """The recipe comes from run.json of the generator; a file that is broken or absent is as good as none."""
    assert recipe_of(volume / "small" / "gan" / "r00" / "run.json") == ("plain", None)
    path = tmp_path / "run.json"
    assert recipe_of(path) == (None, None)
    for text in ("{", "[]", '{"recipe": "a", "published": 3}'):
        path.write_text(text)
        assert recipe_of(path) == (None, None)
    path.write_text('{"recipe": "a_tuned", "published": {"recipe": "a", "values": {"fid_mean": 3}}}')
    assert recipe_of(path) == ("a_tuned", Published("a", {"fid_mean": 3.0}))


def test_copies_are_warned_of_before_the_winner(volume: Path) -> None:
    """A generator that repeats training images wins by that: page and JSON say so first."""
    copier = experiment(volume / "small", "copier", 0.1, 0.101, 0.102)
    for scores in copier.scores.values():
        facts: Any = scores.manifest.facts
        facts["copies"] = {
            space: found | {"flagged": True, "p_value": 1e-6} for space, found in facts["copies"].items()
        }
    found = comparison(copier, experiment(volume / "small", "one", 1.0, 1.1, 1.2))
    assert any(line.startswith("copier: copies of training images, by pixels, in 3 of 3") for line in found.warnings)
    page = render(found)
    assert page.index("copies of training images") < page.index("<h1>")


def imported(folder: Path, name: str) -> Experiment:
    """Return the small experiment as one of imported images, without a generator."""
    synthetic = open_output(SYNTHESIZE, folder, 0)
    found = experiment(folder, name, 1.0, sets={0: synthetic})
    return Experiment(**(vars(found) | {"gans": {}}))


def test_the_verdict_of_each_experiment_comes_before_the_scores(
    volume: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first answer with its interval and what it may not be read without, and a link to its report."""
    pair = comparison(experiment(volume / "small", "one", 1.0), experiment(volume / "small", "two", 1.1))
    mixed = pair.verdicts["two"]
    seen = mixed.model_copy(update={"protocol": mixed.protocol.model_copy(update={"test_seen": True})})
    changed = Experiment(**(vars(pair.experiments["two"]) | {"mixed": seen}))
    found = replace(pair, experiments=pair.experiments | {"two": changed})
    (answer,) = answers.first_answers(mixed)[:1]
    page = render(found, tmp_path / "a folder" / "page.html")
    verdicts = page[page.index("Verdict of each experiment") : page.index("Scores on test")]
    assert verdicts.count(str(escape(answer.sentence))) == 2
    assert verdicts.count(answers.TEST_MAY_BE_SEEN) == 1
    for line in answers.first_warnings(mixed):
        assert verdicts.count(str(escape(line))) == 2
    links = re.findall(r'href="([^"]+)">Report of', verdicts)
    assert len(links) == 2
    assert {(tmp_path / "a folder" / unquote(link)).resolve() for link in links} == {
        (volume / "small" / "report" / "index.html").resolve()
    }
    shown = printed(capsys, found, monkeypatch)
    assert f"two: {' '.join(answer.sentence.split())}" in shown
    assert f"two: {answers.TEST_MAY_BE_SEEN}" in shown
    assert f"one: {answers.TEST_MAY_BE_SEEN}" not in shown


def test_nothing_is_said_of_generators_where_all_images_are_imported(
    volume: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No chosen snapshots, no printed numbers, no remarks about FID."""
    one, two = imported(volume / "small", "one"), imported(volume / "small", "two")
    scores = compare_scores({each.name: Scored.of(list(each.records.values())) for each in (one, two)})
    found = Comparison({"one": one, "two": two}, scores, compare_epochs({}, scores.score), None)
    page = render(found)
    body = page[page.index("<main>") :]
    for words in ("snapshot", "Printed numbers", "FID", "Inception Score"):
        assert words not in body, words
    assert "printed numbers" not in printed(capsys, found, monkeypatch)


@pytest.mark.parametrize(("sizes", "asked", "scored"), [((24, 27), None, 24), ((90, 95), None, 30), ((24, 27), 9, 9)])
def test_imported_sets_of_unequal_size_are_scored_on_the_smaller_number(
    sizes: tuple[int, ...], asked: int | None, scored: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a reference of either size; not more than its own scores have, and as many as somebody asks for."""
    reference = SimpleNamespace(images=asked or 30)
    monkeypatch.setattr(module, "Reference", lambda *arguments: reference)
    result = SimpleNamespace(protocol=None, preparation="")
    monkeypatch.setattr(module, "score_under", lambda *arguments: result)
    monkeypatch.setattr(module, "in_words", str)
    train = [SimpleNamespace(split={"train": SimpleNamespace(count=size)}.__getitem__) for size in sizes]
    records = {0: SimpleNamespace(chosen_score=NAME)}
    experiments: Any = {str(each): SimpleNamespace(sets={0: each}, records=records) for each in train}
    settings = Settings(extractor=None, images=asked, seed=0, device="cpu")
    module.score_by(Path(), "any", experiments, settings, Reporter("test"))
    assert reference.images == scored
