"""`halfreal run` with several recipes: an experiment of each in order, then their comparison."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.commands import results, run
from jobs.compare import command as comparing
from jobs.pipeline import PIPELINE
from shared.cli.progress import StopFlag
from shared.errors import Interrupted
from shared.store.job import Job

CIFAR10 = ("cifar10_dcgan", "cifar10_acgan", "cifar10_wgan_gp")


def call(root: Path, *words: object, **environment: str) -> Result:
    """Return the result of `halfreal run` on the volume, in this process."""
    return CliRunner().invoke(halfreal, ["run", "--data-root", str(root), *map(str, words)], env=environment)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what would be done in place of doing it."""
    log: list[str] = []

    def run_job(job: Job, words: list[str], stop: StopFlag, *_: object) -> None:
        log.append(f"{words[words.index('--experiment') + 1]}: {job.name} of {words[words.index('--recipe') + 1]}")

    monkeypatch.setattr(run, "_run_job", run_job)
    monkeypatch.setattr(results, "print_results", lambda folder: log.append(f"results of {folder.name}"))
    monkeypatch.setattr(
        comparing, "compare_after_run", lambda root, names, device: log.append(f"compare {' '.join(names)} on {device}")
    )
    return log


def test_a_dry_run_shows_every_experiment(tmp_path: Path) -> None:
    """Each recipe's jobs, in the order of the recipes, in a folder named after the recipe; nothing is written."""
    result = call(tmp_path / "v", "--dry-run", "--recipe", ",".join(CIFAR10))
    assert result.exit_code == 0, result.output
    shown = [line for line in result.stdout.splitlines() if " would write " in line]
    assert shown == [
        f"{row.name} would write {tmp_path / 'v' / name / row.writes}" for name in CIFAR10 for row in PIPELINE
    ]
    assert not (tmp_path / "v").exists()


def test_experiments_run_one_after_the_other_and_are_compared(tmp_path: Path, done: list[str]) -> None:
    """All jobs of the first, its results, then the next; the comparison of all of them comes last."""
    result = call(tmp_path, "--recipe", "digits,cifar10_dcgan", "--device", "cpu")
    assert result.exit_code == 0, result.output
    jobs = [row.name for row in PIPELINE]
    assert done == [
        *(f"digits: {name} of digits" for name in jobs),
        "results of digits",
        *(f"cifar10_dcgan: {name} of cifar10_dcgan" for name in jobs),
        "results of cifar10_dcgan",
        "compare digits cifar10_dcgan on cpu",
    ]
    assert "experiment 2/2: cifar10_dcgan" in result.stderr


def test_one_recipe_is_not_compared(tmp_path: Path, done: list[str]) -> None:
    """A single experiment may have a name of its own and ends with its results."""
    assert call(tmp_path, "--recipe", "digits", "--experiment", "mine").exit_code == 0
    assert done == [*(f"mine: {row.name} of digits" for row in PIPELINE), "results of mine"]


def test_a_mistake_in_the_last_recipe_stops_before_the_first(tmp_path: Path, done: list[str]) -> None:
    """All experiments are checked before the first job."""
    own = tmp_path / "own.toml"
    own.write_text('extends = "digits"\n[train_mixed]\nmeasure_every = 601\n')
    result = call(tmp_path / "v", "--recipe", f"digits,{own}")
    assert result.exit_code == 2
    assert "--measure-every 601" in result.stderr
    assert done == []


@pytest.mark.parametrize(
    ("recipes", "words", "environment", "mention"),
    [
        ("digits,emoji", ["--experiment", "mine"], {}, "--experiment mine: 2 recipes"),
        ("digits,emoji", [], {"HALFREAL_EXPERIMENT": "mine"}, "HALFREAL_EXPERIMENT"),
        ("digits,digits", [], {}, "each once"),
        (",", [], {}, "want one recipe"),
        ("digits,digit", [], {}, "did you mean digits"),
        ("digits,{own}/digits.toml", [], {}, "different names"),
        ("compare.toml", [], {}, "not found"),
    ],
)
def test_recipes_that_name_no_experiments_are_refused(
    recipes: str, words: list[str], environment: dict[str, str], mention: str, tmp_path: Path, done: list[str]
) -> None:
    """Exit code 2, and nothing is run."""
    (tmp_path / "digits.toml").write_text('extends = "digits"\n')
    result = call(tmp_path, "--recipe", recipes.replace("{own}", str(tmp_path)), *words, **environment)
    assert result.exit_code == 2, result.output
    assert mention in result.stderr
    assert done == []


@pytest.mark.parametrize("name", ["compare", "sources", "weights"])
def test_folders_of_the_volume_are_no_experiments(name: str, tmp_path: Path, done: list[str]) -> None:
    """A name that the volume uses otherwise is refused, as an option and as a recipe's name."""
    own = tmp_path / f"{name}.toml"
    own.write_text('extends = "digits"\n')
    for words in (["--experiment", name], ["--recipe", own]):
        result = call(tmp_path, *words)
        assert result.exit_code == 2
        assert f"'{name}': the volume has other things in that folder" in result.stderr
    assert done == []


def test_a_signal_names_the_experiment_and_how_to_go_on(
    tmp_path: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says which experiment stopped; no later one is begun, and nothing is compared."""

    def stopped(job: Job, words: list[str], stop: StopFlag, *_: object) -> None:
        if "cifar10_dcgan" in words:
            raise Interrupted(f"{job.name} stopped; run the same command again (without --force) to go on")
        done.append(job.name)

    monkeypatch.setattr(run, "_run_job", stopped)
    result = call(tmp_path, "--recipe", "digits,cifar10_dcgan,cifar10_acgan")
    assert result.exit_code == 75
    assert "cifar10_dcgan: preprocess stopped; run the same command again" in result.stderr
    assert done == [*(row.name for row in PIPELINE), "results of digits"]
