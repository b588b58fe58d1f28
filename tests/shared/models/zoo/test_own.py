"""A network of the user's own: found, called, cut into features and head, refused with what came and what is wanted."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from shared.errors import BadConfig, BadInput
from shared.models.classifiers import build_classifier, spec_of
from shared.models.fit_options import FitConfig
from shared.models.fitting import (
    classifier_spec,
    features_of,
    fit,
    load_classifier,
    logits_of,
    save_classifier,
)
from shared.models.networks import Classifier
from shared.models.zoo.checks import check_classifier
from shared.models.zoo.own_source import source_file
from shared.store.artifacts import open_artifact
from shared.store.records.base import Record
from shared.store.staging import BuildKey, stage
from tests.shared.models.fits import same_weights, shades

CPU = torch.device("cpu")

PLAIN = """
def build(classes, channels, size_px):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size_px**2, 8), nn.ReLU(), nn.Linear(8, classes))
"""

NETWORK = """
class Net(nn.Module):
    def __init__(self, classes, channels, size_px):
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3, padding=1)
        self.hidden = nn.Linear(4 * size_px**2, 8)
        self.drop = nn.Dropout()
        self.last = nn.Linear(8, {units})
    def forward(self, images):
        maps = torch.relu(self.conv(images))
        hidden = self.drop(torch.relu(self.hidden(maps.view(len(maps), -1))))
        return {answer}
"""
"""`view` fails for weights that lie channels last."""

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Yield `write(text, name)`: write a module into the current folder, return `name:build`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    written = {"mine"}

    def make(text: str, name: str = "mine") -> str:
        written.add(name)
        (tmp_path / f"{name}.py").write_text(f"import torch\nfrom torch import nn\n{text}", encoding="utf-8")
        return f"{name}:build"

    yield make
    for name in written & sys.modules.keys():
        del sys.modules[name]


def built(network: str, channels: int = 1, classes: int = 3) -> Classifier:
    """Return the classifier for images of 16 px."""
    torch.manual_seed(0)
    return build_classifier(spec_of(FitConfig(network=network), size_px=16, channels=channels, classes=classes))


def net(answer: str, units: str = "classes") -> str:
    """Return a module whose network answers so."""
    return NETWORK.format(answer=answer, units=units) + "\ndef build(**words):\n    return Net(**words)\n"


def test_features_are_the_input_of_the_last_linear_layer(write: Write) -> None:
    """They are what a hook on the layer sees, and the head's linear map of them the logits."""
    network = built(write(net("self.last(hidden)"))).eval()
    pixels = shades(5).images
    found = torch.from_numpy(features_of(network, pixels))
    assert found.shape == (5, 8)
    assert isinstance(network.head, nn.Linear)
    assert torch.allclose(network.head(found), logits_of(network, pixels), atol=1e-6)
    assert (found >= 0).all()
    assert found.max() > 0


WITHOUT_HEAD = {
    "logits are not the layer's": "self.last(hidden) * 2",
    "its weights are used": "torch.nn.functional.linear(hidden, self.last.weight, self.last.bias)",
    "its weights are used too": "self.last(hidden / (1 + self.last.weight.norm()))",
    "it is called twice": "self.last(self.last(hidden))",
    "its output is used twice": "self.last(hidden).relu() + 0 * self.last(hidden)",
}


@pytest.mark.parametrize("what", WITHOUT_HEAD)
def test_features_are_the_logits_where_there_is_no_such_layer(what: str, write: Write) -> None:
    """The network as it is gives both."""
    units = "8" if "twice" in what else "classes"
    network = built(write(net(WITHOUT_HEAD[what], units)), classes=8 if "twice" in what else 3).eval()
    pixels = shades(5).images
    assert isinstance(network.head, nn.Identity)
    assert torch.equal(torch.from_numpy(features_of(network, pixels)), logits_of(network, pixels))
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 8 if "twice" in what else 3)


def test_the_cut_changes_no_logit(write: Write) -> None:
    """With the same weights the classifier says what the function's network says."""
    name = write(net("self.last(hidden)"))
    network = built(name, channels=3).eval()
    torch.manual_seed(0)
    theirs = sys.modules["mine"].build(classes=3, channels=3, size_px=16).eval()
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    assert torch.equal(network(images), theirs(images))


def test_a_fit_trains_it_and_its_artifact_gives_it_back(write: Write, tmp_path: Path) -> None:
    """The same twice; what is loaded from an artifact has the same weights, tied ones too, and the same answers."""
    twin = "        self.twin = nn.Linear(8, classes)\n        self.twin.weight = self.last.weight\n"
    tied = net("self.last(hidden)").replace("    def forward", f"{twin}    def forward")
    config = FitConfig(network=write(tied), steps=6, measure_every=3, batch_images=8)
    fits = [fit(shades(24), shades(9, seed=1), 3, config, seed=3, device=CPU) for _ in range(2)]
    assert same_weights(fits[0].network, fits[1].network)
    assert fits[0].curve[-1].train_loss < fits[0].curve[0].train_loss
    with stage(tmp_path / "classifier", BuildKey("train_classifier", "model", {}), resumable=False) as work:
        save_classifier(work.folder, fits[0].network, classifier_spec(shades(3), 3, config), "bicubic")
        work.commit(record=Record())
    loaded = load_classifier(open_artifact(tmp_path / "classifier", "model", "train_classifier"), CPU)
    assert same_weights(loaded, fits[0].network)
    pixels = shades(7, seed=2).images
    assert torch.equal(logits_of(loaded, pixels), logits_of(fits[0].network, pixels))
    write(tied + "\n# changed\n")
    with pytest.raises(BadInput, match=r"mine.py is not the file that the classifier was trained with\n.*\ntrain it"):
        load_classifier(open_artifact(tmp_path / "classifier", "model", "train_classifier"), CPU)


