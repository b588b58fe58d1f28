"""The search for a setting that helps: what is confirmed is confirmed on images and seeds that it never saw."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from jobs.pipeline import FITS, PREPROCESS
from shared.data.images import load_split
from shared.store.artifacts import open_output
from shared.store.replicates import existing
from tests.checks.helps import __main__ as command
from tests.checks.helps import choice, images, settings, table
from tests.checks.helps.choice import Searched, SearchWentOn, Unfinished, best
from tests.checks.helps.images import CONFIRM, SEARCH, Half, Overlap, RealImage, check_apart, chosen, halves
from tests.checks.helps.phases import (
    PHASES,
    Comparison,
    Found,
    OtherResult,
    all_found,
    check_made_from,
    check_seeds,
    result_path,
    write_found,
)
from tests.checks.helps.settings import AUGMENTED, BASELINE, COPIED, GANS, PLUS_300, Gan

OF_CLASS = 24


def noise(data: Path | None = None, official: bool = False) -> list[RealImage]:
    """Return different images of ten classes, the last four of each an official test part if `official`."""
    pixels = np.random.default_rng(0).integers(0, 256, (10, OF_CLASS, 8, 8), dtype=np.uint8)
    return [
        RealImage(label, pixels[label, number].tobytes(), f"{label}-{number}", official and number >= OF_CLASS - 4)
        for label in range(10)
        for number in range(OF_CLASS)
    ]


@pytest.mark.parametrize("official", [False, True])
def test_the_phases_share_no_image(official: bool) -> None:
    """No image of the search is in the confirmation, which has the official test images where there are any."""
    found = halves(noise(official=official))
    assert not found[SEARCH].digests & found[CONFIRM].digests
    assert sum(len(half.pool) + len(half.test) for half in found.values()) == 10 * OF_CLASS
    assert all({image.label for image in part} == {*range(10)} for half in found.values() for part in _parts(half))
    assert all(image.official_test for image in found[CONFIRM].test) == official
    assert not any(image.official_test for image in (*found[SEARCH].pool, *found[SEARCH].test, *found[CONFIRM].pool))


def test_equal_images_are_one() -> None:
    """A copy of a test image under another name is in no train set."""
    there = noise(official=True)
    copies = [replace(image, name=f"copy of {image.name}", official_test=False) for image in there]
    for order in ([*copies, *there], [*there, *copies]):
        for phase, half in halves(order).items():
            assert half.digests == halves(there)[phase].digests
            assert len(half.test) == len(halves(there)[phase].test)


@pytest.mark.parametrize("part", ["pool", "test"])
def test_a_shared_image_is_noticed(part: str) -> None:
    """A test image of the confirmation that the search saw, in any of its splits, ends both."""
    found = halves(noise())
    seen = getattr(found[SEARCH], part)[0]
    planted = {**found, CONFIRM: replace(found[CONFIRM], test=[*found[CONFIRM].test, seen])}
    with pytest.raises(Overlap, match="1 images are in the search and in the confirmation"):
        check_apart(planted)
    within = {**found, SEARCH: replace(found[SEARCH], pool=[*found[SEARCH].pool, found[SEARCH].test[0]])}
    with pytest.raises(Overlap, match="search: 1 test images are train images"):
        check_apart(within)


def test_the_phases_share_no_seed() -> None:
    """The committed seeds differ in every replicate; one that is in both is noticed."""
    search, confirm = PHASES[SEARCH].seeds, PHASES[CONFIRM].seeds
    check_seeds(search, confirm)
    assert len({*search, *confirm}) == PHASES[SEARCH].replicates + PHASES[CONFIRM].replicates
    with pytest.raises(Overlap, match=str(search[1])):
        check_seeds(search, [*confirm, search[1]])


def test_fewer_images_are_some_of_more() -> None:
    """Rows with few and with many images differ in their number alone; too many are refused."""
    half = halves(noise())[SEARCH]
    few, more = chosen(half, 2), chosen(half, 4)
    assert len(few) == 20
    assert {*few} < {*more}
    with pytest.raises(ValueError, match="a class has 7"):
        chosen(half, 8)
    assert chosen(half, 0) == half.pool


def test_the_highest_lower_bound_is_confirmed() -> None:
    """One setting of each classifier is confirmed, by the bound, not by the mean, which is luck where it is wide."""
    rows = [
        Searched(gan, classifier, PLUS_300, comparison(mean, low), found(gan, classifier))
        for gan, classifier, mean, low in (
            ("a", "cnn", 0.05, -0.20),
            ("b", "cnn", 0.02, 0.01),
            ("a", "mlp", 0.01, -0.01),
            ("b", "mlp", 0.03, -0.02),
        )
    ]
    assert [(row.gan, row.classifier) for row in best(rows)] == [("b", "cnn"), ("a", "mlp")]


def test_confirmed_settings_share_the_five_percent() -> None:
    """Two confirmed settings have 97.5 % each, which a wider interval has to hold."""
    assert choice.Choice(settings=[chosen_row(), chosen_row()], searched=40).level == pytest.approx(0.975)
    low, high = comparison(0.02, 0.01).at(0.975)
    assert low < 0.01
    assert low + high == pytest.approx(0.04)
    assert comparison(0.02, 0.01).at(0.95) == pytest.approx((0.01, 0.03))


def test_every_row_is_another_experiment() -> None:
    """Names, which are folders, differ, and every set has enough images."""
    assert len({gan.name for gan in GANS}) == len(GANS)
    assert {gan.images for gan in GANS} <= {*images.SETS}


@pytest.mark.parametrize(("copies", "says"), [([], "helped"), (["pixels in 2 of 5 replicates"], "copies")])
def test_a_gain_from_copies_did_not_help(copies: list[str], says: str) -> None:
    """The confirmation answers by the product's rule: where copies are flagged a gain is not called a help."""
    pairs = [(PLUS_300, BASELINE), (PLUS_300, COPIED), (PLUS_300, AUGMENTED[0]), AUGMENTED]
    rows = [replace(comparison(0.05, 0.04), a=a, b=b) for a, b in pairs]
    made = replace(found("a", "cnn"), comparisons=rows, copies=copies)
    said = next(table.answer(chosen_row(), made, choice.Choice(settings=[chosen_row()], searched=3)))
    assert f" added: {says}, +5.0 (+4.0 to +6.0) at 95 %" in said


