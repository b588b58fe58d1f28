"""The page and the numbers of a study."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jobs.commands.results_json import results_json
from jobs.study.page import duration, render, saw
from jobs.study.record import make_record, read_study
from jobs.study.terminal import print_study
from shared.errors import FormatError
from shared.format.files import json_bytes
from shared.plots.compare_charts import gain_chart
from shared.stats.confidence import other_level
from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT, Information
from shared.store.records.study import StudyRecord
from tests.jobs.report.records import mixed_record
from tests.jobs.study.points import PERCENT, point, points

pytestmark = pytest.mark.drawn

LEVEL = other_level(4)


def study(*outcomes: str, before: StudyRecord | None = None) -> StudyRecord:
    """Return the study of points with these outcomes."""
    return make_record("digits", points(*outcomes), LEVEL, before)


def text_of(page: str) -> str:
    """Return a page without its tags, styles and figures."""
    shown = re.sub(r"(?s)<(style|svg).*?</\1>", " ", page)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown))


def test_the_answer_comes_first() -> None:
    """Only warnings are before it: they must be read first."""
    record = make_record(
        "digits",
        [
            point(63, NO_EFFECT, warnings=["The generator collapsed."]),
            *points(NO_EFFECT, NO_EFFECT, HELPED, HELPED)[1:],
        ],
        LEVEL,
        None,
    )
    shown = text_of(render(record))
    order = ["images-5: The generator collapsed.", record.answers[0].sentence, "Gain against the number of real images"]
    assert all(shown.index(first) < shown.index(second) for first, second in pairwise(order))


def test_every_point_is_in_the_table() -> None:
    """Numbers of images, replicates, the difference and its interval, the outcome, the time; a link to its report."""
    page = render(study(HURT, NO_EFFECT, HELPED, COPIES))
    rows = re.findall(r"(?s)<tr>(.*?)</tr>", page[page.index('class="points"') :])
    for n_train, percent, outcome in zip(PERCENT, PERCENT.values(), (HURT, NO_EFFECT, HELPED, COPIES), strict=True):
        row = next(row for row in rows if f"images-{percent:g}/report/index.html" in row)
        cells = [text_of(cell).strip() for cell in re.findall(r"(?s)<td.*?</td>", row)]
        assert cells[:6] == [f"{percent:g} %", f"{n_train:,}", f"{n_train // 7:,}", "360", f"{n_train:,}", "3"]
        assert cells[8] == outcome
        assert cells[-1] == "6 min"
    assert "\N{MINUS SIGN}2.0 to \N{MINUS SIGN}0.4" in page
    assert "98.8 % intervals at each, so that all of them together hold the true differences in 95 %" in text_of(page)


def test_the_page_asks_no_network_for_anything() -> None:
    """It is one file; names of the user's are text."""
    record = study(HURT, NO_EFFECT, HELPED, HELPED).model_copy(update={"experiment": '<script src="http://a.b">'})
    page = render(record)
    assert page.count("<script") == page.count("<script>\n// Point at a chart") == 1
    assert re.findall(r'(?:src|href)="(?!data:|#)(?!images-)[^"]*"', page) == []


def test_added_points_and_replicates_are_flagged() -> None:
    """Points that were added after an answer are named; left-out ones too."""
    first = make_record("digits", points(NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT)[1:], other_level(3), None)
    assert (first.planned, first.added, first.warnings) == (["images-10", "images-30", "images-100"], [], [])
    more = study(HELPED, NO_EFFECT, NO_EFFECT, NO_EFFECT, before=first)
    assert (more.planned, more.added) == (first.planned, ["images-5"])
    assert more.warnings[0].startswith("1 of 4 points were added after a first answer (images-5)")
    again = study(HELPED, NO_EFFECT, NO_EFFECT, NO_EFFECT, before=more)
    assert again.added == ["images-5"]
    fewer = make_record("digits", points(HELPED, HELPED, HELPED, HELPED)[:2], other_level(2), more)
    assert fewer.left_out == ["images-30", "images-100"]
    assert fewer.warnings[0].startswith("2 points of an earlier answer are left out (images-30, images-100): ")


def test_a_point_that_was_added_and_removed_leaves_a_trace() -> None:
    """Whether it was planned or added, and in every later answer, until it is there again."""
    first = make_record("digits", points(NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT)[1:], other_level(3), None)
    disliked = study(HURT, NO_EFFECT, NO_EFFECT, NO_EFFECT, before=first)
    before = disliked
    for _ in range(2):
        before = make_record("digits", points(HURT, NO_EFFECT, NO_EFFECT, NO_EFFECT)[1:], other_level(3), before)
        assert (before.planned, before.added, before.left_out) == (first.planned, [], ["images-5"])
        assert before.warnings[0].startswith("1 point of an earlier answer is left out (images-5): ")
    again = study(HURT, NO_EFFECT, NO_EFFECT, NO_EFFECT, before=before)
    assert (again.planned, again.added, again.left_out) == (first.planned, ["images-5"], [])


def test_a_study_of_other_generators_is_a_first_answer() -> None:
    """With other options all generators are others, and what was answered before says nothing of them."""
    before = study(NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT)
    others = [each.model_copy(update={"generators": ["f" * 64]}) for each in points(HELPED, HELPED, HELPED, HELPED)]
    assert make_record("digits", others[:2], LEVEL, before).planned == ["images-5", "images-10"]


