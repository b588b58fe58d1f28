"""`halfreal study` from end to end on tiny images: what each point saw, how it is judged, how it goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from jobs.pipeline import FITS, PREPROCESS, SYNTHESIZE, TRAIN_CLASSIFIER, TRAIN_GAN, TRAIN_MIXED
from jobs.playground.index import ExperimentIndex
from jobs.study import children, making
from jobs.study.children import Child
from shared.data.images import load_split
from shared.stats.confidence import LEVEL, other_level
from shared.stats.intervals import difference_interval
from shared.store.artifacts import Artifact, open_output
from shared.store.checkpoints import load
from shared.store.replicates import as_there
from tests.jobs.study.conftest import PERCENT, Call

HALF, ALL = "images-50", "images-100"

IMPORTED = ("--set", "synthesize.source_path=/", "--set", "evaluate.scored=synthetic")


def child(root: Path, name: str) -> Path:
    """Return the folder of a point."""
    return root / "small" / "study" / name


def real(root: Path, name: str, replicate: int) -> Artifact[Any]:
    """Return the real images of a replicate of a point."""
    return open_output(as_there(PREPROCESS, child(root, name)), child(root, name), replicate)


def numbers(root: Path) -> Any:
    """Return what study.json says."""
    return json.loads((root / "small" / "study" / "study.json").read_text("utf-8"))


def manifests(root: Path) -> dict[str, bytes]:
    """Return the manifest of every artifact on the volume, by its path."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("manifest.json")}


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of the volume that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "v"))


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("replicate", [0, 1])
def test_a_point_has_its_share_of_train_and_val(finished: Path, split: str, replicate: int) -> None:
    """Half of each class, rounded up, among the images of the whole; the test images are the same at both points."""
    whole, half = (real(finished, name, replicate) for name in (ALL, HALF))
    counts = [found.dataset.splits[split].class_counts for found in (whole, half)]
    assert all(count / 2 <= few <= count / 2 + 1 for count, few in zip(*counts, strict=True)), counts
    images = [load_split(found, split).images.numpy() for found in (whole, half)]
    contents = [{image.tobytes() for image in found} for found in images]
    assert contents[1] < contents[0]
    tests = [load_split(found, "test").images.numpy() for found in (whole, half)]
    assert np.array_equal(*tests)


def test_replicates_of_a_point_are_other_draws(finished: Path) -> None:
    """The answer is not about one subset."""
    trains = [load_split(real(finished, HALF, number), "train").images.numpy() for number in (0, 1)]
    assert {image.tobytes() for image in trains[0]} != {image.tobytes() for image in trains[1]}


@pytest.mark.parametrize("row", [TRAIN_CLASSIFIER, TRAIN_GAN, SYNTHESIZE, FITS], ids=lambda row: row.writes)
@pytest.mark.parametrize("replicate", [0, 1])
def test_networks_of_a_point_see_its_images_alone(finished: Path, row: Any, replicate: int) -> None:
    """What they were made from is the point's own `real`, that of their replicate."""
    made = open_output(row, child(finished, HALF), replicate)
    named = {place: digest for place, digest in made.manifest.inputs.items() if place.startswith("real")}
    assert named == {f"real/r{replicate:02d}": real(finished, HALF, replicate).sha256}


def test_a_gan_of_fewer_images_is_shown_as_many(finished: Path) -> None:
    """Half of the images are shown in twice as many epochs, with as many snapshots to choose from."""
    options = {name: open_output(TRAIN_GAN, child(finished, name), 0).manifest.options for name in (ALL, HALF)}
    assert (options[ALL]["epochs"], options[HALF]["epochs"]) == (3, 6)
    snapshots = {name: len(open_output(TRAIN_GAN, child(finished, name), 0).record.snapshots) for name in (ALL, HALF)}
    assert snapshots[HALF] == snapshots[ALL] == 3


