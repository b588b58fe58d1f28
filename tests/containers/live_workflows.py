"""Kubeflow Pipelines' own messages read our pipeline, in a virtual environment of their own.

Not collected by `make test`: `make containers` runs it. Their packages want another protobuf than TensorBoard does.
"""

import subprocess
import sys
import textwrap

import pytest

from jobs.pipeline import PIPELINE
from k8s.workflows.__main__ import texts

READ = """
import importlib.util, pathlib, sys, yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

# the package itself imports all of Kubeflow's SDK
path = pathlib.Path(sys.prefix).glob("lib/python*/site-packages/kfp/kubernetes/kubernetes_executor_config_pb2.py")
spec = importlib.util.spec_from_file_location("kubernetes_executor_config_pb2", next(path))
on_kubernetes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(on_kubernetes)

told, platform = yaml.safe_load_all(sys.stdin)
pipeline = json_format.ParseDict(told, pipeline_spec_pb2.PipelineSpec())
json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
for name, executor in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].items():
    json_format.ParseDict(executor, on_kubernetes.KubernetesExecutorConfig())
    assert name in pipeline.deployment_spec["executors"]
for name, executor in told["deploymentSpec"]["executors"].items():
    json_format.ParseDict(executor, pipeline_spec_pb2.PipelineDeploymentConfig.ExecutorSpec())
print(*pipeline.root.dag.tasks)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a Python that has the messages of Kubeflow Pipelines."""
    folder = tmp_path_factory.mktemp("kubeflow")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "kfp-pipeline-spec==2.17.3", "googleapis-common-protos", "pyyaml"], check=True)
    subprocess.run([*pip, "--no-deps", "kfp-kubernetes==2.17.3"], check=True)
    return str(folder / "bin" / "python")


def parsed(python: str, text: str) -> "subprocess.CompletedProcess[str]":
    """Return what reading a pipeline gave."""
    words = [python, "-c", textwrap.dedent(READ)]
    return subprocess.run(words, input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("gpus", [0, 2])
def test_kubeflow_reads_the_pipeline(python: str, gpus: int) -> None:
    """Every field of the pipeline, of its containers and of their pods is one that Kubeflow has."""
    done = parsed(python, texts("halfreal:0", gpus)["kubeflow.yaml"])
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {row.name.replace("_", "-") for row in PIPELINE}


@pytest.mark.parametrize("field", ["dependentTasks", "resourceMemoryLimit", "pvcNameParameter", "cachingOptions"])
def test_a_planted_fault_in_a_pipeline_is_found(python: str, field: str) -> None:
    """A misspelt field at any level is refused."""
    done = parsed(python, texts("halfreal:0", 0)["kubeflow.yaml"].replace(field, f"{field}s"))
    assert done.returncode != 0
    assert f"{field}s" in done.stderr
