"""k8s/workflows: the files are those that are made, from the table of jobs; Argo's is valid by Argo's own schema."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from jobs.pipeline import PIPELINE
from k8s.workflows.__main__ import texts
from k8s.workflows.table import image, waits_for
from tests.containers import strict
from tests.containers.files import ROOT, compose, container, job_specs, render
from tests.containers.workflows.argo_schema import REDUCED, ours

Doc = dict[str, Any]

NAMES = [row.name.replace("_", "-") for row in PIPELINE]


def read(name: str, gpus: int = 0) -> list[Doc]:
    """Return the documents of a file that is made."""
    return list(yaml.safe_load_all(texts(image(), gpus)[name]))


def faults(doc: Doc) -> list[str]:
    """Return what Argo's schema says of a workflow."""
    schema = json.loads(REDUCED.read_text(encoding="utf-8"))
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(doc)]


@pytest.mark.parametrize("name", ["argo.yaml", "kubeflow.yaml"])
def test_the_files_are_those_that_are_made(name: str) -> None:
    """What is committed is what `python -m k8s.workflows` writes."""
    assert (ROOT / "k8s" / "workflows" / name).read_text(encoding="utf-8") == texts(image(), 0)[name]


def test_the_command_writes_both_for_a_cluster_of_your_own(tmp_path: Path) -> None:
    """Image and GPUs are those that are asked for."""
    words = [
        sys.executable,
        "-m",
        "k8s.workflows",
        "--image",
        "example.org/own:1",
        "--gpus",
        "2",
        "--out",
        str(tmp_path),
    ]
    subprocess.run(words, cwd=ROOT, check=True)
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert made == texts("example.org/own:1", 2)
    assert all("example.org/own:1" in text and "nvidia.com/gpu" in text for text in made.values())


def test_a_job_waits_for_all_that_it_reads() -> None:
    """Each job waits, by itself or by others, for every job whose artifacts it reads, and the first ones for none."""
    before: dict[str, set[str]] = {}
    for row in PIPELINE:
        direct = waits_for()[row.name]
        before[row.name] = set(direct).union(*(before[name] for name in direct))
        assert before[row.name] >= {needed.name for needed in (*row.reads, *row.first, *row.behind)} - {row.name}
        assert not any(name in before[other] for name in direct for other in direct)
    assert waits_for()["preprocess"] == []
    assert before["report"] == {row.name for row in PIPELINE} - {"report"}


def test_argo_runs_the_pods_of_the_jobs() -> None:
    """A task runs its job's command in the pod of its Kubernetes Job; GPUs go to the jobs that use them."""
    (doc,) = read("argo.yaml", gpus=1)
    templates = {each["name"]: each for each in doc["spec"]["templates"]}
    tasks = {each["name"]: each for each in templates["sequence"]["dag"]["tasks"]}
    assert list(tasks) == NAMES
    for row, (name, spec) in zip(PIPELINE, job_specs(render("cpu")).items(), strict=True):
        task, template = tasks[name], templates[tasks[name]["template"]]
        (job,) = task["arguments"]["parameters"]
        own, wanted = template["container"], container(spec)
        assert [own["command"][0], job["value"]] == wanted["command"] == compose()["services"][row.name]["entrypoint"]
        assert ("nvidia.com/gpu" in own["resources"]["limits"]) == ("tolerations" in template) == row.gpu
        for field in ("securityContext", "volumeMounts", "image"):
            assert own[field] == wanted[field]
        for field in ("securityContext", "volumes", "automountServiceAccountToken"):
            assert doc["spec"][field] == spec["template"]["spec"][field]
        assert task.get("dependencies", []) == [each.replace("_", "-") for each in waits_for()[row.name]]


def test_kubeflow_runs_the_commands_of_the_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """An executor runs its job's command, whose line accepts the parameters' defaults; each mounts the volume."""
    specification, platform = read("kubeflow.yaml", gpus=1)
    tasks = specification["root"]["dag"]["tasks"]
    given = specification["root"]["inputDefinitions"]["parameters"]
    assert list(tasks) == NAMES
    for row, task in zip(PIPELINE, tasks.values(), strict=True):
        component = specification["components"][task["componentRef"]["name"]]
        own = specification["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        words = [*own["command"], *own["args"]]
        for parameter, said in given.items():
            words = [said["defaultValue"] if f"['{parameter}']" in word else word for word in words]
        monkeypatch.setenv("HALFREAL_DATA_ROOT", "/data")
        done = CliRunner().invoke(halfreal, [*words[1:], "--dry-run"])
        assert done.output.startswith(f"{row.name} would write /data/digits/{row.writes}\n"), done.output
        assert ("accelerator" in own["resources"]) == row.gpu
        assert task.get("dependentTasks", []) == [each.replace("_", "-") for each in waits_for()[row.name]]
        pod = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"][component["executorLabel"]]
        assert [(each["mountPath"], each["pvcNameParameter"]) for each in pod["pvcMount"]] == [
            ("/data", {"runtimeValue": {"constant": "data"}})
        ]
        assert pod["securityContext"] == {"runAsUser": 10001, "runAsGroup": 10001, "runAsNonRoot": True}


def test_argo_takes_the_workflow() -> None:
    """The workflow, with GPUs and without, is valid by the schema of Argo Workflows."""
    assert [fault for doc in ours() for fault in faults(doc)] == []


def test_argos_own_container_may_say_how_a_job_ended() -> None:
    """The account that the workflow gives to Argo's container is there, with a token, and may do nothing else."""
    docs = list(yaml.safe_load_all((ROOT / "k8s" / "workflows" / "argo-access.yaml").read_text(encoding="utf-8")))
    account, secret, role, binding = docs
    assert [fault for doc in docs for fault in strict.faults(doc)] == []
    assert account["metadata"]["name"] == read("argo.yaml")[0]["spec"]["executor"]["serviceAccountName"]
    assert secret["metadata"]["name"] == f"{account['metadata']['name']}.service-account-token"
    assert [subject["name"] for subject in binding["subjects"]] == [account["metadata"]["name"]]
    assert role["rules"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]


FAULTS: dict[str, Callable[[Doc, Doc], object]] = {
    "a misspelt field": lambda spec, job: spec.update(entryPoint="sequence"),
    "a misspelt field of a container": lambda spec, job: job["container"].update(comand=["x"]),
    "a misspelt field of a task": lambda spec, job: spec["templates"][0]["dag"]["tasks"][1].update(after=["x"]),
    "no image": lambda spec, job: job["container"].pop("image"),
    "a task without a name": lambda spec, job: spec["templates"][0]["dag"]["tasks"][1].pop("name"),
    "a number for a text": lambda spec, job: job["retryStrategy"].update(expression=2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_in_a_workflow_is_found(name: str) -> None:
    """The schema that we keep finds each of these faults in a valid workflow."""
    doc = copy.deepcopy(ours()[0])
    FAULTS[name](doc["spec"], doc["spec"]["templates"][1])
    assert faults(doc)
