"""The command `results`: the verdict first; JSON with fixed keys, shares of 1, null where a key does not apply."""

import io
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from jobs.__main__ import main as halfreal
from jobs.commands.results import Results, print_verdict
from jobs.commands.results_classes import print_arm_metrics, print_generator
from jobs.commands.results_json import without_nan
from jobs.commands.results_scores import print_scores
from shared.store.artifacts import Artifact
from shared.store.records.membership import MembershipTest
from shared.store.records.mixed import MixedRecord
from shared.store.records.scores import OnTest, ScoresRecord
from tests.jobs.report.pages import experiment
from tests.jobs.report.records import ARMS, METRICS, mixed_record, two_classes, until_record

ANSWER = {
    "question": str,
    "a": str,
    "b": str,
    "metric": str,
    "difference": float,
    "low": float,
    "high": float,
    "level": float,
    "outcome": str,
    "detectable": float,
    "replicates": int,
    "like_for_like": bool,
    "warnings": list,
    "values": list,
    "sentence": str,
    "equal_steps": dict,
    "freedom": float,
}
"""The keys of an answer and the types of their values."""

T_95 = 4.302652729696142
"""Student's t of 2 degrees of freedom: from a table, not from the code under test."""


def results(volume: Path, *words: str) -> Result:
    """Return the output of `halfreal results` on the experiment `small`."""
    return CliRunner().invoke(halfreal, ["results", "--data-root", str(volume), "--experiment", "small", *words])


def collected(made: dict[str, Artifact], record: MixedRecord) -> Results:
    """Return results of three replicates, whose scores are 1, 0.5 and 2 times those of the experiment `small`."""
    inputs = experiment(made, record)
    scores = [ScoresRecord.model_validate(inputs[f"scores/r{number:02d}"].facts) for number in range(3)]
    on_test = [row.on_test for row in scores if row.on_test is not None]
    return Results("small", record, scores, on_test, {"mixed": "0"})


@pytest.fixture(scope="module")
def found(made: dict[str, Artifact]) -> Any:
    """Return the JSON of these results, as a script reads it."""
    return json.loads(json.dumps(collected(made, mixed_record(replicates=3)).facts(), allow_nan=False))


def test_the_keys_are_those_that_scripts_read(found: Any) -> None:
    """Every key is there."""
    keys = {"headline", "questions", "arms", "copies", "membership", "variance", "scores"}
    assert keys <= found.keys()


def test_every_answer_has_its_keys_and_types(found: Any) -> None:
    """The headline and each question alike: shares of 1, one value for each replicate."""
    answers = [found["headline"], *found["questions"]]
    assert len(answers) == 4
    for answer in answers:
        assert {name: type(answer[name]) for name in ANSWER} == ANSWER
        assert answer["low"] <= answer["difference"] <= answer["high"]
        assert all(-1 <= value <= 1 for value in answer["values"])
        assert len(answer["values"]) == answer["replicates"] == 3
    assert found["headline"]["level"] == 0.95
    assert [answer["level"] for answer in found["questions"]] == [pytest.approx(1 - 0.05 / 3)] * 3


def test_a_width_that_was_wanted_is_there(found: Any, made: dict[str, Artifact]) -> None:
    """What was wanted and reached, in shares of 1, and why it ended; null where nobody asked."""
    names = ("until", "half_width", "floor", "stopped_for")
    assert {name: found["protocol"][name] for name in names} == dict.fromkeys(names)
    assert found["headline"]["needs_test_images"] is None
    record = until_record("test images", 2300, half_width=0.012, floor=0.009)
    facts: Any = collected(made, record).facts()
    assert [facts["protocol"][name] for name in names] == [0.005, 0.012, 0.009, "test images"]
    assert facts["headline"]["needs_test_images"] == 2300