@pytest.mark.parametrize("name", [HALF, ALL])
def test_a_point_is_judged_from_its_fits_at_the_level_of_all(finished: Path, name: str) -> None:
    """The interval is that of the fits' answers at 97.5 %; the point's own headline stays at 95 %."""
    (found,) = [point for point in numbers(finished)["points"] if point["point"] == name]
    assert found["headline"]["level"] == numbers(finished)["level"] == other_level(2) == 0.975
    truth = load_split(real(finished, name, 0), "test").labels.numpy()
    right = []
    for arm in ("real_100_plus_synthetic_100", "real_100"):
        fits = [open_output(FITS, child(finished, name), number) for number in (0, 1)]
        tensors = [load(each.read(f"{arm}-fit0.safetensors"), arm)[0]["probabilities"] for each in fits]
        right.append(np.stack([answers.numpy().argmax(axis=1) == truth for answers in tensors]).astype(float))
    wanted = difference_interval(right[0] - right[1], 0.975)
    assert [found["headline"][key] for key in ("difference", "low", "high")] == pytest.approx(
        [wanted.mean, wanted.low, wanted.high]
    )
    own = open_output(TRAIN_MIXED, child(finished, name)).record.headline
    assert own is not None
    assert own.level == LEVEL
    assert found["headline"]["low"] <= own.low
    assert found["headline"]["high"] >= own.high


def test_what_is_written(finished: Path) -> None:
    """A page that links to the reports, the numbers next to it and where --json said."""
    folder = finished / "small" / "study"
    page = (folder / "index.html").read_text("utf-8")
    for name in (HALF, ALL):
        assert f'href="{name}/report/index.html"' in page
        assert (folder / name / "report" / "index.html").is_file()
    assert (finished / "numbers.json").read_bytes() == (folder / "study.json").read_bytes()
    found = {point["point"]: point for point in numbers(finished)["points"]}
    assert list(found) == [HALF, ALL]
    train = real(finished, HALF, 0).dataset.splits["train"].count
    assert (found[HALF]["n_train"], found[HALF]["replicates"], found[HALF]["added"]) == (train, 2, 0)
    assert found[HALF]["seconds"] > 0
    assert numbers(finished)["planned"] == [HALF, ALL]


def test_the_same_call_again_makes_nothing(root: Path, call: Call, here: list[str]) -> None:
    """Points that are complete are kept, those that are not named again belong to the study all the same."""
    before = manifests(root)
    result = call(root, "--images", "100")
    assert result.exit_code == 0, result.output
    assert here == []
    assert manifests(root) == before
    assert f"{ALL}: already complete" in result.stderr
    assert [point["point"] for point in numbers(root)["points"]] == [HALF, ALL]
    assert numbers(root)["level"] == 0.975


def test_points_without_an_answer_count_in_the_first_one(root: Path, call: Call, here: list[str]) -> None:
    """An interrupt left them complete, with a verdict of their own that somebody saw: none can be dropped."""
    (root / "small" / "study" / "study.json").unlink()
    result = call(root, "--images", "100")
    assert result.exit_code == 0, result.output
    assert "no point of this study" not in result.output
    found = numbers(root)
    assert [point["point"] for point in found["points"]] == found["planned"] == [HALF, ALL]
    assert (found["level"], found["added"], found["left_out"]) == (0.975, [], [])


def test_a_point_that_has_no_verdict_yet_is_none(root: Path, call: Call, here: list[str]) -> None:
    """It is named, so that nobody takes it for one."""
    (root / "small" / "study" / "study.json").unlink()
    shutil.rmtree(child(root, HALF) / "mixed")
    result = call(root, "--images", "100")
    assert result.exit_code == 0, result.output
    assert here == []
    assert f"{HALF}: no point of this study, since it is not named and has no verdict yet" in result.stderr
    assert (numbers(root)["planned"], numbers(root)["level"]) == ([ALL], 0.95)


