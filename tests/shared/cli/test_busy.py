"""A job that finds its artifact being made by another process: it says so, and nothing of what it would do."""

from typing import Any

import pytest

from shared.store.locks import locked


@pytest.mark.parametrize("resumes", [False, True])
def test_what_would_be_done_is_said_with_the_lock(resumes: bool, laboratory: Any) -> None:
    """While another process has the lock the one that ends with 75 is alone on the terminal; afterwards it is said."""
    laboratory.call()
    with locked(laboratory.final):
        second = laboratory.call(HALFREAL_TINY_STEPS="2", resumes=resumes)
    assert second.exit_code == 75
    assert second.stderr.startswith(f"error: {laboratory.final}: another process is making it")
    assert "rebuilding because steps was 1, now 2" in laboratory.call(HALFREAL_TINY_STEPS="2", resumes=resumes).stderr
    assert laboratory.options["steps"] == 2


def test_a_run_knows_how_many_replicates_its_call_makes(laboratory: Any) -> None:
    """What all of them take of the disk is said; those that are finished are not among them."""
    for count in (1, 3):
        words = ("--replicates", str(count), "--processes", "1")
        assert laboratory.call(*words, replicated=True).exit_code == 0
    assert [run.among for run in laboratory.runs] == [1, 2, 2]
