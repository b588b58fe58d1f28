"""What the page promises of scores, classes, copies and pictures where there are several replicates."""

import math
import re
from html import unescape
from statistics import mean, stdev
from typing import Any

import pytest

from jobs.report.inputs import Artifacts
from jobs.report.scores import scores_section
from shared.plots.charts import score_curve
from shared.store.artifacts import Artifact
from shared.store.records.datasets import SCORED_AS_DRAWN
from tests.jobs.report.pages import Inputs, Render, experiment, renderer, with_facts
from tests.jobs.report.records import mixed_record
from tests.jobs.report.test_verdict_page import table, words

pytestmark = pytest.mark.drawn

FACTORS = (1.0, 0.5, 2.0)
PLAIN = ("scores", "copies", "membership", "synthetic")
"""Sections that say how images are drawn."""

T_95 = 4.302652729696142
"""Student's t of 2 degrees of freedom: from a table, not from the code under test."""


@pytest.fixture(scope="module")
def render(made: dict[str, Artifact]) -> Render:
    """Return a function that renders a page of the experiment `small`."""
    return renderer(made)


@pytest.fixture(scope="module")
def inputs(made: dict[str, Artifact]) -> Inputs:
    """Return an experiment whose three replicates have other scores."""
    return experiment(made, mixed_record(replicates=3), FACTORS)


@pytest.fixture(scope="module")
def text(render: Render, inputs: Inputs) -> str:
    """Return its page."""
    return render(inputs)


def test_scores_are_means_with_intervals_over_replicates(text: str, made: dict[str, Artifact]) -> None:
    """Mean and Student's interval over replicates, worked out here, next to what real train images have."""
    facts: Any = made["scores"].facts
    rows = {row[0].removesuffix(" (synthetic side only)"): row[1:] for row in table(text, "scores")}
    assert "kernel_classifier_se" in facts["test"]
    # errors of scores are no scores
    assert [name for name in rows if name.endswith(("_se", "_slope", "_std"))] == []
    for name in ("frechet_classifier", "kernel_classifier", "frechet_classifier_infinite"):
        values = [factor * facts["test"][name] for factor in FACTORS]
        reach = T_95 * stdev(values) / math.sqrt(3)
        least = 0.0 if name == "frechet_classifier" else -math.inf
        bounds = f"{max(mean(values) - reach, least):.4f} to {mean(values) + reach:.4f}"
        assert rows[name] == [f"{mean(values):.4f}", bounds, f"{facts['real'][name]:.4f}"]


def test_images_that_are_drawn_otherwise_are_not_those_that_are_scored(
    render: Render, text: str, inputs: Inputs
) -> None:
    """The reader of scores, copies and membership is told there that they are of images from plain latents."""
    wide = dict(inputs)
    for name in [name for name in wide if name.startswith("synthetic/")]:
        wide[name] = with_facts(wide[name], wide[name].facts | {"latent_scale": 1.4})
    page = render(wide)
    sections = {name: page.split(f'<section id="{name}"')[1].split("</section>")[0] for name in PLAIN}
    assert [name for name, section in sections.items() if SCORED_AS_DRAWN not in unescape(section)] == []
    assert "a standard deviation of 1.4" in sections["synthetic"]
    assert SCORED_AS_DRAWN not in unescape(text)


def test_one_replicate_has_no_interval(render: Render, made: dict[str, Artifact]) -> None:
    """The value alone is shown."""
    for row in table(render(experiment(made, mixed_record(replicates=1), (1.0,))), "scores"):
        assert row[2] == "\u2013"


def test_the_extrapolated_score_says_which_side(text: str) -> None:
    """Only the synthetic side is extrapolated: its name and the note say so."""
    names = [row[0] for row in table(text, "scores")]
    assert [name for name in names if "infinite" in name] == ["frechet_classifier_infinite (synthetic side only)"]
    assert "extrapolated to infinitely many synthetic images; the real test images stay as many as they are" in words(
        text
    )


def test_copies_are_counted_over_replicates(render: Render, inputs: Inputs) -> None:
    """Mean and worst of the replicates, and in how many of them the test was flagged."""
    changed = dict(inputs)
    for number, (rate, flagged) in enumerate([(0.0, False), (0.25, True), (0.11, True)]):
        place = f"scores/r{number:02d}"
        facts: Any = dict(inputs[place].facts)
        pixels = facts["copies"]["pixels"] | {"copy_rate": rate, "nearer": 0.5 + rate, "flagged": flagged}
        pixels |= {"p_value": 1e-6 if flagged else 1.0}
        changed[place] = with_facts(inputs[place], facts | {"copies": facts["copies"] | {"pixels": pixels}})
    row = next(row for row in table(render(changed), "copies") if row[0] == "pixels")
    assert row[1:5] == ["62.0 %", "75.0 %", "12.0 %", "25.0 %"]
    assert row[6].startswith("copies of training images : flagged in 2 of 3; copies are found from ")


MEMBERSHIP = {
    "n_members": 1200,
    "n_non_members": 1200,
    "n_synthetic": 2000,
    "non_members": "audit",
    "confounded": False,
    "auc": 0.7,
    "auc_low": 0.65,
    "auc_high": 0.75,
    "tpr_at": {"0.01": 0.125, "0.001": None},
}
"""A membership test that finds members."""


