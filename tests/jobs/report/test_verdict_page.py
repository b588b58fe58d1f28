"""What the page promises of the verdict: warnings first, every replicate a dot, what each part saw, one rule."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from jobs.report.interactive.intervals import differences
from shared.plots.answers import certainty, shown_answers, stopping_words
from shared.plots.formatting import difference_points, interval_points, level_text, percent, signed_points
from shared.store.artifacts import Artifact
from shared.store.records.mixed import Answer, MixedRecord, OptionalEstimate
from tests.jobs.report.pages import Inputs, Render, experiment, renderer
from tests.jobs.report.records import ARMS, TRAIN, mixed_record, two_classes, until_record

pytestmark = pytest.mark.drawn

FLAG = "not like for like: the generator saw real images that the baseline did not"
WARNINGS = ["Arm synthetic_100 is not shown to be better than one answer.", "The generator collapsed: 1 of 5."]


@pytest.fixture(scope="module")
def render(made: dict[str, Artifact]) -> Render:
    """Return a function that renders a page of the experiment `small` with another verdict."""
    return renderer(made)


def pages(render: Render, made: Inputs, record: MixedRecord) -> str:
    """Return the page with the verdict in `record`."""
    return render(experiment(made, record))


@pytest.fixture(scope="module")
def record() -> MixedRecord:
    """Return a verdict whose headline has warnings."""
    found = mixed_record()
    assert found.headline is not None
    return found.model_copy(update={"headline": found.headline.model_copy(update={"warnings": WARNINGS})})


@pytest.fixture(scope="module")
def text(render: Render, made: Inputs, record: MixedRecord) -> str:
    """Return the page with that verdict."""
    return pages(render, made, record)


def words(html: str) -> str:
    """Return what a reader reads of some HTML."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def table(html: str, name: str) -> list[list[str]]:
    """Return the cells of the body of the table of class `name`."""
    body = re.search(rf'<table class="{name}">.*?<tbody>(.*?)</tbody>', html, re.DOTALL)
    assert body is not None
    return [
        [words(cell) for cell in re.findall(r"<t[dh]\b.*?>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in body[1].split("</tr>")[:-1]
    ]


def chart_rows(html: str, name: str) -> list[str]:
    """Return the rows of a chart of intervals, as HTML."""
    chart = re.search(rf'<figure class="intervals {name}">.*?</figure>', html, re.DOTALL)
    assert chart is not None, name
    return re.findall(r"<li\b.*?</li>", chart[0], re.DOTALL)


def test_warnings_come_before_the_headline(text: str, record: MixedRecord) -> None:
    """Each warning is above the first heading, in words, within the box that has a colour; none is said twice."""
    assert record.headline is not None
    heading = text.index("<h1>")
    box = re.search(r'<section class="warnings".*?</section>', text, re.DOTALL)
    assert box is not None
    assert box.end() < heading
    for line in WARNINGS:
        assert words(box[0]).count(f"Warning: {line}") == 1
    assert re.search(r"\.warnings \{[^}]*background: var\(--warn-paper\)", text)
    assert words(text[heading : text.index("</h1>")]) == record.headline.sentence


def test_without_warnings_there_is_no_box(render: Render, made: Inputs) -> None:
    """A headline that has no warnings is the first thing on the page."""
    plain = pages(render, made, mixed_record())
    assert 'class="warnings"' not in plain[: plain.index("<h1>")]


def test_every_replicate_is_a_dot(text: str, record: MixedRecord) -> None:
    """The chart of questions has a row for every answer, and in it a dot for each replicate with its value."""
    rows = chart_rows(text, "differences")
    answers = shown_answers(record)
    assert len(rows) == len(answers)
    for row, answer in zip(rows, answers, strict=True):
        said = [f"r{number:02d}: {signed_points(value, 2)} points" for number, value in enumerate(answer.values)]
        assert re.findall(r'class="dot"[^>]*data-tip="([^"]*)"', row) == said
        assert f"{difference_points(answer)} ({level_text(answer.level)} interval {interval_points(answer)})" in row


def test_the_chart_has_a_zero_line_and_excluded_ranges(record: MixedRecord) -> None:
    """0 is at one place, and intervals, means and replicates are as far from it as their values are, in each row."""
    chart = differences(record)
    assert chart.zero is not None
    scale = (chart.rows[0].mean - chart.zero) / shown_answers(record)[0].difference
    for row, answer in zip(chart.rows, shown_answers(record), strict=True):
        places = [row.low, row.high, row.mean, *(dot.at for dot in row.dots)]
        values = [answer.low, answer.high, answer.difference, *answer.values]
        assert [place - chart.zero for place in places] == pytest.approx([scale * value for value in values], abs=0.01)
        assert all(0 < place < 100 for place in places)


def test_what_an_interval_excludes_is_shaded(text: str, record: MixedRecord) -> None:
    """From the bounds outwards, to both ends."""
    for row, marks in zip(differences(record).rows, chart_rows(text, "differences"), strict=True):
        below, above = re.findall(r'class="excluded" style="([^"]*)"', marks)
        assert below == f"left: 0; width: {row.low}%"
        assert above == f"left: {row.high}%; right: 0"


def test_the_table_of_questions_is_the_record(text: str, record: MixedRecord) -> None:
    """Sentence, difference, interval, level, what is detectable, and whether it is like for like, of every answer."""
    assert record.headline is not None
    answers = [record.headline, *record.questions]
    rows = table(text, "questions")
    assert len(rows) == len(answers)
    for row, answer in zip(rows, answers, strict=True):
        assert row[0] == f"{answer.sentence} {answer.a} against {answer.b}"
        assert row[1:5] == [
            difference_points(answer),
            interval_points(answer),
            level_text(answer.level),
            percent(answer.detectable),
        ]
        assert row[5] == ("like for like" if answer.like_for_like else FLAG)
    assert [row[3] for row in rows] == ["95 %", "98.3 %", "98.3 %", "98.3 %"]
    assert [row[5] for row in rows].count(FLAG) == 1


def test_warnings_of_a_question_are_with_it(render: Render, made: Inputs, record: MixedRecord) -> None:
    """What is not said at the head of the page is said before the question's answer, and only there."""
    first, *others = record.questions
    warned = first.model_copy(update={"warnings": [*WARNINGS, "This arm is useless."]})
    html = pages(render, made, record.model_copy(update={"questions": [warned, *others]}))
    rows = table(html, "questions")
    assert rows[1][0].startswith(f"Warning: This arm is useless. {first.sentence}")
    assert words(html).count("This arm is useless.") == 1
    assert all(words(html).count(line) == 1 for line in WARNINGS)


def test_the_chart_marks_what_is_not_like_for_like(text: str, record: MixedRecord) -> None:
    """Only the rows of such answers say so, in words."""
    rows = chart_rows(text, "differences")
    assert ["NOT LIKE FOR LIKE" in row for row in rows] == [
        not answer.like_for_like for answer in shown_answers(record)
    ]
    assert sum("NOT LIKE FOR LIKE" in row for row in rows) == 1


def test_what_each_part_saw_is_the_record(text: str) -> None:
    """For each arm the real images that classifier, generator and annotator saw."""
    count = sum(TRAIN)

    def shown(share: float) -> str:
        return "none" if share == 0 else f"all {count:,}" if share == 1 else "378 (30 %)"

    expected = [[name, shown(arm[1]), shown(arm[3]), shown(arm[3])] for name, arm in ARMS.items()]
    assert table(text, "information") == expected


def test_the_arms_have_spread_and_interval(text: str, record: MixedRecord) -> None:
    """Every metric of every arm: mean, standard deviation over replicates, interval."""
    for row, arm in zip(table(text, "arms"), record.arms, strict=True):
        assert row[0] == f"{arm.about} {arm.arm}"
        for cell, metric in zip(row[3:], arm.metrics.values(), strict=True):
            assert metric.std is not None
            spread = f"{100 * metric.mean:.1f} ± {100 * metric.std:.1f}"
            assert cell == f"{spread} {100 * metric.low:.1f} to {100 * metric.high:.1f}"


def cell(estimate: Any) -> str:
    """Return what a reader reads of a metric of a class: mean and interval."""
    return f"{100 * estimate.mean:.1f} {100 * estimate.low:.1f} to {100 * estimate.high:.1f}"


def test_every_arm_has_its_classes(text: str, record: MixedRecord) -> None:
    """Name, test images, precision, recall, F1 with their intervals; of each arm its own, in tables that are folded."""
    for arm in record.arms:
        rows = table(text, f"by-class {arm.arm}")
        assert arm.classes is not None
        expected = [
            [row.class_name, f"{row.n:,}", *map(cell, (row.precision, row.recall, row.f1))] for row in arm.classes
        ]
        assert rows == expected
    first = text.index('<table class="by-class')
    assert text[first - 300 : first].count("<details>") == 1


def test_f1_of_the_first_answers_arms_is_open(text: str, record: MixedRecord) -> None:
    """Both arms of the headline next to each other, the baseline last, without a click."""
    assert record.headline is not None
    a, b = (record.arm(name).classes or [] for name in (record.headline.a, record.headline.b))
    expected = [[f"{mine.n:,}", cell(mine.f1), cell(other.f1)] for mine, other in zip(a, b, strict=True)]
    assert [row[1:] for row in table(text, "class-f1")] == expected
    start = text.index('<table class="class-f1')
    assert "<details>" not in text[text.index("of each class</h3>") : start]


def test_the_positive_class_of_two_is_named(render: Render, made: Inputs, record: MixedRecord, text: str) -> None:
    """With the ROC-AUC, and in the table of both classes, which is open; of more classes there is none."""
    html = pages(render, made, two_classes(record))
    assert "the ROC-AUC ranks the positive class: Young." in words(html)
    rows = table(html, "two-classes")
    assert len(rows) == 3 * len(ARMS)
    for place, arm in enumerate(record.arms):
        heading, *both = rows[3 * place : 3 * place + 3]
        assert heading == [f"{arm.about} {arm.arm}"]
        for row, name, own in zip(both, ("Old", "Young (positive class)"), arm.classes or [], strict=False):
            assert row == [name, f"{own.n:,}", *map(cell, (own.precision, own.recall, own.f1))]
    assert "positive class" not in words(text)


def test_many_classes_are_folded(render: Render, made: Inputs, record: MixedRecord) -> None:
    """Thirteen rows and more are behind a click."""
    arms = [arm.model_copy(update={"classes": (arm.classes or [])[:1] * 13}) for arm in record.arms]
    real = made["real"]
    described = real.dataset.model_copy(update={"classes": [f"class {number}" for number in range(13)]})
    many = replace(real, manifest=real.manifest.model_copy(update={"dataset": described}))
    counts = {"train_counts": [1] * 13, "synthetic_counts": [1] * 13}
    html = pages(render, made | {"real": many}, record.model_copy(update={"arms": arms} | counts))
    start = html.index('<table class="class-f1')
    assert "<summary>F1 of 13 classes" in html[start - 200 : start]


def test_an_undefined_metric_is_called_so(render: Render, made: Inputs, record: MixedRecord) -> None:
    """Never 0: "undefined", or in how many replicates it is."""
    nothing = {"mean": None, "std": None, "low": None, "high": None, "values": [None] * 5}
    some = {"mean": 0.5, "std": None, "low": None, "high": None, "values": [0.25, None, 0.75, None, None]}
    arms = []
    for arm in record.arms:
        first, second, third = arm.classes or []
        changed = [
            first.model_copy(update={"precision": OptionalEstimate.model_validate(nothing)}),
            second.model_copy(update={"precision": OptionalEstimate.model_validate(some)}),
        ]
        arms.append(arm.model_copy(update={"classes": [*changed, third]}))
    html = pages(render, made, record.model_copy(update={"arms": arms}))
    cells = [row[2] for row in table(html, f"by-class {arms[0].arm}")]
    assert cells[:2] == ["undefined", "50.0 undefined in 3 of 5"]


def test_an_undefined_interval_is_called_so(render: Render, made: Inputs, record: MixedRecord) -> None:
    """A metric of all classes may have no interval, and no value either."""
    whole = {"mean": 0.5, "std": 0.1, "low": None, "high": None, "values": [0.5] * 5}
    nothing = {"mean": None, "std": None, "low": None, "high": None, "values": [None] * 5}
    kinds = [OptionalEstimate.model_validate(kind) for kind in (whole, nothing)]
    arms = [
        arm.model_copy(update={"metrics": dict.fromkeys(arm.metrics, kinds[place % 2]) | {"accuracy": arm.accuracy}})
        for place, arm in enumerate(record.arms)
    ]
    cells = [row[-1] for row in table(pages(render, made, record.model_copy(update={"arms": arms})), "arms")]
    assert cells[:2] == ["50.0 ± 10.0 interval undefined", "undefined"]


def test_an_earlier_verdict_has_no_classes(render: Render, made: Inputs, record: MixedRecord) -> None:
    """The page is made without them."""
    arms = [arm.model_copy(update={"classes": None}) for arm in record.arms]
    assert "of each class</h3>" not in pages(render, made, record.model_copy(update={"arms": arms}))


def test_class_counts_are_those_of_the_record(text: str, record: MixedRecord) -> None:
    """Real train images and labels of synthetic ones, by class."""
    counts = [row[1:] for row in table(text, "counts")]
    expected = zip(record.train_counts, record.synthetic_counts, strict=True)
    assert counts == [[f"{real:,}", f"{synthetic:,}"] for real, synthetic in expected]


def test_where_the_variance_comes_from(text: str, render: Render, made: Inputs) -> None:
    """The shares are said; a share that is not known is called so, also where all are."""
    assert "generators 35 %, fits of the classifier not known, test images 65 %" in words(text)
    unknown = words(pages(render, made, mixed_record(variance=None)))
    assert "Where the variance of the headline's difference comes from is not known." in unknown


def test_no_other_rule_is_on_the_page(text: str) -> None:
    """One rule decides, so that no test with p values may contradict it."""
    said = words(text).lower()
    for banned in ("mcnemar", "permutation", "p value", "holm", "significant"):
        assert banned not in said


def original(record: MixedRecord) -> Answer:
    """Return the answer of the published design."""
    return next(answer for answer in record.questions if answer.b == "real_30")


def test_published_systems_show_their_design_first(render: Render, made: Inputs) -> None:
    """Its answer is the heading, flagged; its arms' metrics follow, then the headline; the table begins with it."""
    record = mixed_record(first="original")
    html = pages(render, made, record)
    answer, headline = original(record), record.headline
    assert headline is not None
    head = html[: html.index("</header>")]
    assert words(head[head.index("<h1>") : head.index("</h1>")]) == answer.sentence
    flag = re.search(r'<p class="flag">(.*?)</p>', head)
    assert flag is not None
    assert flag[1] == "The published 70/30 design, not like for like"
    assert flag.start() < head.index("<h1>")
    arms = [arm for arm in record.arms if arm.arm in ("real_100", "real_30", "synthetic_70_real_30")]
    for row, arm in zip(table(head, "original"), arms, strict=True):
        assert row[0] == f"{arm.about} {arm.arm}"
        assert row[3:] == [f"{100 * m.mean:.1f} ± {100 * (m.std or 0):.1f}" for m in arm.metrics.values()]
    assert headline.sentence in words(head[head.index("</table>") :])
    assert table(html, "questions")[0][0].startswith(answer.sentence)
    assert table(html, "questions")[1][0].startswith(headline.sentence)


def test_the_headline_is_first_elsewhere(text: str, record: MixedRecord) -> None:
    """Without that the published design is a question among the others, and its table is not in the head."""
    head = text[: text.index("</header>")]
    assert 'class="original"' not in head
    assert 'class="flag"' not in head
    assert table(text, "questions")[0][0].startswith(record.headline.sentence if record.headline else "?")


@pytest.mark.parametrize(
    ("replicates", "said"),
    [(1, "other test images alone"), (2, "reaches 2.2 standard errors"), (3, "reaches 2.2 standard errors"), (5, "")],
)
def test_few_replicates_and_what_they_cost(render: Render, made: Inputs, replicates: int, said: str) -> None:
    """Planned and added replicates are counted; with 3 or fewer the page says what that costs in certainty."""
    protocol = mixed_record(replicates=replicates).protocol.model_copy(update={"planned": replicates, "added": 0})
    html = pages(render, made, mixed_record(replicates=replicates, protocol=protocol))
    head = words(html[: html.index("</header>")])
    assert f"{replicates} replicate{'s' if replicates > 1 else ''} ({replicates} planned, 0 added)" in head
    cost = re.search(r'<p class="certainty">(.*?)</p>', html)
    assert (cost is not None) == (replicates <= 3)
    if cost:
        assert said in cost[1]
        assert replicates < 2 or "12.0 degrees of freedom), in place of 2.0 if it were known." in cost[1]


def test_a_verdict_of_an_earlier_version_says_what_few_replicates_can_cost() -> None:
    """It has not kept the degrees of freedom: at least those of the replicates, 12.7 and 4.3 from a table."""
    for replicates, reach in ((2, "12.7"), (3, "4.3")):
        record = mixed_record(replicates=replicates)
        assert record.headline is not None
        older = record.model_copy(update={"headline": record.headline.model_copy(update={"freedom": None})})
        said = (
            f"reaches up to {reach} standard errors to each side (Student's t, {replicates - 1} degrees of freedom or"
        )
        assert said in certainty(older)


NOW = "the headline's 95 % interval reaches 0.487 points to each side after 5 replicates"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (until_record("width"), f"{NOW}; 0.5 were wanted."),
        (
            until_record("test images", 2300, floor=0.0061),
            f"{NOW}, and of these 0.61 would remain with any number of replicates: 0.5 needs about 2,300 test images, "
            "there are 360.",
        ),
        (
            until_record("images", floor=0.0061),
            f"{NOW}, and of these 0.61 would remain with any number of replicates, since all of them split the same "
            "images: 0.5 needs more images.",
        ),
        # (0.487^2 - 0.31^2) / (0.4^2 - 0.31^2) = 2.2 times as many
        (until_record("replicates", until=0.004), f"{NOW}, the most that were to be made; 0.4 were wanted, for which "),
        (until_record("replicates", until=0.004), "for which about 12 replicates may do."),
        (until_record("minutes", until=0.003), f"{NOW}, when its time was over; 0.3 were wanted. The same command"),
        (until_record(None, until=0.004), f"{NOW}; 0.4 are wanted, for which about 12 replicates may do."),
    ],
)
def test_why_no_more_replicates_were_added(record: MixedRecord, said: str) -> None:
    """What was wanted, what was reached, and what would help."""
    assert said in stopping_words(record)


