"""A small Job controller: it runs rendered Jobs and JobSets pod by pod with `podman kube play`.

Honoured: claims, config maps, order and `dependsOn`, completions of Indexed Jobs (side by side, as parallelism says),
podFailurePolicy, backoffLimit and backoffLimitPerIndex, failurePolicy of a JobSet and the names of its pods,
terminationGracePeriodSeconds. Not honoured: NetworkPolicy (a pod has no network at all; those of a JobSet that run side
by side share one without a way out), onPodConditions, deadlines, GPUs. Podman's own /dev/shm takes the place of an
emptyDir in memory.
"""

import copy
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.containers.files import container

Doc = dict[str, Any]
Words = tuple[str, ...]

SUBNET = "10.89.77"
"""The name of the network that ranks share."""


def podman(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run podman; RuntimeError with its output where it fails."""
    own = {name: value for name, value in os.environ.items() if name != "DOCKER_CONFIG"}  # it would want a file there
    done = subprocess.run(["podman", *words], capture_output=True, text=True, check=False, env=own)
    if check and done.returncode:
        raise RuntimeError(f"podman {' '.join(words)}: {done.stderr.strip()}")
    return done


@dataclass(frozen=True)
class Attempt:
    """One finished pod: its job, index, exit code and output."""

    job: str
    index: int
    exit_code: int
    said: str
    inspected: Doc


@dataclass
class Cluster:
    """Where pods run. `volume` replaces their claim, `images` the images of manifests.

    `settings` are the values of variables, before those of config maps and `env`. `watch(name)` is called once a pod
    runs, with the name of its container.
    """

    volume: str
    images: dict[str, str]
    settings: dict[str, str]
    watch: Callable[[str], object] = lambda name: None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def failures(self) -> str:
        """What each pod printed that did not end well, also of those that were started again."""
        return "\n".join(
            f"{attempt.job} {attempt.index} ended with {attempt.exit_code}:\n{attempt.said}"
            for attempt in self.attempts
            if attempt.exit_code
        )

    def run(self, docs: list[Doc]) -> str:
        """Run every Job, or the JobSet, of the documents; return Complete, or why it failed."""
        if podman("volume", "exists", self.volume, check=False).returncode:
            podman("volume", "create", self.volume)
        maps = [self._settled(doc) for doc in docs if doc["kind"] == "ConfigMap"]
        for doc in docs:
            if doc["kind"] == "JobSet":
                return self._jobset(doc, maps)
        for doc in docs:
            if (
                doc["kind"] == "Job"
                and (why := self._job(doc["metadata"]["name"], doc["spec"], maps, "")) != "Complete"
            ):
                return f"{doc['metadata']['name']}: {why}"
        return "Complete"

    def _settled(self, doc: Doc) -> Doc:
        return doc | {"data": doc["data"] | self.settings}

    def _jobset(self, doc: Doc, maps: list[Doc]) -> str:
        """Run the replicated jobs by `dependsOn`; restart all of them as the failure policy says."""
        policy, restarts = doc["spec"]["failurePolicy"], 0
        while True:
            why = self._sequence(doc, maps)
            if why == "Complete":
                return why
            name, _, message = why.partition(": ")
            reason = message.split(":")[0]
            rules = [rule for rule in policy.get("rules", []) if _matches(rule, name, reason, message)]
            action = rules[0]["action"] if rules else "RestartJobSet"
            restarts += action == "RestartJobSet"
            if action == "FailJobSet" or restarts > policy["maxRestarts"]:
                return why

    def _sequence(self, doc: Doc, maps: list[Doc]) -> str:
        complete: list[str] = []
        for job in doc["spec"]["replicatedJobs"]:
            assert all(needed["name"] in complete for needed in job.get("dependsOn", []))
            why = self._job(job["name"], job["template"]["spec"], maps, f"{doc['metadata']['name']}-")
            if why != "Complete":
                return f"{job['name']}: {why}"
            complete.append(job["name"])
        return "Complete"

    def _job(self, name: str, spec: Doc, maps: list[Doc], prefix: str) -> str:
        """Run a Job's pods until each index has completed; return Complete, or reason and message of the failure."""
        open_indexes = list(range(spec.get("completions", 1)))
        failed = dict.fromkeys(open_indexes, 0)
        while open_indexes:
            batch = open_indexes[: spec.get("parallelism", 1)]
            for attempt in self._pods(name, spec, maps, batch, prefix):
                self.attempts.append(attempt)
                if attempt.exit_code == 0:
                    open_indexes.remove(attempt.index)
                    continue
                place, action = _rule(spec, attempt.exit_code)
                if action == "FailJob":
                    return f"PodFailurePolicy: exit code {attempt.exit_code} matching FailJob rule at index {place}"
                failed[attempt.index] += action == "Count"
                if "backoffLimitPerIndex" in spec and failed[attempt.index] > spec["backoffLimitPerIndex"]:
                    return f"FailedIndexes: exit code {attempt.exit_code}"
                if sum(failed.values()) > spec.get("backoffLimit", 6) and "backoffLimitPerIndex" not in spec:
                    return f"BackoffLimitExceeded: exit code {attempt.exit_code}"
        return "Complete"

    def _pods(self, name: str, spec: Doc, maps: list[Doc], indexes: list[int], prefix: str) -> list[Attempt]:
        """Run the pods of these indexes in parallel; where one fails that others wait for, those are stopped."""
        grace = str(spec["template"]["spec"]["terminationGracePeriodSeconds"])
        pods = {index: f"{prefix}{name}-0-{index}" if prefix else f"{name}-{index}" for index in indexes}
        ranks = prefix and len(pods) > 1
        hosts = (
            {f"{pod}.{prefix.rstrip('-')}": f"{SUBNET}.{10 + index}" for index, pod in pods.items()} if ranks else {}
        )
        names: dict[int, str] = {}
        codes: dict[int, int] = {}
        if ranks:
            podman("network", "create", "--internal", "--disable-dns", "--subnet", f"{SUBNET}.0/24", self.volume)
        try:
            for index, pod in pods.items():
                place = (self.volume, "--ip", f"{SUBNET}.{10 + index}") if ranks else ("none",)
                names[index] = self._start(pod, spec, maps, index, hosts, place)
                self.watch(names[index])
            while len(codes) < len(names):
                for index in names.keys() - codes.keys():
                    state = podman("inspect", names[index], "--format", "{{.State.Status}}").stdout
                    if state.strip() in ("exited", "stopped"):
                        # `inspect` may say that a container has ended before it knows its exit code
                        codes[index] = int(podman("wait", names[index]).stdout)
                        if codes[index] and spec.get("backoffLimit") == 0:
                            podman("stop", "-t", grace, *names.values(), check=False)
                time.sleep(0.2)
            return [self._attempt(name, index, codes[index], names[index]) for index in codes]
        finally:
            for pod in pods.values():
                _remove(pod, grace)
            if ranks:
                podman("network", "rm", "-f", self.volume, check=False)

    def _attempt(self, job: str, index: int, code: int, name: str) -> Attempt:
        logs, inspected = podman("logs", name), podman("inspect", name).stdout
        return Attempt(job, index, code, logs.stdout + logs.stderr, yaml.safe_load(inspected)[0])

    def _start(self, pod: str, spec: Doc, maps: list[Doc], index: int, hosts: dict[str, str], network: Words) -> str:
        """Play one pod of a Job; return the name of its container."""
        template = copy.deepcopy(spec["template"])
        own = container({"template": template})
        jobset = next(iter(hosts), "").partition(".")[2]
        fields = {"job-completion-index": str(index), "jobset-name": jobset} | _labels(template)
        own["env"] = _filled(own.get("env", []), fields, self.settings)
        if spec.get("completionMode") == "Indexed":
            own["env"].append({"name": "JOB_COMPLETION_INDEX", "value": str(index)})
        template["spec"]["hostAliases"] = [{"ip": address, "hostnames": [host]} for host, address in hosts.items()]
        return self._play(pod, template, maps, network)

    @contextmanager
    def serving(self, doc: Doc) -> Iterator[str]:
        """Run the pod of a Deployment, without probes and ports; yield the name of its container."""
        name, template = doc["metadata"]["name"], copy.deepcopy(doc["spec"]["template"])
        own = container({"template": template})
        own["env"] = _filled(own["env"], _labels(template), {})
        for left_out in ("startupProbe", "readinessProbe", "livenessProbe", "ports"):  # podman would publish ports
            own.pop(left_out)
        try:
            yield self._play(name, template, [], ("none",))
        finally:
            _remove(name, "5")

    def _play(self, pod: str, template: Doc, maps: list[Doc], network: Words) -> str:
        """Play a pod of this template; return the name of its container."""
        own, inner = container({"template": template}), template["spec"]
        own["image"] = self.images.get(own["image"], own["image"])
        for kind in own["resources"].values():
            kind.pop("nvidia.com/gpu", None)
            kind.pop("ephemeral-storage", None)
        own["volumeMounts"] = [each for each in own["volumeMounts"] if each["mountPath"] != "/dev/shm"]
        inner["volumes"] = [each for each in inner["volumes"] if each.get("emptyDir", {}).get("medium") != "Memory"]
        for each in [*own["volumeMounts"], *inner["volumes"]]:  # podman's volumes are not a pod's own
            if "persistentVolumeClaim" in each:
                each["persistentVolumeClaim"]["claimName"] = self.volume
            each["name"] = f"{pod}-{each['name']}"
        doc = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod, **template["metadata"]}, "spec": inner}
        with tempfile.TemporaryDirectory() as folder:
            play, config = Path(folder) / "pod.yaml", Path(folder) / "maps.yaml"
            play.write_text(yaml.safe_dump(doc), encoding="utf-8")
            config.write_text(yaml.safe_dump_all(maps), encoding="utf-8")
            settings = ["--configmap", str(config)] if maps else []
            podman("kube", "play", "--network", *network, *settings, str(play))
        return f"{pod}-{own['name']}"


