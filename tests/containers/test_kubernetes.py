"""The rendered manifests against the table of jobs, the command line, Compose and Kubernetes' own rules."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from jobs.commands.ordering import ordered
from jobs.pipeline import PIPELINE, TRAIN_MIXED
from shared.cli.recipes import RECIPES_FOLDER, load_recipe
from shared.errors import BadInput, Busy, Interrupted
from shared.store.job import Job
from tests.containers.files import (
    OVERLAYS,
    ROOT,
    compose,
    compose_with,
    container,
    job_specs,
    of_kind,
    render,
    words_of,
)
from tests.containers.strict import faults

Doc = dict[str, Any]

NAMES = [row.name.replace("_", "-") for row in PIPELINE]
WITH_JOBS = [overlay for overlay in OVERLAYS if overlay != "pages"]
SEQUENCES = [overlay for overlay in WITH_JOBS if overlay not in ("tune", "imported", "study", "selfcheck")]
"""The overlays that hold the whole sequence."""

TOGETHER = {"jobset": ("train_gan",), "trainjob": ("train_gan", "evaluate")}
"""The jobs of an overlay whose pods train together."""

RECIPES = sorted(RECIPES_FOLDER.glob("*.toml"))

every_overlay = pytest.mark.parametrize("overlay", OVERLAYS)
every_run = pytest.mark.parametrize("overlay", WITH_JOBS)
every_sequence = pytest.mark.parametrize("overlay", SEQUENCES)


def test_there_are_overlays() -> None:
    """The tests below mean nothing unless they read the overlays that the README names."""
    said = re.findall(r"^\| `([\w-]+)` \|", (ROOT / "k8s" / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(said) == OVERLAYS
    assert set(OVERLAYS) >= {"cpu", "gpu", "gpu-indexed", "jobset", "indexed", "kueue"}


@every_overlay
def test_manifests_are_valid(overlay: str) -> None:
    """Every document passes the schemas of old and new Kubernetes, JobSet's fields and Pod Security `restricted`."""
    docs = render(overlay)
    assert docs
    assert [fault for doc in docs for fault in faults(doc)] == []