@pytest.mark.parametrize("changed", [{"train_gan.width": "4"}, {"seed": "7"}, {"train_gan.more": "1"}, {}])
def test_a_result_of_other_options_or_images_is_refused(changed: dict[str, str]) -> None:
    """A result is named by its row alone, whose options may have changed since; so may the real images."""
    options = {"train_gan.width": "8", "seed": "1000"}
    made, path = replace(found("a", "cnn"), options=options, images="h"), Path("a-cnn.json")
    check_made_from(path, made, options, "h")
    with pytest.raises(OtherResult, match=re.escape(", ".join(changed) or "the real images")):
        check_made_from(path, made, options | changed, "h" if changed else "other")
    with pytest.raises(OtherResult):
        check_made_from(path, found("a", "cnn"), options, "h")


def test_the_hash_of_a_half_knows_order_and_split() -> None:
    """The first images of a class are train images, the last ones of its half are not."""
    half = halves(noise())[SEARCH]
    moved = replace(half, pool=half.pool[1:], test=[half.pool[0], *half.test])
    others = (replace(half, pool=half.pool[::-1]), moved, replace(half, pool=half.pool[1:]), halves(noise())[CONFIRM])
    assert len({half.digest, *(other.digest for other in others)}) == 5
    assert halves(noise())[SEARCH].digest == half.digest


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search two tiny GANs on noise, one classifier, and confirm with two replicates."""
    options = {
        "train_gan.width": 2,
        "train_gan.latent": 4,
        "train_gan.epochs": 1,
        "evaluate.images": 20,
        "train_classifier.steps": 4,
        "train_classifier.measure_every": 2,
        "train_mixed.steps": 4,
        "train_mixed.measure_every": 2,
        "train_mixed.patience": 1,
    }
    rows = [Gan(name=name, images="digits", per_class=3, val_per_class=2, share=4.0, options=options) for name in "ab"]
    monkeypatch.setattr(images, "SETS", {"digits": noise})
    monkeypatch.setattr(command, "SETS", {"digits": noise})
    for module in (command, choice, table):
        monkeypatch.setattr(module, "GANS", rows)
    for module in (command, choice):
        monkeypatch.setattr(module, "CLASSIFIERS", {"cnn": settings.CLASSIFIERS["cnn"]})
    phases = {name: replace(phase, replicates=2) for name, phase in PHASES.items()}
    monkeypatch.setattr(command, "PHASES", phases)
    monkeypatch.setattr(table, "PHASES", phases)


@pytest.mark.usefixtures("tiny")
def test_the_confirmation_sees_nothing_of_the_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In what was written, no test image and no seed of the confirmation is one of the search; all settings count."""
    words = ["--out", str(tmp_path), "--data", str(tmp_path)]
    assert command.main(["search", "--gan", "a", *words]) == 0
    assert "searched: 3 settings of 1 GANs, 2 replicates each" in capsys.readouterr().out
    # the choice among a part of the rows would be kept for good
    with pytest.raises(Unfinished, match="not searched yet: b with cnn\n"):
        command.main(["confirm", *words])
    assert not (tmp_path / CONFIRM).exists()
    row = command.gan_named("a")
    for module in (command, choice, table):
        monkeypatch.setattr(module, "GANS", [row])
    assert command.main(["confirm", *words]) == 0
    said = capsys.readouterr().out
    assert "confirmed: a, cnn, " in said
    assert "at 95 %, 2 replicates, 50 test images" in said
    seen = {image for split in ("train", "val", "test") for image in stored(tmp_path / SEARCH / "a", split)}
    tested = stored(tmp_path / CONFIRM / "a", "test")
    assert len(tested) == 50
    assert not seen & {*tested}
    assert not seen & {*stored(tmp_path / CONFIRM / "a", "train")}
    assert not fitted_seeds(tmp_path / SEARCH / "a") & fitted_seeds(tmp_path / CONFIRM / "a")
    results = {phase: next(all_found(tmp_path, phase)) for phase in (SEARCH, CONFIRM)}
    assert {phase: {*result.seeds} for phase, result in results.items()} == {
        phase: fitted_seeds(tmp_path / phase / "a") for phase in results
    }
    # rows and real images may change: a result that was made from others is neither repeated nor believed
    for module in (command, choice, table):
        monkeypatch.setattr(module, "GANS", [replace(row, options={**row.options, "train_gan.epochs": 2})])
    for asked in ("search", "confirm"):
        # of both what the search found is refused: a confirmation without it would first choose by it
        with pytest.raises(OtherResult, match=r"(?s)/search/results/.*\(train_gan.epochs\)"):
            command.main([asked, *(["--gan", "a"] if asked == "search" else []), *words])
    for module in (command, choice, table):
        monkeypatch.setattr(module, "GANS", [row, replace(row, name="b")])
    # a search that goes on after the confirmation would choose by what was confirmed
    write_found(result_path(tmp_path, SEARCH, "b", "cnn"), replace(results[SEARCH], gan="b"))
    with pytest.raises(SearchWentOn, match="chosen of 3 settings, now there are 6"):
        command.main(["confirm", *words])


def stored(folder: Path, split: str) -> list[bytes]:
    """Return the pixels of the images of a split of `real`."""
    found = load_split(open_output(PREPROCESS, folder), split)
    return [image.numpy().tobytes() for image in torch.unbind(found.images)]


def fitted_seeds(folder: Path) -> set[int]:
    """Return the seeds of all fits of an experiment."""
    return {row.seed for number in existing(folder, FITS) for row in open_output(FITS, folder, number).record.rows}


def comparison(mean: float, low: float) -> Comparison:
    """Return a comparison with this interval."""
    return Comparison(
        a=PLUS_300,
        b=BASELINE,
        difference=mean,
        low=low,
        high=2 * mean - low,
        standard_error=0.01,
        freedom=4.0,
        values=[mean],
    )


def found(gan: str, classifier: str) -> Found:
    """Return a result without comparisons."""
    return Found(gan=gan, classifier=classifier, n_test=1, seeds=[0], accuracy={}, comparisons=[], copies=[])


def chosen_row() -> choice.Chosen:
    """Return any chosen setting."""
    return choice.Chosen(gan="a", classifier="cnn", arm=PLUS_300)


def _parts(half: Half) -> tuple[list[RealImage], list[RealImage]]:
    return half.pool, half.test
