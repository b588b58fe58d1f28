"""The dataset card: README.md in the form that Hugging Face's hub reads, set by the template beside this file."""

import json
import re
from collections import Counter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from jobs.export.formats import FORMATS, class_folders
from jobs.export.options import ASKED, ExportConfig
from jobs.pipeline import JOBS
from shared import __version__
from shared.plots.formatting import percent
from shared.store.artifacts import Artifact
from shared.store.lineage import lineage

RECIPE = "recipe.toml"


def render(inputs: dict[str, Artifact], config: ExportConfig, counts: Counter[int]) -> str:
    """Return the card of an export with `counts` images of each label, made from the artifacts `inputs`."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown and YAML: every text of a user goes through `plain` or `quoted`
    )
    environment.filters |= {"plain": plain, "quoted": quoted, "percent": percent, "amount": amount}
    scores, mixed, layout = inputs["scores"].facts, inputs["mixed"].facts, FORMATS[config.to]
    dataset = inputs["synthetic"].dataset
    return environment.get_template("card.md").render(
        version=__version__,
        experiment=inputs["real"].folder.parent.name,
        config=config,
        layout=layout,
        dataset=dataset,
        columns=columns(inputs["synthetic"], config) if layout.described else {},
        folders=class_folders(dataset.classes) if layout.named else [],
        counts=counts,
        facts={name: artifact.facts for name, artifact in inputs.items()},
        verdict=mixed["comparisons"],
        judged=is_judged(inputs, config),
        flagged=[space for space, found in scores["copies"].items() if found["flagged"]],
        shown_scores=[name for name, value in scores["real"].items() if isinstance(value, float)],
        lineage=lineage(JOBS, inputs),
        recipe=RECIPE,
    )


def columns(synthetic: Artifact, config: ExportConfig) -> dict[str, str]:
    """Return the type of each column of `metadata.jsonl`, by name; "class" is a label with class names."""
    asked = {} if synthetic.facts["agreement"] is None else {"asked_label": "class"}
    return {
        "image": "image",
        "key": "string",
        "label": "class",
        "annotated_label": "class",
        **asked,
        "confidence": "float64",
        "latent_seed": "int64",
    }


def is_judged(inputs: dict[str, Artifact], config: ExportConfig) -> bool:
    """Whether the first comparison of the verdict was made with these labels and this least confidence."""
    same_confidence = inputs["mixed"].facts["protocol"]["min_confidence"] == config.min_confidence
    return same_confidence and config.labels != ASKED


def plain(text: object) -> str:
    """Return a text that Markdown shows as it is, on one line, also inside a table."""
    return re.sub(r"([\\`*_\[\]<>|#~$&!])", r"\\\1", " ".join(str(text).split()))


def quoted(text: str) -> str:
    """Return a text as a quoted scalar of YAML, which is JSON's but for what YAML calls not printable."""
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", _escaped, json.dumps(text, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def amount(number: int, one: str, many: str = "") -> str:
    """Return how many of a thing there are, in words: "1 image", "1,257 images"; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
