"""The files under test, read: compose.yaml with its defaults filled in, overlays as kubectl renders them."""

import copy
import os
import pickle
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.pipeline import JOBS

ROOT = Path(__file__).resolve().parent.parent.parent
OVERLAYS = sorted(path.parent.name for path in (ROOT / "k8s" / "overlays").glob("*/kustomization.yaml"))
VARIABLE = re.compile(r"\$\{(\w+):-([^{}]*)\}")
"""A variable of Compose with its default, which holds no other variable."""

NO_SKIPS = bool(os.environ.get("HALFREAL_NO_SKIPS"))
"""Whether this machine is one, such as CI's, where all must be there that the tests need."""

Doc = dict[str, Any]


def missing(what: str) -> None:
    """Skip the test because something is not on this machine; where all must be there, fail it."""
    if NO_SKIPS:
        pytest.fail(what)
    pytest.skip(what)


def compose(name: str = "compose.yaml", **settings: str) -> Doc:
    """Return a compose file, its variables replaced by `settings` or their defaults."""
    text = (ROOT / name).read_text(encoding="utf-8")
    (read,) = parsed(filled_in(text, settings))
    return read


def filled_in(text: str, settings: dict[str, str]) -> str:
    """Return a text of Compose without variables, those inside the defaults of others first."""
    while VARIABLE.search(text):
        text = VARIABLE.sub(lambda found: settings.get(found[1], "") or found[2], text)
    return text


def parsed(text: str) -> list[Doc]:
    """Return the documents of a YAML text, which the caller may change."""
    read: list[Doc] = pickle.loads(_pickled(text))
    return read


@cache
def _pickled(text: str) -> bytes:
    """Read a text once: that takes a hundred times as long as to read the pickle."""
    return pickle.dumps(list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))))


class Override(dict[str, Any]):
    """A mapping that replaces the one of an earlier file, in place of being merged with it."""


class ComposeLoader(yaml.SafeLoader):
    """YAML with Compose's `!override`."""


def _override(loader: ComposeLoader, node: yaml.Node) -> Override | list[Any]:
    """Return what replaces the value of an earlier file; a list always does here."""
    if isinstance(node, yaml.MappingNode):
        return Override(loader.construct_mapping(node, deep=True))
    return loader.construct_sequence(node, deep=True)


ComposeLoader.add_constructor("!override", _override)


def compose_with(name: str, **settings: str) -> Doc:
    """Return compose.yaml merged with another file as Compose merges them, as far as these files need it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    filled = yaml.load(filled_in(text, settings), Loader=ComposeLoader)  # our own file
    merged: Doc = _merged(compose(**settings), filled)
    return merged


def _merged(base: Any, over: Any) -> Any:
    if isinstance(over, Override) or not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {name: _merged(base.get(name), over[name]) if name in over else base[name] for name in {**base, **over}}


def render(overlay: str) -> list[Doc]:
    """Return the documents of an overlay, in the order in which kubectl prints them."""
    return parsed(_rendered(overlay))


def render_for(experiment: str, overlay: str) -> list[Doc]:
    """Return the documents that k8s/render.sh prints of an overlay for an experiment."""
    return parsed(_rendered(overlay, experiment))


@cache
def _rendered(overlay: str, experiment: str = "") -> str:
    if shutil.which("kubectl") is None:
        missing("kubectl, which renders the manifests, is not on this machine")
    words = ["kubectl", "kustomize", str(ROOT / "k8s" / "overlays" / overlay)]
    if experiment:
        words = ["bash", str(ROOT / "k8s" / "render.sh"), overlay, experiment]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def job_specs(docs: list[Doc]) -> dict[str, Doc]:
    """Return the spec of every Job, of every template in a JobSet and of the Job that a TrainJob becomes, by name.

    Where there are TrainJobs they are in the table's order.
    """
    specs = {doc["metadata"]["name"]: doc["spec"] for doc in docs if doc["kind"] == "Job"}
    for doc in docs:
        if doc["kind"] == "JobSet":
            specs |= {job["name"]: job["template"]["spec"] for job in doc["spec"]["replicatedJobs"]}
    trained = {doc["metadata"]["name"]: of_train_job(doc, docs) for doc in docs if doc["kind"] == "TrainJob"}
    names = [row.name.replace("_", "-") for row in JOBS]
    return dict(sorted((specs | trained).items(), key=lambda item: names.index(item[0]))) if trained else specs


def of_train_job(doc: Doc, docs: list[Doc]) -> Doc:
    """Return the spec of the Job that Kubeflow Trainer makes of a TrainJob: its runtime's, with pods and command."""
    runtime = next(each for each in docs if each["metadata"]["name"] == doc["spec"]["runtimeRef"]["name"])
    (node,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    spec: Doc = copy.deepcopy(node["template"]["spec"])
    nodes, asked = doc["spec"]["trainer"]["numNodes"], doc["spec"]["trainer"]
    container(spec)["command"] = asked["command"]
    return spec | {"completionMode": "Indexed", "completions": nodes, "parallelism": nodes}


def container(spec: Doc) -> Doc:
    """Return the only container of a Job's pods."""
    (only,) = spec["template"]["spec"]["containers"]
    found: Doc = only
    return found


def of_kind(docs: list[Doc], kind: str) -> Doc:
    """Return the only document of this kind."""
    (only,) = [doc for doc in docs if doc["kind"] == kind]
    return only


def words_of(only: Doc) -> list[str]:
    """Return the command line of a container or a Compose service, without `halfreal`."""
    words = [*(only.get("entrypoint") or only["command"]), *(only.get("args") or [])]
    words += only["command"] if "entrypoint" in only and only.get("command") else []
    assert words[0] == "halfreal"
    return [str(word) for word in words[1:]]
