"""k8s/run.sh: order, waiting, stopping at a failure and going on, several experiments, on a fake cluster."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.pipeline import PIPELINE
from tests.containers.experiments.stand_in_kubectl import Cluster, reached
from tests.containers.files import ROOT, missing

NAMES = [row.name.replace("_", "-") + "-digits" for row in PIPELINE]

Ran = tuple[subprocess.CompletedProcess[str], Cluster]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Ran]]:
    """Yield `run(overlay, experiment, **ends)`: run.sh on a cluster that stays; what it said, the cluster."""
    if shutil.which("kubectl") is None or shutil.which("bash") is None:
        missing("kubectl and bash, which k8s/run.sh needs, are not on this machine")
    cluster = Cluster()

    def call(overlay: str = "cpu", experiment: str = "", **ends: list[list[str]]) -> Ran:
        cluster.begin(ends)
        own = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "POLL_S": "0"}
        words = ["bash", str(ROOT / "k8s" / "run.sh"), overlay, *([experiment] if experiment else [])]
        done = subprocess.run(words, env=os.environ | own, capture_output=True, text=True, check=False, timeout=300)
        return done, cluster

    with reached(cluster, tmp_path):
        yield call


def jobs_made(cluster: Cluster) -> list[str]:
    """Return the jobs that this call made, in order."""
    return [name.removeprefix("Job/") for name in cluster.made if name.startswith("Job/")]


@pytest.mark.slow
def test_jobs_run_in_order_and_a_second_call_does_nothing(run: Callable[..., Ran]) -> None:
    """Other objects are created first, then each job after the one before it is complete; a second call adds none."""
    done, cluster = run()
    assert done.returncode == 0, done.stderr
    assert jobs_made(cluster) == NAMES
    assert cluster.made.index("PersistentVolumeClaim/data") < cluster.made.index(f"Job/{NAMES[0]}")
    assert [line.split()[1] for line in done.stdout.splitlines() if " is complete " in line] == NAMES
    done, cluster = run()
    assert done.returncode == 0, done.stderr
    assert jobs_made(cluster) == []


@pytest.mark.slow
def test_a_failed_job_stops_the_sequence_and_the_next_call_goes_on(run: Callable[..., Ran]) -> None:
    """A failed job ends the call with 1 and its pod's last lines; no later job starts; the next call resumes there."""
    done, cluster = run(**{"train-gan-digits": [["FailureTarget", "Failed"]]})
    assert done.returncode == 1
    assert jobs_made(cluster) == NAMES[:3]
    assert "last words of batch.kubernetes.io/job-name=train-gan-digits" in done.stderr
    assert "train-gan-digits ended" in done.stderr
    done, cluster = run()
    assert done.returncode == 0, done.stderr
    assert jobs_made(cluster) == NAMES[2:]
    assert cluster.deleted == ["train-gan-digits"]


@pytest.mark.slow
def test_two_experiments_share_a_namespace(run: Callable[..., Ran]) -> None:
    """Another experiment makes Jobs and settings of its own; no call deletes, changes or waits for another's."""
    run(**{"train-gan-digits": [["Failed"]]})
    done, cluster = run("cpu", "Mine_2")
    assert done.returncode == 0, done.stderr
    made = [name.rpartition("-mine-2-")[0] for name in jobs_made(cluster)]
    assert made == [name.removesuffix("-digits") for name in NAMES]
    assert cluster.deleted == []
    assert cluster.jobs["train-gan-digits"]["status"]["conditions"][0]["type"] == "Failed"
    assert not {"ConfigMap/settings", "ConfigMap/settings-digits"} & {*cluster.made}
    done, cluster = run("gpu", "Mine_2")  # its manifests are others now: its Jobs are recreated, and no others
    assert done.returncode == 0, done.stderr
    assert [name.rpartition("-mine-2-")[0] for name in cluster.deleted] == made
    assert set(NAMES[:3]) <= cluster.jobs.keys()


@pytest.mark.parametrize("name", ["-a", "a b", "a/b", "x" * 31, "a_"])
def test_a_name_that_kubernetes_refuses_is_refused_first(run: Callable[..., Ran], name: str) -> None:
    """An experiment whose name cannot be in a label or in the name of a Job ends the call with 2."""
    done, cluster = run("cpu", name)
    assert done.returncode == 2
    assert "want at most 30 of the characters" in done.stderr
    assert cluster.made == []


@pytest.mark.slow
def test_changed_manifests_run_every_job_again(run: Callable[..., Ran]) -> None:
    """A Job is complete only for the manifests that created it; under others it runs again."""
    run("cpu")
    done, cluster = run("gpu")
    assert done.returncode == 0, done.stderr
    assert jobs_made(cluster) == NAMES


@pytest.mark.slow
def test_imported_images_are_scored_after_they_are_imported(run: Callable[..., Ran]) -> None:
    """The overlay `imported` runs its jobs in an order of its own, without a GAN."""
    done, cluster = run("imported")
    assert done.returncode == 0, done.stderr
    assert jobs_made(cluster) == [
        f"{name}-judge"
        for name in ("preprocess", "train-classifier", "synthesize", "evaluate", "train-mixed", "report")
    ]


@pytest.mark.slow
def test_train_jobs_take_their_place_in_the_order(run: Callable[..., Ran]) -> None:
    """A TrainJob is waited for as a Job is; where it failed, its pods are those of the JobSet of its name."""
    done, cluster = run("trainjob", **{"evaluate-digits": [["Failed"]]})
    assert done.returncode == 1
    assert cluster.made.index("TrainingRuntime/ranks-digits") < cluster.made.index("Job/preprocess-digits")
    made = [name.partition("/")[2] for name in cluster.made if name.partition("/")[0] in ("Job", "TrainJob")]
    assert made == NAMES[:4]
    assert [name for name in cluster.made if name.startswith("TrainJob/")] == [
        "TrainJob/train-gan-digits",
        "TrainJob/evaluate-digits",
    ]
    assert "get trainjob --output" in cluster.calls
    assert "last words of jobset.sigs.k8s.io/jobset-name=evaluate-digits" in done.stderr
    done, cluster = run("trainjob")
    assert done.returncode == 0, done.stderr
    assert cluster.deleted == ["evaluate-digits"]
    assert [line.split()[1] for line in done.stdout.splitlines() if " is complete " in line] == NAMES


def test_an_overlay_that_does_not_render_is_refused(run: Callable[..., Ran]) -> None:
    """A folder that is no overlay ends the call with 2 before anything is made."""
    done, cluster = run("nowhere")
    assert done.returncode == 2
    assert "no overlay nowhere" in done.stderr
    assert cluster.made == []
