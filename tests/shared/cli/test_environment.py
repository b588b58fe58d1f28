"""Environment variables that nothing reads: warned of with the nearest name, or refused."""

import os
from typing import Any

import pytest

from shared.cli.environment import COMMON_VARIABLES, check_environment
from shared.errors import BadConfig

KNOWN = {"train_gan": {"HALFREAL_TRAIN_GAN_EPOCHS"}, "tune": {"HALFREAL_TUNE_TRIALS"}}


@pytest.mark.fault(14)
def test_a_misspelt_variable_of_the_job_is_warned_of(laboratory: Any) -> None:
    """The job runs, and names on stderr the unknown variable and the nearest known one."""
    outcome = laboratory.call("--dry-run", HALFREAL_TINY_STEP="3")
    assert outcome.exit_code == 0
    assert outcome.stderr == "HALFREAL_TINY_STEP: unknown; did you mean HALFREAL_TINY_STEPS?\n"
    assert "  steps = 1\n" in outcome.stdout


@pytest.mark.fault(14)
def test_a_strict_environment_refuses_it(laboratory: Any) -> None:
    """With HALFREAL_STRICT=1 the job ends with 2 before any work."""
    outcome = laboratory.call(HALFREAL_TINY_STEP="3", HALFREAL_STRICT="1")
    assert (outcome.exit_code, laboratory.runs) == (2, [])
    assert outcome.stderr == "error: HALFREAL_TINY_STEP: unknown; did you mean HALFREAL_TINY_STEPS?\n"


@pytest.mark.parametrize("name", ["HALFREAL_TINY_STEPS", "HALFREAL_TINY_SEED", "HALFREAL_TINY_DEVICE"])
def test_a_jobs_own_variables_are_known(laboratory: Any, name: str) -> None:
    """Its options and, under its own name, those that every job has."""
    value = "cpu" if name.endswith("DEVICE") else "2"
    assert laboratory.call("--dry-run", **{name: value, "HALFREAL_STRICT": "1"}).exit_code == 0


def test_help_is_shown_in_any_environment(laboratory: Any) -> None:
    """A misspelt variable does not hide the help text."""
    assert laboratory.call("--help", HALFREAL_TINY_STEP="3", HALFREAL_STRICT="1").exit_code == 0


@pytest.mark.parametrize("name", sorted(COMMON_VARIABLES))
def test_common_variables_are_known(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that every job reads, and those that only the image, Compose or the tests read."""
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HALFREAL_STRICT", "1")
    check_environment(KNOWN.get, KNOWN)


def test_the_list_has_what_jobs_read() -> None:
    """Variables of common options are derived from these options."""
    assert {"HALFREAL_RECIPE", "HALFREAL_DATA_ROOT", "HALFREAL_THREADS", "HALFREAL_INDEX"} <= COMMON_VARIABLES
    assert "JOB_COMPLETION_INDEX" not in COMMON_VARIABLES


UNKNOWN = {
    "HALFREAL_TRAIN_GAN_EPOCH": "; did you mean HALFREAL_TRAIN_GAN_EPOCHS?",
    "HALFREAL_TRAIN_GUN_EPOCHS": "; did you mean HALFREAL_TRAIN_GAN_EPOCHS?",
    "HALFREAL_SED": "; did you mean HALFREAL_SEED?",
    "HALFREAL_ZEBRA": "",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_variable_is_dropped_once_it_was_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Processes started afterwards do not warn again."""
    monkeypatch.setenv(name, "3")
    check_environment(KNOWN.get, KNOWN)
    assert capsys.readouterr().err == f"{name}: unknown{UNKNOWN[name]}\n"
    assert name not in os.environ
    check_environment(KNOWN.get, KNOWN)
    assert capsys.readouterr().err == ""


def test_only_the_main_process_warns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are silent; in a strict environment all of them end."""
    monkeypatch.setenv("HALFREAL_SED", "3")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("HALFREAL_STRICT", "1")
    with pytest.raises(BadConfig, match="HALFREAL_SED"):
        check_environment(KNOWN.get, KNOWN)
    monkeypatch.setenv("HALFREAL_STRICT", "0")
    check_environment(KNOWN.get, KNOWN)
    assert capsys.readouterr().err == ""


def test_variables_of_other_jobs_are_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job does not import other jobs to learn their options."""
    monkeypatch.setenv("HALFREAL_TUNE_TRAIL", "3")
    monkeypatch.setenv("HALFREAL_STRICT", "1")
    check_environment(lambda job: KNOWN[job] if job == "train_gan" else None, KNOWN)
    with pytest.raises(BadConfig, match="did you mean HALFREAL_TUNE_TRIALS"):
        check_environment(KNOWN.get, KNOWN)


@pytest.mark.parametrize(
    "name",
    [
        "HALFREAL_PAGE_SERVICE_HOST",
        "HALFREAL_PAGE_SERVICE_PORT",
        "HALFREAL_PAGE_SERVICE_PORT_HTTP",
        "HALFREAL_PAGE_PORT",
        "HALFREAL_PAGE_PORT_7860_TCP",
        "HALFREAL_PAGE_PORT_7860_TCP_ADDR",
    ],
)
def test_variables_that_kubernetes_sets_for_services_are_let_through(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Service called halfreal-page must not stop every job of its namespace."""
    monkeypatch.setenv(name, "tcp://10.0.0.1:7860")
    monkeypatch.setenv("HALFREAL_STRICT", "1")
    check_environment(KNOWN.get, KNOWN)
