"""Jobs are isolated: the process of a job loads no module of another job or of a command."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.pipeline import JOBS, PIPELINE
from tests.jobs.conftest import SMALL
from tests.test_imports import COMMANDS

DRY_RUN = """
import json, runpy, sys
job = sys.argv[1]
sys.argv = [job, *sys.argv[2:], "--dry-run"]
try:
    runpy.run_module(f"jobs.{job}", run_name="__main__", alter_sys=True)
except SystemExit as error:
    code = error.code
loaded = sorted({".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("jobs.")})
print(json.dumps({"code": code, "loaded": loaded, "torch": "torch" in sys.modules}))
"""
"""Does what `python -m jobs.JOB ... --dry-run` does, and prints what that process loaded last."""

UNCHECKED = {
    "train_classifier": "real",
    "train_gan": "real",
    "evaluate": "real",
    "train_mixed": "real and synthetic",
}
"""The jobs that check their options against data, and what they need for it."""

SAYS = {
    **{row.name: [f"  {row.writes} r00: already complete"] for row in PIPELINE if row.replicated},
    "train_mixed": ["  fits r00: already complete", "  already complete"],
    "tune": ["  would be made"],
}
"""What dry runs say of the artifacts of the experiment `small`, where that is more than one line."""

NAMES = [row.name for row in JOBS]


def dry_run(python: Callable[..., Any], job: str, *words: object) -> tuple[str, dict[str, Any]]:
    """Return what a dry run in a fresh process printed, and what it loaded."""
    done = python(DRY_RUN, job, *words)
    assert done.returncode == 0, done.stderr
    *printed, last = done.stdout.splitlines()
    return "\n".join(printed), json.loads(last)


def foreign(job: str, loaded: list[str]) -> list[str]:
    """Return the loaded packages of `jobs` that belong to another job or a command."""
    return sorted({f"jobs.{name}" for name in {*NAMES, *COMMANDS} - {job}} & set(loaded))


@pytest.mark.parametrize("recipe", ["digits", "rps_cgan"])
@pytest.mark.parametrize("job", NAMES)
def test_a_dry_run_on_an_empty_volume_loads_no_other_job(
    job: str, recipe: str, python: Callable[..., Any], tmp_path: Path
) -> None:
    """Nothing describes the data: a job says which of its options it could not check, and loads no other job."""
    printed, found = dry_run(python, job, "--recipe", recipe, "--data-root", tmp_path)
    assert found["code"] == 0
    assert f"jobs.{job}" in found["loaded"]
    assert foreign(job, found["loaded"]) == []
    assert not found["torch"]
    said = f"  options not checked against {UNCHECKED.get(job, '')}: not there yet"
    assert (said in printed) == (job in UNCHECKED)


@pytest.mark.slow
@pytest.mark.parametrize("job", NAMES)
def test_a_dry_run_on_a_finished_volume_loads_no_other_job(
    job: str, python: Callable[..., Any], volume: Path, plain_recipe: Path
) -> None:
    """The artifacts describe themselves."""
    place = ["--recipe", plain_recipe, "--data-root", volume, "--experiment", "small"]
    printed, found = dry_run(python, job, *place, *SMALL.get(job, []))
    assert found["code"] == 0
    said = [line for line in printed.splitlines() if not re.match("  \\w+ = ", line)][1:]
    assert said == SAYS.get(job, ["  already complete"])
    assert foreign(job, found["loaded"]) == []
    assert not found["torch"]
    assert "not checked" not in printed


def test_a_loaded_job_would_be_seen(python: Callable[..., Any], tmp_path: Path) -> None:
    """The tests above would be void if a loaded job went unnoticed."""
    planted = f"import jobs.report.page, jobs.commands.run\n{DRY_RUN}"
    done = python(planted, "synthesize", "--data-root", tmp_path)
    found = json.loads(done.stdout.splitlines()[-1])
    assert foreign("synthesize", found["loaded"]) == ["jobs.commands", "jobs.report"]
