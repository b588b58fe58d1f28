"""The rendered manifests executed pod by pod with podman, on the real image.

Not collected by `make test`: `make containers` runs it. Docker hands the image over to podman.
"""

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jobs.pipeline import PIPELINE
from tests.containers.files import container, missing, render, render_for
from tests.containers.pods import Cluster, podman
from tests.containers.settings import SEARCH, SHORT, all_places, differing, manifests, numbers_of_trials

NAMES = [row.name.replace("_", "-") for row in PIPELINE]
HERE = {"HALFREAL_DEVICE": "cpu"}


@pytest.fixture(scope="module")
def handed_over(image: str) -> str:
    """Return the image as podman knows it; skip, or fail in CI, where podman cannot run anything."""
    if shutil.which("podman") is None or podman("info", check=False).returncode:
        missing("no podman here to run pods with")
    words = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    wanted = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    image_id = podman("image", "inspect", "--format", "{{.Id}}", f"localhost/{image}", check=False).stdout.strip()
    if not image_id or not wanted.endswith(image_id):
        taken = subprocess.run(f"docker save {image} | podman load", shell=True, capture_output=True, text=True)
        assert taken.returncode == 0, taken.stderr
    return f"localhost/{image}"


@pytest.fixture
def cluster(image: str, handed_over: str) -> Iterator[Cluster]:
    """Yield a cluster with an empty volume, which is removed afterwards."""
    yield from on_a_volume(f"halfreal-test-{os.getpid()}", image, handed_over)


@pytest.fixture(scope="module")
def finished(image: str, handed_over: str) -> Iterator[Cluster]:
    """Yield a cluster that has run the overlay `cpu` to its end."""
    for made in on_a_volume(f"halfreal-test-{os.getpid()}-finished", image, handed_over):
        assert made.run(render("cpu")) == "Complete", made.failures
        yield made


def on_a_volume(volume: str, image: str, handed_over: str) -> Iterator[Cluster]:
    """Yield a cluster with this empty volume, which is removed afterwards."""
    made = Cluster(volume, {image: handed_over}, SHORT | HERE)
    try:
        yield made
    finally:
        podman("volume", "rm", "--force", made.volume, check=False)


def folder(cluster: Cluster) -> Path:
    """Return where the cluster's volume lies on this machine."""
    return Path(podman("volume", "inspect", cluster.volume, "--format", "{{.Mountpoint}}").stdout.strip())


def ended(cluster: Cluster) -> list[tuple[str, int, int]]:
    """Return (job, index, exit code) of every pod that ran, in order."""
    return [(attempt.job, attempt.index, attempt.exit_code) for attempt in cluster.attempts]


def test_the_sequence_on_one_node(finished: Cluster, outside: dict[str, str]) -> None:
    """The overlay `cpu`: a pod for each Job, in order, that can do little; the artifacts are those made outside."""
    assert ended(finished) == [(name, 0, 0) for name in NAMES], finished.failures
    assert differing(manifests(folder(finished) / "digits"), outside) == []
    for attempt in finished.attempts:
        host = attempt.inspected["HostConfig"]
        assert host["ReadonlyRootfs"] is True
        assert host["Memory"] == 8 * 1024**3
        assert attempt.inspected["Config"]["User"].startswith("10001")
        assert not attempt.inspected["EffectiveCaps"]
        assert "no-new-privileges" in str(host["SecurityOpt"])
    again = Cluster(finished.volume, finished.images, finished.settings)
    assert again.run(render("cpu")) == "Complete"
    assert all("already complete" in attempt.said and "complete in" not in attempt.said for attempt in again.attempts)


def test_a_setting_adds_a_replicate(finished: Cluster, outside: dict[str, str]) -> None:
    """With one replicate more in the settings the same Jobs make that one alone, and the verdict from all of them."""
    more = Cluster(finished.volume, finished.images, finished.settings | {"HALFREAL_REPLICATES": "3"})
    assert more.run(render("cpu")) == "Complete", more.failures
    made = manifests(folder(finished) / "digits")
    assert made.keys() == all_places(3)
    kept = outside.keys() - {"mixed/manifest.json", "report/manifest.json"}
    assert differing({name: made[name] for name in kept}, {name: outside[name] for name in kept}) == []
    protocol = json.loads(made["mixed/manifest.json"])["facts"]["protocol"]
    assert (protocol["replicates"], protocol["planned"], protocol["added"]) == (3, 2, 1)


