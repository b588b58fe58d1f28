"""The page: sections, tables and lineage from the manifests, set by the template beside this file."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from jobs.pipeline import JOBS, PIPELINE
from jobs.report.figures import draw_all
from jobs.report.tuning import tuning_section
from shared import __version__
from shared.cli.progress import Reporter
from shared.metrics.metric import CLASSIFICATION_METRICS, FeatureMetric, metric_of
from shared.metrics.pixels import QUALITIES
from shared.models.tables import EXTRACTORS
from shared.plots.formatting import bought, percent
from shared.stats.confidence import LEVEL_TEXT
from shared.store.artifacts import Artifact
from shared.store.lineage import lineage, need_test_scores, recipe_text


def render(inputs: dict[str, Artifact], reporter: Reporter) -> str:
    """Return the page for the artifacts of an experiment: self-contained HTML that asks no network for anything."""
    need_test_scores(inputs["scores"])
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["spread"] = spread
    environment.filters["bought"] = bought
    facts = {name: artifact.facts for name, artifact in inputs.items()}
    facts["gan"] = {"class_histories": None} | facts["gan"]
    return environment.get_template("page.html").render(
        version=__version__,
        experiment=inputs["real"].folder.parent.name,
        headline=headline(facts["mixed"]),
        facts=facts,
        real=inputs["real"].dataset,
        synthetic=inputs["synthetic"].dataset,
        pictures=draw_all(inputs, reporter),
        level=LEVEL_TEXT,
        metrics=[row.name for row in CLASSIFICATION_METRICS],
        qualities=QUALITIES,
        indicators=facts["scores"]["loss_indicators"],
        score_names=[name for name in facts["scores"]["real"] if judges_snapshots(name)],
        shown_scores=[name for name, value in facts["scores"]["real"].items() if isinstance(value, float)],
        over_snapshots=lambda name: over_snapshots(facts["scores"]["rows"], name),
        tuning=tuning_section(inputs),
        lineage=lineage(JOBS, inputs),
        recipe=recipe_text(PIPELINE, inputs),
    )


def judges_snapshots(name: str) -> bool:
    """Whether every snapshot has this score, and it says something of quality."""
    row = metric_of(name, EXTRACTORS)
    return isinstance(row, FeatureMetric) and row.per_snapshot and row.higher_is_better is not None


def over_snapshots(rows: list[dict[str, Any]], name: str) -> tuple[float, float, float]:
    """Return the lowest, the mean and the highest of a score over all snapshots."""
    values = [row[name] for row in rows]
    return min(values), sum(values) / len(values), max(values)


def headline(mixed: dict[str, Any]) -> str:
    """Return the verdict in one sentence."""
    compared = mixed["comparisons"]
    return str(compared[0]["sentence"]) if compared else "No two arms were trained that answer a question together."


def spread(summary: dict[str, Any]) -> str:
    """Return mean ± standard deviation in percent, or the mean alone where one seed has no spread."""
    mean = percent(summary["mean"])
    return mean if summary["std"] is None else f"{mean} ± {percent(summary['std'])}"
