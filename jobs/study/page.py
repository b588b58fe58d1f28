"""The page of a study: one self-contained file, in the style of the report."""

from pathlib import Path

from jobs.report.figures import embed
from jobs.report.templates import page_template
from jobs.study.points import KINDS
from shared import __version__
from shared.plots import formatting
from shared.plots.compare_charts import gain_chart
from shared.plots.gallery import Picture
from shared.stats.confidence import LEVEL_TEXT
from shared.store.records.study import StudyPoint, StudyRecord

FILTERS = (
    *("percent", "level_text", "difference_points", "interval_points", "detectable_points", "seen"),
    "metric_name",
)
"""The functions of `formatting` that the template calls, by name."""


def render(record: StudyRecord) -> str:
    """Return the page: HTML that asks no network for anything. It links to the reports of the points next to it."""
    template = page_template(Path(__file__).with_name("study.html"), FILTERS, duration=duration)
    return template.render(
        version=__version__,
        study=record,
        kinds=KINDS,
        charts={answer.kind: embed(picture(record, answer.kind)) for answer in record.answers},
        saw={point.point: saw(point) for point in record.points},
        together=LEVEL_TEXT,
    )


def picture(record: StudyRecord, kind: str) -> Picture:
    """Return the figure of a kind's gain against the number of images, with its text for screen readers."""
    points, row = record.of_kind(kind), KINDS[kind]
    said = "; ".join(
        f"{point.n_train:,} images: {formatting.difference_points(point.headline)} points "
        f"({formatting.interval_points(point.headline)}), {point.headline.outcome}"
        for point in points
    )
    metric = formatting.metric_name(points[0].headline.metric)
    alt = f"Gain in test {metric} from synthetic images against the number of {row.counted}. {said}."
    return Picture(gain_chart(points, row.counted, row.helped), alt)


def saw(point: StudyPoint) -> dict[str, str]:
    """Return what the networks behind the synthetic images of a point saw of the real images, in words."""
    seen = formatting.saw(point.information[point.headline.a], point.n_train, unlabelled=point.n_unlabelled)
    return {name: seen[name] for name in ("generator", "annotator")}


def duration(seconds: float) -> str:
    """Return a time in words: "45 s", "12 min", "1 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
