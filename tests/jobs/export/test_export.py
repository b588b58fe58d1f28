"""export: torchvision, webdataset and Hugging Face datasets read exactly what the shards hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from jobs.export.formats import FORMATS, class_folders
from shared.format.files import sha256
from shared.format.manifest import ShardInfo
from shared.format.shards import read_members
from shared.store.artifacts import Artifact
from tests.jobs.export.exporting import (
    READERS,
    Features,
    annotated,
    asked,
    by_datasets,
    every_format,
    export,
    files,
    held,
    load,
    quiet,
)


@quiet
@pytest.mark.parametrize(("to", "read"), READERS)
@pytest.mark.parametrize("labels", [annotated, asked])
def test_other_readers_see_every_image_with_its_label(
    to: str,
    read: Callable[[Path, Path], Features],
    labels: Callable[[dict[str, Any], int], int],
    root: Path,
    varied: dict[str, Artifact],
    tmp_path: Path,
) -> None:
    """Each image of the shards arrives once, with the label that was chosen: the annotator's or the requested class."""
    words = ["--labels", labels.__name__]
    result = export(root, tmp_path / "out", "--to", to, *words)
    assert result.exit_code == 0, result.output
    seen = {pixels: sorted(found) for pixels, found in read(tmp_path / "out", tmp_path / "cache").items()}
    assert seen == {pixels: sorted(found) for pixels, found in held(varied["synthetic"], labels).items()}
    assert sum(map(len, seen.values())) == varied["synthetic"].dataset.splits["train"].count > 50


def test_the_formats_that_the_command_offers_are_the_rows() -> None:
    """The names offered without heavy imports match the rows behind them, and all are read above."""
    assert sorted(FORMATS) == sorted({to for to, _ in READERS})


def test_hugging_face_gets_class_names(
    root: Path, varied: dict[str, Artifact], hostile_classes: tuple[str, ...], tmp_path: Path
) -> None:
    """Labels are ClassLabel features with any class names; the other columns hold what is known of each image."""
    import datasets

    assert export(root, tmp_path / "out", "--to", "hf").exit_code == 0
    rows = load(tmp_path / "cache", str(tmp_path / "out"))
    for column in ("label", "annotated_label", "asked_label"):
        assert rows.features[column] == datasets.ClassLabel(names=list(hostile_classes))
    known = [json.loads(members["json"]) for _, members in varied["synthetic"].members("train")]
    assert rows["confidence"][:] == [meta["annotation"]["confidence"] for meta in known]
    assert rows["asked_label"][:] == [meta["origin"]["asked_label"] for meta in known]
    assert rows["latent_seed"][:] == [meta["origin"]["latent_seed"] for meta in known]


def test_shards_are_those_of_the_synthetic_set(root: Path, varied: dict[str, Artifact], tmp_path: Path) -> None:
    """With the annotator's labels the members of the exported shards are the synthetic set's own, byte by byte.

    No index is next to them: other tools have files of that suffix, too, with another content.
    """
    assert export(root, tmp_path / "out", "--to", "webdataset").exit_code == 0
    assert not list((tmp_path / "out").glob("*.idx"))
    path, count = tmp_path / "out" / "train-00000.tar", varied["synthetic"].dataset.splits["train"].count
    payload = path.read_bytes()
    info = ShardInfo(name=path.name, bytes=len(payload), sha256=sha256(payload), count=count, class_counts=[count])
    assert list(read_members(path, info)) == list(varied["synthetic"].members("train"))


@every_format
def test_equal_exports_have_equal_bytes(to: str, root: Path, tmp_path: Path) -> None:
    """Written twice, in different places, an export has the same files with the same bytes."""
    for name in ("a", "b"):
        assert export(root, tmp_path / name, "--to", to).exit_code == 0
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert {"README.md", "recipe.toml", "export.json"} <= files(tmp_path / "a").keys()
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")) == ["a", "b"]


def test_low_confidence_is_left_out(root: Path, varied: dict[str, Artifact], tmp_path: Path) -> None:
    """--min-confidence keeps images of at least this confidence, and the card says how many are left out."""
    sure = sorted(json.loads(m["json"])["annotation"]["confidence"] for _, m in varied["synthetic"].members("train"))
    least = sure[27]
    assert export(root, tmp_path / "out", "--to", "hf", "--min-confidence", least).exit_code == 0
    wanted = held(varied["synthetic"], annotated, least)
    seen = by_datasets(tmp_path / "out", tmp_path / "cache")
    assert {key: sorted(found) for key, found in seen.items()} == {k: sorted(found) for k, found in wanted.items()}
    left_out = sum(value < least for value in sure)
    assert 0 < left_out <= 27
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert f"{left_out} of {len(sure)}" in card
    assert "with other labels or images than are given here" in card


def test_the_recipe_of_an_export_makes_it_again(root: Path, tmp_path: Path, run_job: Callable[..., Result]) -> None:
    """Under the recipe in an export the synthetic set is already complete."""
    assert export(root, tmp_path / "out", "--to", "imagefolder").exit_code == 0
    result = run_job("synthesize", root, "--recipe", tmp_path / "out" / "recipe.toml")
    assert (result.exit_code, "already complete" in result.stderr) == (0, True), result.output


def test_an_empty_class_is_refused_where_labels_would_shift(root: Path, tmp_path: Path) -> None:
    """An image folder without a class would renumber the others: exit code 2, and nothing is written."""
    result = export(root, tmp_path / "out", "--to", "imagefolder", "--min-confidence", 0.97)
    assert result.exit_code == 2
    assert "labels would shift" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("classes", "folders"),
    [
        (["cat", "dog", "red owl"], ["cat", "dog", "red owl"]),
        (list("0123456789"), list("0123456789")),
        (["\N{GRINNING FACE}", "\N{SMILING FACE WITH HORNS}"], ["\N{GRINNING FACE}", "\N{SMILING FACE WITH HORNS}"]),
        (["not Smiling", "Smiling"], ["class-0", "class-1"]),  # capitals come first
        (["A", "a"], ["class-0", "class-1"]),
        (["a/b", "c"], ["class-0", "class-1"]),
        ([".a", "b"], ["class-0", "class-1"]),
        (["a", "b "], ["class-0", "class-1"]),
        (["a", "test"], ["class-0", "class-1"]),
        (["a", "val-1"], ["class-0", "class-1"]),
        (["a", "testament"], ["a", "testament"]),
        ([str(n) for n in range(11)], [f"class-{n:02d}" for n in range(11)]),  # 10 would come before 2
    ],
)
def test_folders_have_the_order_of_labels(classes: list[str], folders: list[str]) -> None:
    """Class names are folders where their order is that of the labels and every reader takes them; else numbers are."""
    assert class_folders(classes) == folders == sorted(folders)
