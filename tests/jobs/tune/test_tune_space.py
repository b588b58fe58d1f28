"""The search space: its values; mistakes are refused before the first trial with the line of the recipe."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from jobs.commands.calls import command_of
from jobs.train_gan.families import FAMILIES
from jobs.tune.options import TuneConfig
from jobs.tune.space import FIXED, Choices, Range, WrongSpace, parse_space
from shared.cli.recipes import load_recipe, recipe_names
from shared.cli.resolve import environment, options_with, resolve_options
from shared.errors import BadConfig
from shared.runtime.job_processes import variables

pytestmark = pytest.mark.usefixtures("ask_here")

TYPES = {"learning_rate": float, "latent": int, "family": str, "epochs": int, "flips": bool}


def test_lists_and_ranges_become_domains() -> None:
    """A list holds its values; a range holds both ends, whole numbers for an option that counts."""
    space = parse_space(
        '{"train_gan": {"family": ["wgan", "r3gan"], "latent": {"low": 8, "high": 64}, '
        '"learning_rate": {"low": 1e-4, "high": 1e-2, "log": true}}}',
        TYPES,
    )
    assert space == {
        "train_gan.family": Choices(("wgan", "r3gan")),
        "train_gan.latent": Range(8, 64, log=False, whole=True),
        "train_gan.learning_rate": Range(1e-4, 1e-2, log=True, whole=False),
    }
    assert space["train_gan.latent"].holds(64)
    assert not space["train_gan.latent"].holds(65)
    assert not space["train_gan.family"].holds(None)


@pytest.mark.parametrize(
    ("text", "keys", "words"),
    [
        ("[", (), "not JSON"),
        ("{}", (), "want options of train_gan"),
        ('{"train_gan": {}}', ("train_gan",), "empty"),
        ('{"evaluate": {"images": [1]}}', ("evaluate",), "only options of train_gan"),
        ('{"train_gan": {"speed": [1]}}', ("train_gan", "speed"), "no option 'speed'"),
        ('{"train_gan": {"epochs": [1]}}', ("train_gan", "epochs"), "cannot be tuned"),
        ('{"train_gan": {"latent": []}}', ("train_gan", "latent"), "an empty list"),
        ('{"train_gan": {"latent": [8, 8]}}', ("train_gan", "latent"), "twice"),
        ('{"train_gan": {"latent": [[8]]}}', ("train_gan", "latent"), "want a whole number"),
        ('{"train_gan": {"latent": ["8", 8]}}', ("train_gan", "latent"), '"8" is no value'),
        ('{"train_gan": {"latent": [true]}}', ("train_gan", "latent"), "want a whole number"),
        ('{"train_gan": {"learning_rate": [1e-3, NaN]}}', ("train_gan", "learning_rate"), "want a finite number"),
        ('{"train_gan": {"flips": ["yes"]}}', ("train_gan", "flips"), "want true or false"),
        ('{"train_gan": {"family": [1]}}', ("train_gan", "family"), "want text"),
        ('{"train_gan": {"latent": 8}}', ("train_gan", "latent"), "want a list of values, or"),
        ('{"train_gan": {"latent": {"low": 8}}}', ("train_gan", "latent"), "want a list of values, or"),
        ('{"train_gan": {"latent": {"low": 8, "high": 8}}}', ("train_gan", "latent"), "an empty range"),
        ('{"train_gan": {"latent": {"low": 9, "high": 8}}}', ("train_gan", "latent"), "an empty range"),
        ('{"train_gan": {"latent": {"low": 8, "high": Infinity}}}', ("train_gan", "latent"), "an empty range"),
        ('{"train_gan": {"latent": {"low": "8", "high": 9}}}', ("train_gan", "latent"), "want numbers"),
        ('{"train_gan": {"latent": {"low": true, "high": 9}}}', ("train_gan", "latent"), "want numbers"),
        ('{"train_gan": {"latent": {"low": 0, "high": 9, "log": true}}}', ("train_gan", "latent"), "above 0"),
        ('{"train_gan": {"latent": {"low": 1, "high": 9, "log": 1}}}', ("train_gan", "latent"), "want log"),
        ('{"train_gan": {"family": {"low": 1, "high": 2}}}', ("train_gan", "family"), "a range is for numbers"),
    ],
)
def test_a_wrong_space_says_what_and_where(text: str, keys: tuple[str, ...], words: str) -> None:
    """Every mistake in a space is found, with the keys that lead to it."""
    with pytest.raises(WrongSpace, match=words) as caught:
        parse_space(text, TYPES)
    assert caught.value.keys == keys


def test_what_cannot_be_tuned_are_options() -> None:
    """Every name that is refused with a reason is an option of train_gan, or a renamed one would slip through."""
    assert set(FIXED) <= {str(param.name) for param in command_of("train_gan").params}


MISTAKES = {
    "train_gan.speed = [1, 2]": "no option 'speed'",
    "train_gan.latent = []": "an empty list",
    "train_gan.latent = {low = 64, high = 8}": "an empty range",
    'train_gan.latent = ["many"]': '"many" is no value of this option; want a whole number',
    "train_gan.latent = {low = 1.5, high = 8}": "'1.5' is not a valid integer range",
    'train_gan.augment = ["", "cutout"]': '"" is no value of this option',
    "train_gan.latent = [0]": "0 is not in the range 1<=x<=16384",
    'train_gan.family = ["gan"]': "'gan' is not one of",
    'train_gan.augment = ["none", "blur"]': "unknown 'blur'",
    "train_gan.clip = [0.1]": "has no such thing",
    'train_gan.discriminator_norm = ["batch"]': "gradient penalty",
    "evaluate.images = [10]": "only options of train_gan",
}


@pytest.mark.parametrize("line", MISTAKES)
@pytest.mark.parametrize("command", ["tune", "run"])
def test_a_mistake_stops_before_the_first_trial(line: str, command: str, tmp_path: Path) -> None:
    """A wrong option, range or value ends with 2 and its file and line, and leaves nothing behind."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(f'extends = "digits"\n\n[tune.space]\ntrain_gan.width = [8, 16]\n{line}\n', encoding="utf-8")
    words = [command, "--recipe", str(recipe), "--data-root", str(tmp_path / "volume")]
    result = CliRunner().invoke(halfreal, [*words, *(["--with-tuning"] if command == "run" else [])])
    assert result.exit_code == 2, result.output
    assert f"recipe {recipe}, line 5: " in result.output
    assert MISTAKES[line] in result.output
    assert len(result.output.splitlines()) <= 3
    assert not (tmp_path / "volume").exists()


