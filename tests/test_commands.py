"""The command line for a new user: help without heavy imports, mistakes answered in three lines."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.pipeline import JOBS
from shared.store.artifacts import Artifact
from shared.store.job import Job

COMMANDS = [*(row.name for row in JOBS), "run", "results", "compare", "recipes", "sample", "playground", "tensorboard"]
COMMANDS += ["verify", "status", "clean"]
READERS = [row for row in JOBS if row.reads]
HEAVY = [
    "torch",
    "optuna",
    "optuna",
    "numpy",
    "pydantic",
    "sklearn",
    "scipy",
    "matplotlib",
    "accelerate",
    "rich",
    "jinja2",
    "gradio",
    "tensorboard",
]

SHOW_IMPORTS = f"""
import json, sys
from importlib import import_module
main = import_module(sys.argv[1]).main
try:
    main(sys.argv[2:], prog_name="halfreal")
except SystemExit as stop:
    code = stop.code
print()
print(json.dumps([code, [name for name in {HEAVY} if name in sys.modules]]))
"""


def halfreal_says(*words: object, **environment: str) -> Result:
    """Return the result of `halfreal words...` in this process."""
    return CliRunner().invoke(halfreal, [str(word) for word in words], env=environment, prog_name="halfreal")


def assert_refused(result: Result, *mentions: str) -> None:
    """Assert exit code 2 and an error of at most three lines that mentions these words."""
    assert result.exit_code == 2, result.output
    # where the images of a job will be, and what it takes of the disk, is said before the work
    said = [line for line in result.stderr.splitlines() if not re.match(r"\w+: (images|disk): ", line)]
    assert 1 <= len(said) <= 3
    assert said[0].startswith("error: ")
    assert "Traceback" not in result.stderr
    for mention in mentions:
        assert mention in result.stderr


@pytest.mark.parametrize(
    ("module", "words"),
    [("jobs.__main__", ["--help"])]
    + [("jobs.__main__", [name, "--help"]) for name in COMMANDS]
    + [(f"jobs.{row.name}.__main__", ["--help"]) for row in JOBS],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_help_needs_nothing_heavy(
    module: str, words: list[str], python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """`--help` of every command ends with 0 and imports no library that takes long to load."""
    done = python(SHOW_IMPORTS, module, *words)
    assert done.returncode == 0, done.stderr
    assert "Usage: halfreal" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


@pytest.mark.parametrize(
    "words",
    [["train_gan", "--epochs", "0"], ["train_gan", "--recipe", "none"], ["recipes"], ["report", "--dry-run"]],
    ids=" ".join,
)
def test_wrong_options_are_answered_without_torch(
    words: list[str], python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """A wrong option and a list of recipes are answered before torch is imported."""
    found = json.loads(python(SHOW_IMPORTS, "jobs.__main__", *words).stdout.splitlines()[-1])[1]
    assert "torch" not in found


WRONG_OPTIONS = [
    (["nonsense"], ["nonsense", "halfreal --help"]),
    (["train_gan", "--epocs", "3"], ["--epocs", "halfreal train_gan --help"]),
    (["train_gan", "--epochs", "zero"], ["--epochs", "zero", "halfreal train_gan --help"]),
    (["train_gan", "--epochs", "0"], ["--epochs", "halfreal train_gan --help"]),
    (["train_gan", "--family", "nope"], ["--family", "wgan_gp", "r3gan"]),
    (["train_gan", "--snapshot-every-epochs", "0"], ["--snapshot-every-epochs"]),
    (["train_classifier", "--steps", "5", "--measure-every", "6"], ["--measure-every 6", "--steps (5)"]),
    (["train_mixed", "--steps", "5", "--measure-every", "6"], ["--measure-every 6", "--steps (5)"]),
    (["train_mixed", "--fits", "0"], ["--fits"]),
    (["train_mixed", "--patience", "-1"], ["--patience"]),
    (["train_mixed", "--replicates", "0"], ["--replicates"]),
    (["preprocess", "--replicates", "2"], ["--replicates", "share one `real`", "--resplit"]),
    (["preprocess", "--val-fraction", "0.5", "--test-fraction", "0.5"], ["0.5", "nothing to train on"]),
    (["preprocess", "--test-fraction", "nan"], ["--test-fraction nan", "finite number"]),
    (["preprocess", "--test-fraction", "0"], ["test_fraction=0.0", "between 0 and 1"]),
    (["preprocess", "--seed", "-1"], ["--seed"]),
    (["evaluate", "--images", "3"], ["--images"]),
    (["synthesize", "--share", "0"], ["--share"]),
    (["report", "--recipe", "nope"], ["'nope'", "digits", ".toml"]),
    (["results", "--recipe", "nope.toml"], ["nope.toml", "digits"]),
    (["report", "--experiment", "../elsewhere"], ["../elsewhere", "letters"]),
    (["report", "--experiment", ".hidden"], [".hidden"]),
    (["run", "--set", "epochs=3"], ["epochs=3", "job.option=value"]),
    (["run", "--set", "train_gan.epocs=3"], ["train_gan", "epocs", "epochs"]),
    (["run", "--set", "train_gan.augment="], ["train_gan.augment=", "no value"]),
    (["train_gan", "--augment", ","], ["--augment ','", "want none, or some of translation"]),
    (["run", "--set", "train_gun.epochs=3"], ["train_gun.epochs=3", "train_gan"]),
]


@pytest.mark.parametrize(("words", "mentions"), WRONG_OPTIONS, ids=[" ".join(words) for words, _ in WRONG_OPTIONS])
def test_a_wrong_option_is_refused(words: list[str], mentions: list[str], tmp_path: Path) -> None:
    """A wrong option or recipe ends with 2, says what was given and what is expected, and leaves nothing behind."""
    place = ["--data-root", tmp_path / "volume"] if words[0] != "nonsense" else []
    assert_refused(halfreal_says(*words, *place), *mentions)
    assert not (tmp_path / "volume").exists()


@pytest.mark.fault(29)
def test_run_names_the_job_whose_options_are_wrong(tmp_path: Path) -> None:
    """Two jobs have --measure-every, and other ones share names, too."""
    words = ["run", "--set", "train_mixed.steps=9", "--data-root", tmp_path / "volume"]
    assert_refused(halfreal_says(*words), "train_mixed: --measure-every 50: want 1 to --steps (9)")


@pytest.mark.fault(29)
def test_no_extractor_is_offered_and_then_refused(tmp_path: Path) -> None:
    """Two datasets have no classifier of an experiment: the option of `evaluate between` has no such choice."""
    words = ["evaluate", "between", "a", "b", "--extractor", "classifier", "--data-root", tmp_path / "volume"]
    assert_refused(halfreal_says(*words), "'classifier' is not one of 'efficientnet_lite0'")


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_nan_and_infinity_are_refused(value: str, tmp_path: Path, make_dataset: Callable[..., Artifact]) -> None:
    """NaN and infinity are wrong options: exit code 2, never "unexpected"."""
    make_dataset(tmp_path / "digits" / "real", train=9, val=3, test=3)
    assert_refused(halfreal_says("train_gan", "--learning-rate", value, "--data-root", tmp_path), "learning")


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("[train_gan]\nepocs = 3\n", ["epocs", "epochs"]),
        ("[train_gun]\nepochs = 3\n", ["train_gun", "train_gan"]),
        ("train_gan = 3\n", ["train_gan"]),
        ('[train_gan]\nepochs = "many"\n', ["--epochs", "many"]),
        ('seed = "one"\n', ["seed"]),
        ("seed = -1\n", ["--seed"]),
        ("replicates = 0\n", ["--replicates"]),
        ("replicates = true\n", ["--replicates", "'True'"]),
        ("about = 3\n", ["about"]),
        ("[train_gan\n", ["TOML"]),
        ("[train_gan]\nepochs = [1]\n", ["epochs"]),
    ],
)
def test_a_wrong_recipe_is_refused(
    text: str, mentions: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipe that is no TOML, or names no job, no option or no value of it, ends with 2 and says which."""
    monkeypatch.delenv("HALFREAL_REPLICATES")  # it would beat the recipe
    recipe = tmp_path / "mine.toml"
    recipe.write_text(text, encoding="utf-8")
    assert_refused(halfreal_says("train_gan", "--recipe", recipe, "--data-root", tmp_path), *mentions)


