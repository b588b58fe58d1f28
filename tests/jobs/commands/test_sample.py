"""sample: a picture and its figures, for any class by name or number; nothing of the artifacts changes."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from jobs.__main__ import main as halfreal


def sample(volume: Path, out: Path, *words: object) -> Result:
    """Return the result of the command on the experiment `small`."""
    place = ["--data-root", str(volume), "--experiment", "small", "--out", str(out)]
    return CliRunner().invoke(halfreal, ["sample", *place, *map(str, words)])


def test_a_grid_and_its_figures(volume: Path, hostile_classes: tuple[str, ...], tmp_path: Path) -> None:
    """Sixteen images fill four rows of four; the figures name the class, and the JSON is saved next to the picture."""
    result = sample(volume, tmp_path / "a.png", "--class", hostile_classes[1], "--count", 16)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures == json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert figures["class_name"] == hostile_classes[1]
    assert sum(figures["predicted"].values()) == 16
    assert set(figures["qualities"]) == {"diversity", "sharpness", "contrast"}
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == picture.height


def test_equal_seeds_draw_equal_pictures(volume: Path, tmp_path: Path) -> None:
    """The same seed draws the same picture, another seed another one."""
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert sample(volume, tmp_path / f"{name}.png", "--class", 0, "--seed", seed).exit_code == 0
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_truncation_is_reported(volume: Path, tmp_path: Path) -> None:
    """Truncated images differ from those of the same seed, and the figures state the truncation."""
    for name, words in (("a", ()), ("b", ("--truncation", 0.5))):
        assert sample(volume, tmp_path / f"{name}.png", "--class", 0, *words).exit_code == 0
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
    assert [json.loads((tmp_path / f"{name}.json").read_text("utf-8"))["truncation"] for name in "ab"] == [None, 0.5]


def test_two_images_have_no_qualities(volume: Path, tmp_path: Path) -> None:
    """Fewer than three images give a picture and no figures."""
    result = sample(volume, tmp_path / "a.png", "--class", 0, "--count", 2)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["qualities"] is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--class is missing; there are"),
        (("--class", "unicorn"), "no such class"),
        (("--class", "0", "--truncation", "0"), "--truncation"),
        (("--class", "0", "--truncation", "nan"), "--truncation nan: want a finite number"),
        (("--class", "0", "--truncation", "inf"), "--truncation inf: want a finite number"),
        (("--class", "0", "--epoch", "99"), "no such snapshot; there are"),
    ],
)
def test_unknown_names_are_refused(words: tuple[str, ...], says: str, volume: Path, tmp_path: Path) -> None:
    """Exit code 2 and the known names; nothing is written."""
    result = sample(volume, tmp_path / "a.png", *words)
    assert result.exit_code == 2
    assert says in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.jpg", "a", ".png"])
def test_a_picture_is_a_png(name: str, volume: Path, tmp_path: Path) -> None:
    """A file with another suffix is not written: its name would be wrong."""
    result = sample(volume, tmp_path / name, "--class", 0)
    assert result.exit_code == 2
    assert f"--out {tmp_path / name}: want a name that ends in .png" in result.output
    assert list(tmp_path.iterdir()) == []


def test_other_requests_have_other_files(volume: Path, tmp_path: Path) -> None:
    """Without --out each snapshot, count, seed or truncation gives a picture of its own."""
    shutil.copytree(volume / "small", tmp_path / "small")
    wishes = [[], ["--epoch", "1"], ["--epoch", "2"], ["--count", "4"], ["--seed", "1"], ["--truncation", "0.5"]]
    made = []
    for words in wishes:
        place = ["--data-root", str(tmp_path), "--experiment", "small", "--class", "0"]
        result = CliRunner().invoke(halfreal, ["sample", *place, *words])
        assert result.exit_code == 0, result.output
        made.append(Path(json.loads(result.stdout)["picture"]))
    assert all(path.exists() for path in made)
    assert len(set(made)) == len(wishes) - 1  # the default snapshot is epoch 2 or 3, the one that evaluate chose


@pytest.mark.parametrize("under", ["/proc/a.png", "{file}/a.png"])
def test_an_unwritable_path_is_refused(under: str, volume: Path, tmp_path: Path) -> None:
    """Exit code 2, with the path and the option that chose it."""
    (tmp_path / "file").touch()
    out = Path(under.format(file=tmp_path / "file"))
    result = sample(volume, out, "--class", 0)
    assert result.exit_code == 2
    assert f"error: {out}: cannot be written to (" in result.stderr
    assert "choose another path" in result.stderr
