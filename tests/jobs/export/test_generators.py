"""export of a generator: other libraries alone draw what halfreal draws, from every family."""

import ast
import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from jobs.export import generators, networks
from jobs.export.card import plain
from jobs.export.generators import GENERATOR_FORMATS, check_drawn, draw_by_loader, write_generator
from jobs.train_gan.families import FAMILIES, Family
from jobs.train_gan.options import GanOptions
from jobs.train_gan.state import specs
from shared.errors import HalfrealError
from shared.format.manifest import Dataset
from shared.models.gans.build import build_generator
from shared.models.networks import Generator
from shared.models.snapshots import draw_images, latents_of
from shared.plots.answers import first_answers
from shared.store.artifacts import Artifact
from tests.containers.files import ROOT
from tests.documented import blocks
from tests.jobs.export.exporting import export, files

FACTS = {"classes": ["a", "b", "c"]}
INFO = cast(Dataset, SimpleNamespace(classes=FACTS["classes"], size_px=16, channels=3, attributes=None))

with_onnx = pytest.mark.skipif(find_spec("onnxscript") is None, reason="the extra export is not installed")

MIXTURE, ATTRIBUTES = "mixture", "attributes"

OTHERS = {
    MIXTURE: FAMILIES["dcgan"],
    ATTRIBUTES: FAMILIES["dcgan"],
    "unconditional": replace(FAMILIES["r3gan"], conditional=False),
    "without labels": replace(FAMILIES["dcgan"], conditional=False),
    "layer": replace(FAMILIES["dcgan"], generator_norm="layer"),
    "instance": replace(FAMILIES["dcgan"], generator_norm="instance"),
    "spectral": replace(FAMILIES["dcgan"], generator_norm="spectral"),
    "rps_literal": replace(FAMILIES["cgan"], networks="rps_literal"),
}
"""Generators that no family has by itself."""


def tiny(family: Family, kind: str = "") -> Generator:
    """Return a small generator of a family for three classes, whose running means and variances are not at rest."""
    # torch's own weights to begin with: smaller ones draw flat images before they are trained
    spec = {**specs(family, GanOptions(width=2, latent=4), INFO)[0], "init": "torch"}
    if family.one_per_class:
        spec = {"name": "per_class", "classes": 3, "member": spec}
    if kind == ATTRIBUTES:
        spec |= {"attributes": 2, "classes": 4}
    if kind == MIXTURE:
        spec = {"name": "mixture", "generators": 3, "member": spec}
    torch.manual_seed(3)
    network = build_generator(spec)
    with torch.no_grad():
        for _ in range(2):
            network.train()(3 * torch.randn(24, network.latent), torch.arange(24) % 3)
    return network.eval().to(memory_format=torch.channels_last)


def drawn_alike(folder: Path, to: str, family: str) -> None:
    """Check that the loader of an export draws, in a batch of another size, what the network has drawn before it."""
    network = tiny({**FAMILIES, **OTHERS}[family], family)
    latents, labels = latents_of(list(range(70, 75)), network.latent), torch.tensor([2, 0, 1, 1, 2])
    wanted = draw_images(network, latents, labels).permute(0, 2, 3, 1).numpy()
    write_generator(folder, GENERATOR_FORMATS[to], network, FACTS)
    drawn = draw_by_loader(folder, latents, labels)
    assert (drawn.dtype, drawn.shape) == (np.uint8, (5, 16, 16, 3))
    assert abs(drawn.astype(int) - wanted).max() <= 1
    assert len(np.unique(wanted)) > 5, "flat images would be alike for any network"


@pytest.mark.parametrize("family", {**FAMILIES, **OTHERS})
@pytest.mark.parametrize("to", ["torchscript", "safetensors"])
def test_every_family_leaves(to: str, family: str, tmp_path: Path) -> None:
    """Each generator is drawn from by torch alone, to one grey level."""
    drawn_alike(tmp_path, to, family)


