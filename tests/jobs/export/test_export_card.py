"""The dataset card of an export: results in a form that the hub and people read."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.export.card import columns, plain, quoted, render
from jobs.export.images import labels_of
from jobs.export.options import ExportConfig
from jobs.export.pictures import pictures
from shared.errors import BadConfig
from shared.plots.answers import NO_ANSWER
from shared.store.artifacts import Artifact
from shared.store.records.datasets import Imported, SyntheticRecord
from shared.store.records.mixed import MixedRecord
from tests.jobs.export.exporting import every_format, export
from tests.jobs.report.pages import with_facts
from tests.jobs.report.records import mixed_record, until_record
from tests.jobs.report.test_scores_page import MEMBERSHIP

ANNOTATED = ExportConfig(to="hf", labels="annotated", min_confidence=0.0)


def test_nothing_was_asked_of_an_unconditional_generator(varied: dict[str, Artifact]) -> None:
    """Without requested classes there is no such column, and --labels asked is refused."""
    config = ExportConfig(to="hf", labels="asked", min_confidence=0.0)
    synthetic = varied["synthetic"]
    manifest = synthetic.manifest.model_copy(update={"facts": synthetic.facts | {"agreement": None}})
    unconditional = replace(synthetic, manifest=manifest)
    with pytest.raises(BadConfig, match="take annotated"):
        next(pictures(unconditional, config))
    assert columns(synthetic, config).keys() - columns(unconditional, config).keys() == {"asked_label"}


def test_labels_of_imported_images_are_those_of_the_verdict(varied: dict[str, Artifact]) -> None:
    """Their own where they have some; of a generator's images the annotator's, and it cannot be `given` any."""
    drawn = SyntheticRecord.model_validate(varied["synthetic"].facts)
    given = Imported(name="x", source="folder", images=20, sha256="0" * 64, labels="given")
    imported = drawn.model_copy(update={"imported": given, "snapshot": None})
    flat = imported.model_copy(update={"agreement": None, "asked_counts": None})
    assert [labels_of(record, None) for record in (drawn, imported, flat)] == ["annotated", "asked", "annotated"]
    assert labels_of(imported, "given") == labels_of(imported, "asked") == "asked"
    assert labels_of(imported, "annotated") == "annotated"
    with pytest.raises(BadConfig, match="were not imported"):
        labels_of(drawn, "given")


@pytest.mark.parametrize("name", ['tab\tquote"', "\x7f\x85\u2028", "\N{GRINNING FACE}", "yes", "0x1", "- a: b #c"])
def test_any_name_is_valid_in_the_cards_header(name: str) -> None:
    """A quoted name is YAML of the same text."""
    import yaml

    assert yaml.safe_load(f"- {quoted(name)}\n") == [name]


def test_the_card_is_one_that_the_hub_reads(root: Path, tmp_path: Path) -> None:
    """huggingface_hub reads the card's header; header and text have a licence to be filled in."""
    from huggingface_hub import DatasetCard

    assert export(root, tmp_path / "out", "--to", "hf").exit_code == 0
    card = DatasetCard.load(tmp_path / "out" / "README.md")
    assert card.data.license is None
    assert card.data.task_categories == ["image-classification"]
    assert "license: # NOT STATED" in (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "**Not stated.**" in card.text


@every_format
def test_the_card_says_what_was_found(to: str, root: Path, varied: dict[str, Artifact], tmp_path: Path) -> None:
    """Every sentence of the verdict, every arm, the test score with its protocol, both copy tests and every hash."""
    assert export(root, tmp_path / "out", "--to", to).exit_code == 0
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    mixed, scores = varied["mixed"].facts, varied["scores"].facts
    assert f"**{plain(mixed['headline']['sentence'])}**\n" in card
    for row in mixed["questions"]:
        assert f"{plain(row['sentence'])}\n" in card
    for line in mixed["headline"]["warnings"]:
        assert card.count(plain(line)) == 1
    for arm in mixed["arms"]:
        assert f"{100 * arm['accuracy']['mean']:.1f} | {100 * arm['accuracy']['low']:.1f} to" in card
    assert f"{scores['test']['frechet_classifier']:.4f} | {scores['real']['frechet_classifier']:.4f} |" in card
    for value in scores["test_protocols"]["classifier"].values():
        assert str(value) in card
    for found in scores["copies"].values():
        low, high = found["copy_rate_interval"]
        assert f"{100 * found['copy_rate']:.1f} % | {100 * low:.1f} to {100 * high:.1f} |" in card
    for name, artifact in varied.items():
        assert artifact.sha256 in card, name
    assert "<script" not in card.replace("\\<script", "").split("---", 2)[2]
    assert "Warning: copies" not in card


def test_a_copier_is_warned_of(varied: dict[str, Artifact]) -> None:
    """A flagged copy test puts a warning with the rate and its interval at the top of the card."""
    found = {"copy_rate": 0.25, "copy_rate_interval": [0.2, 0.31], "flagged": True}
    facts = varied["scores"].facts
    copies = {"pixels": facts["copies"]["pixels"] | found}
    inputs = varied | {"scores": with_facts(varied["scores"], facts | {"copies": copies})}
    card = render(inputs, ANNOTATED, Counter({0: 54}), 0)
    warning = card.index("> **Warning: copies of training images.** In pixels, 25.0 %")
    assert "(95 % interval 20.0 to 31.0 %)" in card[warning:]
    assert warning < card.index("## Licence")


@pytest.mark.parametrize("confounded", [False, True])
def test_membership_is_next_to_copies(confounded: bool, varied: dict[str, Artifact]) -> None:
    """Members that can be told from others are warned of at the top, unless the splits are no random draw."""
    facts = varied["scores"].facts
    test = MEMBERSHIP | {"confounded": confounded}
    inputs = varied | {"scores": with_facts(varied["scores"], facts | {"membership": {"pixels": test}})}
    card = render(inputs, ANNOTATED, Counter({0: 54}), 0)
    privacy = card[card.index("## Privacy") : card.index("## How it was made")]
    assert privacy.index("### Copies of training images") < privacy.index("### Membership")
    found = "says nothing of membership" if confounded else "**training images can be told from others**"
    assert f"| pixels | 0.700 | 0.650 to 0.750 | 12.5 % | too few | {found}" in privacy
    assert "1,200 training images against as many of the split audit, by 2,000 synthetic images" in privacy
    warning = "> **Warning: membership.** In pixels, training images can be told from others by these images: AUC 0.700"
    assert (warning in card[: card.index("## Licence")]) == (not confounded)


def test_earlier_scores_have_no_membership_test(varied: dict[str, Artifact]) -> None:
    """The card says that it was not tested."""
    earlier = {name: value for name, value in varied["scores"].facts.items() if name != "membership"}
    inputs = varied | {"scores": with_facts(varied["scores"], earlier)}
    assert "Not tested: the scores are of an earlier version" in render(inputs, ANNOTATED, Counter({0: 54}), 0)


def card_of(varied: dict[str, Artifact], record: MixedRecord, labels: str = "annotated", replicate: int = 0) -> str:
    """Return the card of an experiment with another verdict."""
    inputs = varied | {"mixed": with_facts(varied["mixed"], record.facts())}
    config = ExportConfig(to="hf", labels=labels, min_confidence=0.0)
    return render(inputs, config, Counter({0: 54}), replicate)


def test_the_verdict_is_of_the_procedure(varied: dict[str, Artifact]) -> None:
    """The card says so, names the replicate whose images these are, and how to export it again."""
    card = card_of(varied, mixed_record(replicates=5), replicate=3)
    assert "The verdict is of the procedure, not of this one generator: it is from 5 replicates" in card
    assert "The images here are those of replicate 3, the first being 0." in card
    assert "--replicate 3\n" in card
    assert "5 replicates (5 planned, 0 added)" in card


def test_the_card_says_why_no_more_replicates_were_added(varied: dict[str, Artifact]) -> None:
    """What was wanted and reached; nothing where the number of replicates was given."""
    card = card_of(varied, until_record("width"))
    assert "0.487 points to each side after 5 replicates; 0.5 were wanted." in card
    assert "20 % wider" in card
    assert "wider" not in card_of(varied, mixed_record())


def test_warnings_come_before_the_answer(varied: dict[str, Artifact]) -> None:
    """The headline's warnings precede it, once; those of another question are with it alone."""
    record = mixed_record()
    assert record.headline is not None
    headline = record.headline.model_copy(update={"warnings": ["One arm is useless."]})
    other = record.questions[0].model_copy(update={"warnings": ["One arm is useless.", "This one too."]})
    card = card_of(varied, record.model_copy(update={"headline": headline, "questions": [other]}))
    assert card.index("> **Warning:** One arm is useless.") < card.index(f"**{plain(headline.sentence)}**")
    assert card.count("One arm is useless.") == 1
    assert f"- This one too. {plain(other.sentence)}\n" in card


def test_published_systems_have_their_design_first(varied: dict[str, Artifact]) -> None:
    """Its answer, which says that it is not like for like, precedes the headline's; its labels are the annotator's."""
    record = mixed_record(first="original")
    assert record.top is not None
    assert record.headline is not None
    card = card_of(varied, record)
    assert card.index(f"**{plain(record.top.sentence)}**") < card.index(f"**{plain(record.headline.sentence)}**")
    assert "The first answer was reached with such labels" in card
    assert "with the classifier's labels and" in card_of(varied, record, labels="asked")


def test_the_headline_has_the_classes_asked_for(varied: dict[str, Artifact]) -> None:
    """A generator that can be asked; exported with the annotator's labels the card says that they are others."""
    assert "with the class asked for as label and a confidence of at least 0.0 %" in card_of(varied, mixed_record())
    assert "The first answer was reached with such labels" in card_of(varied, mixed_record(), labels="asked")


def test_what_each_part_saw_is_on_the_card(varied: dict[str, Artifact]) -> None:
    """The real images that generator and annotator learned from are next to each arm's accuracy."""
    card = card_of(varied, mixed_record())
    (line,) = [line for line in card.splitlines() if line.startswith("| 30 % of the real + synthetic |")]
    assert line.endswith("| all 1,257 | all 1,257 |")
    (line,) = [line for line in card.splitlines() if line.startswith("| 30 % of the real |")]
    assert line.endswith("| none | none |")


def test_the_card_of_one_arm_and_one_replicate(varied: dict[str, Artifact]) -> None:
    """Without a comparison the card mentions no labels of a verdict; one replicate and one image are singular."""
    whole = mixed_record(replicates=1)
    protocol = whole.protocol.model_copy(update={"n_test": 1})
    alone = whole.model_copy(update={"headline": None, "questions": [], "protocol": protocol})
    for labels in ("annotated", "asked"):
        inputs = varied | {"mixed": with_facts(varied["mixed"], alone.facts())}
        config = ExportConfig(to="hf", labels=labels, min_confidence=0.0)
        card = render(inputs, config, Counter({0: 1}), 0)
        assert "\n1 image of 3 classes, " in card
        assert f"{NO_ANSWER}\n" in card
        assert "Protocol: 1 real test image, 1 replicate (1 planned" in card
        assert "first answer was reached" not in card
    assert "it is from 1 replicate. The images" in card_of(varied, whole)
