"""The bill of materials: every pinned package, in the form that CycloneDX 1.6 asks for."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from shared import __version__
from supply import sbom
from supply.lock import WrongFileError, read_lock
from tests.conftest import ROOT

LOCK = ROOT / "requirements.lock"

REQUIRED = {
    "component": {"type", "name"},
    "reference": {"url", "type"},
    "hash": {"alg", "content"},
    "dependency": {"ref"},
}
"""What the schema requires: http://cyclonedx.org/schema/bom-1.6.schema.json."""


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the bill of requirements.lock as it is printed."""
    assert sbom.main([str(LOCK)]) == 0
    bill: dict[str, Any] = json.loads(capsys.readouterr().out)
    return bill


def test_every_pinned_package_is_a_component(printed: dict[str, Any]) -> None:
    """Names, versions and all hashes are those of the lock file, markers with them."""
    text = LOCK.read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))
    assert {(each["name"], each["version"]) for each in printed["components"]} == pinned
    hashes = [digest["content"] for each in printed["components"] for digest in each["externalReferences"][0]["hashes"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", text))
    (triton,) = [each for each in printed["components"] if each["name"] == "triton"]
    assert "sys_platform == 'linux'" in triton["properties"][0]["value"]


def test_the_form_is_cyclonedx(printed: dict[str, Any]) -> None:
    """What the schema requires of the bill and of each part is there, in its form."""
    assert (printed["bomFormat"], printed["specVersion"], printed["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", printed["serialNumber"])
    root = printed["metadata"]["component"]
    for component in (root, *printed["components"]):
        assert component.keys() >= REQUIRED["component"]
        assert component["type"] in ("application", "library")
    references = [each for component in printed["components"] for each in component["externalReferences"]]
    assert all(each.keys() >= REQUIRED["reference"] for each in references)
    assert all(digest.keys() == REQUIRED["hash"] for each in references for digest in each["hashes"])
    refs = [component["bom-ref"] for component in (root, *printed["components"])]
    assert len(set(refs)) == len(refs)
    (direct,) = printed["dependencies"]
    assert direct["ref"] == root["bom-ref"]
    assert "pkg:pypi/torch@2.14.1" in direct["dependsOn"]
    assert any(each.startswith("pkg:pypi/gradio@") for each in direct["dependsOn"])  # of an extra
    assert root["version"] == __version__
    assert set(direct["dependsOn"]) < set(refs)


def test_the_same_lock_gives_the_same_bytes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Also with packages in another order or twice, as in the image with CPU-only torch; others have another serial."""
    first, second, other = (tmp_path / name for name in ("first.lock", "second.lock", "other.lock"))
    first.write_text("a==1 \\\n    --hash=sha256:" + "0" * 64 + "\nb==2\n")
    second.write_text("# comment\nb==2\na==1 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    other.write_text("b==3\n")
    bills = []
    for words in ([first], [second], [second, first], [other]):
        assert sbom.main([str(word) for word in words]) == 0
        bills.append(capsys.readouterr().out)
    assert bills[0] == bills[1] == bills[2]
    assert json.loads(bills[3])["serialNumber"] != json.loads(bills[0])["serialNumber"]


def test_what_pins_nothing_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A line without a version would be a package that nobody has looked at."""
    lock = tmp_path / "x.lock"
    lock.write_text("a==1\nb>=2\n")
    with pytest.raises(WrongFileError, match="'b>=2' pins no package"):
        read_lock(lock)
    assert sbom.main([str(lock)]) == sbom.main([]) == sbom.main([str(tmp_path / "none")]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.fault(9)
def test_a_pipe_is_no_lock_file(tmp_path: Path) -> None:
    """A read of it would not end."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WrongFileError, match="no file but a folder or a device"):
        read_lock(tmp_path / "pipe")
