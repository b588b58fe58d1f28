"""The options of a classifier as a command takes them: names, files and what identifies the result."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.commands.calls import command_of
from jobs.train_classifier.options import ClassifierOptions
from jobs.train_mixed.options import MixedOptions
from shared.cli.options import recorded
from shared.cli.resolve import asked
from shared.errors import BadConfig
from shared.store.staging import BuildKey

JOBS = {"train_classifier": ClassifierOptions, "train_mixed": MixedOptions}


def key(job: str, options: ClassifierOptions | MixedOptions) -> BuildKey:
    """Return what identifies what a job makes with these options."""
    return BuildKey(job, "model", recorded(options))


def dry(tmp_path: Path, *words: str) -> Result:
    """Return the result of a dry run of train_classifier."""
    return CliRunner().invoke(halfreal, ["train_classifier", "--data-root", str(tmp_path), "--dry-run", *words])


@pytest.mark.parametrize("job", JOBS)
def test_the_content_of_a_file_of_weights_identifies_the_result(job: str, tmp_path: Path) -> None:
    """Other bytes are another result, the same bytes elsewhere are not; so is a fit without them."""
    path = tmp_path / "weights.pth"
    path.write_bytes(b"one")
    shutil.copy(path, tmp_path / "copy.pth")
    own = JOBS[job](network="resnet18", pretrained=str(path))
    first, elsewhere = key(job, own), key(job, replace(own, pretrained=str(tmp_path / "copy.pth")))
    assert first.fingerprint == elsewhere.fingerprint
    without = key(job, replace(own, pretrained=None))
    path.write_bytes(b"two")
    other = key(job, own)
    assert len({first.fingerprint, other.fingerprint, without.fingerprint}) == 3
    assert first.changed(other).keys() == first.changed(without).keys() == {"pretrained"}
    (line,) = first.other_options(other)
    assert len(line) < 100


@pytest.mark.parametrize("job", JOBS)
def test_the_source_of_a_network_identifies_the_result(
    job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another source is another result, though its name is the same."""
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "own_networks.py"
    path.write_text("build = 1\n", encoding="utf-8")
    own = JOBS[job](network="own_networks:build")
    first = key(job, own)
    assert first.fingerprint == key(job, own).fingerprint
    path.write_text("build = 2\n", encoding="utf-8")
    assert first.changed(key(job, own)).keys() == {"network_source"}


@pytest.mark.parametrize("job", JOBS)
def test_what_earlier_versions_made_is_not_made_again(job: str) -> None:
    """Their manifests have none of these options; other values of them are another result."""
    options = recorded(JOBS[job]())
    new = {name: options[name] for name in ("pretrained", "class_weights", "sampling")}
    old = BuildKey(job, "model", {name: value for name, value in options.items() if name not in new})

    class Built:
        options, inputs = old.plain_options, old.input_hashes

    assert new == {"pretrained": None, "class_weights": "none", "sampling": "natural"}
    assert BuildKey(job, "model", options).changed(Built()) == {}
    changed = BuildKey(job, "model", options | {"sampling": "balanced"}).changed(Built())
    assert changed == {"sampling": ("natural", "balanced")}


def test_a_missing_file_is_said_before_any_work(tmp_path: Path) -> None:
    """A dry run says so too, in a line, with exit code 2; a recipe with it can still be shown."""
    result = dry(tmp_path, "--network", "resnet18", "--pretrained", "no/weights.pth")
    assert result.exit_code == 2
    assert "--pretrained no/weights.pth: no such file, seen from /" in result.output
    recipe = tmp_path / "own.toml"
    recipe.write_text('[train_classifier]\nnetwork = "resnet18"\npretrained = "no/weights.pth"\n', encoding="utf-8")
    shown = CliRunner().invoke(halfreal, ["recipes", "show", str(recipe)])
    assert shown.exit_code == 0, shown.output
    assert 'pretrained = "no/weights.pth"' in shown.output


def test_a_missing_module_is_said_before_any_work(tmp_path: Path) -> None:
    """As for a file."""
    result = dry(tmp_path, "--network", "nowhere_at_all:build")
    assert result.exit_code == 2
    assert "there is no module nowhere_at_all" in result.output


@pytest.mark.usefixtures("ask_here")
def test_an_unknown_network_is_refused_with_the_nearest() -> None:
    """The advice has every row, and a function of one's own."""
    reason = r"--network resnet81: unknown; did you mean resnet18\?\nwant one of small_cnn, .*vit_b_16, or a function"
    with pytest.raises(BadConfig, match=reason):
        asked(command_of("train_mixed"), ["--network", "resnet81"])


@pytest.mark.usefixtures("ask_here")
def test_another_network_drops_the_recipes_weights(tmp_path: Path) -> None:
    """They belong to the network of the recipe."""
    recipe = tmp_path / "own.toml"
    recipe.write_text('[train_mixed]\nnetwork = "resnet18"\npretrained = "weights.pth"\n', encoding="utf-8")
    command = command_of("train_mixed")
    assert asked(command, ["--recipe", str(recipe)]).config.pretrained == "weights.pth"
    assert asked(command, ["--recipe", str(recipe), "--network", "small_cnn"]).config.pretrained is None


def test_help_has_no_empty_default() -> None:
    """Networks without weights say that the option is unused."""
    shown = " ".join(CliRunner().invoke(halfreal, ["train_mixed", "--help"]).output.split())
    assert "[default: (unused by the network small_cnn)]" in shown or "unused by the network small_cnn" in shown