def test_people_read_why_it_ended(made: dict[str, Artifact], capsys: pytest.CaptureFixture[str]) -> None:
    """After the answer: what is needed, and that intervals allow for it."""
    print_verdict(Console(width=1000), until_record("test images", 2300, half_width=0.012, floor=0.009))
    said = capsys.readouterr().out
    assert "0.5 needs about 2,300 test images, there are 360." in said
    assert "Every interval is 20 % wider" in said
    print_verdict(Console(width=1000), mixed_record())
    assert "wider" not in capsys.readouterr().out


def test_every_arm_has_its_metrics_and_information(found: Any) -> None:
    """Mean, bounds and values of each metric; shares of the real images that each network saw."""
    assert [arm["arm"] for arm in found["arms"]] == list(ARMS)
    for arm in found["arms"]:
        _, real, _, seen, _ = ARMS[arm["arm"]]
        assert arm["information"] == {"classifier": real, "generator": seen, "annotator": seen}
        assert (type(arm["n_real"]), type(arm["n_synthetic"])) == (int, int)
        for metric in METRICS:
            assert {"mean", "low", "high", "values"} <= arm[metric].keys()
            assert arm[metric]["mean"] == pytest.approx(mean(arm[metric]["values"]))
            assert 0 <= arm[metric]["low"] <= arm[metric]["high"] <= 1


def test_variance_is_null_where_it_is_not_known(found: Any, made: dict[str, Artifact]) -> None:
    """Three shares, each a number or null."""
    assert found["variance"] == {"generator": 0.35, "fit": None, "images": 0.65}
    unknown = collected(made, mixed_record(replicates=3, variance=None)).facts()["variance"]
    assert unknown == {"generator": None, "fit": None, "images": None}


def test_scores_have_mean_and_interval_over_replicates(found: Any, made: dict[str, Artifact]) -> None:
    """Student's interval over the three values, worked out here; what real train images have is next to it."""
    facts: Any = made["scores"].facts
    for name in ("frechet_classifier_infinite", "kernel_classifier"):
        values = [factor * facts["test"][name] for factor in (1.0, 0.5, 2.0)]
        reach = T_95 * stdev(values) / math.sqrt(3)
        score = found["scores"][name]
        assert score["values"] == pytest.approx(values)
        assert score["mean"] == pytest.approx(mean(values))
        assert (score["low"], score["high"]) == pytest.approx((mean(values) - reach, mean(values) + reach))
        assert score["real_train"] == pytest.approx(facts["real"][name])
    assert found["scores"]["agreement"]["real_train"] is None


def test_an_extrapolated_score_says_of_which_side(found: Any) -> None:
    """Scripts read it next to the number; what was measured as it is has null."""
    sides = {name: score["extrapolated"] for name, score in found["scores"].items()}
    assert {name for name, side in sides.items() if side is not None} == {"frechet_classifier_infinite"}
    assert sides["frechet_classifier_infinite"] == "synthetic"


def near_the_floor(three: Results) -> Results:
    """Return the results with distances of classes of which the first is near a floor of 2."""

    def changed(row: OnTest) -> OnTest:
        name = three.scores[0].chosen_score
        test, real = (
            scores.model_copy(update={"by_class": {name: dict(zip(row.test.by_class[name], values, strict=True))}})
            for scores, values in ((row.test, (3.9, 4.1, 9.0)), (row.real, (2.0, 2.0, 2.0)))
        )
        return row.model_copy(update={"test": test, "real": real})

    return replace(three, on_test=[changed(row) for row in three.on_test])


