"""The dataset card of an export: results in a form that the hub and people read."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.export.card import columns, quoted, render
from jobs.export.options import ExportConfig
from jobs.export.pictures import pictures
from shared.errors import BadConfig
from shared.store.artifacts import Artifact
from tests.jobs.export.exporting import every_format, export


def test_nothing_was_asked_of_an_unconditional_generator(varied: dict[str, Artifact]) -> None:
    """Without requested classes there is no such column, and --labels asked is refused."""
    config = ExportConfig(to="hf", labels="asked", min_confidence=0.0)
    synthetic = varied["synthetic"]
    manifest = synthetic.manifest.model_copy(update={"facts": synthetic.facts | {"agreement": None}})
    unconditional = replace(synthetic, manifest=manifest)
    with pytest.raises(BadConfig, match="take annotated"):
        next(pictures(unconditional, config))
    assert columns(synthetic, config).keys() - columns(unconditional, config).keys() == {"asked_label"}


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
    for row in mixed["comparisons"]:
        assert f"- {row['sentence']}\n" in card
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


def test_a_copier_is_warned_of(root: Path, varied: dict[str, Artifact], tmp_path: Path) -> None:
    """A flagged copy test puts a warning with the rate and its interval at the top of the card."""
    scores = varied["scores"]
    found = {"copy_rate": 0.25, "copy_rate_interval": [0.2, 0.31], "flagged": True}
    copies = {"pixels": scores.facts["copies"]["pixels"] | found}
    manifest = scores.manifest.model_copy(update={"facts": scores.facts | {"copies": copies}})
    inputs = varied | {"scores": replace(scores, manifest=manifest)}
    config = ExportConfig(to="hf", labels="annotated", min_confidence=0.0)
    card = render(inputs, config, Counter({0: 54}))
    warning = card.index("> **Warning: copies of training images.** In pixels, 25.0 %")
    assert "(95 % interval 20.0 to 31.0 %)" in card[warning:]
    assert warning < card.index("## Licence")


def test_the_card_of_one_arm_and_one_seed(varied: dict[str, Artifact]) -> None:
    """Without a comparison the card mentions no labels of a verdict; one seed and one image are singular."""
    mixed = varied["mixed"]
    alone = {
        "comparisons": [],
        "arms": mixed.facts["arms"][:1],
        "protocol": mixed.facts["protocol"] | {"seeds": [0], "n_test": 1, "optimizer_steps": 1200},
    }
    manifest = mixed.manifest.model_copy(update={"facts": mixed.facts | alone})
    inputs = varied | {"mixed": replace(mixed, manifest=manifest)}
    for labels in ("annotated", "asked"):
        config = ExportConfig(to="hf", labels=labels, min_confidence=0.0)
        card = render(inputs, config, Counter({0: 1}))
        assert "\n1 image of 3 classes, " in card
        assert (
            "No two arms were trained that answer a question together.\n\nProtocol: 1 real test image, 1 seed, " in card
        )
        assert "1 seed, 1,200 optimizer steps for every arm" in card
        assert "The verdict was reached" not in card
    comparing = render(varied, config, Counter({0: 2}))
    assert "\n2 images of 3 classes, " in comparing
    assert "The verdict was reached" in comparing
