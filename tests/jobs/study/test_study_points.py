"""Which points are asked for, and the options that each has."""

import pytest

from jobs.study.children import scaled_epochs
from jobs.study.points import Point, ordered, parse_points, point_of
from shared.cli.common_options import check_name
from shared.errors import BadConfig


def test_points_are_sorted_and_named() -> None:
    """The smallest first, in any order that they are given; the name has no more digits than needed."""
    found = parse_points("images", "30, 5,100,2.5")
    assert [point.name for point in found] == ["images-2.5", "images-5", "images-30", "images-100"]
    assert [point_of(point.name) for point in found] == found
    assert ordered({*found}) == found


@pytest.mark.parametrize("text", ["0", "101", "5,,10", "", "-5", "5 10", "a", "nan", "1e1", "5.123", "100.01", "0.00"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    """The message names the flag and what is wanted."""
    with pytest.raises(BadConfig, match=r"--images .*want numbers above 0, at most 100"):
        parse_points("images", text)


@pytest.mark.parametrize("text", ["5,5", "5,5.0", "10,5,10.00"])
def test_a_point_is_asked_for_once(text: str) -> None:
    """Two points of one share would share an experiment, and count twice."""
    with pytest.raises(BadConfig, match="more than once"):
        parse_points("images", text)


@pytest.mark.parametrize("name", ["images-05", "images-", "images-5-5", "sizes-5", "images-5.0", "index.html"])
def test_other_folders_are_no_points(name: str) -> None:
    """Only the name that a point has names it."""
    assert point_of(name) is None


@pytest.mark.parametrize("name", ["digits/study/images-5", "a.b-c/study/labels-2.5"])
def test_a_point_is_an_experiment_of_any_command(name: str) -> None:
    """Its name is that of its folder below the volume."""
    check_name(name, "--experiment")


@pytest.mark.parametrize(
    "name", ["digits/images-5", "digits/study", "digits/study/../x", "/study/images-5", "sources/study/images-5", "a/b"]
)
def test_no_other_name_has_a_slash(name: str) -> None:
    """A path out of the volume, or into another folder of it, is no experiment."""
    with pytest.raises(BadConfig):
        check_name(name, "--experiment")


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.3, 0.5, 0.77])
@pytest.mark.parametrize(("epochs", "every"), [(40, 5), (30, 1), (7, 3), (20, 20)])
def test_a_gan_of_fewer_images_sees_each_more_often(share: float, epochs: int, every: int) -> None:
    """As many images as on all of them, but for less than an epoch, and as many snapshots but for rounding."""
    scaled, between = scaled_epochs(epochs, every, share)
    assert epochs <= scaled * share < epochs + share + 1e-6
    snapshots, before = -(-scaled // between), -(-epochs // every)
    assert abs(snapshots - before) <= max(1, 0.35 * before)


def test_the_demo_at_a_twentieth() -> None:
    """40 epochs with a snapshot every 5 become 800 with one every 100."""
    assert scaled_epochs(40, 5, 0.05) == (800, 100)


def test_a_share_that_is_no_binary_fraction_adds_no_epoch() -> None:
    """3 / 0.3 is 10, in floating point too."""
    assert scaled_epochs(3, 1, 0.3)[0] == 10


def test_point_shares() -> None:
    """Percent becomes a share of 1."""
    assert Point("images", 2.5).share == pytest.approx(0.025)
