"""Values that belong to a family are dropped when another source names another family, and the run says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.train_gan.families import FAMILIES
from jobs.train_gan.options import OWNED, GanOptions

SAYS = (
    "train_gan: {source}: learning_rate 5e-05, critic_steps 5 are the family's own; the recipe's for wgan_gp are left "
    "out: learning_rate 0.003, beta2 0.99, critic_steps 1"
)


def dry_run(*words: object, **environment: str) -> Result:
    """Return the output of `train_gan --dry-run`."""
    result = CliRunner().invoke(halfreal, ["train_gan", "--dry-run", *map(str, words)], env=environment)
    assert result.exit_code == 0, result.output
    return result


def values(result: Result, *names: str) -> dict[str, str]:
    """Return the values of options by name, as a dry run printed them."""
    lines = dict(line.strip().split(" = ", 1) for line in result.stdout.splitlines() if " = " in line)
    return {name: lines[name] for name in names}


def test_a_family_comes_with_its_own_values() -> None:
    """WGAN's published values replace those that the recipe digits sets for WGAN-GP; the rest stays."""
    result = dry_run("--family", "wgan")
    assert values(
        result, "learning_rate", "critic_steps", "clip", "beta1", "beta2", "discriminator_norm", "epochs"
    ) == {
        "learning_rate": "5e-05",
        "critic_steps": "5",
        "clip": "0.01",
        "beta1": "None",
        "beta2": "None",
        "discriminator_norm": "'batch'",
        "epochs": "40",
    }
    assert result.stderr.splitlines() == [SAYS.format(source="--family wgan")]


def test_the_environment_changes_the_family_as_a_flag_does() -> None:
    """The message names the variable."""
    result = dry_run(HALFREAL_TRAIN_GAN_FAMILY="wgan")
    assert values(result, "learning_rate", "critic_steps") == {"learning_rate": "5e-05", "critic_steps": "5"}
    assert result.stderr.splitlines() == [SAYS.format(source="HALFREAL_TRAIN_GAN_FAMILY=wgan")]


def test_run_resolves_the_family_too() -> None:
    """`run --dry-run` shows R3GAN's own learning rate and betas, and says it once."""
    result = CliRunner().invoke(halfreal, ["run", "--dry-run"], env={"HALFREAL_TRAIN_GAN_FAMILY": "r3gan"})
    assert result.exit_code == 0, result.output
    shown = result.stdout.partition("train_gan would write")[2].partition("evaluate would write")[0]
    assert all(f"  {line}\n" in shown for line in ("learning_rate = 0.0002", "beta2 = 0.99", "critic_steps = 1"))
    assert result.stderr.count("are the family's own") == 1


GIVEN: dict[str, tuple[list[str], dict[str, str]]] = {
    "flag and flag": (["--family", "wgan", "--learning-rate", "1e-3"], {}),
    "flag, and the environment": (["--family", "wgan"], {"HALFREAL_TRAIN_GAN_LEARNING_RATE": "1e-3"}),
    "the environment, and flag": (["--learning-rate", "1e-3"], {"HALFREAL_TRAIN_GAN_FAMILY": "wgan"}),
}


@pytest.mark.parametrize("case", GIVEN)
def test_what_is_given_in_this_call_stays(case: str) -> None:
    """A flag or variable for an owned value applies to the family of this call."""
    words, environment = GIVEN[case]
    result = dry_run(*words, **environment)
    assert values(result, "learning_rate", "critic_steps") == {"learning_rate": "0.001", "critic_steps": "5"}
    assert "left out: beta2 0.99, critic_steps 1" in result.stderr


@pytest.mark.parametrize(
    ("own", "rate", "steps"),
    [
        ('family = "wgan"', "5e-05", "5"),
        ('family = "wgan"\nlearning_rate = 1e-3', "0.001", "5"),
        ('family = "wgan_gp"', "0.003", "1"),
        ("epochs = 3", "0.003", "1"),
    ],
)
def test_a_recipe_that_extends_another_follows_the_same_rule(own: str, rate: str, steps: str, tmp_path: Path) -> None:
    """Its table keeps its own values with its family; those of the base recipe for another family are dropped."""
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'extends = "digits"\n[train_gan]\n{own}\n', encoding="utf-8")
    result = dry_run("--recipe", recipe)
    assert values(result, "learning_rate", "critic_steps") == {"learning_rate": rate, "critic_steps": steps}
    assert ("recipe mine: " in result.stderr) == (steps == "5")


