"""The table of jobs against the folders, its documentation and the recipes."""

import ast
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jobs.__main__ import COMMANDS
from jobs.__main__ import main as halfreal
from jobs.pipeline import ARTIFACTS, JOBS, PIPELINE
from jobs.train_gan.options import DECAYS
from jobs.train_gan.plan import learning_rate_factor
from shared.cli.fit_options import FitOptions
from shared.cli.options import JobOptions, merge, specs
from shared.cli.reading_options import ReadingOptions
from shared.cli.recipes import load_recipe
from shared.store.job import Job

ROOT = Path(__file__).resolve().parent.parent
RECIPES = sorted((ROOT / "jobs" / "recipes").glob("*.toml"))
NAMES = [row.name for row in JOBS]

pytestmark = pytest.mark.usefixtures("ask_here")

SHARED_OPTIONS = {"fit_options.py": FitOptions, "reading_options.py": ReadingOptions}
"""The files in shared/cli whose fields are options of several jobs."""

every_job = pytest.mark.parametrize("row", JOBS, ids=NAMES)


TABLE_PAGE = ROOT / "docs" / "getting-started.md"


def documented_table() -> list[tuple[str, set[str], set[str]]]:
    """Return (job, reads, writes) of each row of the table of jobs in the docs; "all of them" reads every artifact."""
    rows = []
    for line in TABLE_PAGE.read_text(encoding="utf-8").partition("## The jobs\n")[2].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) >= 4 and cells[0].strip("`") in NAMES:
            reads, writes = ({word.strip("/") for word in re.findall(r"`([^`]+)`", cell)} for cell in cells[1:3])
            if cells[1] == "all of them":
                reads = {row.writes for row in PIPELINE} - writes
            rows.append((cells[0].strip("`"), reads, writes))
    return rows


def test_the_table_names_every_folder_with_a_command() -> None:
    """Each folder of jobs/ that holds a command is a row of the table, and each row is such a folder."""
    folders = {path.parent.name for path in (ROOT / "jobs").glob("*/__main__.py")}
    assert folders == set(NAMES)
    assert len(NAMES) == len(folders) >= 8


def test_artifacts_have_one_maker() -> None:
    """No two rows write the same artifact; each job writes one, train_mixed another one for each replicate."""
    assert len({row.writes for row in ARTIFACTS}) == len(ARTIFACTS)
    assert [row for row in ARTIFACTS if row.writes != "fits"] == list(JOBS)


@pytest.mark.parametrize("row", ARTIFACTS, ids=lambda row: row.writes)
def test_an_artifact_follows_those_that_it_is_made_from(row: Job) -> None:
    """The order of the table is an order in which the jobs can run."""
    earlier = ARTIFACTS[: ARTIFACTS.index(row)]
    assert [read.writes for read in (*row.reads, *row.behind, *row.first) if read not in earlier] == []


@every_job
def test_a_job_is_a_command_of_its_own_name(row: Job) -> None:
    """`halfreal <job>` and `python -m jobs.<job>` are the command that its row in the table names."""
    command = import_module(f"jobs.{row.name}.__main__").main
    assert (command.name, command.job) == (row.name, row)
    assert COMMANDS[row.name].module == f"jobs.{row.name}.__main__"
    assert COMMANDS[row.name].about == row.about


def test_the_docs_name_every_job_in_order() -> None:
    """The table of jobs in the docs has a row for each job, in the order in which they run."""
    assert [job for job, _, _ in documented_table()] == NAMES


@every_job
def test_the_docs_say_what_a_job_reads_and_writes(row: Job) -> None:
    """The row of a job in the docs names the artifacts that the job reads and those that it writes."""
    rows = {job: (reads, writes) for job, reads, writes in documented_table()}
    made = [artifact for artifact in ARTIFACTS if artifact.name == row.name]
    writes = {artifact.writes for artifact in made}
    assert rows[row.name] == (
        {read.writes for each in made for read in (*each.reads, *each.behind, *each.first)} - writes,
        writes,
    )


def test_there_are_recipes() -> None:
    """The default recipe ships with halfreal."""
    assert "digits" in [path.stem for path in RECIPES]


