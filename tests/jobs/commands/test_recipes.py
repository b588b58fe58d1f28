"""`halfreal recipes show`: the options that the jobs themselves have."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.commands.calls import command_of
from jobs.pipeline import JOBS
from jobs.train_gan.families import FAMILIES
from shared.cli.resolve import options_with

pytestmark = pytest.mark.usefixtures("ask_here")


def call(*words: object) -> Result:
    """Return the result of `halfreal words...` in this process."""
    return CliRunner().invoke(halfreal, list(map(str, words)))


@pytest.mark.parametrize("base", ["digits", "rps_cgan"])
@pytest.mark.parametrize("family", FAMILIES)
def test_another_family_than_the_recipe_below(family: str, base: str, tmp_path: Path) -> None:
    """A recipe that extends another and changes the family is shown with the options that its jobs take."""
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'extends = "{base}"\n[train_gan]\nfamily = "{family}"\n', encoding="utf-8")
    shown = call("recipes", "show", recipe)
    assert shown.exit_code == 0, shown.output
    tables = tomllib.loads(shown.stdout)
    assert tables["train_gan"]["family"] == family
    for row in JOBS:
        options = options_with(command_of(row.name), ["--recipe", str(recipe)], {})
        options.pop("space", None)  # in the recipe a table
        assert {name: value for name, value in tables[row.name].items() if name != "space"} == options


def test_a_space_of_another_family_is_left_out(tmp_path: Path) -> None:
    """The tuned options of another family are dropped with it; the rest of the base recipe's space stays."""
    recipe = tmp_path / "mine.toml"
    recipe.write_text('extends = "digits"\n[train_gan]\nfamily = "dcgan"\n', encoding="utf-8")
    space = tomllib.loads(call("recipes", "show", recipe).stdout)["tune"]["space"]["train_gan"]
    assert "penalty_weight" not in space
    assert {"learning_rate", "batch_images", "latent"} <= space.keys()


def test_a_family_given_as_a_flag_changes_the_space_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search space of the recipe's family is dropped together with that family's options."""
    monkeypatch.setenv("HALFREAL_TRAIN_GAN_FAMILY", "dcgan")
    result = call("tune", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "penalty_weight" not in result.output.partition("  space = ")[2].partition("\n")[0]


def test_an_own_space_must_fit_the_own_family(tmp_path: Path) -> None:
    """The recipe's own entries are never dropped: show refuses a wrong one with its line, as `tune` does."""
    recipe = tmp_path / "mine.toml"
    text = 'extends = "digits"\n[train_gan]\nfamily = "dcgan"\n[tune.space]\ntrain_gan.penalty_weight = [1.0]\n'
    recipe.write_text(text, encoding="utf-8")
    for words in (["recipes", "show", recipe], ["tune", "--dry-run", "--recipe", recipe]):
        result = call(*words)
        assert result.exit_code == 2
        assert f"{recipe}, line 5" in result.stderr


def test_the_environment_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipe is shown as written, regardless of variables that set options here."""
    before = call("recipes", "show", "digits").stdout
    monkeypatch.setenv("HALFREAL_TRAIN_GAN_EPOCHS", "7")
    assert call("recipes", "show", "digits").stdout == before
    assert "epochs = 7\n" in call("train_gan", "--dry-run").stdout
