"""What `verify` says to do about damage: a line that can be pasted, and what it makes again is as it was."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.export.staging import RECORD, write_export
from jobs.preprocess.options import PreprocessOptions
from jobs.verify.repairs import AS_BEFORE
from shared.cli.options import recorded
from shared.store.artifacts import Artifact
from shared.store.staging import BuildKey, stage
from tests.conftest import dots

Make = Callable[..., Artifact]

OPTIONS = ("--limit", 150, "--shard-images", 20, "--size-px", 8, "--resplit", "all", "--replicates", 2)
"""Some of which the recipe has another value for."""


def call(*words: object) -> Result:
    """Return the result of `halfreal` in this process."""
    return CliRunner().invoke(halfreal, [*map(str, words)])


def repairs(path: Path, *words: object) -> list[str]:
    """Return the lines that `halfreal verify` says, to people and to scripts alike; it must end with 2."""
    people, scripts = call("verify", path, *words), call("verify", path, "--json", *words)
    assert (people.exit_code, scripts.exit_code) == (2, 2), people.output
    lines: list[str] = json.loads(scripts.stdout)["repairs"]
    assert [line for line in people.stdout.splitlines() if line.startswith(("halfreal ", "# halfreal "))] == lines
    return lines


def paste(line: str) -> None:
    """Call what a line says, which must work."""
    for part in line.split(" && "):
        done = call(*shlex.split(part, comments=True)[1:])
        assert done.exit_code == 0, done.output


def manifests(volume: Path) -> dict[Path, bytes]:
    """Return what is in each manifest of a volume."""
    return {path: path.read_bytes() for path in volume.rglob("manifest.json")}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, run_job: Callable[..., Result]) -> Path:
    """Return a volume with two splits of real images, by options that are not the recipe's."""
    root = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        dots(patch)
        done = run_job("preprocess", root, "--threads", 1, "--processes", 1, *OPTIONS)
    assert done.exit_code == 0, done.output
    return root


@pytest.fixture
def volume(prepared: Path, tmp_path: Path) -> Path:
    """Return a copy of it, on a path with a space."""
    return shutil.copytree(prepared, tmp_path / "my volume")


def flip(folder: Path) -> None:
    """Change a bit of a shard."""
    path = folder / "train-00000.tar"
    payload = bytearray(path.read_bytes())
    payload[600] ^= 1
    path.write_bytes(payload)


def lose(folder: Path) -> None:
    """Delete the manifest."""
    (folder / "manifest.json").unlink()


@pytest.mark.fault(11)
@pytest.mark.parametrize("damage", [flip, lose])
def test_the_line_repairs_what_is_broken(damage: Callable[[Path], None], volume: Path) -> None:
    """The replicate that is broken alone, with the options that it was made with; its manifest is the same again."""
    before, kept = manifests(volume), (volume / "small" / "real" / "r00").stat().st_ino
    damage(volume / "small" / "real" / "r01")
    (line,) = repairs(volume)
    assert "--resplit all" in line
    paste(line)
    assert call("verify", volume).exit_code == 0
    assert manifests(volume) == before
    assert (volume / "small" / "real" / "r00").stat().st_ino == kept


def test_the_line_holds_wherever_it_is_pasted(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The experiment and the volume are named though PATH was a folder in which somebody was."""
    flip(volume / "small" / "real" / "r00")
    monkeypatch.chdir(volume / "small" / "real" / "r00")
    (line,) = repairs(Path())
    assert line.startswith(f"halfreal clean small/real/r00 --data-root '{volume}' --yes && halfreal preprocess ")


def test_a_volume_is_named_as_it_was_typed(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default one needs no flag."""
    flip(volume / "small" / "real" / "r00")
    volume.rename(volume.parent / "data")
    monkeypatch.chdir(volume.parent)
    (line,) = repairs(Path("data"))
    assert line.startswith("halfreal clean small/real/r00 --yes && halfreal preprocess --experiment small --recipe")


def test_what_was_made_from_an_edited_manifest_comes_after_it(make_dataset: Make, tmp_path: Path) -> None:
    """In the order of the jobs, also what was made from that; a line that lacks options is a comment."""
    real = make_dataset(tmp_path / "small" / "real", train=9)
    inputs = {"real": real}
    for job, place in (("train_gan", "gan/r00"), ("evaluate", "scores/r00")):
        with stage(tmp_path / "small" / place, BuildKey(job, "toy", {}, inputs), resumable=True) as work:
            inputs = {"gan/r00": work.commit()}
    path = real.folder / "manifest.json"
    path.write_bytes(path.read_bytes() + b" ")
    lines = repairs(tmp_path)
    place = f"--experiment small --data-root {tmp_path}"
    wanted = (f"clean small/real --data-root {tmp_path} --yes && halfreal preprocess", "train_gan", "evaluate")
    assert all(line.startswith(f"# halfreal {each} {place}") for line, each in zip(lines, wanted, strict=True))
    assert all(line.endswith(AS_BEFORE) for line in lines)


def test_a_broken_export_is_written_again(tmp_path: Path) -> None:
    """With its options and its replicate; without --force, which would lose a card that people have edited."""
    out = tmp_path / "small" / "export" / "imagefolder"
    out.parent.mkdir(parents=True)
    options = {"to": "imagefolder", "labels": "asked", "min_confidence": 0.5, "halfreal": "0.1.0"}
    write_export(out, BuildKey("export", "export", options), lambda folder: (folder / "a.png").write_text("a picture"))
    record = json.loads((out / RECORD).read_bytes())
    (out / RECORD).write_text(json.dumps(record | {"inputs": {"synthetic/r03": "0" * 64}}))
    (out / "a.png").write_text("another one")
    assert repairs(tmp_path) == [
        f"halfreal export --experiment small --data-root {tmp_path} "
        "--to imagefolder --labels asked --min-confidence 0.5 --replicate 3"
    ]


def test_an_option_that_acts_on_a_terminal_is_not_advised(make_dataset: Make, tmp_path: Path) -> None:
    """Somebody may have written the manifest: no escape of it reaches the terminal, none is pasted."""
    folder = make_dataset(tmp_path / "small" / "real", train=9).folder
    flip(folder)
    path = folder / "manifest.json"
    fields = json.loads(path.read_bytes())
    fields["options"] = json.loads(json.dumps(recorded(PreprocessOptions()))) | {"background": "\x1b[2J"}
    path.write_text(json.dumps(fields))
    (line,) = repairs(tmp_path)
    assert line.endswith(AS_BEFORE)
    assert "\x1b" not in call("verify", tmp_path).output