def test_the_sequence_as_a_jobset_of_ranks(cluster: Cluster) -> None:
    """The overlay `jobset`: two pods train each GAN over the manifest's address; everything else runs in one pod."""
    cluster.settings = SHORT | HERE | {"HALFREAL_TRAIN_GAN_EPOCHS": "5"}
    assert cluster.run(render("jobset")) == "Complete", cluster.failures
    wanted = [(name, 0, 0) for name in NAMES]
    wanted.insert(NAMES.index("train-gan") + 1, ("train-gan", 1, 0))
    assert sorted(ended(cluster)) == sorted(wanted), cluster.failures
    assert manifests(folder(cluster) / "digits").keys() == all_places()
    said = {attempt.index: attempt.said for attempt in cluster.attempts if attempt.job == "train-gan"}
    assert re.findall(r"^\S+ train_gan (r\d\d): complete in", said[0], re.MULTILINE) == ["r00", "r01"]
    assert "complete in" not in said[1]


def test_the_parts_of_indexed_jobs(cluster: Cluster, outside: dict[str, str]) -> None:
    """The overlay `indexed`: pods side by side make a replicate each and all parts of the data, the same as one pod."""
    docs = render("indexed")
    for doc in docs:
        if doc["kind"] == "Job" and "completions" in doc["spec"]:  # as many as there are replicates
            doc["spec"] |= {"completions": 2, "parallelism": 2}
            container(doc["spec"])["args"] = ["--parts", "2"]
    assert cluster.run(docs) == "Complete", cluster.failures
    # a pod that looks while another one commits ends with 75 and is started again
    done = {(job, index) for job, index, code in ended(cluster) if code == 0}
    assert done == {(name, index) for name in NAMES for index in range(1 if name == "report" else 2)}
    assert {code for _, _, code in ended(cluster)} <= {0, 75}
    assert differing(manifests(folder(cluster) / "digits"), outside) == []
    trained = [attempt.said for attempt in cluster.attempts if attempt.job == "train-gan"]
    assert ["gan/r01" in said for said in trained] in ([True, False], [False, True])
    gathered = "".join(attempt.said for attempt in cluster.attempts if attempt.job == "train-mixed")
    assert gathered.count("train_mixed: complete in") == 1


def test_the_pods_of_a_search(cluster: Cluster) -> None:
    """The overlay `tune`: two pods side by side share the trials; one compares before and after, both end well."""
    cluster.settings = {name: value for name, value in SEARCH.items() if name != "HALFREAL_REPLICATES"} | HERE
    docs = render("tune")
    for doc in docs:
        if doc["metadata"]["name"] == "tune":
            doc["spec"] |= {"completions": 2, "parallelism": 2}
    assert cluster.run(docs) == "Complete", cluster.failures
    assert sorted(ended(cluster)) == [("preprocess", 0, 0), ("train-classifier", 0, 0), ("tune", 0, 0), ("tune", 1, 0)]
    assert list((folder(cluster) / "digits" / "classifier").glob("r*")) == [
        folder(cluster) / "digits" / "classifier" / "r00"
    ]
    said = "".join(attempt.said for attempt in cluster.attempts)
    assert sorted(re.findall(r"tune: trial (\d+): learning_rate", said)) == ["0", "1", "2"]
    assert numbers_of_trials((folder(cluster) / "digits" / "tune" / "manifest.json").read_text("utf-8")) == [0, 1, 2]


def test_two_experiments_at_once(cluster: Cluster) -> None:
    """Two experiments of one namespace and volume train side by side, each in its own folder, the same bytes."""
    few = ("preprocess", "train-classifier")
    others = [Cluster(cluster.volume, cluster.images, cluster.settings) for _ in range(2)]
    podman("volume", "create", cluster.volume)
    with ThreadPoolExecutor(2) as threads:
        docs = [[doc for doc in render_for(name, "cpu") if _is_one_of(doc, few)] for name in ("one", "Other_1")]
        assert list(threads.map(lambda each, its: each.run(its), others, docs)) == ["Complete", "Complete"]
    assert not {each.job for each in others[0].attempts} & {each.job for each in others[1].attempts}
    one, other = (manifests(folder(cluster) / name) for name in ("one", "Other_1"))
    assert one.keys() == {"real/manifest.json", "classifier/r00/manifest.json", "classifier/r01/manifest.json"}
    assert differing(other, one) == []


