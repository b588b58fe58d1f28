"""The command `selfcheck verdict`: on digits and on a user's images, its exit codes, what it prints and resumes."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jobs.__main__ import main as halfreal
from jobs.selfcheck import pieces
from jobs.selfcheck.sets import source_of
from jobs.selfcheck.unfinished import begin, end, pieces_of
from jobs.train_mixed import fits
from shared.metrics import membership
from shared.models.fit_options import FitConfig

Run = Callable[..., Result]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return `check(*words)`: the command in this process, on a volume of the test's, with a fast attack."""
    monkeypatch.setattr(membership, "CLASSIFIER", FitConfig(steps=2, measure_every=1))

    def run(*words: str) -> Result:
        fixed = ["--data-root", str(tmp_path / "volume"), "--processes", "1", "--replicates", "2", "--steps", "2"]
        return CliRunner().invoke(halfreal, ["selfcheck", "verdict", *fixed, *words])

    return run


def folders(tmp_path: Path) -> list[str]:
    """Return the folders of pieces that are on the volume."""
    return [path.name for path in (tmp_path / "volume" / "selfcheck").iterdir() if path.is_dir()]


def test_a_check_on_digits(check: Run, tmp_path: Path) -> None:
    """Each control says what was given and what is right; the same is in the JSON; no pieces are left."""
    done = check("--controls", "copies,held_out", "--json", str(tmp_path / "found.json"))
    assert done.exit_code == 0, done.output
    assert "digits: 10 classes, 16 px, grey; 150 train, 300 other real, 150 val, 1,197 test" in done.output
    assert "copies: flagged in 2 of 2 replicates; right: flagged" in done.output
    assert "held_out: other real images: a perfect generator" in done.output
    assert "underpowered" in done.output.splitlines()[-1]
    assert folders(tmp_path) == []
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [row["control"] for row in found["controls"]] == ["held_out", "copies"]
    assert found["real"] == {
        "name": "digits",
        "classes": [*"0123456789"],
        "train": 150,
        "pool": 300,
        "val": 150,
        "test": 1197,
    }
    copies = found["controls"][1]
    assert copies["headline"]["outcome"] != "helped"
    assert [test["pixels"]["flagged"] for test in copies["copies"]] == [True, True]
    assert all(test["pixels"]["auc"] == 1 for test in copies["membership"])
    statuses = {check["about"]: check["status"] for check in copies["checks"]}
    assert statuses["copies"] == statuses["membership"] == "pass"


def test_a_check_on_an_experiments_real_images(check: Run, make_dataset: Any, tmp_path: Path) -> None:
    """Any number of classes, size and colour; the recipe's options; a third of train is the train set."""
    make_dataset(tmp_path / "volume" / "photos" / "real", train=60, val=9, test=33, size_px=20, channels=3)
    done = check("--experiment", "photos", "--controls", "copies", "--json", str(tmp_path / "found.json"))
    assert done.exit_code == 0, done.output
    assert "photos: 3 classes, 20 px, colour; 20 train, 40 other real, 9 val, 33 test" in done.output
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["options"]["steps"] == 2
    assert [row["headline"]["replicates"] for row in found["controls"]] == [2]