def test_a_mistake_in_a_flag_is_the_flags(tmp_path: Path) -> None:
    """A wrong --space is not blamed on the recipe."""
    words = ["tune", "--dry-run", "--space", '{"train_gan": {"latent": []}}', "--data-root", str(tmp_path)]
    result = CliRunner().invoke(halfreal, words)
    assert result.exit_code == 2
    assert "error: --space: train_gan.latent = []: an empty list" in result.output


def test_the_line_is_that_of_the_recipe_below(tmp_path: Path) -> None:
    """A mistake in a recipe that is extended is reported with its file and line."""
    below, own = tmp_path / "below.toml", tmp_path / "own.toml"
    below.write_text("[tune.space]\n# a word\ntrain_gan.latent = [\n  0,\n]\n", encoding="utf-8")
    own.write_text('extends = "below.toml"\n', encoding="utf-8")
    result = CliRunner().invoke(halfreal, ["tune", "--dry-run", "--recipe", str(own), "--data-root", str(tmp_path)])
    assert result.exit_code == 2
    assert f"recipe {below}, line 5: " in result.output


def train_gan_options(words: list[str], changes: dict[str, object]) -> dict[str, Any]:
    """Return the options of train_gan called with `words`, where `changes` take precedence."""
    return options_with(command_of("train_gan"), words, changes)