def test_warnings_of_several_points_are_said_once() -> None:
    """With the points that they are about."""
    line = "One replicate: this holds for this generator and this draw only."
    record = make_record("digits", [point(n, NO_EFFECT, warnings=[line]) for n in PERCENT], LEVEL, None)
    assert record.warnings == [f"images-5, images-10, images-30, images-100: {line}"]


def test_json_has_a_headline_for_each_point(tmp_path: Path) -> None:
    """The names that scripts read; shares of 1; what is written can be read."""
    record = study(HURT, NO_EFFECT, HELPED, HELPED)
    facts: Any = json.loads(json_bytes(record.facts()))
    assert list(facts) == [
        "experiment",
        "answers",
        "rule",
        "level",
        "planned",
        "added",
        "left_out",
        "warnings",
        "points",
    ]
    assert facts["answers"] == [
        {
            "kind": "images",
            "outcome": "from",
            "from_images": 377,
            "to_images": 1257,
            "helped_at": [377, 1257],
            "hurt_at": [63],
            "sentence": record.answers[0].sentence,
        }
    ]
    wanted = {"point", "kind", "percent", "experiment", "n_train", "n_unlabelled", "n_val", "n_test", "n_synthetic"}
    wanted |= {"replicates", "planned", "added", "headline", "information", "seconds", "generators", "report"}
    for found in facts["points"]:
        assert found.keys() == wanted
        assert found["headline"].keys() >= {
            "question",
            "a",
            "b",
            "metric",
            "difference",
            "low",
            "high",
            "level",
            "outcome",
        }
        assert found["headline"].keys() >= {"detectable", "replicates", "like_for_like", "warnings"}
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.json").write_bytes(json_bytes(facts))
    assert read_study(tmp_path) == record
    (tmp_path / "study" / "study.json").write_text("{")
    with pytest.raises(FormatError, match=r"no JSON[\s\S]*run the study again"):
        read_study(tmp_path)


@pytest.mark.parametrize("needs", [None, 2300])
def test_a_headline_has_the_keys_of_results(needs: int | None) -> None:
    """Scripts read the one as the other: what does not apply is null in both, not absent in one."""
    found = point(63, NO_EFFECT)
    headline = found.headline.model_copy(update={"needs_test_images": needs})
    record = make_record("digits", [found.model_copy(update={"headline": headline})], LEVEL, None)
    facts: Any = record.facts()
    mixed = mixed_record(replicates=1).model_copy(update={"headline": headline})
    other: Any = results_json("digits", mixed, {}, {}, None, {})
    assert facts["points"][0]["headline"] == other["headline"]
    assert facts["points"][0]["headline"]["needs_test_images"] == needs
    assert StudyRecord.model_validate(facts) == record


def test_the_printed_table_says_what_each_point_would_find(capsys: pytest.CaptureFixture[str]) -> None:
    """No effect shown where only a large one would be found is not the same as no effect."""
    weak = [point(63, NO_EFFECT), point(126, NO_EFFECT)]
    weak[0] = weak[0].model_copy(update={"headline": weak[0].headline.model_copy(update={"detectable": 0.234})})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "140")
        print_study(make_record("digits", weak, LEVEL, None))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    last = {line[0]: line[-1] for line in lines if line and line[0] in ("point", "images-5", "images-10")}
    assert last == {"point": "detectable", "images-5": "23.4", "images-10": "1.2"}


def test_no_study_yet(tmp_path: Path) -> None:
    """Before the first answer there is none."""
    assert read_study(tmp_path) is None


def test_the_figure_shows_intervals_where_they_are() -> None:
    """A logarithmic axis of numbers of images; the ends of each bar are those of the interval, in points."""
    drawn = points(HURT, NO_EFFECT, HELPED, HELPED)
    axes = gain_chart(drawn, "real train images", "adding synthetic images").axes[0]
    assert axes.get_xscale() == "log"
    for place, each in enumerate(drawn):
        (bar,) = [line for line in axes.lines if line.get_gid() == f"interval-{place}"]
        assert list(bar.get_xdata()) == [each.n_train] * 2
        assert list(bar.get_ydata()) == pytest.approx([100 * each.headline.low, 100 * each.headline.high])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["63", "126", "377", "1,257"]
    assert {"hurt", "helped", "no effect shown", "one replicate"} <= set(axes.get_legend_handles_labels()[1])


def test_what_the_networks_of_a_point_saw() -> None:
    """In images of the point, not of the set that it is drawn from."""
    found = point(377, HELPED)
    assert saw(found) == {"generator": "all 377", "annotator": "all 377"}
    half = Information(classifier=1.0, generator=0.5, annotator=0.0)
    other = found.model_copy(update={"information": found.information | {found.headline.a: half}})
    assert saw(other) == {"generator": "189 (50 %)", "annotator": "none"}


@pytest.mark.parametrize(
    ("seconds", "words"), [(45.2, "45 s"), (740, "12 min"), (3900, "1 h 05 min"), (7190, "2 h 00 min")]
)
def test_durations(seconds: float, words: str) -> None:
    """As a reader says them."""
    assert duration(seconds) == words
