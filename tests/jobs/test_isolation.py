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

DRY_RUNS = """
import io, json, runpy, sys
from contextlib import redirect_stdout
job, found = sys.argv[1], []
for words in json.loads(sys.argv[2]):
    sys.argv = [job, *words, "--dry-run"]
    with redirect_stdout(io.StringIO()) as printed:
        try:
            runpy.run_module(f"jobs.{job}", run_name="__main__", alter_sys=True)
        except SystemExit as error:
            code = error.code
    loaded = sorted({".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("jobs.")})
    said = printed.getvalue().splitlines()
    found.append({"code": code, "printed": said, "loaded": loaded, "torch": "torch" in sys.modules})
print(json.dumps(found))
"""
"""Does what `python -m jobs.JOB ... --dry-run` does, for each of some command lines, and prints what came of it."""

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


def dry_runs(python: Callable[..., Any], job: str, *lines: list[object], before: str = "") -> list[dict[str, Any]]:
    """Return what dry runs in a fresh process, one after the other, ended with and printed, and what it had loaded."""
    done = python(before + DRY_RUNS, job, json.dumps([[*map(str, line)] for line in lines]))
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def foreign(job: str, loaded: list[str]) -> list[str]:
    """Return the loaded packages of `jobs` that belong to another job or a command."""
    return sorted({f"jobs.{name}" for name in {*NAMES, *COMMANDS} - {job}} & set(loaded))


@pytest.mark.slow
@pytest.mark.parametrize("job", NAMES)
def test_a_dry_run_loads_no_other_job(
    job: str, python: Callable[..., Any], volume: Path, plain_recipe: Path, tmp_path: Path
) -> None:
    """On an empty volume a job says which of its options it could not check; finished artifacts describe themselves."""
    empty = [["--recipe", recipe, "--data-root", tmp_path] for recipe in ("digits", "rps_cgan")]
    place = ["--recipe", plain_recipe, "--data-root", volume, "--experiment", "small"]
    *unknown, known = dry_runs(python, job, *empty, [*place, *SMALL.get(job, [])])
    for found in (*unknown, known):
        assert found["code"] == 0
        assert f"jobs.{job}" in found["loaded"]
        assert foreign(job, found["loaded"]) == []
        assert not found["torch"]
    unchecked = f"  options not checked against {UNCHECKED.get(job, '')}: not there yet"
    for found in unknown:
        assert any(line.startswith(unchecked) for line in found["printed"]) == (job in UNCHECKED)
    said = [line for line in known["printed"] if not re.match("  \\w+ = ", line)][1:]
    assert said == SAYS.get(job, ["  already complete"])
    assert not any("not checked" in line for line in known["printed"])


def test_a_loaded_job_would_be_seen(python: Callable[..., Any], tmp_path: Path) -> None:
    """The test above would be void if a loaded job went unnoticed."""
    before = "import jobs.report.page, jobs.commands.run\n"
    (found,) = dry_runs(python, "synthesize", ["--data-root", tmp_path], before=before)
    assert foreign("synthesize", found["loaded"]) == ["jobs.commands", "jobs.report"]
