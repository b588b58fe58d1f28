"""Images next to each other: the same latents in each row, and a strip from one image to another."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from jobs.commands.drawing import Experiment, SampleRequest
from jobs.playground.cards import strip_row
from jobs.playground.strips import COLUMNS, COMPARED, MOST_ROWS, TRUNCATIONS, Strip, interpolated
from shared.errors import BadConfig


@pytest.fixture(scope="module")
def opened(volume: Path) -> Experiment:
    """Open the experiment `small`."""
    return Experiment(volume / "small")


def asked(opened: Experiment, count: int = COLUMNS) -> SampleRequest:
    """Return a request for images of class 1."""
    return SampleRequest(label=1, count=count, seed=5, snapshot=opened.snapshot(None))


def test_a_row_for_each_way_to_draw_the_same_latents(opened: Experiment) -> None:
    """Snapshots, classes and truncations: each row has the images that a drawing of its own has."""
    request = asked(opened)
    expected = {
        "Snapshots": [replace(request, snapshot=file) for file in opened.snapshots.values()],
        "Classes": [replace(request, label=label) for label in range(len(opened.classes))],
        "Truncations": [replace(request, truncation=limit) for limit in TRUNCATIONS],
    }
    for what, requests in expected.items():
        strips = list(COMPARED[what].strips(opened, request))
        assert len(strips) == len(requests) > 1
        assert len({strip.name for strip in strips}) == len(strips)
        for strip, own in zip(strips, requests, strict=True):
            drawn = opened.draw(own).drawn
            assert torch.equal(strip.images, drawn.images)
            assert torch.equal(strip.given, drawn.given)
            assert torch.equal(strip.confidence, drawn.confidence)
            assert strip.asked == own.label


def test_each_replicate_draws_with_its_own_generator(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the snapshot that was chosen for it, whichever replicate and snapshot the page shows."""
    shutil.copytree(volume, tmp_path, dirs_exist_ok=True)
    for name in ("classifier", "gan", "scores"):
        shutil.copytree(tmp_path / "small" / name / "r00", tmp_path / "small" / name / "r01")
    opened = Experiment(tmp_path / "small", 1)
    assert opened.replicates == [0, 1]
    seen: list[tuple[str, str]] = []
    draw = Experiment.images

    def noted(self: Experiment, request: SampleRequest) -> object:
        seen.append((self.gan.folder.name, request.snapshot))
        return draw(self, request)

    monkeypatch.setattr(Experiment, "images", noted)
    first = next(iter(opened.snapshots.values()))
    names = [strip.name for strip in COMPARED["Replicates"].strips(opened, replace(asked(opened), snapshot=first))]
    assert names == [f"replicate {number}, epoch {opened.chosen}" for number in (0, 1)]
    assert seen == [("r00", opened.snapshot(None)), ("r01", opened.snapshot(None))]


def test_of_many_the_one_asked_for_is_shown(opened: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 1,000 snapshots the first, the last and evenly spread ones, and that of the page."""
    request = replace(asked(opened), snapshot="500")
    monkeypatch.setattr(opened, "snapshots", {epoch: str(epoch) for epoch in range(1000)})
    monkeypatch.setattr(opened, "images", lambda request: Strip("", *[torch.zeros(1)] * 3))
    names = [strip.name for strip in COMPARED["Snapshots"].strips(opened, request)]
    assert len(names) == MOST_ROWS + 1
    assert {"epoch 0", "epoch 500", "epoch 999"} < set(names)


def test_a_generator_without_classes_compares_none(opened: Experiment) -> None:
    """The reason and what to compare instead."""
    with pytest.raises(BadConfig, match="trained without classes: compare snapshots, replicates or truncations"):
        next(COMPARED["Classes"].strips(opened, replace(asked(opened), label=None)))


@pytest.mark.parametrize("latents", [{}, {"truncation": 0.5}, {"latent_scale": 1.4}])
def test_a_strip_goes_from_one_drawing_to_another(opened: Experiment, latents: dict[str, float]) -> None:
    """Its ends are the first images of both; what is between is neither; each is labelled by the annotator."""
    first = replace(asked(opened, 1), **latents)
    last = replace(first, label=2, seed=9)
    strip = interpolated(opened, first, last, 7)
    for place, end in ((0, first), (-1, last)):
        # a batch of one rounds in another order
        assert (strip.images[place].int() - opened.images(end).images[0].int()).abs().max() <= 1
    assert len({image.numpy().tobytes() for image in strip.images}) == 7
    given, confidence = opened.generator(first.snapshot).annotated(strip.images)
    assert (strip.given.tolist(), strip.confidence.tolist()) == (given.tolist(), confidence.tolist())
    assert strip.name == ""


def test_a_row_says_what_the_annotator_makes_of_it(opened: Experiment) -> None:
    """How many are of the class that was asked for, their mean confidence; others are marked, names are escaped."""
    images = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    strip = Strip("class <b>", images, torch.tensor([1, 0]), torch.tensor([0.9, 0.5]), asked=1)
    shown = strip_row(strip, ["<i>cat", "dog"])
    assert "class &lt;b&gt; <small>1 of 2 as asked, mean confidence 70 %</small>" in shown
    assert '<figcaption class="">dog\n90 %</figcaption>' in shown
    assert '<figcaption class="other">&lt;i&gt;cat\n50 %</figcaption>' in shown
    assert "as asked" not in strip_row(replace(strip, asked=None), ["<i>cat", "dog"])
