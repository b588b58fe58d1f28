"""The snapshot that evaluate chooses, and the protocol of its scores."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from shared.store.artifacts import Artifact, open_artifact

COMMAND = "halfreal weights fetch inception"


def test_every_snapshot_is_scored_and_the_best_on_val_is_chosen(made: dict[str, Artifact]) -> None:
    """`evaluate` has a row for each snapshot, chooses the lowest distance on val and scores that one on test."""
    facts, snapshots = made["scores"].facts, made["gan"].facts["snapshots"]
    assert [row["file"] for row in facts["rows"]] == [row["file"] for row in snapshots]
    assert len(snapshots) == 3
    lowest = min(facts["rows"], key=lambda row: row["frechet_classifier"])
    assert facts["chosen"]["file"] == lowest["file"]
    assert facts["test"]["frechet_classifier"] != lowest["frechet_classifier"]
    assert 0 <= facts["test"]["agreement"] <= 1


@pytest.mark.parametrize("reference", ["val", "test"])
def test_scores_carry_their_protocol(reference: str, made: dict[str, Artifact]) -> None:
    """A score has its extractor and hash, resizer, reference split, both sample sizes and seed."""
    facts, real = made["scores"].facts, made["real"]
    used = facts["protocol"] if reference == "val" else facts["test_protocols"]["classifier"]
    listed = {info.name: info.sha256 for info in made["classifier"].manifest.files}
    assert used["extractor"] == "classifier"
    assert used["extractor_sha256"] == listed["classifier.safetensors"]
    assert (used["reference"], used["reference_sha256"]) == (reference, real.sha256)
    assert (used["n_real"], used["n_synthetic"]) == (real.dataset.splits[reference].count, 24)
    assert (used["resizer"], used["seed"]) == ("none", 3)


def test_nothing_is_called_fid(made: dict[str, Artifact]) -> None:
    """Distances on classifier features are named after them, never FID, which is defined on Inception features."""
    names = {key for row in [*made["scores"].facts["rows"], made["scores"].facts["test"]] for key in row}
    assert {"frechet_classifier", "kernel_classifier", "kernel_classifier_se"} <= names
    assert not [name for name in names if "fid" in name.lower() or "kid" in name.lower()]


def test_evaluate_leaves_out_what_has_no_weights(
    made: dict[str, Artifact], volume: Path, tmp_path: Path, run_job: Callable[..., Result], plain_recipe: Path
) -> None:
    """Scores whose weights are absent are skipped with a message; the rest is computed and the job succeeds."""
    import shutil

    shutil.copytree(volume, tmp_path / "v")
    words = ["--recipe", plain_recipe, "--images", 24, "--extractors", "inception_clean,classifier"]
    result = run_job("evaluate", tmp_path / "v", *words, "--per-snapshot", "inception_legacy")
    assert result.exit_code == 0, result.output
    said = (
        f"FID: weights missing (inception_legacy, inception_clean). Bring them with: {COMMAND} --data-root {tmp_path}/v"
    )
    assert said in result.stderr
    assert "classifier chooses the snapshots in place of inception_legacy" in result.stderr
    facts = open_artifact(tmp_path / "v" / "small" / "scores" / "r00", "scores", "evaluate").facts
    # without the place of the volume, on which no manifest depends
    assert facts["left_out"] == dict.fromkeys(
        ("inception_legacy", "inception_clean"), f"weights missing; run: {COMMAND}"
    )
    assert facts["fallback"] == "inception_legacy"
    assert facts["chosen_score"] == "frechet_classifier"
    assert facts["test"] == made["scores"].facts["test"]
    again = run_job("evaluate", tmp_path / "v", *words, "--per-snapshot", "inception_legacy")
    assert "already complete" in again.stderr
    assert said in again.stderr


def test_an_unknown_extractor_is_refused(run_job: Callable[..., Result], plain_recipe: Path, tmp_path: Path) -> None:
    """Exit code 2 and the known names."""
    for option in ("--extractors", "--per-snapshot"):
        for text in ("vgg", ""):
            result = run_job("evaluate", tmp_path, "--recipe", plain_recipe, option, text)
            assert result.exit_code == 2
            assert "inception_clean" in result.stderr
