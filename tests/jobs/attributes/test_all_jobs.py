"""Several attributes through every job: made faces in CelebA's layout."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.pipeline import PIPELINE
from shared.format.shards import read_shard
from shared.store.artifacts import open_output
from tests.jobs.attributes.faces import ATTRIBUTES, LABEL, write_faces
from tests.jobs.conftest import call

pytestmark = pytest.mark.long

FEW = {
    "preprocess": ["--source", "celeba", "--no-verify-md5", "--label", LABEL, "--channels", "3"],
    "train_classifier": ["--steps", "200", "--measure-every", "50", "--width", "8"],
    "train_gan": ["--epochs", "6", "--width", "8", "--latent", "8", "--batch-images", "16", "--critic-steps", "2"],
    "evaluate": ["--images", "120"],
    "synthesize": [],
    "train_mixed": ["--steps", "60", "--measure-every", "30", "--batch-images", "16", "--width", "4"],
    "report": [],
}
"""Options that make every job quick, and a classifier that sees the attributes."""

RESULTS = ("results", "--experiment", "small")


def run(root: Path, recipe: Path, job: str, *words: str) -> Result:
    """Run a job, which must succeed."""
    result = call(job, root, "--recipe", recipe, *FEW[job], *words)
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("unconditional", [False, True], ids=["conditional", "unconditional"])
def test_attributes_go_through_every_job(
    tmp_path: Path, plain_recipe: Path, unconditional: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels are vectors from preprocess to the page: heads, scores, arms and the verdict are those of attributes."""
    monkeypatch.setenv("HALFREAL_REPLICATES", "2")
    write_faces(tmp_path, 360)
    more = {"train_gan": ["--family", "dcgan", "--unconditional"] if unconditional else []}
    more["train_mixed"] = ["--verdict-on", "Smiling"] if unconditional else []
    for row in PIPELINE:
        words = more.get(row.name, [])
        if row.name == "train_gan" and unconditional:
            words = [*words, "--critic-steps", "1"]
        run(tmp_path, plain_recipe, row.name, *words)
    made = {row.writes: open_output(row, tmp_path / "small") for row in PIPELINE}
    real, synthetic, mixed = made["real"], made["synthetic"], made["mixed"].record
    assert real.dataset.attributes == synthetic.dataset.attributes == mixed.attributes == [*ATTRIBUTES]
    assert made["gan"].record.generator.get("attributes") == (None if unconditional else 3)
    # another split of the same images: nearly the same share has the class that was asked for
    agreement = made["scores"].record.on_test.test.agreement
    assert (agreement is None) if unconditional else abs(agreement - synthetic.record.agreement) < 0.15
    annotator = made["classifier"].record
    assert [row.class_name for row in annotator.test.classes] == [*ATTRIBUTES]
    assert annotator.test.f1 > 0.9
    asked = {
        sample.meta["origin"].get("asked_label")
        for path, info in synthetic.shards("train")
        for sample in read_shard(path, info)
    }
    occurring = {label for label, count in enumerate(real.split("train").class_counts) if count}
    assert len(occurring) == 6
    assert asked == ({None} if unconditional else occurring)
    assert [row.class_name for row in mixed.arms[0].classes] == [*ATTRIBUTES]
    assert mixed.headline.metric == ("F1 of Smiling" if unconditional else "f1")
    a, b = (mixed.arm(name) for name in (mixed.headline.a, mixed.headline.b))
    found = [arm.classes[1].f1 if unconditional else arm.metrics["f1"] for arm in (a, b)]
    assert mixed.headline.difference == pytest.approx(found[0].mean - found[1].mean)
    page = (tmp_path / "small" / "report" / "index.html").read_text(encoding="utf-8")
    for name in ("Young+Male", "test F1 of Smiling" if unconditional else "test macro F1"):
        assert name in page
    shown = CliRunner().invoke(halfreal, [*RESULTS, "--data-root", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    assert "F1 of Smiling" in shown.output
    assert "Giving each attribute its more frequent value" in shown.output
    told = json.loads(CliRunner().invoke(halfreal, [*RESULTS, "--data-root", str(tmp_path), "--json"]).stdout)
    assert np.isfinite(told["headline"]["difference"])
