"""The sequence as a pipeline of Kubeflow Pipelines 2: its specification, and that of its pods on Kubernetes."""

from jobs.pipeline import PIPELINE
from k8s.workflows.table import ATTEMPTS, PARAMETERS, Doc, pod, tolerations, waits_for

HEADER = """\
# The jobs as a pipeline of Kubeflow Pipelines: made by `python -m k8s.workflows`, see ../README.md.
"""

SCHEMA = {"schemaVersion": "2.1.0", "sdkVersion": "kfp-2.17.3"}
"""The specification's version, and the SDK whose output this equals in form."""


def pipeline(image: str, gpus: int) -> list[Doc]:
    """Return specification and platform; with GPUs the jobs that use one get that many."""
    own, counts = pod(), {row.name: gpus if row.gpu else 0 for row in PIPELINE}
    inputs = {"parameters": {name: {"parameterType": "STRING"} for name in PARAMETERS}}
    optional = {
        name: {"parameterType": "STRING", "defaultValue": value, "isOptional": True}
        for name, value in PARAMETERS.items()
    }
    specification = {
        "pipelineInfo": {"name": "halfreal", "description": "Does synthetic data help your classifier?"},
        "root": {
            "inputDefinitions": {"parameters": optional},
            "dag": {"tasks": {_name(name): _task(name, before) for name, before in waits_for().items()}},
        },
        "components": {
            f"comp-{_name(name)}": {"executorLabel": f"exec-{_name(name)}", "inputDefinitions": inputs}
            for name in counts
        },
        "deploymentSpec": {
            "executors": {
                f"exec-{_name(name)}": {"container": _container(name, own, image, count)}
                for name, count in counts.items()
            }
        },
        **SCHEMA,
    }
    executors = {f"exec-{_name(name)}": _on_kubernetes(own, count) for name, count in counts.items()}
    return [specification, {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}]


def _name(job: str) -> str:
    return job.replace("_", "-")


def _task(job: str, before: list[str]) -> Doc:
    task: Doc = {
        "taskInfo": {"name": _name(job)},
        "componentRef": {"name": f"comp-{_name(job)}"},
        "inputs": {"parameters": {name: {"componentInputParameter": name} for name in PARAMETERS}},
        "cachingOptions": {},  # none: a job itself knows what is there already
        "retryPolicy": {
            "maxRetryCount": ATTEMPTS,
            "backoffDuration": "10s",
            "backoffFactor": 2.0,
            "backoffMaxDuration": "1800s",
        },
    }
    return task | ({"dependentTasks": [_name(needed) for needed in before]} if before else {})


def _container(job: str, own: Doc, image: str, gpus: int) -> Doc:
    """Return what the job's container runs, with the resources of its Kubernetes Job."""
    (container,) = own["containers"]
    asked = container["resources"]
    resources: Doc = {
        "resourceCpuRequest": asked["requests"]["cpu"],
        "resourceMemoryRequest": asked["requests"]["memory"],
        "resourceMemoryLimit": asked["limits"]["memory"],
    }
    if gpus:
        resources["accelerator"] = {"resourceType": "nvidia.com/gpu", "resourceCount": str(gpus)}
    words = [word for name in PARAMETERS for word in (f"--{name}", f"{{{{$.inputs.parameters['{name}']}}}}")]
    return {"image": image, "command": ["halfreal", job], "args": words, "resources": resources}


def _on_kubernetes(own: Doc, gpus: int) -> Doc:
    """Return the volume, the scratch folders and the user of a job's pod."""
    (container,) = own["containers"]
    places = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    found: Doc = {"imagePullPolicy": container["imagePullPolicy"], "pvcMount": [], "emptyDirMounts": []}
    for volume in own["volumes"]:
        name, place = volume["name"], places[volume["name"]]
        if "persistentVolumeClaim" in volume:
            claim = {"runtimeValue": {"constant": volume["persistentVolumeClaim"]["claimName"]}}
            found["pvcMount"].append({"mountPath": place, "pvcNameParameter": claim})
        else:
            found["emptyDirMounts"].append({"volumeName": name, "mountPath": place} | volume["emptyDir"])
    user = own["securityContext"]
    found["securityContext"] = {name: user[name] for name in ("runAsUser", "runAsGroup", "runAsNonRoot")}
    return found | ({"tolerations": tolerations()} if gpus else {})