def with_membership(inputs: Inputs, **changes: object) -> Inputs:
    """Return the experiment with this test in every replicate."""
    spaces = {"membership": {"pixels": MEMBERSHIP | changes}}
    return {
        name: with_facts(artifact, artifact.facts | spaces) if name.startswith("scores/") else artifact
        for name, artifact in inputs.items()
    }


def test_membership_is_on_the_page(render: Render, inputs: Inputs) -> None:
    """AUC, interval, members found, "too few" and the finding, with what the test is and cannot see."""
    page = render(with_membership(inputs))
    rows = [row for row in table(page, "membership") if row[0] == "pixels"]
    found = "training images can be told from others"
    assert rows == [["pixels", "0.700", "0.650 to 0.750", "12.5 % (12.5 to 12.5)", "too few", found]]
    said = words(page)
    assert "1,200 training images (members) and as many of the split audit" in said
    assert "nearest of 2,000 synthetic images" in said
    assert "No sign is no proof of privacy." in said
    assert "no random draw of one set" not in said


def test_a_split_that_is_no_random_draw_is_said_to_be_confounded(render: Render, inputs: Inputs) -> None:
    """With any AUC: the page says that it is none of membership, and what would give one."""
    page = render(with_membership(inputs, confounded=True, non_members="test"))
    row = next(row for row in table(page, "membership") if row[0] == "pixels")
    assert row[5] == "says nothing of membership: train and test are no random draw of one set"
    assert "<strong>says nothing" not in page
    assert "--audit-fraction 0.1" in words(page)


def test_earlier_scores_have_no_membership_test(render: Render, inputs: Inputs) -> None:
    """The page says so."""
    earlier = {
        name: with_facts(artifact, {key: value for key, value in artifact.facts.items() if key != "membership"})
        for name, artifact in inputs.items()
    }
    said = words(render(earlier))
    assert "Not tested: the scores are of an earlier version, or there are too few images." in said


def test_pictures_are_those_of_the_best_replicate_on_val(inputs: Inputs, text: str) -> None:
    """The replicate with the lowest score on val is shown, and named: not the first, not the best on test."""
    made = Artifacts.of(inputs)
    assert made.best == 1
    assert made.shown.scores is made.replicates[1].scores
    assert words(text).count("replicate r01 of 3, the best on val") >= 5


def test_the_curve_of_the_shown_replicate_is_bold(inputs: Inputs) -> None:
    """The other replicates are thin lines in the same chart."""
    made = Artifacts.of(inputs)
    others = [replicate.scores.record for replicate in made.replicates if replicate is not made.shown]
    bold, *thin = score_curve(made.shown.scores.record, others).axes[0].lines[:3]
    assert [value for _, value in made.shown.scores.record.curve] == list(bold.get_ydata())
    assert all(line.get_linewidth() < bold.get_linewidth() for line in thin)
    assert [list(line.get_ydata()) for line in thin] == [[value for _, value in other.curve] for other in others]


def test_classes_near_the_floor_are_warned_of(render: Render, inputs: Inputs) -> None:
    """A class whose distance is less than twice that of as many real images is named in a warning; no other is."""
    changed = dict(inputs)
    for number in range(3):
        place = f"scores/r{number:02d}"
        facts: Any = dict(inputs[place].facts)
        name = f"{facts['chosen_score']}_by_class"
        classes = list(facts["test"][name])
        test = facts["test"] | {name: dict(zip(classes, (3.9, 4.1, 9.0), strict=True))}
        real = facts["real"] | {name: dict.fromkeys(classes, 2.0)}
        changed[place] = with_facts(inputs[place], facts | {"test": test, "real": real})
    section = scores_section(Artifacts.of(changed))
    assert section.floor_warning.startswith(f"few images: in 1 of 3 classes ({classes[0]}) half or more ")
    assert section.classes[classes[1]].floor == 2.0
    box = re.search(r'<h3>Each class</h3>\s*<section class="warnings">(.*?)</section>', render(changed), re.DOTALL)
    assert box is not None
    assert f"in 1 of 3 classes ({' '.join(classes[0].split())})" in words(box[1])


def test_warnings_of_scores_name_their_replicates(inputs: Inputs) -> None:
    """A warning of some replicates says of which; one of all names none."""
    changed = dict(inputs)
    for number, lines in enumerate((["all", "few"], ["all"], ["all", "few"])):
        place = f"scores/r{number:02d}"
        changed[place] = with_facts(inputs[place], inputs[place].facts | {"warnings": lines})
    assert scores_section(Artifacts.of(changed)).warnings == ["all", "few (replicates r00, r02)"]


def test_an_extended_training_is_said(render: Render, inputs: Inputs, text: str) -> None:
    """Where the replicate that is shown was trained on, and which plan its learning rate follows from there on."""
    extended = {"epoch": 2, "from_epochs": 2, "epochs": 3, "decay": "late"}
    gans = {
        name: with_facts(made, made.facts | {"extended": [extended]}) for name, made in inputs.items() if "gan/" in name
    }
    said = " ".join(render(inputs | gans).split())
    assert "Training was extended at epoch 2 from 2 to 3 epochs; the decay `late` follows the plan of 3 epochs" in said
    assert "once for each number of epochs that the training was extended from" in said
    assert "extended" not in text.partition('<section id="generator"')[2].partition("</section>")[0]
