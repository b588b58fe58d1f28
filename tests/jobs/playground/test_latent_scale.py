"""Synthetic images whose latents had a scale: sample, Python and the playground draw such images, too."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import halfreal
from jobs.__main__ import main
from jobs.commands.drawing import Experiment, SampleRequest
from shared.errors import BadConfig
from shared.format.manifest import MANIFEST
from tests.containers.files import ROOT

SCALE = 1.4


@pytest.fixture(scope="module")
def wide(volume: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a volume whose experiment `small` has synthetic images from latents with a scale."""
    root = tmp_path_factory.mktemp("wide")
    shutil.copytree(volume / "small", root / "small", ignore=shutil.ignore_patterns("report", "mixed", "fits"))
    path = root / "small" / "synthetic" / "r00" / MANIFEST
    manifest = json.loads(path.read_bytes())
    manifest["facts"]["latent_scale"] = SCALE
    path.write_text(json.dumps(manifest))
    return root


def sampled(root: Path, out: Path, *words: object) -> dict[str, Any]:
    """Return the figures that `sample` prints."""
    fixed = ("sample", "--experiment", "small", "--data-root", root, "--class", 0, "--count", 2, "--out", out)
    done = CliRunner().invoke(main, [str(word) for word in (*fixed, *words)])
    assert done.exit_code == 0, done.output
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def test_the_scale_is_that_of_the_synthetic_images(volume: Path, wide: Path, tmp_path: Path) -> None:
    """Where nothing else is asked for; without such images it is 1."""
    paths = [tmp_path / f"{name}.png" for name in ("own", "asked", "plain", "without")]
    asked = sampled(volume, paths[1], "--latent-scale", SCALE), sampled(wide, paths[2], "--latent-scale", 1)
    found = sampled(wide, paths[0]), *asked, sampled(volume, paths[3])
    assert [each["latent_scale"] for each in found] == [SCALE, SCALE, 1, 1]
    own, spread, plain, without = (path.read_bytes() for path in paths)
    assert (own == spread, plain == without, own == plain) == (True, True, False)
    opened = halfreal.open_experiment(wide / "small")
    name = opened.classes[0]
    assert opened.sample(name, 2).png == own
    assert opened.sample(name, 2, latent_scale=1).png == plain


@pytest.mark.parametrize("scale", [0.0, -1.0, 10.5, float("nan")])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    """As `synthesize` refuses it."""
    with pytest.raises(BadConfig, match="want a number above 0, at most 10"):
        SampleRequest(label=0, count=1, seed=0, snapshot="s", latent_scale=scale)


ASKED = """
import json, sys
from pathlib import Path
from jobs.playground.index import ExperimentIndex
from jobs.playground.page import Page
root, scratch, name, scale = sys.argv[1:]
page = Page(ExperimentIndex(Path(root)), "small", Path(scratch))
chosen = page.choose("small")
_, request = page.read(2, "small", 0, None, name, 0, 4, float(scale))
refused = page.answer_interpolated(name, 1, 3, "small", 0, None, name, 0, 4, None)
print(json.dumps([chosen[0], chosen[5], request.latent_scale, request.truncation, refused]))
"""
"""What a process of its own says of the page: gradio leaves sockets open."""


@pytest.mark.slow
def test_the_page_begins_with_that_scale(wide: Path, tmp_path: Path) -> None:
    """Its field has it, its status says how the synthetic images were drawn, and its drawings are spread."""
    name = Experiment(wide / "small").classes[0]
    words = [sys.executable, "-c", ASKED, str(wide), str(tmp_path), name, str(SCALE)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    status, begins_with, *asked, refused = json.loads(done.stdout.splitlines()[-1])
    assert "latents with a standard deviation of 1.4" in status
    assert begins_with == SCALE
    assert asked == [SCALE, None]
    assert "Latent scale is empty: want a number" in refused
