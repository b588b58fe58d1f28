"""The folder of an export: an existing export is kept, a broken one is rebuilt, nothing is half written."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from shared.store.artifacts import Artifact
from tests.jobs.export.exporting import every_format, export, files


def test_an_existing_export_is_kept(root: Path, tmp_path: Path) -> None:
    """The same export again is already complete, and an edit of the card stays; another one replaces it."""
    out = tmp_path / "out"
    assert export(root, out, "--to", "hf").exit_code == 0
    first = files(out)
    assert "already complete" in export(root, out, "--to", "hf").stderr
    assert export(root, out, "--to", "hf", "--labels", "asked").exit_code == 0
    assert files(out)["metadata.jsonl"] != first["metadata.jsonl"]
    (out / "README.md").write_text("license: mit\n", encoding="utf-8")
    assert "already complete" in export(root, out, "--to", "hf", "--labels", "asked").stderr
    refused = export(root, out, "--to", "hf")
    assert (refused.exit_code, "was edited" in refused.stderr) == (2, True)
    assert (out / "README.md").read_text("utf-8") == "license: mit\n"
    assert export(root, out, "--to", "hf", "--force").exit_code == 0
    assert files(out) == first


def _drop(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _alter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def _drop_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize(
    ("to", "pattern", "damage", "why"),
    [
        ("imagefolder", "*/*.png", _drop, "missing"),
        ("imagefolder", "*/*.png", _drop_folder, "missing"),
        ("imagefolder", "*/*.png", _alter, "altered"),
        ("webdataset", "*.tar", _empty, "0 bytes"),
        ("hf", "metadata.jsonl", _alter, "altered"),
        ("hf", "README.md", _drop, "missing"),
    ],
)
def test_a_broken_export_is_rebuilt(
    to: str, pattern: str, damage: Callable[[Path], None], why: str, root: Path, tmp_path: Path
) -> None:
    """A file that is missing, truncated or altered is named, and the export is whole again."""
    assert export(root, tmp_path / "out", "--to", to).exit_code == 0
    before = files(tmp_path / "out")
    broken = min((tmp_path / "out").glob(pattern))
    damage(broken)
    result = export(root, tmp_path / "out", "--to", to)
    assert result.exit_code == 0, result.output
    assert f"rebuilding because {broken}: {why}" in result.stderr
    assert files(tmp_path / "out") == before
    assert "already complete" in export(root, tmp_path / "out", "--to", to).stderr


@every_format
def test_the_record_lists_every_file(to: str, root: Path, tmp_path: Path) -> None:
    """export.json has the size and the sha256, as hashlib gives it, of every other file of the export."""
    assert export(root, tmp_path / "out", "--to", to).exit_code == 0
    held = files(tmp_path / "out")
    record = json.loads(held.pop("export.json"))
    wanted = {name: (len(payload), hashlib.sha256(payload).hexdigest()) for name, payload in held.items()}
    assert {row["name"]: (row["bytes"], row["sha256"]) for row in record["files"]} == wanted


def test_an_edited_card_stays_where_the_export_is_broken(root: Path, tmp_path: Path) -> None:
    """A broken export whose card was edited is refused, with what is broken, and nothing is touched."""
    out = tmp_path / "out"
    assert export(root, out, "--to", "webdataset").exit_code == 0
    (out / "README.md").write_text("license: mit\n", encoding="utf-8")
    (out / "train-00000.tar").unlink()
    before = files(out)
    refused = export(root, out, "--to", "webdataset")
    assert (refused.exit_code, "was edited" in refused.stderr) == (2, True)
    assert "train-00000.tar: missing" in " ".join(refused.stderr.split())  # lines are wrapped
    assert files(out) == before


def test_another_export_says_why_the_old_one_goes(root: Path, tmp_path: Path) -> None:
    """Where the existing export was made with other options, these are named with both values."""
    assert export(root, tmp_path / "out", "--to", "hf").exit_code == 0
    result = export(root, tmp_path / "out", "--to", "hf", "--labels", "asked")
    assert "rebuilding because labels was 'annotated', now 'asked'" in result.stderr


def test_a_folder_that_takes_no_files_is_not_busy(root: Path) -> None:
    """Where no file can be created the export is refused for good: exit code 2, not busy."""
    result = export(root, Path("/proc/x"), "--to", "hf")
    assert (result.exit_code, "/proc: cannot be written to" in result.stderr) == (2, True), result.output


@pytest.mark.parametrize("words", [["export", "--to", "hf", "--min-confidence"], ["sample", "--truncation"]])
def test_nan_is_refused(words: list[str], root: Path) -> None:
    """Commands refuse NaN as jobs do, in the same words: click's ranges let it pass."""
    result = CliRunner().invoke(halfreal, [*words, "nan", "--data-root", str(root), "--experiment", "small"])
    assert (result.exit_code, f"error: {words[-1]} nan: want a finite number\n") == (2, result.stderr)


def test_a_folder_that_is_no_export_is_kept(root: Path, tmp_path: Path) -> None:
    """A folder of the user's own is refused and untouched without --force; an empty one is taken."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all my work", encoding="utf-8")
    refused = export(root, tmp_path / "mine", "--to", "hf")
    assert (refused.exit_code, "--force replaces it" in refused.stderr) == (2, True)
    assert files(tmp_path / "mine") == {"thesis.txt": b"all my work"}
    assert export(root, tmp_path / "mine", "--to", "hf", "--force").exit_code == 0
    (tmp_path / "empty").mkdir()
    assert export(root, tmp_path / "empty", "--to", "hf").exit_code == 0


@pytest.mark.parametrize("where", [".", "small", "small/synthetic", "small/synthetic/export"])
def test_an_export_never_replaces_an_artifact(where: str, root: Path, varied: dict[str, Artifact]) -> None:
    """Not even with --force does an export take the place of the volume, the experiment or an artifact."""
    before = files(varied["synthetic"].folder)
    result = export(root, root / where, "--to", "hf", "--force")
    assert (result.exit_code, "a place of its own" in result.stderr) == (2, True)
    assert files(varied["synthetic"].folder) == before


@every_format
def test_a_failed_export_leaves_the_previous_one(
    to: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export that fails at its end leaves nothing behind, and the previous one unchanged."""
    assert export(root, tmp_path / "out", "--to", to).exit_code == 0
    before = files(tmp_path)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jobs.export.card.render", full)
    assert export(root, tmp_path / "out", "--to", to, "--labels", "asked").exit_code == 1
    assert files(tmp_path) == before


def test_an_export_killed_between_renames_is_recovered(root: Path, tmp_path: Path) -> None:
    """What a killed export had moved aside gets its name back when the next one fails."""
    assert export(root, tmp_path / "out", "--to", "hf").exit_code == 0
    before = files(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / ".out.replaced")
    assert export(root, tmp_path / "out", "--to", "hf", "--min-confidence", 1).exit_code == 2
    assert files(tmp_path / "out") == before