def test_a_wrong_environment_variable_is_refused(tmp_path: Path) -> None:
    """A wrong value in the environment is refused as one on the command line."""
    assert_refused(halfreal_says("train_gan", "--data-root", tmp_path, HALFREAL_TRAIN_GAN_EPOCHS="zero"), "zero")


@pytest.mark.parametrize(
    ("environment", "flags", "epochs"),
    [
        ({}, [], 7),
        ({"HALFREAL_TRAIN_GAN_EPOCHS": "8"}, [], 8),
        ({"HALFREAL_TRAIN_GAN_EPOCHS": "8"}, ["--epochs", 9], 9),
    ],
)
def test_a_flag_beats_the_environment_beats_the_recipe(
    environment: dict[str, str], flags: list[object], epochs: int, tmp_path: Path
) -> None:
    """A flag overrides the environment, which overrides the recipe, which overrides the default."""
    recipe = tmp_path / "mine.toml"
    recipe.write_text("[train_gan]\nepochs = 7\n", encoding="utf-8")
    result = halfreal_says("train_gan", "--recipe", recipe, "--dry-run", *flags, **environment)
    assert f"  epochs = {epochs}\n" in result.output


@pytest.mark.parametrize("row", READERS, ids=lambda row: row.name)
def test_a_missing_input_is_refused(row: Job, tmp_path: Path) -> None:
    """A job whose input is absent ends with 2 and says which job makes it."""
    result = halfreal_says(row.name, "--data-root", tmp_path)
    assert_refused(result, str(tmp_path / "digits" / row.reads[0].writes), f"halfreal {row.reads[0].name}")


