"""The page: sections, tables and lineage from the manifests, rendered from the template page.html."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from jobs.pipeline import JOBS, PIPELINE
from jobs.report.figures import draw_all
from jobs.report.inputs import Artifacts
from jobs.report.tuning import tuning_section
from shared import __version__
from shared.cli.progress import Reporter
from shared.metrics.metric import CLASSIFICATION_METRICS, FeatureMetric, metric_of
from shared.metrics.pixels import QUALITIES
from shared.models.tables import EXTRACTORS
from shared.plots.formatting import percent, real_images
from shared.stats.confidence import LEVEL_TEXT
from shared.store.artifacts import Artifact
from shared.store.lineage import lineage, need_test_scores, recipe_text
from shared.store.records.mixed import Estimate, MixedRecord
from shared.store.records.scores import SnapshotScores


def render(inputs: Mapping[str, Artifact], reporter: Reporter) -> str:
    """Return the page for the artifacts of an experiment: self-contained HTML that asks no network for anything."""
    made = Artifacts.of(inputs)
    scores, on_test = made.scores.record, need_test_scores(made.scores)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        # class names and messages are the user's
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,  # a name that the template has wrong fails the job, not a reader
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["spread"] = spread
    environment.filters["real_images"] = real_images
    return environment.get_template("page.html").render(
        version=__version__,
        experiment=made.real.folder.parent.name,
        headline=headline(made.mixed.record),
        real=made.real.dataset,
        synthetic=made.synthetic.dataset,
        mixed=made.mixed.record,
        annotation=made.synthetic.record,
        scores=scores,
        on_test=on_test,
        gan=made.gan.record,
        classifier=made.classifier.record,
        pictures=draw_all(made, reporter),
        level=LEVEL_TEXT,
        metrics=[metric.name for metric in CLASSIFICATION_METRICS],
        qualities=QUALITIES,
        score_names=[name for name in on_test.real.scores if judges_snapshots(name)],
        over_snapshots=lambda name: over_snapshots(scores.rows, name),
        tuning=tuning_section(made.tune),
        lineage=lineage(JOBS, inputs),
        recipe=recipe_text(PIPELINE, inputs),
    )


def judges_snapshots(name: str) -> bool:
    """Whether every snapshot has this score, and it says something of quality."""
    metric = metric_of(name, EXTRACTORS)
    return isinstance(metric, FeatureMetric) and metric.per_snapshot and metric.higher_is_better is not None


def over_snapshots(rows: Sequence[SnapshotScores], name: str) -> tuple[float, float, float]:
    """Return the lowest, the mean and the highest of a score over all snapshots."""
    values = [snapshot.scores[name] for snapshot in rows]
    return min(values), sum(values) / len(values), max(values)


def headline(mixed: MixedRecord) -> str:
    """Return the verdict in one sentence."""
    compared = mixed.comparisons
    return compared[0].sentence if compared else "No two arms were trained that answer a question together."


def spread(summary: Estimate) -> str:
    """Return mean ± standard deviation in percent, or the mean alone where one seed has no spread."""
    mean = percent(summary.mean)
    return mean if summary.std is None else f"{mean} ± {percent(summary.std)}"
