"""A tiny job with a laboratory around it, for the tests of the command line."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result as Outcome

import shared.cli.recipes
from shared.cli.job import JobCommand, job
from shared.cli.options import JobOptions, option
from shared.cli.run import How, Result, Run
from shared.errors import BadConfig
from shared.store.artifacts import Artifact
from shared.store.job import Job
from shared.store.records.base import Record

SOURCE = Job("preprocess", "real", "dataset", "Make real images.", record="datasets.RealRecord")


class Toy(Record):
    """The record of the tiny job's artifact."""

    steps: int


TINY = Job("tiny", "toy", "model", "Make a toy.", (SOURCE,))


@dataclass(frozen=True, kw_only=True)
class TinyOptions(JobOptions):
    """Options of the tiny job."""

    steps: int = option(1, "Number of steps.", "work")
    word: str = option("plain", "Word to write.", "work")

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadConfig(f"steps={self.steps}: want at least 1")


class Laboratory:
    """A volume with the real images of the experiment `digits`, its recipes, and the job `tiny`."""

    def __init__(self, folder: Path) -> None:
        self.volume, self.recipes = folder / "volume", folder / "recipes"
        self.final = self.volume / "digits" / "toy"
        self.runs: list[Run] = []
        self.body: Callable[[Run, TinyOptions], None] = lambda run, config: None

    def call(
        self, *words: str, resumes: bool = False, replicated: bool = False, gpu: bool = False, **environment: str
    ) -> Outcome:
        """Call `tiny` with these arguments and environment variables."""
        row = replace(TINY, replicated=replicated, gpu=gpu)
        return CliRunner().invoke(self._command(row, How(resumes=resumes)), words, env=environment)

    def recipe(self, text: str, name: str = "digits") -> Path:
        """Write a recipe and return its path."""
        path = self.recipes / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return path

    @property
    def options(self) -> dict[str, Any]:
        """The options that the finished toy was made with."""
        options: dict[str, Any] = json.loads((self.final / "manifest.json").read_bytes())["options"]
        return options

    def _command(self, row: Job[Any], how: How) -> JobCommand:
        @job(row, TinyOptions, jobs=[TINY.name], how=how)
        def main(run: Run, config: TinyOptions) -> Result:
            """Make a toy."""
            self.runs.append(run)
            self.body(run, config)
            (run.folder / "toy.json").write_text(json.dumps(asdict(config)))
            return Result(Toy(steps=config.steps), summary="a fine toy")

        return main


@pytest.fixture
def laboratory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_dataset: Callable[..., Artifact]) -> Laboratory:
    """Return a laboratory whose real images are ready; jobs and recipes are its own, not the project's."""
    made = Laboratory(tmp_path)
    made.recipes.mkdir()
    made.recipe('about = "the default"')
    monkeypatch.setattr(shared.cli.recipes, "RECIPES_FOLDER", made.recipes)
    monkeypatch.setenv("HALFREAL_DATA_ROOT", str(made.volume))
    make_dataset(made.volume / "digits" / "real", train=4)
    return made


@pytest.fixture
def final(tmp_path: Path) -> Path:
    """Return the artifact's final path."""
    return tmp_path / "lab" / "gan"