def test_the_page_says_why_no_more_replicates_were_added(render: Render, made: Inputs) -> None:
    """In its head, with what intervals allow for; nothing where their number was given."""
    html = pages(render, made, until_record("test images", 2300))
    head = words(html[: html.index("</header>")])
    assert "Replicates were to be added until the headline's interval is narrow enough: the headline's 95 %" in head
    assert "0.5 needs about 2,300 test images" in head
    assert "Every interval is 20 % wider than for a given number of replicates" in head
    assert 'class="stopping"' not in pages(render, made, mixed_record())


def test_the_page_says_that_the_plan_was_made_for_a_budget(render: Render, made: Inputs) -> None:
    """In its head, with what that may cost."""
    protocol = mixed_record().protocol.model_copy(update={"budget_minutes": 30.0})
    html = pages(render, made, mixed_record(protocol=protocol))
    head = words(html[: html.index("</header>")])
    assert "number of replicates were chosen to end within 30 minutes on the machine that ran this" in head
    assert "With more time the generators may be better, and the answers others" in head


def test_added_replicates_are_counted(render: Render, made: Inputs) -> None:
    """Those that were added after an answer are told apart from the planned ones."""
    protocol = mixed_record().protocol.model_copy(update={"planned": 3, "added": 2})
    assert "5 replicates (3 planned, 2 added)" in words(pages(render, made, mixed_record(protocol=protocol)))


def test_no_question_no_chart(render: Render, made: Inputs) -> None:
    """Without two arms to compare the page says so, and still shows the arms."""
    html = pages(render, made, mixed_record(headline=None, questions=[], variance=None))
    assert words(html[html.index("<h1>") : html.index("</h1>")]).startswith("No two arms were trained")
    assert 'class="zero"' not in html
    assert len(table(html, "arms")) == len(ARMS)
