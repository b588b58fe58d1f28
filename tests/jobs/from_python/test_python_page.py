"""docs/python.md: its code runs as it is shown, and gives what the commands give."""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import halfreal
from jobs.__main__ import main as command
from jobs.commands.drawing import SHEET_PX
from shared.plots.image_grid import enlarged_png, tile
from tests.containers.files import ROOT
from tests.documented import blocks
from tests.jobs.judge.picture_sets import write_set
from tests.jobs.judge.test_judge import QUICK

OPENED, DRAWN, EXPORTED, JUDGED, REFUSED = [
    block.text for block in blocks(ROOT / "docs" / "python.md") if block.language == "python"
]


def run(*code: str) -> tuple[dict[str, Any], list[str]]:
    """Return the names that code blocks leave, run one after the other, and the lines that they print."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for text in code:
            exec(compile(text, "docs/python.md", "exec"), names)
    return names, printed.getvalue().splitlines()


def test_an_experiment_is_what_the_commands_say(volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's first two blocks: verdict and numbers are those of `results`, images those of `sample`."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "digits").symlink_to(volume / "small")
    monkeypatch.chdir(tmp_path)
    names, printed = run(OPENED, DRAWN)
    opened, drawn = names["experiment"], names["drawn"]

    result = CliRunner().invoke(command, ["results", "--experiment", "digits", "--json"])
    told = json.loads(result.stdout)
    assert told | opened.facts() == told
    assert opened.headline.sentence == told["headline"]["sentence"]
    assert opened.verdict.splitlines() == printed[: len(opened.verdict.splitlines())]
    assert opened.headline.sentence in printed
    assert [answer.question for answer in opened.answers[1:]] == [each["question"] for each in told["questions"]]
    assert opened.scores.keys() == told["scores"].keys()

    words = ["sample", "--experiment", "digits", "--class", opened.classes[0], "--seed", "1", "--out", "same.png"]
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    assert drawn.png == (tmp_path / "samples.png").read_bytes() == (tmp_path / "same.png").read_bytes()
    assert drawn._repr_png_() == drawn.png
    assert (drawn.images.dtype, drawn.images.shape[0], drawn.images.shape[3]) == (np.uint8, 16, 3)
    assert enlarged_png(tile(drawn.images.transpose(0, 3, 1, 2), columns=4), SHEET_PX) == drawn.png
    assert len(drawn.class_names) == len(drawn.confidence) == 16


def test_an_export_is_that_of_the_command(volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's third block: the same files; a library that is missing is named, with what to install."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "digits").symlink_to(volume / "small")
    monkeypatch.chdir(tmp_path)
    names, printed = run(OPENED, EXPORTED)
    assert "def draw(" in "\n".join(printed)
    words = ["export", "--experiment", "digits", "--to", "safetensors", "--out", "same"]
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    mine, same = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("elsewhere", "same")
    )
    assert names["folder"] == tmp_path / "elsewhere"
    assert {name for name in same if mine[name] != same[name]} <= {"export.json"}
    monkeypatch.setattr("jobs.export.generators.find_spec", lambda name: None)
    with pytest.raises(halfreal.BadInput, match=r"pip install 'halfreal\[export\]'"):
        names["experiment"].export("onnx")


WRONG: dict[str, tuple[Callable[[halfreal.Experiment], object], str]] = {
    "no such class": (lambda opened: opened.sample("nobody"), "--class 'nobody': no such class"),
    "no class": (lambda opened: opened.sample(), "--class is missing"),
    "no such snapshot": (lambda opened: opened.sample(opened.classes[0], epoch=77), "--epoch 77: no such snapshot"),
    "no images": (lambda opened: opened.sample(opened.classes[0], 0), "count 0: want a whole number from 1 to 10000"),
    "half an image": (lambda opened: opened.sample(opened.classes[0], 0.5), "count 0.5: want"),  # type: ignore[arg-type]
    "no seed": (lambda opened: opened.sample(opened.classes[0], seed=-1), "seed -1: want a whole number from 0"),
    "no such format": (lambda opened: opened.export("onx"), "--to onx: no such format; did you mean onnx"),
    "all cut off": (lambda opened: opened.sample(opened.classes[0], truncation=0), "truncation 0: want 0.05"),
    "not a number": (lambda opened: opened.sample(opened.classes[0], truncation=float("nan")), "truncation nan: want"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_said_in_the_same_words(wrong: str, volume: Path) -> None:
    """BadInput, with the message of the command line."""
    ask, message = WRONG[wrong]
    with pytest.raises(halfreal.BadInput, match=message):
        ask(halfreal.open_experiment(volume / "small"))


@pytest.mark.parametrize(("path", "message"), [("none/digits", "does not exist"), ("s3://bucket/digits", "an address")])
def test_what_is_no_folder_is_refused(path: str, message: str) -> None:
    """An experiment that is not there is said when it is opened."""
    with pytest.raises(halfreal.BadInput, match=message):
        halfreal.open_experiment(path)


def test_an_unfinished_experiment_has_no_verdict(tmp_path: Path) -> None:
    """It can be opened; what is missing is named with the command that makes it."""
    opened = halfreal.open_experiment(tmp_path)
    with pytest.raises(halfreal.BadInput, match=r"run first: halfreal"):
        print(opened.verdict)


def test_what_cannot_be_judged_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's last block: the command's error is raised, and what it says is passed on."""
    monkeypatch.chdir(tmp_path)
    write_set(tmp_path / "photos", 3, 0)
    _, printed = run("import halfreal", REFUSED)
    said = capsys.readouterr().err
    assert printed[0].startswith("SYNTHETIC nowhere: there is no")
    assert " ".join(said.split()) == f"error: {printed[0]}"
    with pytest.raises(halfreal.BadInput, match=r"--set preprocess.source_path=elsewhere: .* give them as REAL"):
        halfreal.judge("photos", "generated", set={"preprocess.source_path": "elsewhere"})


@pytest.mark.long
def test_images_are_judged_as_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's third block; the same call of the command has nothing left to do."""
    for seed, (name, each) in enumerate({"photos": 20, "generated": 40, "kept": 20}.items()):
        write_set(tmp_path / name, each, seed)
    monkeypatch.chdir(tmp_path)
    for name, value in QUICK.items():
        monkeypatch.setenv(f"HALFREAL_{name}".replace(".", "_").upper(), str(value))
    names, printed = run("import halfreal", JUDGED)
    judged = names["judged"]
    assert judged.folder == Path("data/judge-photos-generated-held-out-kept")
    assert printed == [*judged.verdict.splitlines(), str(judged.folder / "report" / "index.html")]
    assert Path(printed[-1]).is_file()
    words = ["judge", "photos", "generated", "--held-out", "kept", "--size-px", "32", "--dry-run"]
    again = CliRunner().invoke(command, words)
    assert again.exit_code == 0, again.output
    assert again.stdout.count("already complete") == 7
    with pytest.raises(halfreal.BadInput, match="imported"):
        judged.sample("bar")