def test_results_of_nothing_are_refused(tmp_path: Path) -> None:
    """`results` of an experiment that never ran ends with 2 and says what to run."""
    assert_refused(halfreal_says("results", "--json", "--data-root", tmp_path), "halfreal train_mixed")


def lose_the_manifest(folder: Path) -> None:
    """Leave shards without a manifest, as a killed writer would."""
    (folder / "manifest.json").unlink()


def cut_a_shard(folder: Path) -> None:
    """Cut a shard at the boundary of a tar record, where a tar reader sees nothing wrong."""
    shard = folder / "train-00001.tar"
    shard.write_bytes(shard.read_bytes()[:1536])


def lose_a_shard(folder: Path) -> None:
    """Remove a shard."""
    (folder / "train-00001.tar").unlink()


def add_a_shard(folder: Path) -> None:
    """Add a shard that the manifest does not list."""
    (folder / "train-00099.tar").write_bytes((folder / "train-00001.tar").read_bytes())


def alter_a_shard(folder: Path) -> None:
    """Change one byte inside a shard."""
    shard = folder / "train-00001.tar"
    payload = bytearray(shard.read_bytes())
    payload[600] ^= 1
    shard.write_bytes(payload)


@pytest.mark.parametrize(
    ("damage", "mentions"),
    [
        (lose_the_manifest, ["unfinished", "halfreal preprocess"]),
        (cut_a_shard, ["train-00001.tar", "1536 bytes", "halfreal preprocess --force"]),
        (lose_a_shard, ["train-00001.tar", "missing", "halfreal preprocess --force"]),
        (add_a_shard, ["train-00099.tar", "does not list", "move it away"]),
        (alter_a_shard, ["train-00001.tar", "altered", "again"]),
    ],
)
def test_a_damaged_input_is_refused(
    damage: Callable[[Path], None], mentions: list[str], make_dataset: Callable[..., Artifact], tmp_path: Path
) -> None:
    """A half-written or altered input ends with 2, names the file and says what to do; nothing is written."""
    folder = make_dataset(tmp_path / "digits" / "real", train=9, val=3, test=3).folder
    damage(folder)
    result = halfreal_says("train_classifier", "--data-root", tmp_path, "--device", "cpu", "--steps", 50)
    assert_refused(result, *mentions)
    assert [path for path in (tmp_path / "digits" / "classifier").glob("*") if path.is_dir()] == []


@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "cpu:x"])
def test_a_device_that_is_not_here_is_refused(
    device: str, make_dataset: Callable[..., Artifact], tmp_path: Path
) -> None:
    """A device that torch does not know or this machine does not have ends with 2 and offers cpu."""
    make_dataset(tmp_path / "digits" / "real", train=9, val=3, test=3)
    result = halfreal_says("train_classifier", "--data-root", tmp_path, "--device", device)
    assert_refused(result, device, "cpu or auto")


def test_a_job_called_by_halfreal_looks_at_the_variables_of_other_jobs(
    python: Callable[..., subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt variable of train_gan is named by `halfreal preprocess` too, and refused where that is asked for."""
    monkeypatch.setenv("HALFREAL_TRAIN_GAN_EPOCH", "3")
    monkeypatch.setenv("HALFREAL_STRICT", "1")
    code = "from jobs.__main__ import main; main(['preprocess', '--dry-run'], prog_name='halfreal')"
    ended = python(code)
    assert ended.returncode == 2
    assert "did you mean HALFREAL_TRAIN_GAN_EPOCHS?" in ended.stderr
