"""Pages of hand-made records, for the tests: the pictures of everything but the verdict are drawn once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jobs.report import page
from jobs.report.figures import Embedded, draw_all, embed
from jobs.report.inputs import Artifacts
from shared.cli.progress import Reporter
from shared.plots.mixed_gallery import mixed_pictures
from shared.store.artifacts import Artifact
from shared.store.records.mixed import MixedRecord

REPLICATED = ("classifier", "gan", "scores", "synthetic")

Inputs = dict[str, Artifact]


def with_facts(artifact: Artifact, facts: dict[str, Any]) -> Artifact:
    """Return the artifact as if its job had recorded `facts`."""
    return replace(artifact, manifest=artifact.manifest.model_copy(update={"facts": facts}))


def scaled(scores: Artifact, factor: float) -> Artifact:
    """Return scores whose numbers on val and test are `factor` times as large."""
    facts = dict(scores.facts)
    name = facts["chosen_score"]
    facts["rows"] = [row | {name: row[name] * factor} for row in facts["rows"]]
    facts["test"] = {key: value * factor if isinstance(value, float) else value for key, value in facts["test"].items()}
    facts["test"] |= {"agreement": facts["test"]["agreement"]}
    return with_facts(scores, facts)


def experiment(made: Inputs, record: MixedRecord, factors: tuple[float, ...] = (1.0, 0.5, 2.0)) -> Inputs:
    """Return the inputs of the page: a replicate for each factor of the scores, and the verdict in `record`."""
    inputs = {"real": made["real"], "mixed": with_facts(made["mixed"], record.facts())}
    for number, factor in enumerate(factors):
        for name in REPLICATED:
            artifact = made[name]
            inputs[f"{name}/r{number:02d}"] = scaled(artifact, factor) if name == "scores" else artifact
    return inputs


Render = Callable[[Inputs], str]


def renderer(made: Inputs) -> Render:
    """Return a function that renders the page of some inputs; all but the verdict's pictures are drawn here, once."""
    drawn = draw_all(Artifacts.of(made), Reporter("report"))

    def draw(of: Artifacts, reporter: Reporter) -> dict[str, dict[str, Embedded]]:
        pictures = mixed_pictures(of.mixed.record, of.real.dataset.classes)
        return drawn | {"mixed": {name: embed(picture) for name, picture in pictures.items()}}

    def render(inputs: Inputs) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(page, "draw_all", draw)
            return page.render(inputs, Reporter("report"))

    return render
