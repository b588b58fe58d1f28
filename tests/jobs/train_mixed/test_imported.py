"""Imported synthetic images: what their generator may have seen decides what may be said of them."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobs.pipeline import PREPROCESS, SYNTHESIZE
from jobs.train_mixed import experiment as reading
from jobs.train_mixed.arms import ARMS
from jobs.train_mixed.sentences import sentence
from shared.plots import answers
from shared.plots.formatting import like_for_like, saw, synthetic_count
from shared.stats.intervals import MeanInterval
from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT, TEST_SEEN, MixedRecord
from tests.jobs.train_mixed.planted import HEADLINE_OF_ALL, asked, experiment, headline, outcome_of, right

GAINS = {name: 0.95 for name, arm in ARMS.items() if arm.has_synthetic}


def test_without_held_out_images_nothing_helps() -> None:
    """However large the gain of arms with synthetic images; the interval stays as it is."""
    for group in ("judge", "all"):
        known, unknown = experiment(group, GAINS, test_seen=False), experiment(group, GAINS, test_seen=True)
        assert HELPED in {found.outcome for found in asked(known)}
        for before, after in zip(asked(known), asked(unknown), strict=True):
            assert after.outcome == {HELPED: TEST_SEEN}.get(before.outcome, before.outcome)
            assert (after.low, after.high) == (before.low, before.high)
            assert not after.like_for_like
            assert after.sentence.startswith("Not like for like: the generator may have seen the test images. ")
            assert " helped" not in after.sentence
            assert like_for_like(after, test_seen=True) == (
                "not like for like: the generator may have seen the test images"
            )


def test_losses_and_copies_are_said_without_held_out_images_too() -> None:
    """A loss is a loss, an interval that holds 0 shows no effect, and copies weigh more than what may be."""
    for accuracy, outcome in ((0.6, HURT), (0.8, NO_EFFECT)):
        found = headline(experiment("judge", {HEADLINE_OF_ALL[0]: accuracy}, test_seen=True))
        assert (found.outcome, found.like_for_like) == (outcome, False)
    assert headline(experiment("judge", GAINS, test_seen=True, copies=["pixels in 1 of 1 sets"])).outcome == COPIES


def test_the_first_line_is_exact() -> None:
    """Only imported images whose generator may have seen the test images have one."""
    line = "the generator may have seen the test images"
    assert answers.first_line(experiment("judge", test_seen=True)) == line
    assert {answers.first_line(experiment("judge", test_seen=seen)) for seen in (False, None)} == {""}
    assert "--held-out DIR" in answers.first_advice(experiment("judge", test_seen=True))


def fake_run(held_out: bool | None, *sets: tuple[str, dict[str, int]]) -> Any:
    """Return what is read of a run with imported sets, each with its name and the files that are real images."""
    made = [
        SimpleNamespace(record=SimpleNamespace(imported=SimpleNamespace(name=name, equal_to_real=files)))
        for name, files in sets
    ]
    real = SimpleNamespace(record=SimpleNamespace(held_out=held_out))
    return SimpleNamespace(
        input=lambda job: {PREPROCESS: real, SYNTHESIZE: made[0]}[job], inputs_of=lambda job: {SYNTHESIZE: made}[job]
    )


def test_files_that_are_test_images_were_seen() -> None:
    """Held-out images prove nothing where one of any set's files is among them; then the advice names the files."""
    clean, seen = ("good", {"train": 3, "val": 1}), ("syn1", {"test": 60})
    assert not reading.test_seen(fake_run(True, clean))
    assert reading.test_files(fake_run(True, clean)) is None
    assert reading.test_seen(fake_run(True, clean, seen))
    assert reading.test_files(fake_run(True, clean, seen)) == {"syn1": 60}
    assert reading.test_files(fake_run(True, seen, seen)) == {"syn1": 120}
    assert reading.test_seen(fake_run(None, clean))
    # a random part of the real images: what is missing is held-out images
    assert reading.test_files(fake_run(None, seen)) is None
    record = experiment("judge", GAINS, test_seen=True, test_files={"syn1": 60})
    assert (headline(record).outcome, headline(record).like_for_like) == (TEST_SEEN, False)
    assert answers.first_line(record) == "the generator may have seen the test images"
    assert answers.first_advice(record) == (
        "60 files of syn1 are test images: give others with --held-out, or remove them."
    )
    one = experiment("judge", test_seen=True, test_files={"syn1": 1})
    assert answers.first_advice(one) == "1 file of syn1 is a test image: give others with --held-out, or remove it."