def test_another_network_from_the_same_file_is_said(write: Write, tmp_path: Path) -> None:
    """Its file may import what changed: weights that do not fit are no unexpected error."""
    write("WIDTH = 8\n", "other")
    name = write("import other\n" + PLAIN.replace("8", "other.WIDTH"))
    config = FitConfig(network=name, steps=1, measure_every=1, batch_images=4)
    fitted = fit(shades(6), shades(6), 3, config, seed=3, device=CPU)
    with stage(tmp_path / "classifier", BuildKey("train_classifier", "model", {}), resumable=False) as work:
        save_classifier(work.folder, fitted.network, classifier_spec(shades(3), 3, config), "bicubic")
        work.commit(record=Record())
    sys.modules["other"].WIDTH = 9
    with pytest.raises(BadInput, match=r"its weights do not fit what mine:build gives now\ntrain it again"):
        load_classifier(open_artifact(tmp_path / "classifier", "model", "train_classifier"), CPU)


REFUSED = {
    "raises": (
        "def build(classes, channels, size_px):\n    raise KeyError('weights')\n",
        r"build\(classes=3, channels=1, size_px=16\) raised KeyError: 'weights' \(.*mine.py, line 4\)",
    ),
    "other words": ("def build(n):\n    pass\n", "raised TypeError: build.. got an unexpected keyword argument"),
    "no network": ("def build(**words):\n    return [1]\n", "gave a list, want a torch.nn.Module"),
    "no function": ("build = 3\n", "mine.py has a int in place of a function build"),
    "no such function": ("def construct(**words):\n    pass\n", "mine.py has no function build"),
    "no module that it imports": ("import nowhere_at_all\n", "importing .*mine.py raised ModuleNotFoundError.*line 3"),
    "a syntax error": ("def build(:\n", "importing .*mine.py raised SyntaxError"),
    "logits of other classes": (
        PLAIN.replace("classes)", "10)").replace("def build(10)", "def build(classes, channels, size_px)"),
        r"for images \(2, 1, 16, 16\) the network gave a torch.float32 tensor \(2, 10\), want float logits \(2, 3\)",
    ),
    "classes in place of logits": (net("self.last(hidden).argmax(1)"), r"gave a torch.int64 tensor \(2,\), want"),
    "two answers": (net("self.last(hidden), hidden"), "the network gave a tuple, want float logits"),
    "a size of its own": (
        PLAIN.replace("channels * size_px**2", "28 * 28"),
        r"for images \(2, 1, 16, 16\) the network raised RuntimeError: mat1 and mat2 shapes cannot be multiplied",
    ),
    "no parameters": (
        "def build(**words):\n    return nn.Sequential(nn.Flatten(), nn.LazyBatchNorm1d(affine=False))\n",
        "gave a network without parameters to train",
    ),
    "all parameters frozen": (
        PLAIN.replace("return", "network =") + "    return network.requires_grad_(False)\n",
        "gave a network without parameters to train",
    ),
    "parameters without effect": (net("self.last(hidden).detach()"), "depend on no parameter"),
    "the same network twice": (
        f"{PLAIN.replace('build', 'make')}\nNETWORK = make(3, 1, 16)\ndef build(**words):\n    return NETWORK\n",
        "gave the same network as before; want a new one",
    ),
    "no copies": (
        net("self.last(hidden)").replace(
            "    def forward", "        self.lock = __import__('threading').Lock()\n    def forward"
        ),
        "copy.deepcopy of the network raised TypeError",
    ),
    "another answer while it trains": (
        net("self.last(hidden)[:, :2] if self.training else self.last(hidden)"),
        r"gave a torch.float32 tensor \(2, 2\), want float logits \(2, 3\)",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_network_is_refused(what: str, write: Write) -> None:
    """Before any work: where, what came, what is wanted, in three short lines."""
    text, reason = REFUSED[what]
    name = write(text)
    with pytest.raises(BadInput, match=reason) as caught:
        check_classifier(FitConfig(network=name), 16, 1, 3, CPU)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("--network mine:build: ")
    assert len(lines) <= 3


UNKNOWN = {
    "nowhere:build": r"there is no module nowhere; want it on PYTHONPATH or in the current folder, /",
    "nowhere.at.all:build": r"No module named 'nowhere'; want it on PYTHONPATH",
    "sys:exit": r"the module sys has no source file; want one of your own",
    "mine:": r"want module:function, such as my_networks:build",
    "mine.py:build()": r"want module:function, such as my_networks:build",
    "./mine:build": r"want module:function, such as my_networks:build",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_module_that_is_not_there_is_refused(name: str, write: Write) -> None:
    """The error says where it was looked for."""
    with pytest.raises(BadConfig, match=f"--network {name.replace('(', '.').replace(')', '.')}: {UNKNOWN[name]}"):
        source_file(name)


def test_a_module_is_found_on_the_path_first(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PYTHONPATH, in a package too, before the current folder; a file there hides no module of Python's."""
    write(PLAIN)
    assert source_file("mine:build") == tmp_path / "mine.py"
    (tmp_path / "library" / "package").mkdir(parents=True)
    for file in ("mine.py", "package/__init__.py", "package/inner.py"):
        (tmp_path / "library" / file).write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "library")
    assert source_file("mine:build") == tmp_path / "library" / "mine.py"
    assert source_file("package.inner:build") == tmp_path / "library" / "package" / "inner.py"
    (tmp_path / "colorsys.py").write_text("", encoding="utf-8")
    assert source_file("colorsys:build") != tmp_path / "colorsys.py"
