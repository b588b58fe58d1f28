"""Classifiers of torchvision and of the user's own through the jobs that fit and ask them, in processes too."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.__main__ import main
from jobs.pipeline import FITS, TRAIN_CLASSIFIER, TRAIN_MIXED
from shared.format.files import sha256
from shared.store.artifacts import open_output
from tests.conftest import ROOT, quicken
from tests.experiment.conftest import REPLICATES, Tiny, sharing
from tests.experiment.tiny import OPTIONS, SIZE_PX, set_replicates

pytestmark = pytest.mark.slow

ARMS = "real_100,real_100_plus_synthetic_100"

FITTED = ["--steps", "2", "--measure-every", "1", "--batch-images", "8"]

MODULE = """
from torch import nn


def build(classes, channels, size_px):
    print(f"built for {classes} classes, {channels} channels, {size_px} px")
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size_px**2, 9), nn.ReLU(), nn.Linear(9, classes))
"""

Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def halfreal(tiny: Tiny, recipe: Path, tmp_path: Path) -> Callable[..., Ran]:
    """Return `halfreal(job, *words, **environment)`: a job on the tiny experiment, its replicates side by side.

    The volume has its real images, its GAN and its synthetic images; the current folder is `tmp_path / "here"`.
    """
    root = sharing(tiny, tmp_path)
    (tmp_path / "here").mkdir()
    set_by_test = {
        "HALFREAL_REPLICATES": str(REPLICATES),
        "HALFREAL_PROCESSES": str(REPLICATES),
        "PYTHONPATH": str(ROOT),
    }

    def run(job: str, *words: object, **environment: str) -> Ran:
        place = ["--data-root", root, "--experiment", "tiny", "--recipe", recipe, "--device", "cpu", "--threads", 1]
        return subprocess.run(
            [sys.executable, "-P", "-m", f"jobs.{job}", *map(str, [*place, *words])],
            cwd=tmp_path / "here",
            env=os.environ | set_by_test | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def done(ran: Ran) -> str:
    """Return what a job that ended well said."""
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def here(job: str, root: Path, recipe: Path, *words: object) -> str:
    """Return what a job of one replicate in this process wrote to standard error, once it ended well."""
    place = ["--data-root", root, "--experiment", "tiny", "--recipe", recipe, "--device", "cpu"]
    with pytest.MonkeyPatch.context() as patch:
        set_replicates(patch, 1)
        quicken(patch)
        result = CliRunner().invoke(main, [job, *map(str, [*place, *words])])
    assert result.exit_code == 0, result.output
    return result.stderr


def test_resnet18_through_train_mixed(tiny: Tiny, recipe: Path, tmp_path: Path) -> None:
    """Every arm is fitted; the verdict is there, and says which network it was."""
    root = sharing(tiny, tmp_path)
    here("train_mixed", root, recipe, "--arms", ARMS, "--network", "resnet18", *FITTED)
    assert len(open_output(FITS, root / "tiny", 0).record.rows) == 2
    mixed = open_output(TRAIN_MIXED, root / "tiny")
    assert mixed.manifest.options["network"] == "resnet18"
    assert mixed.record.top is not None


def test_a_network_of_the_users_own_in_one_process(
    tiny: Tiny, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is fitted, annotates, gives features and is loaded again; a change of its source is noticed."""
    root = sharing(tiny, tmp_path)
    for artifact in ("classifier", "scores", "synthetic"):
        (root / "tiny" / artifact).unlink()  # links to what the tiny experiment has
    source = tmp_path / "mine_in_tests.py"
    source.write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, source.stem, None)  # so that it is not there after the test
    monkeypatch.delitem(sys.modules, source.stem)
    own = ["--network", f"{source.stem}:build", *FITTED]
    here("train_classifier", root, recipe, *own)
    first = open_output(TRAIN_CLASSIFIER, root / "tiny", 0)
    assert first.record.parameters == 9 * (SIZE_PX**2 + 1) + 3 * (9 + 1)
    assert first.manifest.options["network_source"] == f"sha256 {sha256(source.read_bytes())}"
    here("evaluate", root, recipe, *OPTIONS["evaluate"])
    here("synthesize", root, recipe, *OPTIONS["synthesize"])
    here("train_mixed", root, recipe, "--arms", ARMS, *own)
    assert "already complete" in here("train_classifier", root, recipe, *own)
    source.write_text(MODULE.replace("nn.ReLU()", "nn.Tanh()"), encoding="utf-8")
    assert "rebuilding because network_source was 'sha256 " in here("train_classifier", root, recipe, *own)


@pytest.mark.long
def test_a_network_of_the_users_own_through_every_job(halfreal: Callable[..., Ran], tmp_path: Path) -> None:
    """The same by replicates in processes of their own.

    A change of its source is noticed by every job.
    """
    for artifact in ("classifier", "scores", "synthetic"):
        (tmp_path / "tiny" / artifact).unlink()  # links to what the tiny experiment has
    source = tmp_path / "here" / "mine.py"
    source.write_text(MODULE, encoding="utf-8")
    own = ["--network", "mine:build", *FITTED]
    assert f"built for 3 classes, 1 channels, {SIZE_PX} px" in done(halfreal("train_classifier", *own))
    first = open_output(TRAIN_CLASSIFIER, tmp_path / "tiny", 0)
    assert first.record.parameters == 9 * (SIZE_PX**2 + 1) + 3 * (9 + 1)
    assert first.manifest.options["network_source"] == f"sha256 {sha256(source.read_bytes())}"
    assert "built for" in done(halfreal("evaluate", *OPTIONS["evaluate"]))
    assert "built for" in done(halfreal("synthesize", *OPTIONS["synthesize"]))
    done(halfreal("train_mixed", "--arms", ARMS, *own))
    assert "already complete" in done(halfreal("train_classifier", *own))

    source.write_text(MODULE.replace("nn.ReLU()", "nn.Tanh()"), encoding="utf-8")
    stale = halfreal("evaluate", *OPTIONS["evaluate"], "--force")
    assert stale.returncode == 2
    assert "mine.py is not the file that the classifier was trained with" in stale.stderr
    assert "rebuilding because network_source was 'sha256 " in done(halfreal("train_classifier", *own))


def test_a_network_on_the_path_is_found_and_a_mistake_costs_nothing(
    halfreal: Callable[..., Ran], tmp_path: Path
) -> None:
    """On PYTHONPATH as in the current folder; a network that does not fit ends the job before any fit, with code 2."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "networks.py").write_text(MODULE.replace("nn.Linear(9, classes)", "nn.Linear(9, 10)"))
    path = os.pathsep.join([str(ROOT), str(tmp_path / "library")])
    words = ["train_mixed", "--arms", ARMS, "--network", "networks:build", *FITTED]
    wrong = halfreal(*words, PYTHONPATH=path)
    assert wrong.returncode == 2
    assert "the network gave a torch.float32 tensor (2, 10), want float logits (2, 3)" in wrong.stderr
    assert list((tmp_path / "tiny").glob("**/*-fit0.*")) == []
    assert halfreal(*words).returncode == 2
    (tmp_path / "library" / "networks.py").write_text(MODULE, encoding="utf-8")
    assert f"{REPLICATES} replicates, {REPLICATES} at a time" in done(halfreal(*words, PYTHONPATH=path))