def test_distances_of_classes_have_a_floor(
    made: dict[str, Artifact], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In JSON the distance of each class, that of as many real images, and whether the two are near; a warning."""
    monkeypatch.setenv("COLUMNS", "400")
    three = near_the_floor(collected(made, mixed_record(replicates=3)))
    found: Any = three.facts()["class_distances"]
    assert found["score"] == three.scores[0].chosen_score
    rows = list(found["classes"].values())
    assert rows[0] == {"synthetic": pytest.approx(3.9), "floor": 2.0, "near_the_floor": True}
    assert [row["near_the_floor"] for row in rows] == [True, False, False]
    print_scores(Console(width=400, highlight=False), three.scores, three.on_test)
    assert "by class: few images: in 1 of 3 classes (" in capsys.readouterr().out


def test_one_replicate_has_null_for_bounds(made: dict[str, Artifact]) -> None:
    """A single value has no interval over replicates."""
    three = collected(made, mixed_record(replicates=1))
    one: Any = Results("small", three.mixed, three.scores[:1], three.on_test[:1], {}).facts()
    score = one["scores"]["frechet_classifier"]
    assert (score["low"], score["high"]) == (None, None)
    assert score["values"] == [score["mean"]]


def test_copies_are_counted(made: dict[str, Artifact]) -> None:
    """Whether any replicate is flagged, in how many, the mean and the worst."""
    three = collected(made, mixed_record(replicates=3))
    pixels = [
        row.copies["pixels"].model_copy(update={"copy_rate": 0.0, "flagged": False, "p_value": 1.0})
        for row in three.on_test
    ]
    pixels[2] = pixels[2].model_copy(update={"copy_rate": 0.3, "flagged": True, "p_value": 1e-6})
    tested = zip(three.on_test, pixels, strict=True)
    on_test = [row.model_copy(update={"copies": row.copies | {"pixels": space}}) for row, space in tested]
    copies: Any = Results("small", three.mixed, three.scores, on_test, {}).facts()["copies"]
    assert copies["flagged"] is True
    space = copies["spaces"]["pixels"]
    assert (space["flagged_replicates"], space["replicates"]) == (1, 3)
    assert space["copy_rate"] == {"mean": pytest.approx(0.1), "worst": 0.3, "values": [0.0, 0.0, 0.3]}


def attacked(auc: float, confounded: bool) -> MembershipTest:
    """Return the membership test of a replicate."""
    fields = {"n_members": 1200, "n_non_members": 1200, "n_synthetic": 2000, "non_members": "audit"}
    bounds = {"auc": auc, "auc_low": auc - 0.03, "auc_high": auc + 0.03, "tpr_at": {"0.01": 0.125, "0.001": None}}
    return MembershipTest.model_validate(fields | bounds | {"confounded": confounded})


@pytest.mark.parametrize("confounded", [False, True])
def test_membership_is_in_the_json_and_on_the_terminal(confounded: bool, made: dict[str, Artifact]) -> None:
    """By space, with interval, rates, counts and the finding; null where the scores are earlier ones."""
    three = collected(made, mixed_record(replicates=3))
    test = {"pixels": attacked(0.6, confounded)}
    earlier = [row.model_copy(update={"membership": None}) for row in three.on_test]
    assert Results("small", three.mixed, three.scores, earlier, {}).facts()["membership"] is None
    on_test = [row.model_copy(update={"membership": test}) for row in three.on_test]
    facts: Any = Results("small", three.mixed, three.scores, on_test, {}).facts()["membership"]
    assert list(facts) == ["pixels"]
    space = facts["pixels"]
    assert [space["auc"][name] for name in ("mean", "low", "high")] == pytest.approx([0.6, 0.57, 0.63])
    assert space["auc"]["values"] == [0.6, 0.6, 0.6]
    assert space["tpr_at"]["0.001"] is None
    assert space["tpr_at"]["0.01"]["mean"] == 0.125
    assert (space["found"], space["confounded"], space["non_members"]) == (not confounded, confounded, "audit")
    assert (space["n_members"], space["n_non_members"], space["n_synthetic"]) == (1200, 1200, 2000)
    console = Console(width=1000, record=True, file=io.StringIO())
    print_scores(console, three.scores, on_test)
    said = console.export_text()
    start = "membership by pixels: AUC 0.600 (95 % interval 0.570 to 0.630), 1,200 members against 1,200 audit images"
    assert start in said
    assert "12.5 % found at 1.0 % false positives" in said
    assert "0.1 % false positives" not in said
    assert ("says nothing of membership" if confounded else "training images can be told from others") in said


def test_json_has_no_nan() -> None:
    """What is no number is null, at any depth."""
    assert without_nan({"a": [1.0, math.nan, {"b": -math.inf}], "c": 2}) == {"a": [1.0, None, {"b": None}], "c": 2}


def test_the_command_prints_json(volume: Path, made: dict[str, Artifact]) -> None:
    """`results --json` prints the experiment's own record and the hashes of what it is from."""
    printed = json.loads(results(volume, "--json").stdout)
    facts: Any = made["mixed"].facts
    assert printed["headline"] == facts["headline"] | {"needs_test_images": None}
    assert printed["questions"] == facts["questions"]
    assert printed["arms"] == facts["arms"]
    assert printed["artifacts"]["mixed"] == made["mixed"].sha256
    assert "frechet_classifier" in printed["scores"]


def test_people_read_the_verdict_first(
    volume: Path, made: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warnings, then the headline, the questions, a line for each arm, the scores: in this order."""
    monkeypatch.setenv("COLUMNS", "1000")
    lines = results(volume).stdout.splitlines()
    facts: Any = made["mixed"].facts
    headline = lines.index(facts["headline"]["sentence"])
    assert lines[:headline] == [f"Warning: {line}" for line in facts["headline"]["warnings"]]
    assert facts["headline"]["warnings"]  # one replicate
    places = [headline]
    for answer in facts["questions"]:
        own = [line for line in answer["warnings"] if line not in facts["headline"]["warnings"]]
        found = f"Found four times in five: {100 * answer['detectable']:.1f} points."
        places.append(lines.index(" ".join(["-", *own, answer["sentence"], found])))
    for arm in facts["arms"]:
        (place,) = [n for n, line in enumerate(lines) if line.startswith(f"{arm['arm']} ")]
        assert f" {100 * arm['accuracy']['mean']:.1f} " in lines[place]
        places.append(place)
    places.append(next(n for n, line in enumerate(lines) if line.startswith("frechet_classifier ")))
    places.append(next(n for n, line in enumerate(lines) if line.startswith("pixels: ")))
    assert places == sorted(places)


def printed(capsys: pytest.CaptureFixture[str], record: MixedRecord, every: bool) -> list[str]:
    """Return the lines of the arms' metrics, each with single spaces."""
    from rich.console import Console

    print_arm_metrics(Console(width=500, highlight=False), record, every)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def cell(estimate: Any) -> str:
    """Return what is printed of a metric."""
    return f"{100 * estimate.mean:.1f} ({100 * estimate.low:.1f}\u2013{100 * estimate.high:.1f})"


def test_the_metrics_of_the_first_answers_arms(capsys: pytest.CaptureFixture[str]) -> None:
    """Every metric with its interval, then the F1 of each class, of both arms of the headline in their order."""
    record = mixed_record(replicates=3)
    assert record.headline is not None
    a, b = record.arm(record.headline.a), record.arm(record.headline.b)
    lines = printed(capsys, record, every=False)
    assert f"metric {a.arm} {b.arm}" in lines
    for name, shown in (("balanced_accuracy", "balanced accuracy"), ("roc_auc", "ROC-AUC"), ("f1", "macro F1")):
        assert f"{shown} {cell(a.metrics[name])} {cell(b.metrics[name])}" in lines
    for mine, other in zip(a.classes or [], b.classes or [], strict=True):
        assert f"F1 of {mine.class_name}, {mine.n} images {cell(mine.f1)} {cell(other.f1)}" in lines
    assert any("the ROC-AUC is the mean over classes of one class against the rest" in line for line in lines)


def test_all_classes_of_all_arms_are_printed_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    """Precision, recall and F1 of each class, below the name of the arm that they are of."""
    record = mixed_record(replicates=3)
    lines = printed(capsys, record, every=True)
    for arm in record.arms:
        start = lines.index(f"{arm.arm}: {arm.about}")
        for place, row in enumerate(arm.classes or []):
            numbers = " ".join(map(cell, (row.precision, row.recall, row.f1)))
            assert lines[start + 2 + place] == f"{row.class_name} {row.n} {numbers}"


def test_two_classes_are_whole_and_name_the_positive_one(capsys: pytest.CaptureFixture[str]) -> None:
    """All three metrics of both, without being asked for."""
    record = two_classes(mixed_record(replicates=3))
    assert record.headline is not None
    a, b = (record.arm(name) for name in (record.headline.a, record.headline.b))
    lines = printed(capsys, record, every=False)
    assert any(line.startswith("ROC-AUC, positive class: Young ") for line in lines)
    assert lines[-1].endswith("the ROC-AUC ranks the positive class: Young.")
    for mine, other in zip(a.classes or [], b.classes or [], strict=True):
        for name, shown in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
            both = f"{cell(getattr(mine, name))} {cell(getattr(other, name))}"
            assert f"{shown} of {mine.class_name}, {mine.n} images {both}" in lines
    every = printed(capsys, record, every=True)
    assert sum(line.startswith("Young (positive) ") for line in every) == len(record.arms)


def of_many_classes(record: MixedRecord) -> MixedRecord:
    """Return a verdict on 100 classes: the last are the largest, F1 differs, and class 50 differs between arms."""
    assert record.headline is not None
    arms = []
    for arm in record.arms:
        (first, *_) = arm.classes or []
        levels = [(37 * place % 100) / 100 for place in range(100)]
        if arm.arm == record.headline.b:
            levels[50] += 0.5
        rows = [
            first.model_copy(
                update={
                    "class_name": f"c{place}",
                    "n": place + 10,
                    "f1": first.f1.model_copy(update={"mean": level}),
                }
            )
            for place, level in enumerate(levels)
        ]
        arms.append(arm.model_copy(update={"classes": rows}))
    return record.model_copy(update={"arms": arms})


def test_of_many_classes_those_that_matter_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Of 100 classes the seven largest, the seven of the lowest F1, the six most changed; how to see the others."""
    record = of_many_classes(mixed_record(replicates=3))
    lines = printed(capsys, record, every=False)
    named = [line.split()[2].rstrip(",") for line in lines if line.startswith("F1 of ")]
    worst = {f"c{place}" for place in (0, 73, 46, 19, 92, 65, 38)}
    assert set(named) > {f"c{place}" for place in range(93, 100)} | worst | {"c50"}
    assert named == sorted(named, key=lambda name: int(name[1:]))
    assert len(named) == 20
    assert any(
        line.startswith("20 of 100 classes: the 7 largest, the 7 worst by F1, the 6 most changed; ")
        and line.endswith("results --classes.")
        for line in lines
    )


def test_every_class_is_printed_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """With --classes each arm has a line for each of 100 classes, and nothing is said of a choice."""
    record = of_many_classes(mixed_record(replicates=3))
    lines = printed(capsys, record, every=True)
    assert sum(line.startswith("c99 ") for line in lines) == len(record.arms)
    assert sum(line.startswith("c") and line[1].isdigit() for line in lines) == 100 * len(record.arms)
    assert not any("of 100 classes" in line for line in lines)


def test_the_generators_classes_are_in_the_json(found: Any, made: dict[str, Artifact]) -> None:
    """Qualities, ratios and category of each class in every replicate; which replicate is shown, the best on val."""
    generator = found["generator"]
    assert generator["shown_replicate"] == 1  # half the distance of the first one
    assert [row["replicate"] for row in generator["replicates"]] == [0, 1, 2]
    facts: Any = made["scores"].facts
    for row in generator["replicates"]:
        assert [each | {"final_losses": None} for each in facts["test"]["classes"]] == row["classes"]


@pytest.mark.parametrize("own", [True, False])
def test_the_generators_classes_are_printed(
    own: bool, made: dict[str, Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    """Ratios and category of each class of the shown replicate; its own losses, or those of the one pair."""
    from rich.console import Console

    three = collected(made, mixed_record(replicates=3))
    assert three.scores[1].on_test is not None
    classes = three.scores[1].on_test.test.classes
    gan: Any = made["gan"].record
    if own:
        last = gan.history[-1]
        histories = {
            row.class_name: [
                last.model_copy(update={"losses": {"discriminator_loss": place, "generator_loss": -place}})
            ]
            for place, row in enumerate(classes, start=1)
        }
        gan = gan.model_copy(update={"class_histories": histories})
    print_generator(Console(width=500, highlight=False), three.scores, [made["gan"].record, gan, gan], 1, every=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0].startswith("Images of replicate r01 of 3, the best on val")
    for place, row in enumerate(classes, start=1):
        assert row.ratios is not None
        numbers = " ".join(f"{ratio:.2f}" for ratio in row.ratios.values())
        assert f"{row.class_name} {numbers} {row.category}{f' {place}.000 -{place}.000' if own else ''}" in lines
    assert any(line.startswith("Final losses: ") for line in lines) is not own


def test_a_gan_that_was_trained_further_takes_nothing_from_the_verdict(
    volume: Path, made: dict[str, Artifact], tmp_path: Path
) -> None:
    """Without the GAN that was scored the results are there, and say that its losses are not."""
    shutil.copytree(volume / "small", tmp_path / "small", ignore=shutil.ignore_patterns("gan"))
    result = results(tmp_path)
    assert result.exit_code == 0, result.output
    assert "Losses: the GANs that were scored are no longer there." in result.stdout
    assert made["mixed"].facts["headline"]["sentence"][:40] in result.stdout
    replicate = json.loads(results(tmp_path, "--json").stdout)["generator"]["replicates"][0]
    assert replicate["final_losses"] is None
    assert json.loads(results(volume, "--json").stdout)["generator"]["replicates"][0]["final_losses"] is not None


@pytest.mark.fault(18)
def test_results_say_what_was_replaced_since(volume: Path, tmp_path: Path) -> None:
    """A verdict of a GAN that another one has replaced is not printed without a word."""
    shutil.copytree(volume / "small", tmp_path / "small")
    manifest = tmp_path / "small" / "gan" / "r00" / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"epochs": 3', '"epochs": 4'), encoding="utf-8")
    assert "Warning: Out of step: gan/r00 was replaced since" in " ".join(results(tmp_path).stdout.split())
    assert json.loads(results(tmp_path, "--json").stdout)["replaced"] == ["gan/r00"]
    assert json.loads(results(volume, "--json").stdout)["replaced"] == []


def test_published_systems_print_both_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer of the published design first, then the headline's."""
    from rich.console import Console

    record = mixed_record(first="original")
    assert record.top is not None
    assert record.headline is not None
    print_verdict(Console(width=500), record)
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("Warning: ")]
    assert lines == [record.top.sentence, record.headline.sentence]
    assert record.top.b == "real_30"


def test_a_point_without_a_verdict_is_the_studys(tmp_path: Path) -> None:
    """Its options are set by the study, so that the jobs alone would make another experiment."""
    (tmp_path / "digits" / "study" / "images-10").mkdir(parents=True)
    words = ["results", "--data-root", str(tmp_path), "--experiment", "digits/study/images-10"]
    result = CliRunner().invoke(halfreal, words)
    assert result.exit_code == 2
    assert "run the study again, such as: halfreal study --experiment digits --images 10" in result.stderr
