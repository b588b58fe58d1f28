"""The fake cluster of the tests of k8s/run.sh: the `kubectl` that it finds is a short script that asks this process.

Rendering and jsonpath are the real kubectl's, which is asked once for equal questions; the server is fake.
"""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from typing import Any

import yaml

SCRIPT = """#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/PORT
printf '%s\\0' "$#" "$@" >&3
read -r code <&3
if [ "$code" = 0 ]; then cat <&3; else cat <&3 >&2; fi
exit "$code"
"""


class RefusedError(Exception):
    """The real kubectl failed: its exit code and what it said."""


@dataclass
class Cluster:
    """Jobs by name, what was made, deleted and called since the last `begin`, and how jobs end.

    `ends` has the conditions that a job gets, in turn for each time that it is made, after one look at which it has
    none; a job that it does not name completes.
    """

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    ends: dict[str, list[list[str]]] = field(default_factory=dict)

    def begin(self, ends: dict[str, list[list[str]]]) -> None:
        """Forget what was made, deleted and called, and let jobs end in another way from now on."""
        self.made, self.deleted, self.calls, self.ends = [], [], [], ends

    def answer(self, words: list[str]) -> str:
        """Carry out a command line, as far as run.sh uses it; return what it prints."""
        if words[0] == "--namespace":
            words = words[2:]
        self.calls.append(" ".join(words[:3]))
        match words[0]:
            case "kustomize":
                return ask(*words)
            case "apply":
                self._apply(_value(words, "--filename"), _value(words, "--selector"))
            case "get":
                return self._get(self._chosen(words), _value(words, "--output"))
            case "delete":
                for name in self._chosen(words):
                    del self.jobs[name]
                    self.deleted.append(name)
            case "annotate":
                (mark,) = [word for word in words[2:] if "=" in word and not word.startswith("halfreal/job=")]
                key, _, content = mark.partition("=")
                for name in self._chosen(words):
                    self.jobs[name]["metadata"].setdefault("annotations", {})[key] = content
            case "logs":
                return f"last words of {_value(words, '--selector')}\n"
            case other:
                raise RefusedError(1, f"kubectl {other}: not in this stand-in")
        return ""

    def _chosen(self, words: list[str]) -> list[str]:
        """Return the names of the objects of the kind `words[1]` that the selector of a command line names."""
        selector = _value(words, "--selector")
        return [
            name
            for name, job in self.jobs.items()
            if job["kind"].lower() == words[1] and _selected(job["metadata"]["labels"], selector)
        ]

    def _apply(self, path: str, selector: str) -> None:
        for doc in _read(Path(path).read_text(encoding="utf-8")):
            if _selected(doc["metadata"].get("labels", {}), selector):
                name = doc["metadata"]["name"]
                self.made.append(f"{doc['kind']}/{name}")
                if doc["kind"] in ("Job", "TrainJob") and name not in self.jobs:
                    self.jobs[name] = deepcopy(doc) | {"status": {}}

    def _get(self, names: list[str], output: str) -> str:
        """Return what is printed of at most one job; the next call sees how it ended."""
        if not names:
            return ""
        (name,) = names
        job = self.jobs[name]
        if output == "name":
            return f"job.batch/{name}"
        # without what no output asks for, so that few questions differ
        metadata = {"name": "any", "annotations": job["metadata"].get("annotations", {})}
        shown = {"apiVersion": job["apiVersion"], "kind": job["kind"], "metadata": metadata, "status": job["status"]}
        printed = ask(
            *("annotate", "--local", "--filename", "-", "unused=1"),
            *("--output", output.replace(".items[*]", "")),  # here of the one job, not of a list of one
            given=json.dumps(shown),
        )
        if "conditions" in output and not job["status"]:
            ends = self.ends.get(name, [])
            kinds, said = (ends.pop(0), f"{name} ended") if ends else (["SuccessCriteriaMet", "Complete"], "ended")
            job["status"] = {"conditions": [{"type": kind, "status": "True", "message": said} for kind in kinds]}
        return printed


@cache
def ask(*words: str, given: str = "") -> str:
    """Return what the real kubectl prints."""
    done = subprocess.run(
        [shutil.which("kubectl") or "", *words], input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RefusedError(done.returncode, done.stderr)
    return done.stdout


@cache
def _read(text: str) -> list[dict[str, Any]]:
    return list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def _value(words: list[str], flag: str) -> str:
    return words[words.index(flag) + 1]


def _selected(labels: dict[str, str], selector: str) -> bool:
    """Whether labels match `!key`, or each `key=value`, joined by commas."""
    if selector.startswith("!"):
        return selector[1:] not in labels
    wanted = (term.partition("=") for term in selector.split(","))
    return all(labels.get(key) == value for key, _, value in wanted)


@contextmanager
def reached(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Put a `kubectl` into `folder` that speaks with this cluster."""

    class Handler(StreamRequestHandler):
        """A call: the number of its words and the words come; its exit code and what it prints go."""

        def handle(self) -> None:
            words = [self._word() for _ in range(int(self._word()))]
            try:
                code, said = 0, cluster.answer(words)
            except RefusedError as error:
                code, said = error.args
            self.wfile.write(f"{code}\n{said}".encode())

        def _word(self) -> str:
            found = b""
            while (byte := self.rfile.read(1)) != b"\0":
                found += byte
            return found.decode()

    with TCPServer(("127.0.0.1", 0), Handler) as server:
        script = folder / "kubectl"
        script.write_text(SCRIPT.replace("PORT", str(server.server_address[1])), encoding="utf-8")
        script.chmod(0o755)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