@with_onnx
@pytest.mark.parametrize(
    "family",
    [pytest.param(name, marks=() if name == "per_class" else pytest.mark.long) for name in {**FAMILIES, **OTHERS}],
)
def test_every_family_leaves_as_onnx(family: str, tmp_path: Path) -> None:
    """Each generator is drawn from by onnxruntime, to one grey level, and no path of this machine is in the file."""
    drawn_alike(tmp_path, "onnx", family)
    assert b"/jobs/" not in (tmp_path / "generator.onnx").read_bytes()


@pytest.mark.parametrize("name", sorted({row.loader for row in GENERATOR_FORMATS.values()}))
def test_a_loader_is_20_lines_of_code(name: str) -> None:
    """At most, so that it can be read and copied: comments, docstrings and empty lines do not count."""
    text = (generators.LOADERS / name).read_text("utf-8")
    tree = ast.parse(text)
    documented = [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]
    said = {line for node in documented for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)}
    code = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(code) - sum(bool(text.splitlines()[line - 1].strip()) for line in said) <= 20


def test_files_say_nothing_of_this_machine(tmp_path: Path) -> None:
    """TorchScript names the files of the code that was traced, with their folders; it is published without."""
    from zipfile import ZipFile

    write_generator(tmp_path, GENERATOR_FORMATS["torchscript"], tiny(FAMILIES["dcgan"]), FACTS)
    with ZipFile(tmp_path / "generator.pt") as archive:
        root = str(Path(networks.__file__).parents[2]).encode()
        assert [name for name in archive.namelist() if root in archive.read(name)] == []


def test_weights_keep_their_names(tmp_path: Path) -> None:
    """The tensors are those of the snapshot, so that others find them by the names of the network."""
    from safetensors.torch import load_file

    network = tiny(FAMILIES["dcgan"])
    write_generator(tmp_path, GENERATOR_FORMATS["safetensors"], network, FACTS)
    written, own = load_file(tmp_path / "generator.safetensors"), network.state_dict()
    assert written.keys() == {name for name in own if not name.endswith("num_batches_tracked")}
    assert all(torch.equal(written[name], own[name]) for name in written)


@pytest.mark.parametrize(("apart", "fails"), [(0, False), (1, False), (2, True)])
def test_one_grey_level_is_the_most(apart: int, fails: bool) -> None:
    """A pixel that is further apart ends the export, and so do images of another shape."""
    wanted = np.full((2, 4, 4, 1), 7, np.uint8)
    drawn = wanted.copy()
    drawn[1, 2, 3] += apart
    if fails:
        with pytest.raises(HalfrealError, match=f"up to {apart} grey levels"):
            check_drawn(drawn, wanted)
    else:
        check_drawn(drawn, wanted)
    with pytest.raises(HalfrealError, match="other images"):
        check_drawn(drawn[:1], wanted)


def other(folder: Path, network: Generator) -> None:
    """Write a network that is not the one that was given."""
    with torch.no_grad():
        next(iter(network.parameters())).mul_(2)
    networks.write_safetensors(folder, network)


