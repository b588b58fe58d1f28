"""A flag replaces nothing that is finished: it is typed for one run, a recipe says what an experiment is."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.store.artifacts import Artifact

pytestmark = pytest.mark.fault(18)


@pytest.mark.parametrize("resumes", [False, True])
@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_a_flag_does_not_replace_what_is_finished(laboratory: Any, resumes: bool, words: list[str]) -> None:
    """Exit code 2 with what is there and what to type; the artifact stays as it was, and so do its readers."""
    assert laboratory.call("--steps", "2", resumes=resumes).exit_code == 0
    before = (laboratory.final / "manifest.json").read_bytes()
    outcome = laboratory.call("--steps", "3", *words, resumes=resumes)
    assert (outcome.exit_code, len(laboratory.runs)) == (2, 1)
    assert outcome.stderr == (
        "error: toy: complete, with steps 2; --steps 3 would replace it, and leave the rest out of step\n"
        "keep it: leave the flag out, or take another --experiment; replace it: --force\n"
    )
    assert (laboratory.final / "manifest.json").read_bytes() == before
    assert "already complete" in laboratory.call("--steps", "2", resumes=resumes).stderr


@pytest.mark.parametrize(
    ("words", "environment", "recipe"),
    [
        (["--steps", "3", "--force"], {}, ""),
        ([], {"HALFREAL_TINY_STEPS": "3"}, ""),
        ([], {}, "[tiny]\nsteps = 3"),
    ],
    ids=["force", "environment", "recipe"],
)
def test_what_is_meant_replaces_it(laboratory: Any, words: list[str], environment: dict[str, str], recipe: str) -> None:
    """--force, the environment and the recipe rebuild, as they say what the experiment is."""
    assert laboratory.call().exit_code == 0
    laboratory.recipe(recipe)
    assert laboratory.call(*words, **environment).exit_code == 0
    assert laboratory.options["steps"] == 3


def test_a_flag_that_changes_nothing_is_no_reason(laboratory: Any, make_dataset: Callable[..., Artifact]) -> None:
    """Where a recipe, not the flag, differs from what is there, or an input does, the artifact is rebuilt as ever."""
    assert laboratory.call("--word", "mine").exit_code == 0
    laboratory.recipe("[tiny]\nsteps = 3")
    assert laboratory.call("--word", "mine").exit_code == 0
    make_dataset(laboratory.volume / "digits" / "real", train=4, seed=1)
    assert laboratory.call("--word", "other").exit_code == 0
    assert laboratory.options == {"steps": 3, "word": "other", "seed": 0}