@pytest.mark.parametrize(
    ("imported", "asked_counts", "shown"), [(True, [2, 4], [2, 4]), (True, None, [5, 1]), (False, [2, 4], [5, 1])]
)
def test_images_by_class_go_by_the_labels_of_the_set(
    imported: bool, asked_counts: list[int] | None, shown: list[int]
) -> None:
    """Where it has any: its arms are trained with them; else the annotator's."""
    record = SimpleNamespace(imported=SimpleNamespace(name="good") if imported else None, asked_counts=asked_counts)
    made: Any = SimpleNamespace(record=record, split={"train": SimpleNamespace(class_counts=[5, 1])}.__getitem__)
    assert reading.synthetic_counts(made) == shown


def test_held_out_images_make_it_like_for_like() -> None:
    """All real images for the baseline and for the generator, none of the test images."""
    for found in asked(experiment("judge", GAINS, test_seen=False)):
        assert (found.outcome, found.like_for_like) == (HELPED, True)
        assert like_for_like(found, test_seen=False) == "like for like"


@pytest.mark.parametrize(("test_seen", "only"), [(False, "these images only"), (None, "this generator and this draw")])
def test_one_set_speaks_of_its_images(test_seen: bool | None, only: str) -> None:
    """Nothing is known of the generator of one imported set, and it is no draw that could be repeated."""
    found = one_set(test_seen)
    assert any(only in line for line in headline(found).warnings)
    said = answers.certainty(found)
    assert ("1 set " in said) == (test_seen is not None)
    assert "the interval speaks of other fits and other test images." in said
    assert answers.interval_is_for(found) == "other fits and other test images (two-way random effects)"


def one_set(test_seen: bool | None) -> MixedRecord:
    """Return an experiment of one replicate with four fits of each arm."""
    hits = {name: right(0.9 - 0.2 * place, 4, seed=place)[None] for place, name in enumerate(HEADLINE_OF_ALL)}
    return experiment({name: outcome_of(each) for name, each in hits.items()}, test_seen=test_seen)


def test_one_set_of_images_has_an_interval_over_fits() -> None:
    """Fits that disagree widen it, though their mean, and the means over fits of each image, are the same."""
    found = headline(one_set(test_seen=False))
    assert found.replicates == 1
    assert len(found.values) == 1
    same = {name: right(0.9 - 0.2 * place, 1, seed=place) for place, name in enumerate(HEADLINE_OF_ALL)}
    alike = experiment({name: outcome_of(each.repeat(4, axis=0)[None]) for name, each in same.items()}, test_seen=False)
    assert headline(alike).difference == pytest.approx(found.difference)
    assert headline(alike).high - headline(alike).low > 0


def test_sets_of_different_sizes_are_counted_from_the_smallest_to_the_largest() -> None:
    """The arm's line, and the question in words."""
    record = experiment("judge")
    line = record.arm("synthetic_all")
    assert synthetic_count(line) == "300"
    assert synthetic_count(line.model_copy(update={"n_synthetic_most": 1200})) == "300 to 1,200"
    assert "adding 300 synthetic images to all 100 real ones" in headline(record).question


def test_little_variety_of_a_set_is_no_collapse_of_a_generator() -> None:
    """What a set lacks is said with its name; nobody knows how it was drawn."""
    lacks = ["syn1 has few or no images of owl", "few real images look like those of syn1: recall is 0.02"]
    for found in asked(experiment("judge", test_seen=False, little_variety=lacks)):
        said = f"Little variety: {lacks[0]}; {lacks[1]}."
        assert said in found.warnings
        assert not any("collapse" in line for line in found.warnings)


def test_what_the_generator_of_imported_images_saw_is_not_known() -> None:
    """It may be all real images; an arm without synthetic images has none."""
    record = experiment("judge", test_seen=False)
    assert saw(record.arm("synthetic_all").information, 81, imported=True)["generator"] == "may have seen all 81"
    assert saw(record.arm("real_100").information, 81, imported=True)["generator"] == "none"
    assert saw(record.arm("synthetic_all").information, 81)["generator"] == "all 81"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.4, 1.2, "Losses beyond 40.0 points of test accuracy are excluded"),
        (-1.2, 0.3, "Gains above 30.0 points of test accuracy are excluded"),
        (0.0, 1.0, "Any loss of test accuracy is excluded"),
    ],
)
def test_no_difference_beyond_100_points_is_excluded(low: float, high: float, said: str) -> None:
    """Accuracies cannot differ by more: to exclude that says nothing."""
    found = MeanInterval(mean=0.1, low=low, high=high, level=0.95, standard_error=0.2, freedom=3.0)
    assert f"no effect shown. {said} (" in sentence("adding x", NO_EFFECT, found)
