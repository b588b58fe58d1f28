"""compose.yaml and compose.gpu.yaml against the table of jobs, the command line and .env.example."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jobs.__main__ import COMMANDS
from jobs.__main__ import main as halfreal
from jobs.commands.ordering import ordered
from jobs.pipeline import JOBS, PIPELINE
from shared.errors import MissingArtifact
from shared.store.job import Job
from tests.containers.files import ROOT, VARIABLE, compose, compose_with, words_of

SERVICES: dict[str, Any] = compose()["services"]
ON_DEMAND = SERVICES.keys() - {row.name for row in PIPELINE}
ONLINE = {"weights", "playground", "tensorboard"}
"""The services that reach a network, or are reached over one."""

every_job = pytest.mark.parametrize("row", JOBS, ids=lambda row: row.name)
every_service = pytest.mark.parametrize("name", SERVICES)


@every_job
def test_a_job_is_a_service_of_its_own_name(row: Job) -> None:
    """Each row of the table is a service that runs `halfreal <job>`; what is optional is not in the sequence."""
    assert SERVICES[row.name]["entrypoint"] == ["halfreal", row.name]
    assert ("sequence" in SERVICES[row.name]["profiles"]) != row.optional


@every_job
def test_a_job_waits_for_the_one_before_it(row: Job) -> None:
    """`up report` runs the table in its order, one job at a time, each only after the one before it succeeded."""
    before = (row.reads + row.first)[-1:] if row.optional else PIPELINE[: PIPELINE.index(row)][-1:]
    wanted = {each.name: {"condition": "service_completed_successfully"} for each in before}
    assert SERVICES[row.name].get("depends_on", {}) == wanted


@every_job
def test_the_command_line_accepts_what_a_service_says(row: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command and the environment of a service are options of the job; the default recipe is the default."""
    service = SERVICES[row.name]
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, value or "")
    monkeypatch.setenv("HALFREAL_DATA_ROOT", "/data")
    done = CliRunner().invoke(halfreal, [*words_of(service), "--dry-run"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"{row.name} would write /data/digits/{row.writes}\n")


def test_recipe_and_experiment_come_from_the_environment() -> None:
    """RECIPE and EXPERIMENT reach every job."""
    services = compose(RECIPE="emoji", EXPERIMENT="mine")["services"]
    for row in PIPELINE:
        told = services[row.name]["environment"]
        assert (told["HALFREAL_RECIPE"], told["HALFREAL_EXPERIMENT"]) == ("emoji", "mine")


def test_each_experiment_is_a_project_of_its_own_on_one_volume() -> None:
    """Two experiments have no container's name in common, and the same volume; so have imported images."""
    names = [compose(**each)["name"] for each in ({}, {"RECIPE": "emoji"}, {"RECIPE": "emoji", "EXPERIMENT": "mine"})]
    assert names == ["halfreal-digits", "halfreal-emoji", "halfreal-mine"]
    imported = [compose_with("compose.imported.yaml", **each)["name"] for each in ({}, {"EXPERIMENT": "mine"})]
    assert imported == ["halfreal-judge", "halfreal-mine"]
    assert {compose(EXPERIMENT=each)["volumes"]["data"]["name"] for each in ("a", "b")} == {"halfreal_data"}
    assert not [name for name, service in SERVICES.items() if "container_name" in service]


def test_the_verdict_is_checked_on_the_experiment_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker compose run --rm --no-deps halfreal selfcheck verdict` takes EXPERIMENT's images from the volume."""
    service = compose(RECIPE="emoji", EXPERIMENT="mine")["services"]["halfreal"]
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HALFREAL_DATA_ROOT", "/data")
    asked: list[Any] = []
    monkeypatch.setattr("jobs.selfcheck.request.run_check", asked.append)
    done = CliRunner().invoke(halfreal, [*words_of(service), "selfcheck", "verdict"])
    assert done.exit_code == 0, done.output
    (request,) = asked
    assert (request.recipe, request.experiment, str(request.data_root)) == ("emoji", "mine", "/data")
    # nothing of the volume is needed besides, and nothing outside it is written
    assert service["read_only"] is True
    assert [mount.rpartition(":")[2] for mount in service["volumes"]] == ["/data"]


def with_what_it_waits_for(name: str, services: dict[str, Any]) -> set[str]:
    """Return a service and all that are started before it."""
    before = services[name].get("depends_on", {})
    return {name}.union(*(with_what_it_waits_for(each, services) for each in before))


@pytest.mark.fault(25)
@pytest.mark.parametrize("profile", sorted({profile for each in SERVICES.values() for profile in each["profiles"]}))
def test_a_profile_starts_what_it_says(profile: str) -> None:
    """`--profile NAME up` starts the services of that name and what they wait for: no second GAN next to them."""
    started = {name for name, service in SERVICES.items() if profile in service["profiles"]}
    named = {"report"} if profile == "sequence" else {name for name in ON_DEMAND if name.startswith(profile)}
    assert named
    assert started == set().union(*(with_what_it_waits_for(name, SERVICES) for name in named))


def test_services_outside_the_sequence_need_their_profile() -> None:
    """A service that is no job of the table starts only where its own name, or a rank's, is asked for."""
    for name in ON_DEMAND:
        (profile,) = SERVICES[name]["profiles"]
        assert name.startswith(profile)
    assert {"halfreal", "playground", "tensorboard", "tune", "test", "train-distributed"} <= ON_DEMAND


@every_service
def test_a_service_can_do_little(name: str) -> None:
    """Every service: no root, no capability, a read-only root, bounded memory and processes, time for a checkpoint."""
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["tmpfs"][0].startswith("/tmp:")
    assert limits["memory"] == "8g"
    assert limits["pids"] <= 4096
    assert service["shm_size"] == "1g"
    assert service["stop_grace_period"] == "2m"
    assert not {"privileged", "devices", "cap_add", "pid", "ipc"} & service.keys()


@every_service
def test_a_service_without_need_has_no_network(name: str) -> None:
    """Only services that download or serve pages have a network; the second rank shares that of the first: none."""
    if name in ONLINE:
        assert SERVICES[name]["network_mode"] == "bridge"
    else:
        assert SERVICES[name]["network_mode"] in ("none", "service:train-distributed")


@pytest.mark.parametrize("name", ["playground", "tensorboard"])
def test_a_page_is_served_to_this_machine_alone(name: str) -> None:
    """A page's port is published on loopback, and is the one that its command listens on."""
    (published,) = SERVICES[name]["ports"]
    port = SERVICES[name]["command"][SERVICES[name]["command"].index("--port") + 1]
    assert published == f"127.0.0.1:{port}:{port}"


@pytest.mark.parametrize("name", ["playground", "tensorboard"])
def test_the_command_line_accepts_how_a_page_is_served(name: str, tmp_path: Path) -> None:
    """The arguments of a page's service are options of its command, which gets as far as opening the experiment."""
    done = CliRunner().invoke(halfreal, [*words_of(SERVICES[name]), "--data-root", str(tmp_path)])
    assert done.exit_code == MissingArtifact.exit_code
    assert "run first: halfreal run" in done.output


def test_two_ranks_are_one_launch() -> None:
    """Both ranks run train_gan under the same variables but for their rank."""
    first, second = (SERVICES[name] for name in ("train-distributed", "train-distributed-rank1"))
    assert words_of(first) == words_of(second) == ["launch", "train_gan"]
    ranks = [service["environment"].pop("PET_NODE_RANK") for service in (first, second)]
    assert ranks == ["0", "1"]
    assert first["environment"] == second["environment"]
    assert first["environment"]["PET_NNODES"] == "2"


IMPORTED: dict[str, Any] = compose_with("compose.imported.yaml")["services"]


def test_imported_images_are_judged_in_their_order() -> None:
    """With compose.imported.yaml `up report` runs what the recipe needs, each job after the one before it, no GAN."""
    needed = ordered(PIPELINE, ["--recipe", "judge", "--data-root", "/data"])
    assert [row.name for row in needed[2:4]] == ["synthesize", "evaluate"]
    for before, row in pairwise(needed):
        assert IMPORTED[row.name]["depends_on"] == {before.name: {"condition": "service_completed_successfully"}}
        assert "sequence" in IMPORTED[row.name]["profiles"]
    assert IMPORTED["train_gan"]["profiles"] == ["train_gan"]
    assert {row.name for row in PIPELINE} - {row.name for row in needed} == {"train_gan"}


def test_imported_images_have_a_recipe_of_their_own() -> None:
    """The second file changes the order and the recipe, which RECIPE sets as ever, and nothing else."""
    named = compose_with("compose.imported.yaml", RECIPE="mine")["services"]
    for name in [*(row.name for row in PIPELINE), "halfreal"]:
        assert IMPORTED[name]["environment"]["HALFREAL_RECIPE"] == "judge"
        assert named[name]["environment"]["HALFREAL_RECIPE"] == "mine"
        kept = {
            key: value for key, value in SERVICES[name].items() if key not in ("depends_on", "environment", "profiles")
        }
        assert IMPORTED[name].items() >= kept.items()
        assert IMPORTED[name]["environment"] == SERVICES[name]["environment"] | {"HALFREAL_RECIPE": "judge"}


def test_every_service_is_a_command() -> None:
    """Every service starts a command of halfreal, except `test`, which starts the tests of its own image."""
    for name, service in SERVICES.items():
        if name not in ("test", "halfreal"):
            assert service["entrypoint"][0] == "halfreal"
            assert service["entrypoint"][1] in COMMANDS


def test_gpus_go_to_the_jobs_that_use_them() -> None:
    """compose.gpu.yaml gives a GPU to the jobs whose row says so, and has them fail where there is none."""
    given = compose("compose.gpu.yaml")["services"]
    assert given.keys() & {row.name for row in JOBS} == {row.name for row in JOBS if row.gpu}
    assert given.keys() - {row.name for row in JOBS} == {"train-distributed", "train-distributed-rank1"}
    for service in given.values():
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
        assert service["environment"] == {"HALFREAL_DEVICE": "cuda"}


def example_settings() -> dict[str, str]:
    """Return the settings of .env.example, every one of them uncommented: the value is the rest of the line."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^# ([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_the_example_settings_are_those_of_compose() -> None:
    """.env.example names every variable that compose.yaml reads, with the same default, and no other."""
    own = {
        name: value
        for name, value in example_settings().items()
        if not name.startswith(("HALFREAL_TRAIN", "HALFREAL_SEED", "HALFREAL_REPLICATES", "HALFREAL_PROCESSES"))
        and name not in ("HALFREAL_MEMORY", "HALFREAL_CACHE_DIR", "HALFREAL_CACHE_GB")
    }
    used = dict(VARIABLE.findall((ROOT / "compose.yaml").read_text(encoding="utf-8")))
    assert own.pop("COMPOSE_FILE") == "compose.yaml:compose.gpu.yaml"
    assert own == used


@pytest.mark.fault(20)
def test_the_example_settings_work_uncommented(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All of .env.example uncommented are settings that Compose and every job accept: they change nothing."""
    settings = example_settings()
    assert len(settings) >= 10
    assert all((ROOT / name).is_file() for name in settings.pop("COMPOSE_FILE").split(":"))
    assert compose(**settings) == compose()
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for row in JOBS:
        plain = CliRunner().invoke(halfreal, [row.name, "--data-root", str(tmp_path), "--dry-run"])
        assert plain.exit_code == 0, plain.output
        assert "warning" not in plain.output.lower()