def _labels(template: Doc) -> dict[str, str]:
    """Return the labels of a pod's template, as `fieldPath` names them."""
    return {f"labels['{name}']": value for name, value in template["metadata"]["labels"].items()}


def _filled(variables: list[Doc], fields: dict[str, str], settings: dict[str, str]) -> list[Doc]:
    """Return variables with their values: fields of the pod looked up, `$(NAME)` replaced as Kubernetes does."""
    told: dict[str, str] = {}
    for each in variables:
        path = each.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath", "")
        value = next((known for field, known in fields.items() if field in path), each.get("value", ""))
        value = re.sub(r"\$\((\w+)\)", lambda found: told.get(found[1], found[0]), value)
        told[each["name"]] = settings.get(each["name"], value)
    return [{"name": name, "value": value} for name, value in told.items()]


def _remove(pod: str, grace: str) -> None:
    """Remove a pod and its own volume; RuntimeError where podman cannot."""
    for left in reversed(range(5)):
        # podman may still be clearing up after a container that has just ended, and refuses until it has
        removed = podman("pod", "rm", "-f", "-t", grace, pod, check=False)
        if podman("pod", "exists", pod, check=False).returncode:
            break
        if not left:
            raise RuntimeError(f"podman pod rm {pod}: {removed.stderr.strip()}")
        time.sleep(1)
    podman("volume", "rm", f"{pod}-tmp", check=False)


def _rule(spec: Doc, code: int) -> tuple[int, str]:
    """Return place and action of the first rule of podFailurePolicy for an exit code; Count if there is none."""
    for place, rule in enumerate(spec.get("podFailurePolicy", {}).get("rules", [])):
        codes = rule.get("onExitCodes")
        if codes and (code in codes["values"]) == (codes["operator"] == "In"):
            return place, rule["action"]
    return -1, "Count"


def _matches(rule: Doc, name: str, reason: str, message: str) -> bool:
    """Whether a rule of a JobSet's failurePolicy is about this failure of the replicated job `name`."""
    patterns = rule.get("onJobFailureMessagePatterns", [])
    return (
        name in rule.get("targetReplicatedJobs", [name])
        and reason in rule.get("onJobFailureReasons", [reason])
        and (not patterns or any(re.search(pattern, message) for pattern in patterns))
    )
