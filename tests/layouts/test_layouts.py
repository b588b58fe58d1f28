"""Layouts that people have are read as they mean them, or refused with what to do; the page says the same."""

import re
from pathlib import Path

import pytest
from click.testing import Result

from shared.format.sample import Sample
from shared.store.artifacts import Artifact, open_artifact
from tests.containers.files import ROOT
from tests.jobs.preprocess.source_files import everything, preprocess
from tests.layouts.making import group_of, kind_of, split_of
from tests.layouts.model import Layout, Read, Refused, Wrong
from tests.layouts.page import page
from tests.layouts.rows import LAYOUTS, counts

PLACE = "set"


def test_there_are_many_layouts() -> None:
    """The table has at least 30 layouts, each with another name or writer."""
    assert sum(counts().values()) >= 30
    assert len({(row.name, row.writer) for row in LAYOUTS}) == len(LAYOUTS)


@pytest.mark.usefixtures("as_if_sent")
@pytest.mark.parametrize("row", LAYOUTS, ids=lambda row: f"{row.writer}: {row.name}")
def test_a_layout(tmp_path: Path, row: Layout) -> None:
    """It has the outcome that its row says, and each image has the class and the split that its files say."""
    root = tmp_path / PLACE
    root.mkdir()
    row.make(root)
    result = preprocess(tmp_path, "--source-path", str(root / row.path), *row.words)
    expected = row.outcome.now if isinstance(row.outcome, Wrong) else row.outcome
    if isinstance(expected, Refused):
        check_refused(result, expected, tmp_path)
    else:
        assert result.exit_code == 0, result.output
        for pattern in expected.says:
            assert re.search(pattern, result.output), result.output
        check_read(open_artifact(tmp_path / "e" / "real", "dataset", "preprocess"), expected)


def check_refused(result: Result, expected: Refused, root: Path) -> None:
    """Check that the input was called bad in at most three lines, which have the words of the row."""
    assert result.exit_code == 2, result.output
    error = result.output[result.output.index("error:") :].replace(str(root), "")
    lines = error.strip().splitlines()
    assert len(lines) <= 3, error
    assert max(map(len, lines)) <= 200, error
    for pattern in expected.says:
        assert re.search(pattern, error), error


def check_read(artifact: Artifact, expected: Read) -> None:
    """Check the classes, their order and counts, and the class, split and group of each image by its colours."""
    samples = everything(artifact)
    splits = artifact.dataset.splits
    totals = {
        name: sum(split.class_counts[label] for split in splits.values())
        for label, name in enumerate(artifact.dataset.classes)
    }
    assert list(totals.items()) == list(expected.classes.items())
    assert [(kind_of(s.image), split) for split, some in samples.items() for s in some] == [
        (s.label, split) for split, some in samples.items() for s in some
    ]
    for split, some in samples.items():
        assert some
        for sample in some:
            check_split(sample, split, expected)
    if expected.grouped:
        homes: dict[int, set[str]] = {}
        for split, some in samples.items():
            for sample in some:
                homes.setdefault(group_of(sample.image), set()).add(split)
        assert {len(places) for places in homes.values()} == {1}, homes


def check_split(sample: Sample, split: str, expected: Read) -> None:
    """Check that a sample is in the split that its files say; one of train may be in a split that they leave out."""
    said = split_of(sample.image)
    said = expected.means.get(said, said)
    if not expected.splits:
        assert said == "" or split, said
        return
    drawn = said == "train" and split not in [expected.means.get(name, name) for name in expected.splits]
    assert said == split or drawn, f"{sample.key}: {said} is in {split}"


def test_the_page_has_every_row() -> None:
    """docs/layouts.md is what the table writes: python -m tests.layouts."""
    assert (ROOT / "docs" / "layouts.md").read_text(encoding="utf-8") == page()
