"""The fake `kubectl` that k8s/run.sh finds in its tests: a cluster in a JSON file, whose jobs end as the test says.

Rendering and jsonpath are the real kubectl's; the server is fake. STATE names the file, with `ends`: the
conditions that a job gets, in turn for each time that it is made, after one look at which it has none.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

STATE = Path(os.environ["STATE"])
REAL = os.environ["REAL_KUBECTL"]


def value(words: list[str], flag: str) -> str:
    """Return the word after `flag`."""
    return words[words.index(flag) + 1]


def selected(labels: dict[str, str], selector: str) -> bool:
    """Whether labels match `!key` or `key=value`."""
    key, _, wanted = selector.removeprefix("!").partition("=")
    return key not in labels if selector.startswith("!") else labels.get(key) == wanted


def printed(doc: dict[str, Any], query: str) -> str:
    """Return what the real kubectl prints of a document for a jsonpath output."""
    words = [REAL, "annotate", "--local", "--filename", "-", "unused=1", "--output", query]
    return subprocess.run(words, input=json.dumps(doc), capture_output=True, text=True, check=True).stdout


def rendered(state: dict[str, Any], overlay: str) -> list[dict[str, Any]]:
    """Return the documents of an overlay, which are kept: to render and read them takes longer than all else."""
    kept = state.setdefault("rendered", {})
    if overlay not in kept:
        import yaml

        done = subprocess.run([REAL, "kustomize", overlay], capture_output=True, text=True, check=True)
        kept[overlay] = list(yaml.load_all(done.stdout, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    return kept[overlay]


def apply(state: dict[str, Any], words: list[str]) -> None:
    """Create the documents of an overlay that match the selector."""
    for doc in rendered(state, value(words, "--kustomize")):
        if selected(doc["metadata"].get("labels", {}), value(words, "--selector")):
            name = doc["metadata"]["name"]
            state["made"].append(f"{doc['kind']}/{name}")
            if doc["kind"] in ("Job", "TrainJob") and name not in state["jobs"]:
                state["jobs"][name] = doc | {"status": {}}


def get(state: dict[str, Any], name: str, output: str) -> str:
    """Print a job; the next call sees how it ended."""
    if name not in state["jobs"]:
        return ""
    job = state["jobs"][name]
    if output == "name":
        return f"job.batch/{name}"
    said = printed(job, output)
    if "conditions" in output and not job["status"]:
        ends = state["ends"].get(name, [])
        kinds = ends.pop(0) if ends else ["SuccessCriteriaMet", "Complete"]
        job["status"] = {"conditions": [{"type": kind, "status": "True", "message": f"{name} ended"} for kind in kinds]}
    return said


def main(words: list[str]) -> None:
    """Carry out the command line, as far as run.sh uses it."""
    state = json.loads(STATE.read_text(encoding="utf-8"))
    if words[0] == "--namespace":
        words = words[2:]
    state["calls"].append(" ".join(words[:3]))
    match words[0]:
        case "kustomize":
            os.execv(REAL, [REAL, *words])
        case "apply":
            apply(state, words)
        case "get":
            print(get(state, words[2], value(words, "--output")), end="")
        case "delete":
            del state["jobs"][words[2]]
        case "annotate":
            key, _, content = words[-1].partition("=")
            state["jobs"][words[2]]["metadata"].setdefault("annotations", {})[key] = content
        case "logs":
            print(f"last words of {value(words, '--selector')}")
        case other:
            sys.exit(f"kubectl {other}: not in this stand-in")
    STATE.write_text(json.dumps(state), encoding="utf-8")


main(sys.argv[1:])