def test_options_of_a_trial_beat_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial's options take precedence over the recipe and the user's environment, and leave no trace."""
    monkeypatch.setenv("HALFREAL_TRAIN_GAN_LATENT", "7")
    assert train_gan_options(["--recipe", "digits"], {})["latent"] == 7
    assert train_gan_options(["--recipe", "digits"], {"latent": 9})["latent"] == 9
    assert train_gan_options(["--recipe", "digits"], {})["latent"] == 7
    augmented = train_gan_options(["--recipe", "emoji"], {})
    assert augmented["augment"] == "colour,translation,cutout"
    assert train_gan_options(["--recipe", "emoji"], {"augment": "none"}) == augmented | {
        "augment": "none",
        "latent": 7,
    }


def test_another_family_leaves_out_what_belongs_to_the_recipes() -> None:
    """A trial of another family drops the options that the recipe sets for its own family."""
    found = train_gan_options(["--recipe", "digits"], {"family": "dcgan"})
    assert "penalty_weight" not in found
    assert (found["learning_rate"], found["critic_steps"]) == (2e-4, 1)
    with pytest.raises(BadConfig, match="has no such thing"):
        train_gan_options(["--recipe", "digits"], {"family": "dcgan", "penalty_weight": 3})


def test_variables_are_those_of_the_command_line() -> None:
    """An option by job and name becomes the variable that click reads for it."""
    changes = variables({"train_gan.learning_rate": 0.5})
    assert changes == {"HALFREAL_TRAIN_GAN_LEARNING_RATE": "0.5"}
    with environment(changes):
        assert train_gan_options([], {})["learning_rate"] == 0.5


TRAIN_IMAGES = {
    "celeba_wgan_gp": 5_000,
    "celeba_dcgan": 5_000,
    "celeba_wgan": 162_770,
    "cifar10": 45_000,
    "mnist": 54_000,
    "rps": 315,
}
"""Train images of the recipes whose names begin so, the first that fits."""

IMAGES_PER_SECOND = {"a GPU": 1500, "": 800}
"""Real images in a second of training that budgets are made for: on any GPU that trains networks, on one core."""

PUBLISHED = [name for name in recipe_names() if name.startswith(tuple(TRAIN_IMAGES))]


def resolved(name: str) -> TuneConfig:
    """Return the config of `tune` under a recipe."""
    command = command_of("tune")
    with command.make_context("tune", ["--recipe", name]) as context:
        config = resolve_options(command, context).config
    assert isinstance(config, TuneConfig)
    return config


def trains_a_gan(name: str) -> bool:
    """Return whether a recipe has a generator, which can be tuned: not where images are imported."""
    return not any("source" in layer.tables.get("synthesize", {}) for layer in load_recipe(name).layers)


@pytest.mark.parametrize("name", [name for name in recipe_names() if trains_a_gan(name)])
def test_a_space_holds_the_recipes_own_values(name: str) -> None:
    """Every shipped recipe has a space around its own values, so that trial 0 is the recipe itself."""
    assert any("space" in layer.tables.get("tune", {}) for layer in load_recipe(name).layers)
    config = resolved(name)
    assert config.outside == []
    assert {"train_gan.learning_rate", "train_gan.batch_images", "train_gan.latent"} <= config.domains.keys()
    # a range that begins or ends at the own value would look in one direction only
    own, rates = config.own["train_gan.learning_rate"], config.domains["train_gan.learning_rate"]
    assert isinstance(rates, Range)
    assert isinstance(own, float)
    assert rates.low * 2 <= own <= rates.high / 2


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_search_fits_its_machine(name: str) -> None:
    """Trials and compared runs take a day at most, and rungs are epochs that have a snapshot."""
    config = resolved(name)
    train = next(count for begins, count in TRAIN_IMAGES.items() if name.startswith(begins))
    images = (config.trials + 2 * config.seeds) * config.trial_epochs * train
    needs = load_recipe(name).words["needs"]
    speed = next(speed for what, speed in IMAGES_PER_SECOND.items() if what in needs)
    assert images / speed <= 24 * 3600
    assert config.minutes is None or config.minutes <= 24 * 60
    assert config.seeds >= 3
    assert config.rungs
    assert [rung for rung in config.rungs if rung % int(str(config.train_gan["snapshot_every_epochs"]))] == []


def test_an_own_value_outside_the_space_is_said(tmp_path: Path) -> None:
    """Where no trial can be the recipe itself the run begins with a warning for each such value, a dry run too."""
    recipe = tmp_path / "own.toml"
    text = 'extends = "celeba_wgan"\n[train_gan]\nlatent = 512\nlearning_rate = 1.0\n'
    recipe.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(halfreal, ["tune", "--dry-run", "--recipe", str(recipe), "--data-root", str(tmp_path)])
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("warning: ")]
    assert [line.partition(": no trial")[0] for line in lines] == [
        "warning: train_gan.learning_rate: the recipe's own 1.0 is not in the search space (1e-05 to 0.002)",
        "warning: train_gan.latent: the recipe's own 512 is not in the search space (64, 100, 128)",
    ]
    assert "widen [tune.space]" in lines[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_default_space_holds_every_familys_values(family: str, tmp_path: Path) -> None:
    """A recipe without a space of its own searches around any family's own learning rate."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(f'[train_gan]\nfamily = "{family}"\n', encoding="utf-8")
    assert resolved(str(recipe)).outside == []
