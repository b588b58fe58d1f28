"""The sequence as a WorkflowTemplate of Argo Workflows."""

import json

from jobs.pipeline import PIPELINE
from k8s.workflows.table import ATTEMPTS, PARAMETERS, Doc, pod, tolerations, waits_for

HEADER = """\
# The jobs as a WorkflowTemplate of Argo Workflows: made by `python -m k8s.workflows`, see ../README.md.
"""


def workflow(image: str, gpus: int) -> list[Doc]:
    """Return the template; with GPUs the jobs that use one get that many."""
    own = pod()
    kinds = [False] if gpus == 0 else [False, True]
    spec = {
        "entrypoint": "sequence",
        "arguments": {"parameters": [{"name": name, "value": value} for name, value in PARAMETERS.items()]},
        # Argo's own container in each pod alone gets a token
        "serviceAccountName": own["serviceAccountName"],
        "automountServiceAccountToken": False,
        "executor": {"serviceAccountName": "argo-executor"},
        "securityContext": own["securityContext"],
        "volumes": own["volumes"],
        "podGC": {"strategy": "OnPodSuccess"},
        "templates": [_sequence(gpus), *(_job(own, image, gpus if wanted else 0) for wanted in kinds)],
    }
    metadata = {"name": "halfreal", "namespace": "halfreal"}
    return [{"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", "metadata": metadata, "spec": spec}]


def _sequence(gpus: int) -> Doc:
    on_gpu = {row.name for row in PIPELINE if row.gpu and gpus}
    tasks = []
    for name, before in waits_for().items():
        task: Doc = {"name": name.replace("_", "-"), "template": "gpu-job" if name in on_gpu else "job"}
        if before:
            task["dependencies"] = [needed.replace("_", "-") for needed in before]
        tasks.append(task | {"arguments": {"parameters": [{"name": "job", "value": name}]}})
    return {"name": "sequence", "dag": {"tasks": tasks}}


def _job(own: Doc, image: str, gpus: int) -> Doc:
    """Return the template of a job's pod, which is that of its Kubernetes Job."""
    (container,) = own["containers"]
    resources: Doc = {kind: dict(amounts) for kind, amounts in container["resources"].items()}
    patch = {name: own[name] for name in ("terminationGracePeriodSeconds", "enableServiceLinks")}
    template: Doc = {
        "name": "gpu-job" if gpus else "job",
        "inputs": {"parameters": [{"name": "job"}]},
        # a bad option or a bad input, exit code 2, stays one however often it is tried
        "retryStrategy": {
            "limit": str(ATTEMPTS),
            "retryPolicy": "Always",
            "expression": "asInt(lastRetry.exitCode) != 2",
            "backoff": {"duration": "10s", "factor": "2", "maxDuration": "30m"},
        },
        # Argo gives a pod 30 seconds for a checkpoint otherwise
        "podSpecPatch": json.dumps(patch),
    }
    if gpus:
        for amounts in resources.values():
            amounts["nvidia.com/gpu"] = str(gpus)
        template["tolerations"] = tolerations()
    variables = {f"HALFREAL_{name.upper()}": f"{{{{workflow.parameters.{name}}}}}" for name in PARAMETERS}
    template["container"] = {
        "image": image,
        "imagePullPolicy": container["imagePullPolicy"],
        "command": ["halfreal", "{{inputs.parameters.job}}"],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "resources": resources,
        "securityContext": container["securityContext"],
        "volumeMounts": container["volumeMounts"],
    }
    return template