@every_run
def test_jobs_live_where_pod_security_is_enforced(overlay: str) -> None:
    """The namespace enforces `restricted`, and everything is in it."""
    docs = render(overlay)
    namespace = of_kind(docs, "Namespace")["metadata"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {doc["metadata"]["namespace"] for doc in docs if doc["kind"] != "Namespace"} == {namespace["name"]}


@every_sequence
def test_every_job_is_there_in_order(overlay: str) -> None:
    """An overlay has a Job for each row of the table, in the table's order, which is the order of k8s/run.sh."""
    assert list(job_specs(render(overlay))) == NAMES


@every_sequence
def test_pods_run_what_compose_runs(overlay: str) -> None:
    """A pod's command is the Compose service's; parts and ranks are said on top of it."""
    services = compose()["services"]
    for row, spec in zip(PIPELINE, job_specs(render(overlay)).values(), strict=True):
        pod = container(spec)
        launched = pod["command"] == ["halfreal", "launch", row.name]
        assert launched or pod["command"] == services[row.name]["entrypoint"]
        assert launched == (row.name in TOGETHER.get(overlay, ()))


@every_sequence
def test_the_command_line_accepts_what_a_pod_says(overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words, settings and environment of a pod are options that the job has."""
    docs = render(overlay)
    monkeypatch.delenv("HALFREAL_REPLICATES")  # as many as the recipe says
    for row, spec in zip(PIPELINE, job_specs(docs).values(), strict=True):
        for name, value in environment(docs, spec).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HALFREAL_DATA_ROOT", "/data")
        monkeypatch.setenv("JOB_COMPLETION_INDEX", "0")
        words = [word for word in words_of(container(spec)) if word != "launch"]
        done = CliRunner().invoke(halfreal, [*words, "--dry-run"])
        assert done.exit_code == 0, done.output
        assert done.output.startswith(f"{row.name} would write /data/digits/{row.writes}\n")


def environment(docs: list[Doc], spec: Doc) -> dict[str, str]:
    """Return the variables of a Job's pod: those of its config maps, then its own."""
    pod = container(spec)
    maps = {doc["metadata"]["name"]: doc["data"] for doc in docs if doc["kind"] == "ConfigMap"}
    variables: dict[str, str] = {}
    for source in pod["envFrom"]:
        variables |= maps[source["configMapRef"]["name"]]
    return variables | {entry["name"]: entry["value"] for entry in pod.get("env", []) if "value" in entry}


@every_sequence
def test_gpus_go_to_the_jobs_that_use_them(overlay: str) -> None:
    """With GPUs, those jobs whose row says so get one each and must find it; the others need none and look for none."""
    docs = render(overlay)
    for row, spec in zip(PIPELINE, job_specs(docs).values(), strict=True):
        with_gpu = overlay not in ("cpu", "indexed") and row.gpu
        pod = spec["template"]["spec"]
        for kind in ("limits", "requests"):
            assert container(spec)["resources"][kind].get("nvidia.com/gpu") == ("1" if with_gpu else None)
        assert ("tolerations" in pod) == with_gpu
        device = {"cpu": "cpu", "indexed": "auto"}.get(overlay, "cuda" if row.gpu else "cpu")
        assert environment(docs, spec)["HALFREAL_DEVICE"] == device


@every_run
def test_exit_codes_mean_what_the_command_line_says(overlay: str) -> None:
    """2 fails a Job at once; 75 and a disruption are no failure; the ranks of one training are never retried alone."""
    assert (BadInput.exit_code, Interrupted.exit_code, Busy.exit_code) == (2, 75, 75)
    for spec in job_specs(render(overlay)).values():
        rules = spec["podFailurePolicy"]["rules"]
        together = "launch" in container(spec)["command"]
        again = "FailJob" if together else "Ignore"
        assert [rule["action"] for rule in rules] == ["FailJob", again, again]
        assert [rule["onExitCodes"]["values"] for rule in rules[:2]] == [[2], [75]]
        assert rules[2]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
        limit = spec.get("backoffLimit", spec.get("backoffLimitPerIndex"))
        assert limit == 0 if together else limit > 0


@every_run
def test_a_pod_has_time_for_a_checkpoint(overlay: str) -> None:
    """A pod that is asked to stop gets as long as a Compose service."""
    for spec in job_specs(render(overlay)).values():
        assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 120
    assert {each["stop_grace_period"] for each in compose()["services"].values()} == {"2m"}


@every_run
def test_pods_meet_on_the_volume_alone(overlay: str) -> None:
    """No pod has a token or a network of its own; ranks reach each other; all mount the one claim at /data."""
    docs = render(overlay)
    policies = {doc["metadata"]["name"]: doc["spec"] for doc in docs if doc["kind"] == "NetworkPolicy"}
    denied = policies.pop("deny-all")
    assert (denied["policyTypes"], denied.get("ingress"), denied.get("egress")) == (["Ingress", "Egress"], None, None)
    assert list(policies) == (["ranks"] if overlay in TOGETHER else [])
    claim = of_kind(docs, "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce" if overlay in ("cpu", "imported") else "ReadWriteMany"]
    for spec in job_specs(docs).values():
        pod, labels = spec["template"]["spec"], spec["template"]["metadata"]["labels"]
        assert pod["automountServiceAccountToken"] is False
        assert labels.items() >= denied["podSelector"]["matchLabels"].items()
        (volume,) = [each for each in pod["volumes"] if "persistentVolumeClaim" in each]
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert {"name": volume["name"], "mountPath": "/data"} in container(spec)["volumeMounts"]


@pytest.mark.parametrize("overlay", ["indexed", "gpu-indexed"])
def test_parts_are_as_many_as_pods(overlay: str) -> None:
    """Every job that has parts or replicates is done in as many parts as it has pods, the report whole."""
    for row, spec in zip(PIPELINE, job_specs(render(overlay)).values(), strict=True):
        if row.name == "report":
            assert "completions" not in spec
            assert "args" not in container(spec)
        else:
            assert spec["completionMode"] == "Indexed"
            assert spec["completions"] == spec["parallelism"] > 1
            assert container(spec)["args"] == ["--parts", str(spec["completions"])]


@pytest.mark.parametrize("row", [row for row in PIPELINE if row.parts or row is TRAIN_MIXED], ids=lambda row: row.name)
def test_more_pods_than_replicates_are_as_the_readme_says(row: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs that the README names take more pods than replicates; the other GANs do not."""
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "6")
    words = ["--recipe", "digits", "--data-root", "/data", "--replicates", "2", "--parts", "7", "--dry-run"]
    families = ["per_class", "wgan_gp"] if row.name == "train_gan" else [None]
    for family in families:
        own = (
            words
            if row.replicated or row is TRAIN_MIXED
            else [word for word in words if word not in ("--replicates", "2")]
        )
        done = CliRunner().invoke(halfreal, [row.name, *own, *(["--family", family] if family else [])])
        assert (done.exit_code == 0) == (family != "wgan_gp"), done.output
    said = (ROOT / "k8s" / "README.md").read_text(encoding="utf-8")
    assert row.name == "train_gan" or f"`{row.name}`" in said.split("except that the pods of")[1].split(":")[0]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_has_a_replicate_for_each_pod(path: Path) -> None:
    """The overlays with parts run any recipe as they are: a job that trains refuses more parts than replicates.

    Imported sets have a replicate each, however many there are.
    """
    if ordered(PIPELINE, ["--recipe", path.stem]) != PIPELINE:
        return
    replicates = load_recipe(path.stem).common["replicates"]
    assert replicates >= max(spec.get("completions", 1) for spec in job_specs(render("indexed")).values())


@every_sequence
def test_pods_make_the_replicates_that_the_recipe_wants(overlay: str) -> None:
    """No manifest says how many replicates there are, or how many run at once: a setting adds some without a patch."""
    docs = render(overlay)
    for spec in job_specs(docs).values():
        told = {*environment(docs, spec), *container(spec).get("args", [])}
        assert told.isdisjoint({"HALFREAL_REPLICATES", "HALFREAL_PROCESSES", "--replicates", "--processes"})


def test_tune_brings_the_jobs_that_it_needs() -> None:
    """The overlay `tune` makes what the search reads, then searches with several pods, each with a GPU of its own."""
    specs = job_specs(render("tune"))
    assert list(specs) == ["preprocess", "train-classifier", "tune"]
    for name, spec in specs.items():
        assert container(spec)["command"] == compose()["services"][name.replace("-", "_")]["entrypoint"]
        assert environment(render("tune"), spec)["HALFREAL_REPLICATES"] == "1"  # tune reads the first classifier alone
    spec = specs["tune"]
    assert (spec["completionMode"], spec["completions"]) == ("Indexed", spec["parallelism"])
    assert spec["completions"] > 1
    assert container(spec)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert container(spec)["args"] == ["--parts", str(spec["completions"])]


def test_a_pod_checks_the_verdict_on_the_experiment_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The overlay `selfcheck` has one Job; the command line takes what it says, for an experiment and without one."""
    docs = render("selfcheck")
    ((name, spec),) = job_specs(docs).items()
    assert name == "selfcheck"
    for variable, value in environment(docs, spec).items():
        monkeypatch.setenv(variable, value)
    asked: list[Any] = []
    monkeypatch.setattr("jobs.selfcheck.request.run_check", asked.append)
    for experiment in ("", "mine"):
        monkeypatch.setenv("HALFREAL_EXPERIMENT", experiment)
        monkeypatch.setenv("HALFREAL_DATA_ROOT", "/data")
        done = CliRunner().invoke(halfreal, words_of(container(spec)))
        assert done.exit_code == 0, done.output
    assert [request.experiment for request in asked] == [None, "mine"]
    assert {str(request.data_root) for request in asked} == {"/data"}


def test_the_points_of_a_study_are_shared_by_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    """The overlay `study` has one Job, whose pods make a point each; the command line takes what they say."""
    docs = render("study")
    (spec,) = job_specs(docs).values()
    pod = container(spec)
    words = [*pod["command"][1:], *pod["args"]]
    assert (spec["completionMode"], spec["completions"]) == ("Indexed", spec["parallelism"])
    assert words[words.index("--parts") + 1] == str(spec["completions"])
    assert len(words[words.index("--images") + 1].split(",")) == spec["completions"]
    for name, value in environment(docs, spec).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HALFREAL_REPLICATES")
    monkeypatch.setenv("HALFREAL_DATA_ROOT", "/data")
    for index in range(spec["completions"]):
        monkeypatch.setenv("JOB_COMPLETION_INDEX", str(index))
        done = CliRunner().invoke(halfreal, [*words, "--dry-run"])
        assert done.exit_code == 0, done.output
        assert "preprocess would write /data/digits/study/images-100/real\n" in done.output


def test_imported_images_are_judged_without_a_gan(monkeypatch: pytest.MonkeyPatch) -> None:
    """The overlay `imported` has the jobs that its recipe needs, each as Compose runs it, without GPUs."""
    docs = render("imported")
    specs, services = job_specs(docs), compose_with("compose.imported.yaml")["services"]
    needed = ordered(PIPELINE, ["--recipe", "judge", "--data-root", "/data"])
    assert set(specs) == {row.name.replace("_", "-") for row in needed} == {*NAMES} - {"train-gan"}
    monkeypatch.delenv("HALFREAL_REPLICATES")
    for row in needed:
        spec = specs[row.name.replace("_", "-")]
        told = environment(docs, spec)
        assert container(spec)["command"] == services[row.name]["entrypoint"]
        assert (told["HALFREAL_RECIPE"], told["HALFREAL_DEVICE"]) == ("judge", "cpu")
        assert "nvidia.com/gpu" not in container(spec)["resources"]["limits"]
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        done = CliRunner().invoke(halfreal, [*words_of(container(spec)), "--data-root", "/data", "--dry-run"])
        assert done.exit_code == 0, done.output
        assert done.output.startswith(f"{row.name} would write /data/judge/{row.writes}\n")


def test_kueue_queues_every_job() -> None:
    """Every Job names the queue, and none is suspended by hand, which would hang a cluster without Kueue."""
    docs = [doc for doc in render("kueue") if doc["kind"] == "Job"]
    assert len(docs) == len(PIPELINE)
    for doc in docs:
        assert doc["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "halfreal"
        assert "suspend" not in doc["spec"]


def test_the_jobset_is_the_sequence() -> None:
    """In the JobSet each job waits until the one before it is complete; its template is the Job of overlay `gpu`."""
    jobs = job_specs(render("gpu"))
    before = None
    for each in of_kind(render("jobset"), "JobSet")["spec"]["replicatedJobs"]:
        wanted = [{"name": before, "status": "Complete"}] if before else None
        assert (each["replicas"], each.get("dependsOn")) == (1, wanted)
        before = each["name"]
        if before != "train-gan":
            alone = {name: value for name, value in jobs[before].items() if name != "ttlSecondsAfterFinished"}
            assert each["template"]["spec"] == alone


def test_ranks_find_the_first_one() -> None:
    """Each pod of train-gan is a rank of its own, and the address that they meet at is the first pod's in a JobSet."""
    jobset = of_kind(render("jobset"), "JobSet")
    spec = job_specs([jobset])["train-gan"]
    told = {each["name"]: each.get("value") for each in container(spec)["env"]}
    (jobset_name,) = [each["valueFrom"] for each in container(spec)["env"] if each["name"] == "JOBSET"]
    assert jobset_name["fieldRef"]["fieldPath"] == "metadata.labels['jobset.sigs.k8s.io/jobset-name']"
    assert spec["completionMode"] == "Indexed"
    assert str(spec["completions"]) == str(spec["parallelism"]) == told["PET_NNODES"]
    assert told["PET_MASTER_ADDR"] == "$(JOBSET)-train-gan-0-0.$(JOBSET)"
    assert list(told).index("JOBSET") < list(told).index("PET_MASTER_ADDR")  # Kubernetes fills in what is before
    assert jobset["spec"]["network"] == {"enableDNSHostnames": True}  # so the subdomain is the JobSet's name
    (rank,) = [each["valueFrom"] for each in container(spec)["env"] if each["name"] == "PET_NODE_RANK"]
    assert "job-completion-index" in rank["fieldRef"]["fieldPath"]
    policy = next(doc for doc in render("jobset") if doc["metadata"]["name"] == "ranks")
    assert spec["template"]["metadata"]["labels"].items() >= policy["spec"]["podSelector"]["matchLabels"].items()


def test_the_jobset_restarts_ranks_together() -> None:
    """Bad input fails the JobSet, an interruption restarts it uncounted, ranks that crash restart it counted."""
    jobset = of_kind(render("jobset"), "JobSet")["spec"]
    bad, interrupted, exhausted = jobset["failurePolicy"]["rules"]
    rules = job_specs(render("jobset"))["train-gan"]["podFailurePolicy"]["rules"]
    (index,) = [number for number, rule in enumerate(rules) if rule.get("onExitCodes", {}).get("values") == [2]]
    assert bad["action"] == "FailJobSet"
    assert bad["onJobFailureMessagePatterns"] == [f"matching FailJob rule at index {index}$"]
    assert interrupted["action"] == "RestartJobSetAndIgnoreMaxRestarts"
    assert bad["onJobFailureReasons"] == interrupted["onJobFailureReasons"] == ["PodFailurePolicy"]
    assert exhausted["action"] == "FailJobSet"
    assert set(exhausted["targetReplicatedJobs"]) == set(NAMES) - {"train-gan"}
    assert jobset["failurePolicy"]["maxRestarts"] > 0


def test_train_jobs_run_the_pods_of_the_job() -> None:
    """What a TrainJob starts is the Job of the overlay `gpu` but for its container's name, its policy, its command."""
    alone, docs = job_specs(render("gpu")), render("trainjob")
    runtime = of_kind(docs, "TrainingRuntime")
    for name, row in (("train-gan", "train_gan"), ("evaluate", "evaluate")):
        spec = job_specs(docs)[name]
        pod, wanted = container(spec), container(alone[name])
        assert pod == wanted | {"name": "node", "command": ["halfreal", "launch", row]}
        assert spec["template"]["spec"] | {"containers": []} == alone[name]["template"]["spec"] | {"containers": []}
        assert "ttlSecondsAfterFinished" not in spec
        (doc,) = [doc for doc in docs if doc["kind"] == "TrainJob" and doc["metadata"]["name"] == name]
        assert doc["spec"]["runtimeRef"]["name"] == runtime["metadata"]["name"]
        assert doc["metadata"]["namespace"] == runtime["metadata"]["namespace"]
        assert doc["metadata"]["labels"]["halfreal/job"] == row
        assert str(doc["spec"]["trainer"]["numProcPerNode"]) == pod["resources"]["limits"]["nvidia.com/gpu"]
    policy = next(doc for doc in docs if doc["metadata"]["name"] == "ranks" and doc["kind"] == "NetworkPolicy")
    assert spec["template"]["metadata"]["labels"].items() >= policy["spec"]["podSelector"]["matchLabels"].items()


def test_train_jobs_restart_as_the_jobset_does() -> None:
    """Bad input fails a TrainJob, an interruption restarts its ranks together, uncounted."""
    bad, interrupted, _ = of_kind(render("jobset"), "JobSet")["spec"]["failurePolicy"]["rules"]
    policy = of_kind(render("trainjob"), "TrainingRuntime")["spec"]["template"]["spec"]["failurePolicy"]
    assert policy["rules"] == [bad, interrupted]
    assert policy["maxRestarts"] > 0


@pytest.mark.parametrize("name", ["metrics-exporter.yaml", "volume-pod.yaml"])
def test_what_runs_beside_the_jobs_is_allowed(name: str) -> None:
    """Both are valid, bounded and restricted as the pods of jobs are."""
    assert faults(yaml.safe_load((ROOT / "k8s" / name).read_text(encoding="utf-8"))) == []


def test_the_pod_that_holds_the_volume_is_allowed() -> None:
    """The helper pod of the README mounts the claim of the jobs and runs the image of Compose."""
    doc = yaml.safe_load((ROOT / "k8s" / "volume-pod.yaml").read_text(encoding="utf-8"))
    assert doc["metadata"]["namespace"] == of_kind(render("cpu"), "Namespace")["metadata"]["name"]
    assert doc["spec"]["containers"][0]["image"] == compose()["services"]["report"]["image"]
    assert doc["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "data"


def planted(doc: Doc, change: Callable[[Doc, Doc, Doc], object]) -> list[str]:
    """Return the faults of a document after `change(document, pod, container)`."""
    doc = copy.deepcopy(doc)
    spec = doc["spec"]["replicatedJobs"][2]["template"]["spec"] if doc["kind"] == "JobSet" else doc["spec"]
    change(doc, spec["template"]["spec"], container(spec))
    return faults(doc)


FAULTS: dict[str, Callable[[Doc, Doc, Doc], object]] = {
    "a misspelt field": lambda doc, pod, own: pod.update(restartpolicy="Never"),
    "a forgotten status": lambda doc, pod, own: doc["spec"]["podFailurePolicy"]["rules"][2]["onPodConditions"][0].pop(
        "status"
    ),
    "root": lambda doc, pod, own: pod["securityContext"].update(runAsUser=0),
    "no seccomp": lambda doc, pod, own: pod["securityContext"].pop("seccompProfile"),
    "a capability": lambda doc, pod, own: own["securityContext"]["capabilities"].update(add=["SYS_ADMIN"]),
    "escalation": lambda doc, pod, own: own["securityContext"].update(allowPrivilegeEscalation=True),
    "the host's network": lambda doc, pod, own: pod.update(hostNetwork=True),
    "the host's disk": lambda doc, pod, own: pod["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
    "a mount of nothing": lambda doc, pod, own: own["volumeMounts"].append({"name": "x", "mountPath": "/x"}),
    "no memory limit": lambda doc, pod, own: own["resources"]["limits"].pop("memory"),
    "no limit of the disk": lambda doc, pod, own: own["resources"]["limits"].pop("ephemeral-storage"),
    "restarts in place": lambda doc, pod, own: pod.update(restartPolicy="OnFailure"),
    "another container": lambda doc, pod, own: own.update(name="main"),
}

JOBSET_FAULTS: dict[str, Callable[[Doc, Doc, Doc], object]] = {
    "a misspelt field": lambda doc, pod, own: doc["spec"]["failurePolicy"].update(maxRestart=1),
    "a wrong action": lambda doc, pod, own: doc["spec"]["failurePolicy"]["rules"][0].update(action="Fail"),
    "a later job": lambda doc, pod, own: doc["spec"]["replicatedJobs"][1]["dependsOn"][0].update(name="report"),
    "a wrong status": lambda doc, pod, own: doc["spec"]["replicatedJobs"][1]["dependsOn"][0].update(status="Done"),
    "an old version": lambda doc, pod, own: doc.update(apiVersion="jobset.x-k8s.io/v1alpha1"),
    "root in a template": lambda doc, pod, own: pod["securityContext"].update(runAsUser=0),
    "a misspelt field in a template": lambda doc, pod, own: own.update(comand=["x"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_in_a_job_is_found(name: str) -> None:
    """The strict checks find each of these faults in an otherwise valid Job."""
    doc = next(doc for doc in render("gpu") if doc["metadata"]["name"] == "train-gan")
    assert planted(doc, lambda *parts: None) == []
    assert planted(doc, FAULTS[name])


@pytest.mark.parametrize("name", JOBSET_FAULTS)
def test_a_planted_fault_in_a_jobset_is_found(name: str) -> None:
    """The strict checks find each of these faults in an otherwise valid JobSet."""
    doc = of_kind(render("jobset"), "JobSet")
    assert planted(doc, lambda *parts: None) == []
    assert planted(doc, JOBSET_FAULTS[name])


RUNTIME_FAULTS: dict[str, Callable[[Doc, Doc], object]] = {
    "a misspelt field": lambda doc, job: doc["spec"]["mlPolicy"].update(numNode=2),
    "another framework": lambda doc, job: doc["spec"]["mlPolicy"].pop("torch"),
    "an old field": lambda doc, job: doc["spec"]["mlPolicy"]["torch"].update(numProcPerNode="auto"),
    "another replicated job": lambda doc, job: doc["spec"]["template"]["spec"]["replicatedJobs"][0].update(
        name="ranks"
    ),
    "no label": lambda doc, job: doc["spec"]["template"]["spec"]["replicatedJobs"][0]["template"]["metadata"].update(
        labels={}
    ),
    "another container": lambda doc, job: container(job).update(name="job"),
    "root": lambda doc, job: job["template"]["spec"]["securityContext"].update(runAsUser=0),
    "a wrong action": lambda doc, job: doc["spec"]["template"]["spec"]["failurePolicy"]["rules"][0].update(
        action="Fail"
    ),
    "an old version": lambda doc, job: doc.update(apiVersion="kubeflow.org/v1"),
}

TRAIN_JOB_FAULTS: dict[str, Callable[[Doc], object]] = {
    "a misspelt field": lambda doc: doc["spec"]["trainer"].update(numNode=2),
    "an old field": lambda doc: doc["spec"].update(podTemplateOverrides=[]),
    "a runtime of the cluster": lambda doc: doc["spec"]["runtimeRef"].pop("kind"),
    "a variable of torchrun": lambda doc: doc["spec"]["trainer"].update(env=[{"name": "PET_NNODES", "value": "2"}]),
    "an old version": lambda doc: doc.update(apiVersion="kubeflow.org/v1"),
}


@pytest.mark.parametrize("name", RUNTIME_FAULTS)
def test_a_planted_fault_in_a_training_runtime_is_found(name: str) -> None:
    """The strict checks find each of these faults in an otherwise valid TrainingRuntime."""
    doc = copy.deepcopy(of_kind(render("trainjob"), "TrainingRuntime"))
    assert faults(doc) == []
    RUNTIME_FAULTS[name](doc, doc["spec"]["template"]["spec"]["replicatedJobs"][0]["template"]["spec"])
    assert faults(doc)


@pytest.mark.parametrize("name", TRAIN_JOB_FAULTS)
def test_a_planted_fault_in_a_train_job_is_found(name: str) -> None:
    """The strict checks find each of these faults in an otherwise valid TrainJob."""
    doc = copy.deepcopy(next(doc for doc in render("trainjob") if doc["kind"] == "TrainJob"))
    assert faults(doc) == []
    TRAIN_JOB_FAULTS[name](doc)
    assert faults(doc)
