"""A lock file against advisories: what is affected is named, with what repairs it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from supply import advisories
from supply.advisories import affects, findings
from supply.lock import Package


def advisory(name: str, *events: dict[str, str], **fields: Any) -> dict[str, Any]:
    """Return an advisory on a package, in the form of https://ossf.github.io/osv-schema/."""
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, *events]}]
    affected = [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}]
    return {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "summary": "Reads files.", "affected": affected} | fields


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([{"introduced": "0"}, {"fixed": "2.0"}], ["0.1", "1.9.9", "2.0rc1"], ["2.0", "2.0.post1", "3"]),
        ([{"introduced": "1.5"}, {"last_affected": "1.10"}], ["1.5", "1.9", "1.10"], ["1.4", "1.10.1"]),
        ([{"fixed": "1.2"}, {"introduced": "1.0"}, {"introduced": "2.0"}], ["1.1", "2.0", "9"], ["0.9", "1.2", "1.9"]),
        ([{"introduced": "1.0"}, {"limit": "2.0"}], ["1.0"], ["2.0"]),
        ([], [], ["1.0"]),
    ],
    ids=["fixed", "last_affected", "two", "limit", "none"],
)
def test_a_range_is_evaluated_as_osv_does(events: list[dict[str, str]], inside: list[str], outside: list[str]) -> None:
    """Events count by version, not by their order; versions are compared as PEP 440 says."""
    affected = {"ranges": [{"type": "ECOSYSTEM", "events": events}, {"type": "GIT", "events": [{"introduced": "0"}]}]}
    assert [version for version in inside + outside if affects(affected, version)] == inside


def test_listed_versions_count() -> None:
    """A version that is listed is affected, in any spelling of it."""
    assert affects({"versions": ["1.0.0", "not a version"]}, "1.0")
    assert not affects({"versions": ["1.0.1"]}, "1.0")


def test_another_spelling_of_a_name_is_the_package() -> None:
    """Names are one where PEP 503 says so; other ecosystems and withdrawn advisories are no matter."""
    pinned = [Package("zope-interface", "1.0")]
    assert len(findings(pinned, [advisory("Zope.Interface")])) == 1
    assert findings(pinned, [advisory("zope-interface", withdrawn="2026-01-01T00:00:00Z")]) == []
    foreign = advisory("zope-interface")
    foreign["affected"][0]["package"]["ecosystem"] = "Debian:12"
    assert findings(pinned, [foreign]) == []


@pytest.mark.parametrize("form", ["one", "list", "answer", "folder"])
def test_what_is_affected_is_printed(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a line with the package, the names, the repair; escapes of the text do nothing."""
    lock = tmp_path / "x.lock"
    lock.write_text("good==1.0\nbad==1.0 ; sys_platform == 'linux'\n")
    held = advisory("bad", {"fixed": "1.1"}, summary="Reads\x1b[2J files.")
    folder = tmp_path / "all"
    folder.mkdir()
    path = folder / "a.json"
    path.write_text(json.dumps({"one": held, "list": [held], "answer": {"vulns": [held]}, "folder": held}[form]))
    assert advisories.main([str(lock), str(folder if form == "folder" else path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "bad 1.0: PYSEC-2026-1, CVE-2026-1; fixed in 1.1; Reads?[2J files.",
        f"1 of 1 advisories affect the 2 packages of {lock}",
    ]
    lock.write_text("good==1.0\nbad==1.1\n")
    assert advisories.main([str(lock), str(path)]) == 0


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "[1]",
            "{}",
            '"x"',
            "[" * 100_000,
            "[]",
            '{"vulns": []}',
            '{"id": "A"}',
            '{"id": "A", "affected": "bad"}',
        ),
        '[{"id": "A", "affected": [{"package": 1}]}]',
        '[{"id": "A", "affected": [{"package": {"ecosystem": "npm", "name": "bad"}}]}]',
    ],
)
def test_what_is_no_advisory_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line with the file: one that says nothing must not read as "nothing found"."""
    (tmp_path / "x.lock").write_text("bad==1.0\n")
    (tmp_path / "a.json").write_text(text)
    assert advisories.main([str(tmp_path / "x.lock"), str(tmp_path / "a.json")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"error: {tmp_path / 'a.json'}: ")
    assert advisories.main([str(tmp_path / "x.lock")]) == 2


def test_a_missing_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that is wrong is named, also that of an empty folder, which has no advisories, and of a pipe."""
    (tmp_path / "x.lock").write_text("bad==1.0\n")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("none.json", "empty", "pipe"):
        assert advisories.main([str(tmp_path / "x.lock"), str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.startswith(f"error: {tmp_path / name}: ")
