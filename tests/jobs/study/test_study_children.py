"""What each point is told, and which points a study is of."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jobs.preprocess.options import PreprocessOptions
from jobs.study import counts, judging
from jobs.study.children import child_of
from jobs.study.command import all_points, finish
from jobs.study.counts import check_counts, left
from jobs.study.points import Point, parse_points
from jobs.study.record import make_record, read_study
from shared.errors import BadConfig, BadInput
from shared.format.files import json_bytes
from shared.stats.confidence import other_level
from shared.store.records.mixed import HELPED, NO_EFFECT
from tests.jobs.study.points import points

NOTHING: dict[str, Any] = dict.fromkeys(("seed", "threads", "device", "replicates", "processes"))
NOTHING |= {"force": False, "debug": False, "pairs": (), "images": None, "labels": None}


def pairs_of(percent: float, *given: str) -> dict[str, str]:
    """Return the options that the jobs of a point of the digits get, the last value of each."""
    child = child_of(Point("images", percent), "digits", Path("v"), "digits", NOTHING | {"pairs": given})
    return dict(pair.split("=", 1) for pair in child.pairs)


def test_a_point_has_its_share_and_a_draw_for_each_replicate() -> None:
    """GAN, annotator, val and classifiers have its images alone; the GAN is shown as many as at 100 %."""
    assert pairs_of(5) == {
        "preprocess.train_val_fraction": "0.05",
        "preprocess.resplit": "train",
        "train_gan.epochs": "800",
        "train_gan.snapshot_every_epochs": "100",
    }
    # all images are one set, which no replicate can draw again: its report speaks of no new subset
    assert pairs_of(100) == {"preprocess.train_val_fraction": "1"}


def test_options_of_all_points_are_scaled_too() -> None:
    """--set says what holds at 100 %; a split of the user's own stays."""
    found = pairs_of(50, "train_gan.epochs=10", "preprocess.resplit=all")
    assert (found["train_gan.epochs"], found["preprocess.resplit"]) == ("20", "all")
    assert pairs_of(100, "preprocess.resplit=all")["preprocess.resplit"] == "all"


@pytest.mark.parametrize(
    ("options", "resplit"),
    [
        ("", None),
        ("labelled_fraction = 0.5", "train"),
        ("train_val_fraction = 0.5", None),  # the point sets it
        ('resplit = "train"\ntrain_val_fraction = 0.5', "none"),
        ('resplit = "all"', None),
    ],
)
def test_replicates_of_all_images_draw_what_there_is_to_draw(options: str, resplit: str | None, tmp_path: Path) -> None:
    """With 100 % that is a share of the labels which the recipe sets; whole splits are left to the recipe."""
    recipe = tmp_path / "own.toml"
    recipe.write_text(f"[preprocess]\n{options}\n", encoding="utf-8")
    made = child_of(Point("images", 100), "digits", Path("v"), str(recipe), NOTHING)
    assert dict(pair.split("=", 1) for pair in made.pairs).get("preprocess.resplit") == resplit


