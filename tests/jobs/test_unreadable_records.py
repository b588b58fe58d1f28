"""Artifacts that lack what is read of them: every command ends with exit code 2 and names what is missing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal


@pytest.fixture
def copy(volume: Path, tmp_path: Path) -> Path:
    """Copy the small experiment, to break it; return its data root."""
    shutil.copytree(volume, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


def change(root: Path, artifact: str, drop: Callable[[dict[str, Any]], object]) -> Path:
    """Change the facts of an artifact by hand; return its manifest."""
    path = root / "small" / artifact / "manifest.json"
    manifest = json.loads(path.read_bytes())
    drop(manifest["facts"])
    path.write_text(json.dumps(manifest))
    return path


def command(root: Path, *words: str) -> Result:
    """Return the result of a command on the experiment."""
    return CliRunner().invoke(halfreal, [*words, "--data-root", str(root), "--experiment", "small"])


@pytest.mark.parametrize(
    ("words", "artifact", "drop", "says"),
    [
        (["results"], "mixed", lambda facts: facts.pop("arms"), "train_mixed recorded (`facts`) has no field 'arms'"),
        (
            ["results", "--json"],
            "mixed",
            lambda facts: facts["arms"][1].pop("accuracy"),
            "arm real_100_plus_synthetic_100 has no accuracy",
        ),
        (["report"], "mixed", lambda facts: facts["arms"][0].pop("about"), "has no field 'arms.0.about'"),
        (
            ["export", "--to", "hf"],
            "mixed",
            lambda facts: facts["protocol"].update(min_confidence="none"),
            "has 'none' in the field 'protocol.min_confidence': input should be a valid number",
        ),
        (
            ["sample", "--class", "0"],
            "scores/r00",
            lambda facts: facts["rows"][0].pop("frechet_classifier"),
            "is incomplete: rows.0 has no frechet_classifier",
        ),
    ],
    ids=["results", "results --json", "report", "export", "sample"],
)
def test_what_is_missing_is_named(
    copy: Path, words: list[str], artifact: str, drop: Callable[[dict[str, Any]], object], says: str
) -> None:
    """Three lines at most: where, what is missing or wrong, how to make it again."""
    path = change(copy, artifact, drop)
    result = command(copy, *words)
    assert result.exit_code == 2, result.output
    assert f"error: {path}: what " in result.stderr
    assert says in " ".join(result.stderr.split())
    assert "make it again: halfreal " in result.stderr
    assert len(result.stderr.split("error: ", 1)[1].strip().splitlines()) <= 3


@pytest.mark.fault(17)
def test_a_foreign_dataset_in_place_of_the_synthetic_one(copy: Path) -> None:
    """The real images under the name of the synthetic ones: train_mixed says what they are not, before any fit."""
    shutil.rmtree(copy / "small" / "synthetic" / "r00")
    shutil.copytree(copy / "small" / "real", copy / "small" / "synthetic" / "r00")
    result = command(copy, "train_mixed", "--steps", "2", "--measure-every", "1")
    assert result.exit_code == 2, result.output
    manifest = copy / "small" / "synthetic" / "r00" / "manifest.json"
    assert f"error: {manifest}: what synthesize recorded (`facts`) has no field 'family'" in result.stderr
    assert "make it again: halfreal synthesize --force" in result.stderr


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    ("words", "artifact"),
    [
        (("train_mixed", "--steps", "2", "--measure-every", "1"), "synthetic/r00"),
        (("train_gan", "--epochs", "3"), "real"),
    ],
    ids=["train_mixed", "train_gan"],
)
def test_a_dataset_without_a_train_split(copy: Path, words: tuple[str, ...], artifact: str) -> None:
    """A foreign dataset has other splits: the one that is wanted is named, with those that are there."""
    path = copy / "small" / artifact / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["dataset"]["splits"]["mine"] = manifest["dataset"]["splits"].pop("train")
    path.write_text(json.dumps(manifest))
    result = command(copy, *words)
    assert result.exit_code == 2, result.output
    assert "no split 'train', it has" in result.stderr


def test_samples_that_nobody_annotated(copy: Path) -> None:
    """Real shards under a synthetic manifest's facts: the first sample's json is named, with what it lacks."""
    real, synthetic = copy / "small" / "real", copy / "small" / "synthetic" / "r00"
    facts = json.loads((synthetic / "manifest.json").read_bytes())["facts"]
    shutil.rmtree(synthetic)
    shutil.copytree(real, synthetic)
    change(copy, "synthetic/r00", lambda old: (old.clear(), old.update(facts)))
    result = command(copy, "train_mixed", "--arms", "real_100", "--steps", "2", "--measure-every", "1")
    assert result.exit_code == 2, result.output
    assert f"{synthetic}: the json of 'train-00000000' has no field 'origin.generator_sha256'" in result.stderr
