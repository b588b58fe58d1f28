"""k8s/render.sh: what carries an experiment's name, what is shared; the pages of an experiment."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from shared.errors import MissingArtifact
from tests.containers.files import OVERLAYS, ROOT, compose, container, missing, of_kind, render, render_for, words_of
from tests.containers.strict import faults

Doc = dict[str, Any]

SHARED = {"Namespace", "PersistentVolumeClaim", "ServiceAccount", "NetworkPolicy"}
"""The kinds that the experiments of a namespace have in common."""

PAGES = ["playground", "tensorboard"]


def everything(value: Any) -> list[Doc]:
    """Return every mapping inside a document."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return ([value] if isinstance(value, dict) else []) + [each for one in inner for each in everything(one)]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_what_is_shared_has_a_name_without_the_experiment(overlay: str) -> None:
    """What an experiment makes carries its name; what refers to it too; the rest is what the plain overlay has."""
    plain, named = render(overlay), render_for("mine", overlay)
    assert [fault for doc in named for fault in faults(doc)] == []
    for before, after in zip(plain, named, strict=True):
        if before["kind"] in SHARED:
            assert after == before
            continue
        assert after["metadata"]["name"] == f"{before['metadata']['name']}-mine"
        assert after["metadata"]["labels"]["halfreal/experiment"] == "mine"
        for template in [
            each["template"]
            for each in everything(after["spec" if "spec" in after else "data"])
            if "containers" in each.get("template", {}).get("spec", {})
        ]:
            assert template["metadata"]["labels"]["halfreal/experiment"] == "mine"
        text = str(after)
        assert "'settings'" not in text
        assert "'kind': 'TrainingRuntime', 'name': 'ranks'}" not in text
    for settings in (doc for doc in named if doc["kind"] == "ConfigMap"):
        assert settings["data"]["HALFREAL_EXPERIMENT"] == "mine"


def test_names_that_read_alike_stay_apart() -> None:
    """Two experiments whose names differ in what Kubernetes' names do not have get Jobs of different names."""
    names = {of_kind(render_for(name, "selfcheck"), "Job")["metadata"]["name"] for name in ("a-b", "a_b", "A-B")}
    assert len(names) == 3
    assert "selfcheck-a-b" in names
    assert all(re.fullmatch(r"selfcheck-a-b(-[0-9a-f]{4})?", name) for name in names)


def test_an_experiment_without_a_name_is_the_recipes(tmp_path: Path) -> None:
    """Without a second word the name is that of the settings, else the recipe's; the settings stay as they are."""
    if shutil.which("kubectl") is None:
        missing("kubectl, which renders the manifests, is not on this machine")
    for setting, wanted in (("", "emoji"), ("HALFREAL_EXPERIMENT=set", "set")):
        own = [
            *("resources:", f"  - {'../' * len(tmp_path.parts[1:])}{str(ROOT)[1:]}/k8s/overlays/selfcheck"),
            *("configMapGenerator:", "  - name: settings", "    namespace: halfreal", "    behavior: merge"),
            f"    literals: [HALFREAL_RECIPE=emoji{', ' if setting else ''}{setting}]",
            "generatorOptions: {disableNameSuffixHash: true}",
        ]
        (tmp_path / "kustomization.yaml").write_text("\n".join(own), encoding="utf-8")
        words = ["bash", str(ROOT / "k8s" / "render.sh"), str(tmp_path)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert f"name: selfcheck-{wanted}\n" in done.stdout
        assert f"HALFREAL_EXPERIMENT: {setting.partition('=')[2] or chr(34) * 2}\n" in done.stdout


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_reached_by_a_port_forward_alone(name: str) -> None:
    """A page's Service finds its pod, which is probed where it listens and is kept from other pods by `deny-all`."""
    docs = {(doc["kind"], doc["metadata"]["name"]): doc for doc in render_for("mine", "pages")}
    deployment, service = docs["Deployment", f"{name}-mine"], docs["Service", f"{name}-mine"]
    labels, page = deployment["spec"]["template"]["metadata"]["labels"], container(deployment["spec"])
    assert labels.items() >= service["spec"]["selector"].items() >= {"halfreal/experiment": "mine"}.items()
    assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
    (port,) = page["ports"]
    assert [(each["port"], each["targetPort"]) for each in service["spec"]["ports"]] == [
        (port["containerPort"], port["name"])
    ]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert page[probe]["httpGet"] == {"path": "/", "port": port["name"]}
    denied = next(doc for doc in render("cpu") if doc["metadata"]["name"] == "deny-all")["spec"]
    assert labels.items() >= denied["podSelector"]["matchLabels"].items()
    assert page["securityContext"]["readOnlyRootFilesystem"] is True
    other = next(doc for doc in render_for("other", "pages") if doc["metadata"]["name"] == f"{name}-other")
    assert not labels.items() >= other["spec"]["selector"]["matchLabels"].items()


@pytest.mark.parametrize("name", PAGES)
def test_the_command_line_accepts_what_a_page_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page runs the command of its Compose service, for the experiment that its label names."""
    deployment = next(doc for doc in render_for("mine", "pages") if doc["metadata"]["name"] == f"{name}-mine")
    page = container(deployment["spec"])
    assert words_of(page) == words_of(compose()["services"][name])
    (label,) = [each["valueFrom"] for each in page["env"] if each["name"] == "HALFREAL_EXPERIMENT"]
    assert label == {"fieldRef": {"fieldPath": "metadata.labels['halfreal/experiment']"}}
    monkeypatch.setenv("HALFREAL_EXPERIMENT", "mine")
    done = CliRunner().invoke(halfreal, [*words_of(page), "--data-root", str(tmp_path)])
    assert done.exit_code == MissingArtifact.exit_code
    assert f"{tmp_path}/mine" in done.output