def _is_one_of(doc: dict[str, Any], jobs: tuple[str, ...]) -> bool:
    """Whether a document is no Job, or a Job of these names of any experiment."""
    return doc["kind"] != "Job" or doc["metadata"]["name"].startswith(jobs)


@pytest.mark.parametrize("name", ["playground", "tensorboard"])
def test_the_pod_of_a_page_serves_it(finished: Cluster, name: str) -> None:
    """A page's pod, which can do as little as a job's, answers a port-forward and a probe, and no foreign name."""
    deployments = [doc for doc in render_for("digits", "pages") if doc["kind"] == "Deployment"]
    (doc,) = [doc for doc in deployments if doc["metadata"]["name"] == f"{name}-digits"]
    (port,) = [each["containerPort"] for each in container(doc["spec"])["ports"]]
    ask = (
        "import sys, urllib.request as r\n"
        f"asked = r.Request('http://127.0.0.1:{port}/', headers={{'Host': sys.argv[1]}})\n"
        "print('<html' in r.urlopen(asked, timeout=20).read().decode().lower())"
    )
    with finished.serving(doc) as pod:
        deadline = time.monotonic() + 300
        while "True" not in (done := podman("exec", pod, "python", "-c", ask, f"localhost:{port}", check=False)).stdout:
            assert time.monotonic() < deadline, done.stderr + podman("logs", pod, check=False).stderr
            time.sleep(1)
        assert "True" in podman("exec", pod, "python", "-c", ask, f"10.1.2.3:{port}").stdout
        assert "403" in podman("exec", pod, "python", "-c", ask, "elsewhere.example", check=False).stderr
        host = json.loads(podman("inspect", pod).stdout)[0]["HostConfig"]
        assert host["ReadonlyRootfs"] is True


def test_bad_input_fails_a_job_at_once(cluster: Cluster) -> None:
    """A pod that ends with 2 is not tried again, and no later Job runs."""
    cluster.settings = SHORT | HERE | {"HALFREAL_PREPROCESS_SOURCE": "nothing"}
    assert cluster.run(render("cpu")).startswith("preprocess: PodFailurePolicy: exit code 2")
    assert ended(cluster) == [("preprocess", 0, 2)]


def test_a_pod_that_is_told_to_go_is_resumed(cluster: Cluster) -> None:
    """A pod that gets SIGTERM in training ends with 75, which is no failure: the next pod goes on where it was.

    The replicates of this pod follow each other.
    """
    cluster.settings = SHORT | HERE | {"HALFREAL_PROCESSES": "1"}
    cluster.watch = lambda name: stop_once(cluster, name)
    few = ("preprocess", "train-gan")
    docs = [doc for doc in render("cpu") if doc["kind"] != "Job" or doc["metadata"]["name"] in few]
    for doc in docs:
        if doc["kind"] == "Job":
            doc["spec"]["backoffLimit"] = 0  # so that a counted failure would end it
    assert cluster.run(docs) == "Complete", cluster.failures
    assert ended(cluster) == [("preprocess", 0, 0), ("train-gan", 0, 75), ("train-gan", 0, 0)]
    assert "resumed after" in cluster.attempts[-1].said
    assert {"gan/r00/manifest.json", "gan/r01/manifest.json"} <= manifests(folder(cluster) / "digits").keys()


def stop_once(cluster: Cluster, name: str) -> None:
    """Stop the first pod that trains once it has written a snapshot, as a drained node does."""
    if not name.startswith("train-gan") or any(attempt.job == "train-gan" for attempt in cluster.attempts):
        return

    def wait() -> None:
        deadline = time.monotonic() + 300
        while not list(folder(cluster).glob("digits/gan/.r*/snapshots/*")) and time.monotonic() < deadline:
            time.sleep(0.1)
        podman("stop", "--time", "120", name, check=False)

    threading.Thread(target=wait, daemon=True).start()