def test_a_wrong_verdict_ends_with_1_and_is_kept(check: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the copy test flags nothing, copies FAIL; the next call takes the pieces that are there."""
    monkeypatch.setattr(pieces, "copies_of", blind_copies(pieces.copies_of))
    done = check("--controls", "copies")
    assert done.exit_code == 1
    assert "FAIL         copies: copies of all train images" in done.output
    assert "flagged in 0 of 2 replicates; right: flagged  <- FAIL" in done.output
    assert "the verdict is wrong on copies" in done.output
    assert len(folders(tmp_path)) == 1
    monkeypatch.setattr(pieces, "read_or_fit", never)
    assert check("--controls", "copies").exit_code == 1


def blind_copies(test: Callable[..., Any]) -> Callable[..., Any]:
    """Return the copy tests with nothing flagged."""
    blind = {"flagged": False, "flagged_for": [], "p_value": 1.0}
    return lambda *words: {name: each.model_copy(update=blind) for name, each in test(*words).items()}


def never(*words: Any) -> Any:
    """Fail: this must not be called."""
    raise AssertionError("a finished fit was made again")


def test_a_stopped_check_goes_on(check: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call makes no piece again that the first one finished."""
    made: list[str] = []
    fit_or_read = fits.read_or_fit

    def stop_at_copies(folder: Path, *words: Any) -> Any:
        made.append(f"{folder.parent.name}/{folder.name}/{words[0].arm}")
        if len(made) == 11:
            raise KeyboardInterrupt
        return fit_or_read(folder, *words)

    monkeypatch.setattr(pieces, "read_or_fit", stop_at_copies)
    assert check("--controls", "copies").exit_code == 75
    # four arms of real images and two of the control in each replicate
    assert made[8:] == [f"copies/r00/{arm}" for arm in ("real_100_plus_synthetic_100", "synthetic_70_real_30")] + [
        "copies/r01/real_100_plus_synthetic_100"
    ]
    again = check("--controls", "copies")
    assert again.exit_code == 0, again.output
    assert made[11:] == [f"copies/r01/{arm}" for arm in ("real_100_plus_synthetic_100", "synthetic_70_real_30")]
    # other options are another check
    made.clear()
    assert check("--controls", "copies", "--seed", "1").exit_code == 75


def test_a_check_that_passed_leaves_the_pieces_of_a_larger_one(
    check: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check of one control takes what an unfinished one of two has made of it, and leaves that there."""
    made: list[str] = []
    fit_or_read = fits.read_or_fit

    def stop_at_copies(folder: Path, *words: Any) -> Any:
        made.append(f"{folder.parent.name}/{folder.name}/{words[0].arm}")
        if folder.parent.name == "copies":
            raise KeyboardInterrupt
        return fit_or_read(folder, *words)

    monkeypatch.setattr(pieces, "read_or_fit", stop_at_copies)
    assert check("--controls", "noise,copies").exit_code == 75
    monkeypatch.setattr(pieces, "read_or_fit", never)
    assert check("--controls", "noise").exit_code == 0
    monkeypatch.setattr(pieces, "read_or_fit", lambda *words: made.append(words[0].parent.name) or fit_or_read(*words))
    made.clear()
    assert check("--controls", "noise,copies").exit_code == 0
    assert {*made} == {"copies"}
    assert folders(tmp_path) == []


def test_pieces_of_replicates_that_nobody_needs_are_removed(tmp_path: Path) -> None:
    """Those that an unfinished check has or will have stay, also where both have the control."""
    plan = SimpleNamespace(folder=tmp_path)
    begin(plan, ["copies"], 2)
    begin(plan, ["noise", "copies"], 3)
    for piece in pieces_of((("copies", "noise"), 3)):
        piece.folder(plan).mkdir(parents=True)
    end(plan, ["noise", "copies"], 3)
    there = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*"))
    assert there == ["copies/r00", "copies/r01", "real/r00", "real/r01"]
    assert not (tmp_path / "noise").exists()
    end(plan, ["copies"], 2)
    assert not tmp_path.exists()


def test_random_splits_are_named_after_their_experiment(make_dataset: Any, tmp_path: Path) -> None:
    """Not after the folder that they are in; a point of a study as every command names it."""
    for name in ("photos", "photos/study/images-5"):
        make_dataset(tmp_path / name / "real" / "r00", train=60, val=9, test=33)
        assert source_of(tmp_path / name).load(0).name == name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--controls", "copis"), "--controls copis: unknown: copis; did you mean copies"),
        (("--controls", ","), "none is named"),
        (("--experiment", "nowhere"), "nowhere"),
        (("--experiment", "../up"), "--experiment '../up'"),
        (("--set", "train_gan.epochs=3"), "want train_mixed.OPTION=VALUE"),
        (("--set", "train_mixed.arms=short"), "each control has the arms of its own questions"),
        (("--set", "train_mixed.min-confidence=0.5"), "planted images have labels and no confidence"),
        (("--set", "train_mixed.until=1"), "by halfreal run alone"),
        (("--set", "train_mixed.stepps=3"), "train_mixed has no option 'stepps'"),
        (("--json", "nowhere/found.json"), "there is no folder"),
        (("--replicates", "0"), "0 is not in the range"),
    ],
)
def test_bad_input_ends_with_2(check: Run, words: tuple[str, ...], said: str) -> None:
    """The error names the option and what is wanted."""
    done = check(*words)
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())


def test_images_that_are_too_few_end_with_2(check: Run, make_dataset: Any, tmp_path: Path) -> None:
    """The error says of which class, and what is wanted."""
    make_dataset(tmp_path / "volume" / "few" / "real", train=12, val=3, test=33)
    done = check("--experiment", "few")
    assert done.exit_code == 2
    assert "too few train images of cat (4), dog (4), owl (4); want 6 or more of each class" in done.output


@pytest.mark.long
def test_the_verdict_is_right_on_every_control(tmp_path: Path) -> None:
    """Whole: no control FAILs on the digits; a perfect generator helps, shuffled labels hurt, copies are flagged."""
    file = tmp_path / "found.json"
    words = ["selfcheck", "verdict", "--data-root", str(tmp_path / "volume"), "--json", str(file)]
    done = CliRunner().invoke(halfreal, words)
    assert done.exit_code == 0, done.output
    rows = {row["control"]: row for row in json.loads(file.read_text(encoding="utf-8"))["controls"]}
    assert rows["held_out"]["headline"]["outcome"] == "helped"
    assert rows["shuffled"]["headline"]["outcome"] == "hurt"
    differences = [rows[name]["headline"]["difference"] for name in ("shuffled", "noise", "held_out")]
    assert differences == sorted(differences)
    width = {name: rows[name]["headline"]["high"] - rows[name]["headline"]["low"] for name in ("varying", "held_out")}
    assert width["varying"] > width["held_out"]
