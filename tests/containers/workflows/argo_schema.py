"""Make argo.schema.json: `python -m tests.containers.workflows.argo_schema SCHEMA`.

SCHEMA is api/jsonschema/schema.json of https://github.com/argoproj/argo-workflows, 600 kB. Kept of it is what our
workflow has, and the names of all fields next to that, so that no other field passes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from k8s.workflows.__main__ import texts

REDUCED = Path(__file__).with_name("argo.schema.json")
TOP = "io.argoproj.workflow.v1alpha1.WorkflowTemplate"

Doc = dict[str, Any]


def reduced(schema: Doc, docs: list[Doc]) -> Doc:
    """Return the part of the schema by which these documents are judged; fields that it does not name are refused."""
    kept: dict[str, Doc] = {}
    for doc in docs:
        _walk(doc, {"$ref": f"#/definitions/{TOP}"}, schema["definitions"], kept)
    return {"$schema": schema["$schema"], "$ref": f"#/definitions/{TOP}", "definitions": dict(sorted(kept.items()))}


def _walk(value: Any, rule: Doc, whole: dict[str, Doc], kept: dict[str, Doc]) -> None:
    """Keep each definition that a value is judged by."""
    if "$ref" in rule:
        name = rule["$ref"].removeprefix("#/definitions/")
        rule = whole[name]
        fields: Doc = rule.get("properties", {})
        own = kept.setdefault(name, {key: rule[key] for key in ("type", "required", "enum") if key in rule})
        if fields:
            own["additionalProperties"] = False
            own.setdefault("properties", {field: {} for field in sorted(fields)})
            for field in fields.keys() & (value.keys() if isinstance(value, dict) else ()):
                own["properties"][field] = _bare(fields[field])
    for field, inner in rule.get("properties", {}).items():
        if isinstance(value, dict) and field in value:
            _walk(value[field], inner, whole, kept)
    if isinstance(value, list):
        for each in value:
            _walk(each, rule.get("items", {}), whole, kept)
    if isinstance(value, dict) and isinstance(rule.get("additionalProperties"), dict):
        for each in value.values():
            _walk(each, rule["additionalProperties"], whole, kept)


def _bare(rule: Doc) -> Doc:
    """Return a rule without its description."""
    found = {key: rule[key] for key in ("$ref", "type", "enum", "format") if key in rule}
    for key in ("items", "additionalProperties"):
        if isinstance(rule.get(key), dict):
            found[key] = _bare(rule[key])
    return found


def ours() -> list[Doc]:
    """Return our workflow without GPUs and with one."""
    return [yaml.safe_load(texts("halfreal:0", gpus)["argo.yaml"]) for gpus in (0, 1)]


if __name__ == "__main__":
    found = reduced(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), ours())
    REDUCED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