@every_job
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_accepted_by_every_job(recipe: Path, row: Job, tmp_path: Path) -> None:
    """Each job accepts the recipe's options, and a dry run writes nothing."""
    arguments = [row.name, "--recipe", recipe.stem, "--data-root", str(tmp_path), "--dry-run"]
    result = CliRunner().invoke(halfreal, arguments)
    assert result.exit_code == 0, result.output
    for name, value in table(recipe.stem, row.name).items():
        assert f"  {name} = {(json.dumps(value) if isinstance(value, dict) else value)!r}\n" in result.output
    assert list(tmp_path.iterdir()) == []


def table(recipe: str, job: str) -> dict[str, Any]:
    """Return a job's own options in a recipe, all its layers merged."""
    options: type[JobOptions] = import_module(f"jobs.{job}.__main__").main.options
    values, _ = merge(options, [("", layer) for layer in load_recipe(recipe).tables(job)])
    return {name: value for name, value in values.items() if name in specs(options)}


@every_job
def test_every_option_says_what_it_is(row: Job) -> None:
    """A help text is a sentence that does not need the option's name in front, and no list of defaults by hand."""
    for name, spec in specs(import_module(f"jobs.{row.name}.__main__").main.options).items():
        assert re.fullmatch(r"[A-Z0-9].{8,}\.", spec.help), name
        assert not spec.help.startswith(("Of ", "Whether it ")), name
        assert "default" not in spec.help, name


def test_what_jobs_share_names_no_option_of_a_job() -> None:
    """No text in shared/cli is the name of an option that only some job has."""
    own = {name for row in JOBS for name in specs(import_module(f"jobs.{row.name}.__main__").main.options)} - {"seed"}
    assert {"family", "learning_rate", "source", "space"} <= own
    for path in sorted((ROOT / "shared" / "cli").rglob("*.py")):
        constants = [
            node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
        ]
        defined = set(specs(SHARED_OPTIONS[path.name])) if path.name in SHARED_OPTIONS else set()
        assert (own - defined) & {text for text in constants if isinstance(text, str)} == set(), path.name


PUBLISHED_RECIPES = (
    *("celeba_wgan", "celeba_wgan_gp_5000", "celeba_dcgan", "rps_cgan", "mnist_digitwise"),
    *("cifar10_dcgan", "cifar10_acgan", "cifar10_wgan_gp"),
)


@pytest.mark.parametrize("name", PUBLISHED_RECIPES)
def test_every_published_recipe_has_a_tuned_twin(name: str) -> None:
    """Each published recipe has a twin with today's knowledge; both say what they follow and where not."""
    for each in (name, f"{name}_tuned"):
        assert load_recipe(each).words.keys() >= {"about", "follows", "departs", "needs"}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_what_recipes_show_prints_is_a_recipe(recipe: Path, tmp_path: Path) -> None:
    """The resolved options of a recipe, saved as a file, are accepted by every job and resolve to themselves."""
    first = CliRunner().invoke(halfreal, ["recipes", "show", recipe.stem])
    assert first.exit_code == 0, first.output
    own = tmp_path / "own.toml"
    own.write_text(first.output, encoding="utf-8")
    second = CliRunner().invoke(halfreal, ["recipes", "show", str(own)])
    assert second.output == first.output
    for job in load_recipe(recipe.stem).jobs:
        assert table(str(own), job).items() >= table(recipe.stem, job).items()


def test_recipes_lists_every_recipe() -> None:
    """`halfreal recipes` has a line for each recipe: its source, family and size."""
    listed = CliRunner().invoke(halfreal, ["recipes"], env={"COLUMNS": "200"}).output
    for recipe in RECIPES:
        (line,) = [line for line in listed.splitlines() if line.split(" ")[0] == recipe.stem]
        assert " px " in line


def test_every_decay_has_its_rule() -> None:
    """Each way to lower the learning rate that the command offers starts at the full rate."""
    assert [learning_rate_factor(name, 0.0) for name in DECAYS] == [1.0] * len(DECAYS)
