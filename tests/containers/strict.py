"""Strict checks of rendered manifests: schema, JobSet's fields, rules between fields, Pod Security `restricted`."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import kubernetes_validate
from kubeflow_trainer_api import models

Doc = dict[str, Any]

# these are read again for each document otherwise, a megabyte of definitions each time
kubernetes_validate.utils.schema_contents = cache(kubernetes_validate.utils.schema_contents)
kubernetes_validate.utils.all_versions = cache(kubernetes_validate.utils.all_versions)

VERSIONS = ("1.30", "1.32", kubernetes_validate.latest_version())
JOBSET = "jobset.x-k8s.io/v1alpha2"
STEP = "trainer.kubeflow.org/trainjob-ancestor-step"
TRAINER = "trainer.kubeflow.org/v1alpha1"
JOBSET_ACTIONS = {"FailJobSet", "RestartJobSet", "RestartJobSetAndIgnoreMaxRestarts"}


def faults(doc: Doc) -> list[str]:
    """Return the faults of a document, each with its place."""
    if doc["kind"] in CUSTOM:
        return list(CUSTOM[doc["kind"]](doc))
    problems = [*_schema(doc)]
    rules = {"Job": _job, "Pod": _pod, "Deployment": _deployment}.get(doc["kind"])
    return problems + (list(rules(doc["metadata"]["name"], doc["spec"])) if rules else [])


def _schema(doc: Doc) -> list[str]:
    return _broken(json.dumps(doc))


@cache
def _broken(text: str) -> list[str]:
    """Return what the schemas say of a document, whose text is JSON; overlays have many of them in common."""
    doc, found = json.loads(text), []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(doc, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{doc['kind']} ({version}) {'.'.join(map(str, error.path))}: {error.message}")
    return found


def _jobset(doc: Doc) -> Iterator[str]:
    if doc["apiVersion"] != JOBSET:
        yield f"apiVersion {doc['apiVersion']}, want {JOBSET}"
        return
    yield from _lost(doc, models.JobsetV1alpha2JobSet.from_dict(doc).to_dict(), "")
    before: list[str] = []
    for each in doc["spec"]["replicatedJobs"]:
        name, spec = each["name"], each["template"]["spec"]
        for needed in each.get("dependsOn", []):
            if needed["name"] not in before:
                yield f"{name}: depends on {needed['name']}, which does not precede it"
            if needed["status"] not in ("Ready", "Complete"):
                yield f"{name}: depends on the status {needed['status']}"
        before.append(name)
        yield from _schema({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec})
        yield from _job(name, spec)
        if "ttlSecondsAfterFinished" in spec:
            yield f"{name}: would be deleted before the JobSet ends, and created again"
    yield from _failure_policy(doc["spec"]["failurePolicy"], set(before))


def _failure_policy(policy: Doc, names: set[str]) -> Iterator[str]:
    for rule in policy["rules"]:
        if rule["action"] not in JOBSET_ACTIONS:
            yield f"failurePolicy: action {rule['action']}"
        for name in set(rule.get("targetReplicatedJobs", [])) - names:
            yield f"failurePolicy: no replicated job {name}"


def _runtime(doc: Doc) -> Iterator[str]:
    """Yield the faults of a TrainingRuntime of Kubeflow Trainer, by its model and by what its plugin needs."""
    if doc["apiVersion"] != TRAINER:
        yield f"apiVersion {doc['apiVersion']}, want {TRAINER}"
        return
    yield from _lost(doc, models.TrainerV1alpha1TrainingRuntime.from_dict(doc).to_dict(), "")
    spec = doc["spec"]["template"]["spec"]
    trainers = [
        each for each in spec["replicatedJobs"] if each["template"]["metadata"]["labels"].get(STEP) == "trainer"
    ]
    if [each["name"] for each in trainers] != ["node"]:
        yield f"want one replicated job, called node, with the label {STEP}: trainer"
        return
    if trainers[0].get("replicas", 1) != 1:
        yield "node: replicas: Trainer wants 1 and sets the number of pods"
    job = trainers[0]["template"]["spec"]
    if [each["name"] for each in job["template"]["spec"]["containers"]] != ["node"]:
        yield "node: the container that gets torchrun's variables is called node"
    if "torch" not in doc["spec"]["mlPolicy"]:
        yield "mlPolicy: without torch no variables of torchrun are set"
    yield from _schema({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "node"}, "spec": job})
    yield from _job("node", job)
    yield from _failure_policy(spec["failurePolicy"], {"node"})


def _train_job(doc: Doc) -> Iterator[str]:
    """Yield the faults of a TrainJob of Kubeflow Trainer."""
    if doc["apiVersion"] != TRAINER:
        yield f"apiVersion {doc['apiVersion']}, want {TRAINER}"
        return
    yield from _lost(doc, models.TrainerV1alpha1TrainJob.from_dict(doc).to_dict(), "")
    if doc["spec"]["runtimeRef"].get("kind") != "TrainingRuntime":
        yield "runtimeRef: the runtime is one of the namespace; without a kind one of the cluster is taken"
    told = {each["name"] for each in doc["spec"]["trainer"].get("env", [])}
    for name in sorted(name for name in told if name.startswith("PET_")):
        yield f"trainer: {name} is Trainer's own to set"


CUSTOM: dict[str, Callable[[Doc], Iterator[str]]] = {
    "JobSet": _jobset,
    "TrainingRuntime": _runtime,
    "TrainJob": _train_job,
}
"""The checks of kinds that Kubernetes itself does not know."""


def _lost(came: Any, kept: Any, where: str) -> Iterator[str]:
    """Yield each field that the model of a custom kind does not know, which is lost on a round trip."""
    if isinstance(came, dict):
        for name, value in came.items():
            if not isinstance(kept, dict) or name not in kept:
                yield f"unknown field {where}.{name}"
            else:
                yield from _lost(value, kept[name], f"{where}.{name}")
    elif isinstance(came, list):
        for index, value in enumerate(came):
            yield from _lost(value, kept[index] if isinstance(kept, list) else None, f"{where}[{index}]")


def _job(name: str, spec: Doc) -> Iterator[str]:
    """Yield what the schema cannot express: fields of a Job that require or exclude each other."""
    pod, indexed = spec["template"]["spec"], spec.get("completionMode") == "Indexed"
    if spec.get("podFailurePolicy") and pod.get("restartPolicy") != "Never":
        yield f"{name}: podFailurePolicy needs restartPolicy Never"
    if spec.get("podFailurePolicy") and spec.get("podReplacementPolicy", "Failed") != "Failed":
        yield f"{name}: podFailurePolicy needs podReplacementPolicy Failed"
    if "backoffLimitPerIndex" in spec and not indexed:
        yield f"{name}: backoffLimitPerIndex needs completionMode Indexed"
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        yield f"{name}: maxFailedIndexes needs backoffLimitPerIndex"
    if indexed and "completions" not in spec:
        yield f"{name}: completionMode Indexed needs completions"
    names = {each["name"] for each in pod["containers"]}
    for rule in spec.get("podFailurePolicy", {}).get("rules", []):
        if rule["action"] == "FailIndex" and "backoffLimitPerIndex" not in spec:
            yield f"{name}: FailIndex needs backoffLimitPerIndex"
        codes = rule.get("onExitCodes")
        if codes and codes.get("containerName") not in names:
            yield f"{name}: podFailurePolicy names a container that is not there"
    yield from _pod(name, pod)


def _deployment(name: str, spec: Doc) -> Iterator[str]:
    labels = spec["template"]["metadata"]["labels"]
    if not labels.items() >= spec["selector"]["matchLabels"].items():
        yield f"{name}: selects other pods than its own"
    yield from _pod(name, spec["template"]["spec"])


def _pod(name: str, pod: Doc) -> Iterator[str]:
    """Yield what Pod Security `restricted` refuses, and impossible mounts, limits or GPUs."""
    shared = pod.get("securityContext", {})
    if {"hostNetwork", "hostPID", "hostIPC"} & pod.keys():
        yield f"{name}: a namespace of the host"
    if shared.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield f"{name}: seccompProfile"
    kinds = ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
    for volume in pod.get("volumes", []):
        if not set(kinds) & volume.keys():
            yield f"{name}: volume {volume['name']} of a forbidden kind"
    mounted = {volume["name"] for volume in pod.get("volumes", [])}
    for each in [*pod["containers"], *pod.get("initContainers", [])]:
        own = shared | each.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: allowPrivilegeEscalation"
        if own.get("capabilities", {}) != {"drop": ["ALL"]}:
            yield f"{name}: capabilities"
        if own.get("runAsNonRoot") is not True or own.get("runAsUser") == 0:
            yield f"{name}: runAsNonRoot"
        if own.get("privileged"):
            yield f"{name}: privileged"
        for mount in each.get("volumeMounts", []):
            if mount["name"] not in mounted:
                yield f"{name}: no volume {mount['name']}"
        yield from _resources(name, each.get("resources", {}))


def _resources(name: str, resources: Doc) -> Iterator[str]:
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    if "memory" not in limits:
        yield f"{name}: no memory limit"
    if not ("ephemeral-storage" in limits and "ephemeral-storage" in requests):
        yield f"{name}: no request or limit of the node's disk"
    for kind, count in limits.items():
        if kind.endswith("/gpu") and requests.get(kind, count) != count:
            yield f"{name}: another number of {kind} requested than allowed"