def test_a_generator_that_draws_otherwise_is_not_written(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader is tried before anything has its name: the export fails, and nothing of it is left."""
    row = replace(GENERATOR_FORMATS["safetensors"], write=cast(Any, SimpleNamespace(get=lambda: other)))
    monkeypatch.setitem(generators.GENERATOR_FORMATS, "safetensors", row)
    result = export(root, tmp_path / "out", "--to", "safetensors")
    assert (result.exit_code, "draws other images than halfreal" in result.stderr) == (1, True), result.output
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == []


(PAGE,) = [block.text for block in blocks(ROOT / "docs" / "export.md") if block.language == "python"]
ALONE = 'import sys; print(sorted({"jobs", "shared", "safetensors"} & sys.modules.keys()))'


@pytest.mark.slow
def test_the_loader_needs_torch_alone(root: Path, tmp_path: Path) -> None:
    """The code of docs/export.md draws images in a process that knows nothing of halfreal."""
    assert export(root, tmp_path / "out", "--to", "safetensors").exit_code == 0
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", PAGE + ALONE]
    done = subprocess.run(command, cwd=tmp_path / "out", env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    classes = json.loads((tmp_path / "out" / "config.json").read_bytes())["classes"]
    assert done.stdout.splitlines() == [f"torch.Size([16, 16, 16, 3]) {classes[0]}", "[]"]


def test_the_snapshot_can_be_chosen(root: Path, made: dict[str, Artifact], tmp_path: Path) -> None:
    """The one that evaluate chose, or the one of --epoch; the same again is complete, another one replaces it."""
    chosen = made["scores"].record.chosen_snapshot.epoch
    assert export(root, tmp_path / "out", "--to", "safetensors").exit_code == 0
    first = files(tmp_path / "out")
    config = json.loads(first["config.json"])
    assert (config["epoch"], config["classes"]) == (chosen, made["real"].dataset.classes)
    assert "already complete" in export(root, tmp_path / "out", "--to", "safetensors", "--epoch", chosen).stderr
    another = next(each.epoch for each in made["gan"].record.snapshots if each.epoch != chosen)
    result = export(root, tmp_path / "out", "--to", "safetensors", "--epoch", another)
    assert (result.exit_code, f"epoch was {chosen}, now {another}" in result.stderr) == (0, True), result.output
    assert files(tmp_path / "out")["generator.safetensors"] != first["generator.safetensors"]
    refused = export(root, tmp_path / "out", "--to", "safetensors", "--epoch", 77)
    assert (refused.exit_code, "--epoch 77: no such snapshot" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "hub", "--labels", "asked"], "--labels asked: is of images"),
        (["--to", "hub", "--min-confidence", 0], "--min-confidence 0.0: is of images"),
        (["--to", "hf", "--epoch", 1], "--epoch 1: is of a generator"),
    ],
)
def test_options_of_the_other_kind_are_refused(words: list[object], said: str, root: Path, tmp_path: Path) -> None:
    """Those of images for a generator, and the snapshot for images: exit code 2 and nothing written."""
    result = export(root, tmp_path / "out", *words)
    assert (result.exit_code, said in result.stderr) == (2, True), result.output
    assert not (tmp_path / "out").exists()


def test_onnx_without_its_extra(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, the library and what to install, before anything is read."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(generators, "find_spec", lambda name: None if name == "onnxruntime" else name)
    result = export(root / "nowhere", tmp_path / "out", "--to", "onnx")
    assert (result.exit_code, "pip install 'halfreal[export]'" in result.stderr) == (2, True), result.output


def test_the_folder_for_the_hub(root: Path, varied: dict[str, Artifact], tmp_path: Path) -> None:
    """Weights, loader, config.json and a card that the hub reads; the command to upload it is printed."""
    from huggingface_hub import ModelCard

    result = export(root, tmp_path / "a b", "--to", "hub")
    assert result.exit_code == 0, result.output
    wanted = {"README.md", "config.json", "export.json", "generator.safetensors", "graph.json", "loader.py"}
    assert files(tmp_path / "a b").keys() == wanted | {"recipe.toml"}
    line = next(line for line in result.stderr.splitlines() if "hf upload" in line)
    assert shlex.split(line.partition("then: ")[2]) == ["hf", "upload", "YOUR_NAME/small", str(tmp_path / "a b"), "."]
    card = ModelCard.load(tmp_path / "a b" / "README.md")
    assert (card.data.license, card.data.library_name) == (None, "pytorch")
    assert "<script" not in card.text.replace("\\<script", "")
    assert all(plain(answer.sentence) in card.text for answer in first_answers(varied["mixed"].record))
    score = varied["scores"].facts["test"]["frechet_classifier"]
    assert f"| frechet\\_classifier | {score:.4f} |" in card.text
    assert "Warning: another snapshot" not in card.text


def test_the_card_of_another_snapshot_says_so(root: Path, made: dict[str, Artifact], tmp_path: Path) -> None:
    """Scores and verdict are of the chosen one."""
    chosen = made["scores"].record.chosen_snapshot.epoch
    another = next(each.epoch for each in made["gan"].record.snapshots if each.epoch != chosen)
    assert export(root, tmp_path / "out", "--to", "hub", "--epoch", another).exit_code == 0
    assert "Warning: another snapshot" in (tmp_path / "out" / "README.md").read_text("utf-8")
