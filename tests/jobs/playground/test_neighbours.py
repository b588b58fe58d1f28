"""Next to drawn images: the nearest training images by the copy test's search, and how near test images are."""

import re
from pathlib import Path

import pytest
import torch

from jobs.commands.drawing import Experiment, SampleRequest
from jobs.playground.cards import nearest
from jobs.playground.neighbours import NeighbourSearch
from shared.data.images import NO_LABEL, Images
from shared.metrics.copies import pixel_copies


@pytest.fixture
def opened(volume: Path) -> Experiment:
    """Open the experiment `small`."""
    return Experiment(volume / "small")


def moved(images: torch.Tensor) -> torch.Tensor:
    """Return images mirrored, and moved by two pixels to the right and one up."""
    return torch.roll(images.flip(-1), (-1, 2), dims=(2, 3))


def test_a_changed_copy_is_found_next_to_its_image(opened: Experiment) -> None:
    """Its training image, at a distance of 0 but for the border, the transform in words, nearer than every test one."""
    search = NeighbourSearch(opened)
    train = opened.train
    found = search.nearest(moved(train.images[:4]), None)
    assert sorted(near.place for near in found) == [0, 1, 2, 3]
    for near in found:
        assert torch.equal(near.image, train.images[near.place])
        assert near.class_name == opened.classes[int(train.labels[near.place])]
        assert near.transform == "mirrored, shifted 1 px up and 2 px left"
        assert (near.distance, near.nearer_than) == (0, len(search.usual(None)))


def test_distances_are_those_of_the_copy_test(opened: Experiment) -> None:
    """The pair that the copy test lists first has the same training image and distance on the page."""
    drawn = opened.test.images[:10].flip(0)
    pair = pixel_copies(drawn, Images(opened.test.images, opened.test.labels), opened.train).closest[0]
    near = next(near for near in NeighbourSearch(opened).nearest(drawn, None) if near.place == pair.synthetic)
    assert near.distance == pytest.approx(pair.distance)
    assert torch.equal(near.image, opened.train.images[pair.train])
    assert near.transform == (pair.transform or "")


def test_how_near_is_usual_is_said_of_test_images(opened: Experiment) -> None:
    """A test image is nearer than those whose nearest training image is further away, the furthest than none."""
    search = NeighbourSearch(opened)
    own = opened.real_test(1)
    found = search.nearest(own, 1)
    assert [near.nearer_than for near in found] == list(range(len(own) - 1, -1, -1))
    assert [near.distance for near in found] == sorted(near.distance for near in found)


def test_the_scale_is_found_once_for_each_class(opened: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second drawing of a class does not search for the neighbours of test images again."""
    search = NeighbourSearch(opened)
    first = search.usual(0)
    monkeypatch.setattr("jobs.playground.neighbours.of_images", None)
    assert search.usual(0) is first


def test_unlabelled_images_have_no_class(opened: Experiment) -> None:
    """The generator learned from them, too: they are searched, and no class is named."""
    train = opened.train
    opened.__dict__["train"] = Images(train.images, torch.full_like(train.labels, NO_LABEL))
    assert {near.class_name for near in NeighbourSearch(opened).nearest(train.images[:3], None)} == {None}


def test_every_image_is_shown_and_nothing_is_claimed(opened: Experiment) -> None:
    """A pair for each drawn image; a copy is called near, what the copy test found is quoted, names are escaped."""
    request = SampleRequest(label=0, count=5, seed=0, snapshot=opened.snapshot(None))
    shown = nearest(opened.draw(request), opened, NeighbourSearch(opened))
    tests = len(opened.real_test(0))
    assert len(re.findall(rf"<figcaption[^>]*>\d\.\d\d, nearer than \d+ of {tests} · train ", shown)) == 5
    assert len(re.findall("<img ", shown)) == 5
    assert "One near pair is no proof of a copy, and without one there may be copies all the same." in shown
    assert "The copy test of 24 images of the chosen snapshot (epoch" in shown
    assert not any(name in shown for name in opened.classes if "<" in name)


def test_without_test_images_there_is_no_scale(opened: Experiment) -> None:
    """A class may have no test image: distances are shown alone."""
    opened.__dict__["test"] = opened.test.subset([])
    request = SampleRequest(label=0, count=2, seed=0, snapshot=opened.snapshot(None))
    shown = nearest(Experiment(opened.folder).draw(request), opened, NeighbourSearch(opened))
    assert "nearer than" not in shown
    assert len(re.findall("<img ", shown)) == 2