def test_the_recipes_own_family_changes_nothing() -> None:
    """`--family` with the recipe's own family is no change."""
    result = dry_run("--family", "wgan_gp")
    assert result.stdout == dry_run().stdout
    assert result.stderr == ""


def test_every_owned_option_is_in_the_familys_row() -> None:
    """An option that belongs to the family has a field of its name in the table, and None as its own default."""
    assert set(OWNED) <= set(vars(FAMILIES["dcgan"]))
    assert {getattr(GanOptions(), name) for name in OWNED} == {None}


def shown_default(text: str, flag: str) -> str:
    """Return the default that `--help` shows for a flag."""
    flat = " ".join(text.split()).replace("- ", "-")  # a long line may be broken after a hyphen
    return flat.partition(f" {flag} ")[2].partition("[default: ")[2].partition("]")[0]


HELP: list[tuple[list[str], dict[str, str], str, str]] = [
    ([], {}, "--learning-rate", "0.003, from the recipe digits; x>0"),
    ([], {}, "--penalty-weight", "10, from the family wgan_gp; x>=0"),
    ([], {}, "--clip", "unused by the family wgan_gp; x>0"),
    ([], {}, "--bn-eps", "1e-05; x>0"),
    ([], {}, "--conditional", "conditional, from the family wgan_gp"),
    ([], {}, "--flips", "no-flips"),
    (["--family", "wgan"], {}, "--learning-rate", "5e-05, from the family wgan; x>0"),
    (["--family", "wgan"], {}, "--family", "wgan_gp"),
    (["--recipe", "emoji"], {}, "--learning-rate", "0.002, from the recipe emoji; x>0"),
    (["--recipe", "emoji"], {}, "--critic-steps", "1, from the family r3gan; x>=1"),
    ([], {"HALFREAL_RECIPE": "emoji"}, "--epochs", "100, from the recipe emoji; x>=1"),
    ([], {"HALFREAL_TRAIN_GAN_EPOCHS": "7"}, "--epochs", "7, from HALFREAL_TRAIN_GAN_EPOCHS; x>=1"),
    (["--epochs", "9"], {}, "--epochs", "40; x>=1"),
    (["--recipe", "nope"], {}, "--epochs", "40; x>=1"),
]


@pytest.mark.parametrize(("words", "environment", "flag", "default"), HELP)
@pytest.mark.parametrize("first", [True, False], ids=["--help first", "--help last"])
def test_help_shows_the_default_that_will_be_used(
    words: list[str], environment: dict[str, str], flag: str, default: str, first: bool
) -> None:
    """The recipe's where it sets one, the family's where it owns it, wherever in the call --help comes."""
    call = ["--help", *words] if first else [*words, "--help"]
    if words == ["--recipe", "nope"] and not first:
        return  # an unknown recipe is refused as soon as it is read
    result = CliRunner().invoke(halfreal, ["train_gan", *call], env=environment)
    assert result.exit_code == 0, result.output
    assert shown_default(result.output, flag) == default


def test_help_has_headings() -> None:
    """Options are listed under what they are about; those of every job come last."""
    lines = CliRunner().invoke(halfreal, ["train_gan", "--help"]).output.splitlines()
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        *("GAN:", "Data:", "Networks:", "Optimizer:", "Regularisation:", "Run:", "Experiment:"),
    ]


def test_recorded_options_are_those_that_were_given(
    tmp_path: Path, make_dataset: Callable[..., Any], run_job: Callable[..., Result], plain_recipe: Path
) -> None:
    """The family's own values are recorded as None, as before, so that older artifacts are still complete."""
    from shared.store.artifacts import open_artifact

    make_dataset(tmp_path / "small" / "real", train=18, val=6, test=6)
    tiny = ["--epochs", 1, "--batch-images", 4, "--width", 2, "--latent", 4, "--recipe", plain_recipe]
    made = run_job("train_gan", tmp_path, *tiny, "--family", "dcgan")
    assert made.exit_code == 0
    assert "train_gan: images: 5 kB in memory; " in made.stderr  # what it will hold, by 18 images of 256 bytes
    options = open_artifact(tmp_path / "small" / "gan" / "r00", "model", "train_gan").manifest.options
    assert {name: options[name] for name in OWNED} == dict.fromkeys(OWNED)
    assert "already complete" in run_job("train_gan", tmp_path, *tiny, "--family", "dcgan").stderr