def test_points_that_another_study_made_meanwhile_count(
    root: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answers looks once more for points that have a verdict."""
    (root / "small" / "study" / "study.json").unlink()
    child(root, HALF).rename(root / "elsewhere")
    monkeypatch.setattr(making, "make", lambda *_: (root / "elsewhere").rename(child(root, HALF)))
    result = call(root, "--images", "100")
    assert result.exit_code == 0, result.output
    assert (numbers(root)["planned"], numbers(root)["level"]) == ([HALF, ALL], 0.975)


def test_a_replicate_is_added_and_flagged(root: Path, call: Call, here: list[str]) -> None:
    """Those that exist stay; the page says that an answer was known before."""
    before = manifests(root)
    result = call(root, "--images", PERCENT, "--replicates", 3)
    assert result.exit_code == 0, result.output
    assert here == [f"small/study/{HALF}", f"small/study/{ALL}"]
    now = manifests(root)
    kept = {path: payload for path, payload in before.items() if "/mixed/" not in path and "/report/" not in path}
    assert kept.items() <= now.items()
    assert [(point["planned"], point["added"]) for point in numbers(root)["points"]] == [(2, 1), (2, 1)]
    assert any("1 of 3 replicates were added after a first answer" in line for line in numbers(root)["warnings"])


def test_parts_are_whole_points(root: Path, call: Call, here: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Part 1 of 2 makes the second point alone, and leaves the page to whoever finds all complete."""
    for name in (HALF, ALL):
        shutil.rmtree(child(root, name))
    (root / "small" / "study" / "study.json").unlink()
    made: list[str] = []
    monkeypatch.setattr(making, "run_child", lambda one, *_: made.append(one.point.name))
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    result = call(root, "--images", PERCENT, "--parts", 2)
    assert result.exit_code == 0, result.output
    assert made == [ALL]
    assert f"part 1 of 2 is done; not yet: {HALF}, {ALL}" in result.stderr
    assert not (root / "small" / "study" / "study.json").exists()


def test_the_last_part_writes_the_page(root: Path, call: Call, here: list[str]) -> None:
    """It finds the points of the others complete; their parts are none of the jobs' business."""
    (root / "small" / "study" / "study.json").unlink()
    result = call(root, "--images", PERCENT, "--parts", 2, "--index", 0)
    assert result.exit_code == 0, result.output
    assert here == []
    assert (root / "small" / "study" / "study.json").is_file()


def test_parts_reach_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that took the part of the study for its own would make some of the replicates."""
    told: dict[str, Any] = {}

    class Done:
        def wait(self, timeout: float) -> int:
            return 0

    def start(module: str, words: list[str], changes: dict[str, str]) -> Done:
        told.update(os.environ, **changes)
        return Done()

    monkeypatch.setenv("HALFREAL_PARTS", "4")
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "3")
    monkeypatch.setattr(children, "start", start)
    point = children.Point("images", 5)
    one = Child(point, "small/study/images-5", (), [])
    children.run_child(one, {"replicates": None, "processes": None}, making.StopFlag())
    assert told["HALFREAL_PARTS"] == "1"


def test_a_signal_ends_with_75_and_saves(root: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM is passed on to the point that is made; the same command goes on later."""
    for name in (HALF, ALL):
        shutil.rmtree(child(root, name))
    script = (
        "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(75))\nprint(1, flush=True)\ntime.sleep(60)"
    )
    started = []

    def start(module: str, words: list[str], changes: dict[str, str]) -> "subprocess.Popen[str]":
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()  # its handler is there
        process.stdout.close()
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        return process

    monkeypatch.setattr(children, "start", start)
    result = call(root, "--images", PERCENT)
    assert result.exit_code == 75, result.output
    assert "run the same command again" in result.stderr
    assert [process.wait(timeout=10) for process in started] == [75]


def test_a_point_that_fails_ends_the_study_with_its_code(
    root: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are not begun, and no page is written."""
    for name in (HALF, ALL):
        shutil.rmtree(child(root, name))
    page = root / "small" / "study" / "index.html"
    page.unlink()
    monkeypatch.setattr(children, "start", lambda *_: subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]))
    result = call(root, "--images", PERCENT)
    assert result.exit_code == 3, result.output
    assert f"small/study/{HALF} failed (exit code 3)" in result.stderr
    assert not page.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--images", "0"], "'0' is no percentage"),
        (["--images", "101"], "'101' is no percentage"),
        (["--images", "10,10"], "more than once"),
        ([], "no points; want --images"),
        (["--images", "0.5,50"], "--images 0.5: too few train images of 10 of 10 classes (0: 1 of 124,"),
        (["--images", "50", "--set", "preprocess.train_val_fraction=0.5"], "a study sets it for each of its points"),
        (["--images", "100", "--set", "preprocess.resplit=none"], "each replicate of a point draws its images"),
        (["--labels", "60", "--set", "train_mixed.arms=short"], "ask for less than 50 % of the labels"),
        (["--images", "50", "--set", "train_gan.epoch=5"], "no option 'epoch'; did you mean epochs?"),
        (["--images", "50", "--set", "train_mixed.measure_every=9999"], "--measure-every 9999"),
        (["--images", "50", "--parts", "2", "--index", "2"], "want less than --parts 2"),
        (["--images", "50", "--index", "1"], "say by --parts"),
        (["--images", "50", "--experiment", "a/study/images-5"], "is a point of a study"),
        (["--images", "50", "--set", "synthesize.source=folder", *IMPORTED], "are imported"),
    ],
)
@pytest.mark.parametrize("dry", [True, False])
def test_mistakes_are_said_before_the_work(words: list[str], said: str, dry: bool, tmp_path: Path) -> None:
    """Exit code 2, and nothing is on the volume."""
    result = CliRunner().invoke(
        halfreal, ["study", "--data-root", str(tmp_path / "v"), *words, *(["--dry-run"] if dry else [])]
    )
    assert result.exit_code == 2, result.output
    assert said in result.stderr.replace("\n", " "), result.stderr
    assert not (tmp_path / "v").exists()


def test_a_dry_run_shows_every_point(tmp_path: Path) -> None:
    """And changes nothing."""
    result = CliRunner().invoke(
        halfreal, ["study", "--images", "5,100", "--data-root", str(tmp_path / "v"), "--dry-run"]
    )
    assert result.exit_code == 0, result.output
    for name in ("images-5", "images-100"):
        assert f"train_gan would write {tmp_path}/v/digits/study/{name}/gan" in result.output
    assert "epochs = 800" in result.output
    assert not (tmp_path / "v").exists()


def test_results_mention_the_study(finished: Path) -> None:
    """The experiment has no results of its own; those of a point are under its name."""
    words = ["results", "--data-root", str(finished), "--experiment"]
    found = CliRunner().invoke(halfreal, [*words, "small"])
    assert found.exit_code == 0, found.output
    assert numbers(finished)["answers"][0]["sentence"].split(".")[0][:40] in found.output.replace("\n", " ")
    alone = CliRunner().invoke(halfreal, [*words, "small", "--json"])
    assert alone.exit_code == 0, alone.output
    facts = json.loads(alone.stdout)
    assert (facts["experiment"], facts["headline"], facts["questions"], facts["arms"]) == ("small", None, [], [])
    assert (facts["study"], facts["study_outdated"]) == (numbers(finished), [])
    point = CliRunner().invoke(halfreal, [*words, f"small/study/{HALF}", "--json"])
    assert point.exit_code == 0, point.output
    facts = json.loads(point.stdout)
    assert (facts["experiment"], facts["study"]) == (f"small/study/{HALF}", None)


@pytest.mark.parametrize("json_wanted", [True, False])
def test_broken_results_do_not_hide_the_study(root: Path, json_wanted: bool) -> None:
    """It is printed; then the error, with its exit code."""
    (root / "small" / "mixed").mkdir()
    (root / "small" / "mixed" / "manifest.json").write_text("{", encoding="utf-8")
    words = ["results", "--data-root", str(root), "--experiment", "small", *(["--json"] if json_wanted else [])]
    found = CliRunner().invoke(halfreal, words)
    assert found.exit_code == 2
    assert str(root / "small") in found.stderr
    if json_wanted:
        assert json.loads(found.stdout)["study"] == numbers(root)
    else:
        assert numbers(root)["answers"][0]["sentence"].split(".")[0][:40] in found.stdout.replace("\n", " ")
        assert "outdated" not in found.stdout


@pytest.mark.parametrize("change", ["other", "more", "gone"])
def test_an_outdated_study_is_said_to_be_one(root: Path, change: str) -> None:
    """Its answer is about synthetic sets that are no longer those of its points."""
    made = child(root, HALF) / "synthetic"
    if change == "gone":
        shutil.rmtree(made / "r01")
    if change == "other":
        path = made / "r01" / "manifest.json"
        path.write_text(path.read_text("utf-8").replace('"seed":', '"seed" :'), encoding="utf-8")
    if change == "more":
        shutil.copytree(made / "r01", made / "r02")
    words = ["results", "--data-root", str(root), "--experiment", "small"]
    found = CliRunner().invoke(halfreal, words)
    assert found.exit_code == 0, found.output
    assert f"The study is outdated: the synthetic images of {HALF} are others now" in found.output
    assert json.loads(CliRunner().invoke(halfreal, [*words, "--json"]).stdout)["study_outdated"] == [HALF]


def test_points_are_experiments_of_the_playground(finished: Path) -> None:
    """They are listed under the name that every command takes."""
    assert ExperimentIndex(finished).names() == [f"small/study/{ALL}", f"small/study/{HALF}"]
