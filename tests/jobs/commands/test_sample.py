"""sample: a picture and its figures, for any class by name or number; nothing of the artifacts changes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from jobs.__main__ import main as halfreal
from tests.conftest import ROOT


def sample(volume: Path, out: Path, *words: object) -> Result:
    """Return the result of the command on the experiment `small`."""
    place = ["--data-root", str(volume), "--experiment", "small", "--out", str(out)]
    return CliRunner().invoke(halfreal, ["sample", *place, *map(str, words)])


def test_a_grid_and_its_figures(volume: Path, hostile_classes: tuple[str, ...], tmp_path: Path) -> None:
    """Sixteen images fill four rows of four; the figures name the class, and the JSON is saved next to the picture."""
    result = sample(volume, tmp_path / "a.png", "--class", hostile_classes[1], "--count", 16)
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed == json.loads((tmp_path / "a.json").read_text("utf-8"))
    (figures,) = printed["classes"]
    assert figures["class_name"] == hostile_classes[1]
    assert sum(figures["predicted"].values()) == 16
    assert set(figures["qualities"]) == {"diversity", "sharpness", "contrast"}
    assert figures["reasons"] == {}
    for name, ratio in figures["ratios"].items():
        assert ratio == pytest.approx(figures["qualities"][name] / figures["real_qualities"][name])
    worst = max(abs(ratio - 1) for ratio in figures["ratios"].values())
    assert figures["category"] == ("Excellent" if worst <= 0.15 else "Good" if worst <= 0.35 else "Needs Improvement")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == picture.height


@pytest.mark.parametrize("words", [["--replicate", "9"], ["--class", "unicorn"], ["--epoch", "99"]])
def test_what_is_not_there_is_refused_before_torch_is_imported(words: list[str], volume: Path) -> None:
    """The answer takes no seconds."""
    place = ["--data-root", str(volume), "--experiment", "small", "--class", "0", *words]
    code = (
        "import sys\nfrom jobs.commands.sample import main\n"
        f"try:\n    main({place!r})\nexcept SystemExit as stop:\n    print(stop.code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"], done.stderr


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


def test_one_image_has_sharpness_and_contrast(volume: Path, tmp_path: Path) -> None:
    """Those of the drawn image, from its pixels; diversity and category are null, and it is said why."""
    result = sample(volume, tmp_path / "a.png", "--class", 0, "--count", 1)
    assert result.exit_code == 0, result.output
    (figures,) = json.loads(result.stdout)["classes"]
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (256, 256)
        grey = np.asarray(picture)[::16, ::16] @ np.array([0.299, 0.587, 0.114]) / 255
    across = sum(np.roll(grey, shift, axis)[1:-1, 1:-1] for shift in (1, -1) for axis in (0, 1))
    assert figures["qualities"]["contrast"] == pytest.approx(grey.std())
    assert figures["qualities"]["sharpness"] == pytest.approx((across - 4 * grey[1:-1, 1:-1]).var())
    assert figures["qualities"]["diversity"] is figures["ratios"]["diversity"] is figures["category"] is None
    assert figures["reasons"] == {
        "diversity": "it is a distance between images, and there is one",
        "category": "it needs 3 images, generated and real",
    }
    assert figures["ratios"]["contrast"] == pytest.approx(grey.std() / figures["real_qualities"]["contrast"])


def test_two_images_have_a_diversity(volume: Path, tmp_path: Path) -> None:
    """Their distance; a category begins with three images."""
    result = sample(volume, tmp_path / "a.png", "--class", 0, "--count", 2)
    (figures,) = json.loads(result.stdout)["classes"]
    assert figures["qualities"]["diversity"] > 0
    assert figures["reasons"] == {"category": "it needs 3 images, generated and real"}


def test_several_classes_have_a_row_each(volume: Path, hostile_classes: tuple[str, ...], tmp_path: Path) -> None:
    """In the order of the command line, by name or number, once each; images and figures as of one class alone."""
    words = ["--class", hostile_classes[2], "--class", "0", "--class", "2", "--count", "3"]
    printed = json.loads(sample(volume, tmp_path / "a.png", *words).stdout)
    assert [figures["class_name"] for figures in printed["classes"]] == [hostile_classes[2], hostile_classes[0]]
    with Image.open(tmp_path / "a.png") as picture:
        scale = 1024 // 50
        assert picture.size == (50 * scale, 33 * scale)
        rows = np.asarray(picture)[::scale, ::scale]
    for row, label in zip((rows[:16], rows[17:]), (2, 0), strict=True):
        alone = json.loads(sample(volume, tmp_path / "b.png", "--class", label, "--count", 3).stdout)["classes"]
        assert alone == [printed["classes"][0 if label == 2 else 1]]
        with Image.open(tmp_path / "b.png") as picture:
            single = np.asarray(picture)[::7, ::7]  # two columns of 16 px and a gap, enlarged 256 // 33 times
        assert np.array_equal(row[:, :33], single[:16])
        assert np.array_equal(row[:, 34:], single[17:, :16])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--class is missing; there are"),
        (("--class", "unicorn"), "--class 'unicorn': no such class; there are <script>"),
        (("--class", "\"QUOTED' & <b>bald"), "no such class; did you mean \"quoted' & <b>bold?; there are"),
        (("--class", "0", "--class", "3"), "--class '3': no such class; there are"),
        (("--class", "0", "--replicate", "9"), "--replicate 9: not scored in"),
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
    more = ["--class", "1", "--class", "2"]
    wishes = [
        more,
        more[:2],
        more[2:],
        [],
        ["--epoch", "1"],
        ["--epoch", "2"],
        ["--count", "4"],
        ["--seed", "1"],
        ["--truncation", "0.5"],
    ]
    made = []
    for words in wishes:
        place = ["--data-root", str(tmp_path), "--experiment", "small", "--class", "0"]
        result = CliRunner().invoke(halfreal, ["sample", *place, *words])
        assert result.exit_code == 0, result.output
        made.append(Path(json.loads(result.stdout)["picture"]))
    assert all(path.exists() for path in made)
    default = made.pop(wishes.index([]))  # of the snapshot that evaluate chose, which may be one of those asked for
    assert len(set(made)) == len(made)
    assert default not in (
        path for path, words in zip(made, [w for w in wishes if w], strict=True) if "--epoch" not in words
    )


@pytest.mark.parametrize("under", ["/proc/a.png", "{file}/a.png"])
def test_an_unwritable_path_is_refused(under: str, volume: Path, tmp_path: Path) -> None:
    """Exit code 2, with the path and the option that chose it."""
    (tmp_path / "file").touch()
    out = Path(under.format(file=tmp_path / "file"))
    result = sample(volume, out, "--class", 0)
    assert result.exit_code == 2
    assert f"error: {out}: cannot be written to (" in result.stderr
    assert "choose another path" in result.stderr
