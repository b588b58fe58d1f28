"""The page: sections, tables and lineage from the manifests, rendered from the template page.html."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.pipeline import JOBS, PIPELINE
from jobs.report.card import verdict_card
from jobs.report.classes import every_class
from jobs.report.figures import draw_all
from jobs.report.inputs import Artifacts
from jobs.report.interactive import intervals
from jobs.report.scores import scores_section
from jobs.report.sections import shown_sections
from jobs.report.templates import page_template
from jobs.report.tuning import tuning_section
from shared import __version__
from shared.cli.progress import Reporter
from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.metrics.pixels import QUALITIES
from shared.plots import answers, formatting
from shared.plots.classes import choices
from shared.stats.confidence import LEVEL_TEXT
from shared.store.artifacts import Artifact
from shared.store.lineage import experiment_folder, experiment_label, lineage, need_test_scores, recipe_text
from shared.store.records.datasets import SCORED_AS_DRAWN, drawn_words
from shared.store.records.mixed import MixedRecord

FILTERS = (
    *(
        "percent",
        "detectable_points",
        "difference_points",
        "interval_points",
        "level_text",
        "spread",
        "like_for_like",
        "real_images",
        "signed_points",
    ),
    *("metric_value", "side_words", "percent_interval", "metric_name", "synthetic_count", "real_count"),
)
"""The functions of `formatting` that templates call, by name."""


def render(inputs: Mapping[str, Artifact], reporter: Reporter) -> str:
    """Return the page for the artifacts of an experiment: self-contained HTML that asks no network for anything."""
    template = page_template(Path(__file__).with_name("page.html"), FILTERS)
    shown = facts(inputs, reporter)
    return template.render(shown, sections=shown_sections(shown))


def facts(inputs: Mapping[str, Artifact], reporter: Reporter) -> dict[str, Any]:
    """Return what the templates show, by the names that they call it."""
    made = Artifacts.of(inputs)
    shown, mixed = made.shown, made.mixed.record
    how_drawn = drawn_words([shown.synthetic.record])
    return verdict(mixed) | {
        "version": __version__,
        "experiment": experiment_label(experiment_folder(inputs)),
        "card": verdict_card(mixed, made.on_test),
        "arm_choice": choices.of_arms(mixed),
        "quality_choice": choices.of_qualities(need_test_scores(shown.scores).test.classes),
        "annotator_choice": choices.of_table(shown.classifier.record.test),
        "every_class": every_class(made),
        "metrics": [metric.name for metric in CLASSIFICATION_METRICS],
        "real": made.real.dataset,
        "shown": made.shown_words,
        "replicate_count": len(made.replicates),
        "synthetic": shown.synthetic.dataset,
        "annotation": shown.synthetic.record,
        "scored": scores_section(made),
        "scores": shown.scores.record,
        "on_test": need_test_scores(shown.scores),
        "gan": shown.gan and shown.gan.record,
        "imported": [one.synthetic.record.imported for one in made.replicates if one.synthetic.record.imported],
        "how_drawn": how_drawn,
        "scored_as_drawn": SCORED_AS_DRAWN if how_drawn else "",
        "labelled": shown.synthetic.record.agreement is not None,
        "asked_for": "class that was asked for" if shown.gan else "label of its set",
        "classifier": shown.classifier.record,
        "pictures": draw_all(made, reporter),
        "level": LEVEL_TEXT,
        "qualities": QUALITIES,
        "tuning": tuning_section(made.tune),
        "lineage": lineage(JOBS, inputs),
        "recipe": recipe_text(PIPELINE, inputs),
    }


def verdict(mixed: MixedRecord) -> dict[str, Any]:
    """Return what the templates show of the answers."""
    return {
        "first_line": answers.first_line(mixed),
        "hold_out": answers.first_advice(mixed),
        "val_seen": answers.VAL_MAY_BE_SEEN if mixed.protocol.imported else "",
        "interval_is_for": answers.interval_is_for(mixed),
        "each_replicate": answers.what_a_replicate_is(mixed),
        "warnings": answers.first_warnings(mixed),
        "first_answers": answers.first_answers(mixed),
        "used": mixed.protocol,
        "no_answer": answers.NO_ANSWER,
        "original": answers.original_arms(mixed),
        "certainty": answers.certainty(mixed),
        "stopping": answers.stopping_note(mixed),
        "answers": answers.shown_answers(mixed),
        "own_warnings": lambda answer: answers.own_warnings(mixed, answer),
        "saw": {
            arm.arm: formatting.saw(
                arm.information, sum(mixed.train_counts), mixed.protocol.imported, mixed.protocol.n_unlabelled
            )
            for arm in mixed.arms
        },
        "first_arms": answers.first_arms(mixed),
        "macro_words": answers.macro_words(mixed),
        "one_answer": answers.one_answer(mixed),
        "variance_words": formatting.variance_words(mixed.variance),
        "mixed": mixed,
        "worth": mixed.worth,
        "accuracies": intervals.accuracies(mixed),
        "differences": intervals.differences(mixed) if mixed.top else None,
    }