@pytest.mark.parametrize(
    ("kind", "percent", "options", "there"),
    [
        ("images", 10, {}, 10),
        ("images", 10, {"audit_fraction": 0.2}, 8),
        ("labels", 10, {"train_val_fraction": 0.3}, 3),
        ("images", 10, {"labelled_fraction": 0.25}, 3),  # a quarter of ten, rounded up
        ("labels", 10, {"train_val_fraction": 0.3, "audit_fraction": 0.9, "labelled_fraction": 0.5}, 1),
    ],
)
def test_what_other_options_keep_from_a_point_counts(
    kind: str, percent: float, options: dict[str, float], there: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand, for a class of 100 train images; too few are refused with the share that is enough."""
    config, point = PreprocessOptions(**options), Point(kind, percent)
    assert left(config, point, 100) == there
    monkeypatch.setattr(counts, "train_counts", lambda *_: {"a": 100, "b": 200})
    if there < counts.LEAST:
        with pytest.raises(BadInput, match=r"\(a: 1 of 100, b: 1 of 200\)\n.* ask for 34 or more"):
            check_counts(config, [point], Path("sources"))
    else:
        check_counts(config, [point], Path("sources"))


@pytest.mark.parametrize(
    ("kind", "pair", "said"),
    [
        ("images", "preprocess.resplit=none", "preprocess.resplit=none: each replicate of a point draws its images"),
        ("labels", "preprocess.resplit=train", "preprocess.resplit=train: each replicate of a point draws"),
        ("images", "preprocess.labelled_fraction=0.5", "a study sets it for each of its points"),
        ("labels", "synthesize.share=0.5", "a study sets it for each of its points"),
        ("labels", "synthesize.share-of=train", "a study sets it for each of its points"),
        ("labels", "train_gan.conditional=true", "a study sets it for each of its points"),
    ],
)
def test_what_a_study_sets_is_refused(kind: str, pair: str, said: str) -> None:
    """Rather than overridden without a word."""
    with pytest.raises(BadConfig, match=re.escape(said)):
        child_of(Point(kind, 10), "digits", Path("v"), "digits", NOTHING | {"pairs": (pair,)})


def test_the_arms_of_the_question_are_added_where_they_lack() -> None:
    """A recipe of other arms keeps them, and is answered all the same."""
    found = pairs_of(100, "train_mixed.arms=original")
    assert found["train_mixed.arms"] == "original,real_100_plus_synthetic_100"
    assert pairs_of(100, "train_mixed.arms=fair")["train_mixed.arms"] == "fair"


def test_points_of_an_earlier_answer_belong_to_the_study(tmp_path: Path) -> None:
    """But for those whose folder was removed: an answer about some would be one about the best of them."""
    folder = tmp_path / "study"
    for name in ("images-5", "images-30"):
        (folder / name).mkdir(parents=True)
    before = make_record("digits", points(NO_EFFECT, NO_EFFECT, NO_EFFECT, HELPED), 0.9875, None)
    (folder / "study.json").write_bytes(json_bytes(before.facts()))
    found = all_points(tmp_path, NOTHING | {"images": "100"})
    assert [point.name for point in found] == ["images-5", "images-30", "images-100"]
    # folders that no answer was given of are not asked about
    (folder / "study.json").unlink()
    assert all_points(tmp_path, NOTHING | {"images": "100"}) == [Point("images", 100)]


def test_points_that_have_a_verdict_belong_to_the_study(tmp_path: Path) -> None:
    """Whether an answer was given of them or not; what has no verdict, or is no point, is not asked about."""
    for name in ("images-1/mixed", "images-20/mixed", "labels-5/mixed", "images-30/gan", "other-7/mixed"):
        (tmp_path / "study" / name).mkdir(parents=True)
    found = all_points(tmp_path, NOTHING | {"images": "20,100"})
    assert [point.name for point in found] == ["images-1", "images-20", "images-100", "labels-5"]


def test_every_point_is_judged_at_the_level_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With four points each interval has 98.75 %."""
    levels: list[float] = []
    made = points(NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT)

    def judged(child: Any, data_root: Path, level: float) -> Any:
        levels.append(level)
        return made[len(levels) - 1]

    monkeypatch.setattr(judging, "study_point", judged)
    (tmp_path / "digits" / "study").mkdir(parents=True)
    asked = parse_points("images", "5,10,30,100")
    children = [child_of(point, "digits", tmp_path, "digits", NOTHING) for point in asked]
    finish(tmp_path, "digits", children, None)
    assert levels == [other_level(4)] * 4 == [0.9875] * 4


def test_parts_that_end_at_once_write_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one reads what the first one answered: it must not take its own answer for the first."""
    made = {f"images-{each.percent:g}": each for each in points(NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT)}
    at_work: list[int] = []

    def judged(child: Any, data_root: Path, level: float) -> Any:
        at_work.append(1)
        time.sleep(0.05)
        assert len(at_work) == 1, "two at once"
        at_work.pop()
        return made[child.point.name]

    monkeypatch.setattr(judging, "study_point", judged)
    parts = [parse_points("images", text) for text in ("10,30,100", "5,10,30,100")]
    calls = [[child_of(point, "digits", tmp_path, "digits", NOTHING) for point in part] for part in parts]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(finish, tmp_path, "digits", call, None) for call in calls]:
            done.result()
    found = read_study(tmp_path / "digits")
    assert found is not None
    assert {*found.planned, *found.added, *found.left_out} == {*made}
    assert len(found.planned) < 4 or found.left_out
