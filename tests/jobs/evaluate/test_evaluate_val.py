"""evaluate on val, as in a search: no test image is read, and the scores equal those of a full evaluation."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from shared.errors import BadInput
from shared.store.artifacts import Artifact, open_artifact
from shared.store.lineage import need_test_scores


@pytest.fixture
def copy(volume: Path, tmp_path: Path) -> Path:
    """Return a volume that a test may change, with the real images and the classifier of `small`."""
    for name in ("real", "classifier", "gan"):
        shutil.copytree(volume / "small" / name, tmp_path / "v" / "small" / name)
    return tmp_path / "v"


def spoil_test(root: Path) -> None:
    """Alter the test shards without changing their size, so that reading one fails."""
    (shard,) = (root / "small" / "real").glob("test-*.tar")
    shard.write_bytes(bytes(byte ^ 1 for byte in shard.read_bytes()))


def test_scores_on_val_read_no_test_image(copy: Path, run_job: Callable[..., Result], plain_recipe: Path) -> None:
    """`evaluate --reference val` works where no test shard can be read; the same on test does not."""
    spoil_test(copy)
    words = ["evaluate", copy, "--recipe", plain_recipe, "--images", 24]
    assert run_job(*words).exit_code == 2
    result = run_job(*words, "--reference", "val")
    assert result.exit_code == 0, result.output
    facts = open_artifact(copy / "small" / "scores" / "r00", "scores", "evaluate").facts
    assert facts["protocol"]["reference"] == "val"
    assert not {"test", "real", "copies", "test_protocols"} & facts.keys()


def test_scores_on_val_are_refused_where_those_on_test_are_wanted(made: dict[str, Artifact]) -> None:
    """Commands that show scores on test end with 2 where there are none, and say how to get them."""
    need_test_scores(made["scores"])
    facts = {name: value for name, value in made["scores"].facts.items() if name != "test"}
    scores = replace(made["scores"], manifest=made["scores"].manifest.model_copy(update={"facts": facts}))
    with pytest.raises(BadInput, match="run halfreal evaluate again, with the test split"):
        need_test_scores(scores)


def test_val_chooses_the_same_snapshot(
    copy: Path, run_job: Callable[..., Result], plain_recipe: Path, made: dict[str, Artifact]
) -> None:
    """Every snapshot has the same scores on val with and without test."""
    run_job("evaluate", copy, "--recipe", plain_recipe, "--images", 24, "--reference", "val", "--synthetic-only")
    facts = open_artifact(copy / "small" / "scores" / "r00", "scores", "evaluate").facts
    assert facts["rows"] == made["scores"].facts["rows"]
    assert facts["chosen"] == made["scores"].facts["chosen"]
    found = facts["synthetic_only"]
    assert found["reference"] == "val"
    assert found["n_real"] == made["real"].dataset.splits["val"].count
    assert 0 <= found["accuracy"] <= 1


def test_a_snapshot_alone_has_the_scores_of_evaluate(
    copy: Path, run_job: Callable[..., Result], plain_recipe: Path, made: dict[str, Artifact]
) -> None:
    """`evaluate snapshot` gives a snapshot on val what `evaluate` gives it, and opens no test image."""
    spoil_test(copy)
    row = made["scores"].facts["rows"][1]
    file = copy / "small" / "gan" / "r00" / row["file"]
    words = ["snapshot", str(file), "--recipe", str(plain_recipe), "--images", "24", "--seed", "3"]
    place = ["--data-root", str(copy), "--experiment", "small", "--device", "cpu"]
    result = CliRunner().invoke(halfreal, ["evaluate", *words, *place])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout.splitlines()[-1])
    assert found.pop("score") == made["scores"].facts["chosen_score"]
    assert {name: row[name] for name in found} == found
    gone = CliRunner().invoke(halfreal, ["evaluate", "snapshot", str(file) + "x", *words[2:], *place])
    assert gone.exit_code == 2
    assert "no snapshot" in gone.output
    other = copy / "small" / "classifier" / "r00" / "classifier.safetensors"
    wrong = CliRunner().invoke(halfreal, ["evaluate", "snapshot", str(other), *words[2:], *place])
    assert (wrong.exit_code, "not a snapshot of a generator" in wrong.output) == (2, True)
