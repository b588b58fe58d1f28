"""The dataset card: README.md in the form that Hugging Face's hub reads, rendered from the template card.md."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from jobs.export.formats import FORMATS, class_folders
from jobs.export.options import ANNOTATED, ASKED, ExportConfig
from jobs.pipeline import EVALUATE, JOBS, SYNTHESIZE, TRAIN_MIXED
from shared import __version__
from shared.metrics import over_replicates
from shared.metrics.over_replicates import COPIES_FOUND, copies_finding, unseen_files
from shared.plots.answers import (
    NO_ANSWER,
    begins_with_original,
    first_advice,
    first_answers,
    first_line,
    first_warnings,
    own_warnings,
    shown_answers,
    stopping_note,
    what_a_replicate_is,
)
from shared.plots.formatting import (
    difference_points,
    interval_points,
    level_text,
    percent,
    real_count,
    saw,
    synthetic_count,
)
from shared.store.artifacts import Artifact, input_of
from shared.store.lineage import experiment_folder, experiment_label, lineage, need_test_scores
from shared.store.records.copies import CopyTest
from shared.store.records.datasets import Imported, SyntheticRecord, drawn_words
from shared.store.records.mixed import MixedRecord
from shared.visible import visible

RECIPE = "recipe.toml"


def render(inputs: Mapping[str, Artifact], config: ExportConfig, counts: Counter[int], replicate: int) -> str:
    """Return the card of an export with `counts` images of each label, made from the artifacts `inputs`.

    These are those of one `replicate`, numbered from 0, and the verdict of all.
    """
    synthetic, mixed = input_of(inputs, SYNTHESIZE), input_of(inputs, TRAIN_MIXED).record
    layout, dataset = FORMATS[config.to], synthetic.dataset
    labels = judged_labels(mixed, conditional=synthetic.record.agreement is not None)
    judged = config.labels == labels and config.min_confidence == mixed.protocol.min_confidence
    others = f"other labels or images than are given here: {reached_with(inputs)}"
    given = "such labels and such a least confidence as are given here" if judged else others
    return template("card.md").render(
        **found(inputs, replicate),
        config=config,
        layout=layout,
        columns=columns(synthetic, config) if layout.described else {},
        folders=class_folders(dataset.classes) if layout.named else [],
        counts=counts,
        annotation=synthetic.record,
        how_drawn=drawn_words([synthetic.record]),
        here="The images here are those",
        reached=f"The first answer was reached with {given}.",
        family=synthetic.record.family,
    )


def reached_with(inputs: Mapping[str, Artifact]) -> str:
    """Return with which labels, and from which confidence on, the first answer of the verdict was reached."""
    synthetic, mixed = input_of(inputs, SYNTHESIZE).record, input_of(inputs, TRAIN_MIXED).record
    own = "the class asked for as label" if synthetic.imported is None else "the labels of the set"
    asked = judged_labels(mixed, conditional=synthetic.agreement is not None) == ASKED
    labels = own if asked else "the classifier's labels"
    least = percent(mixed.protocol.min_confidence)
    return f"with {labels} and a confidence of at least {least} %"


def found(inputs: Mapping[str, Artifact], replicate: int) -> dict[str, object]:
    """Return what the cards of images and of a generator say alike: verdict, scores, privacy, lineage."""
    scores, synthetic = input_of(inputs, EVALUATE), input_of(inputs, SYNTHESIZE)
    mixed, on_test = input_of(inputs, TRAIN_MIXED).record, need_test_scores(scores)
    membership = over_replicates.membership([on_test], synthetic.record.imported is not None)
    return {
        "version": __version__,
        "experiment": experiment_label(experiment_folder(inputs)),
        "dataset": synthetic.dataset,
        "mixed": mixed,
        "first_line": first_line(mixed),
        "hold_out": first_advice(mixed),
        "each_replicate": what_a_replicate_is(mixed),
        "warnings": first_warnings(mixed),
        "first_answers": first_answers(mixed),
        "stopping": stopping_note(mixed),
        "others": shown_answers(mixed)[len(first_answers(mixed)) :],
        "no_answer": NO_ANSWER,
        "own_warnings": partial(own_warnings, mixed),
        "saw": {
            arm.arm: saw(arm.information, sum(mixed.train_counts), mixed.protocol.imported, mixed.protocol.n_unlabelled)
            for arm in mixed.arms
        },
        "replicate": replicate,
        "replicates": mixed.protocol.replicates,
        "scores": scores.record,
        "on_test": on_test,
        "copies_finding": partial(found_copies, imported=synthetic.record.imported),
        "flagged": [space for space, copies in on_test.copies.items() if copies.flagged],
        "membership": membership,
        "members": {space: found for space, found in (membership or {}).items() if found.found},
        "imported": synthetic.record.imported,
        "lineage": lineage(JOBS, inputs),
        "recipe": RECIPE,
    }


def template(name: str) -> Template:
    """Return the template of a card."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown and YAML: every text of a user goes through `plain` or `quoted`
    )
    environment.filters |= {"plain": plain, "quoted": quoted, "percent": percent, "amount": amount}
    environment.filters |= {"interval_points": interval_points, "level_text": level_text, "points": difference_points}
    environment.filters |= {"synthetic_count": synthetic_count, "real_count": real_count}
    return environment.get_template(name)


def found_copies(test: CopyTest, imported: Imported | None) -> str:
    """Return what a copy test found, in words; copies are bold."""
    said = copies_finding(test.flagged, test.flagged_for or [], unseen_files([imported]), spared=test.spared)
    return said.replace(COPIES_FOUND, f"**{COPIES_FOUND}**", 1) if test.flagged else said


def columns(synthetic: Artifact[SyntheticRecord], config: ExportConfig) -> dict[str, str]:
    """Return the type of each column of `metadata.jsonl`, by name; "class" is a label with class names."""
    asked = {} if synthetic.record.agreement is None else {"asked_label": "class"}
    strings = {"imported_file": "string", "imported_sha256": "string"}
    found = {"latent_seed": "int64"} if synthetic.record.imported is None else strings
    return {
        "image": "image",
        "key": "string",
        "label": "class",
        "annotated_label": "class",
        **asked,
        "confidence": "float64",
        **found,
    }


def judged_labels(mixed: MixedRecord, conditional: bool) -> str:
    """Return whose labels the first answer of the verdict was reached with.

    The published design has the annotator's labels, other answers the classes asked for where any were.
    """
    return ANNOTATED if begins_with_original(mixed) or not conditional else ASKED


def plain(text: object) -> str:
    """Return a text that Markdown shows as it is, on one line, also inside a table."""
    # class names are the user's: a pipe or a backtick would break the table
    return re.sub(r"([\\`*_\[\]<>|#~$&!])", r"\\\1", visible(" ".join(str(text).split())))


def quoted(text: str) -> str:
    """Return a text as a quoted scalar of YAML, which is JSON's but for what YAML calls not printable."""
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", _escaped, json.dumps(text, ensure_ascii=False))


def _escaped(character: re.Match[str]) -> str:
    return f"\\u{ord(character[0]):04x}"


def amount(number: int, one: str, many: str = "") -> str:
    """Return how many of a thing there are, in words: "1 image", "1,257 images"; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
