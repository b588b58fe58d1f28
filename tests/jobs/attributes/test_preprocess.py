"""Several attributes of CelebA as the label of real images."""

from pathlib import Path

import pytest

from jobs.preprocess.validate import declare
from shared.errors import FormatError
from shared.format.manifest import MANIFEST, parse_manifest
from tests.jobs.attributes.faces import ATTRIBUTES, LABEL, bits_of_face, write_faces
from tests.jobs.preprocess.source_files import done, everything, preprocess
from tests.jobs.preprocess.test_validate import config

WORDS = ("--source", "celeba", "--no-verify-md5")


def test_a_label_has_a_bit_for_each_attribute(tmp_path: Path) -> None:
    """In the order in which they were asked for, not that of the table; classes are all combinations."""
    write_faces(tmp_path, 72)
    artifact = done(tmp_path, *WORDS, "--label", LABEL)
    assert artifact.dataset.attributes == [*ATTRIBUTES]
    assert artifact.dataset.classes[5] == "Young+Male"
    found = everything(artifact)
    assert {split: len(samples) for split, samples in found.items()} == {"train": 42, "val": 12, "test": 18}
    for sample in (sample for samples in found.values() for sample in samples):
        bits = bits_of_face(int(Path(sample.meta["origin"]["file"]).stem) - 1)
        assert sample.label == sum(bit << place for place, bit in enumerate(bits))
    # nobody is Male and not Young
    assert [artifact.dataset.splits["train"].class_counts[label] for label in (4, 6)] == [0, 0]


def test_the_description_of_the_images_has_the_attributes() -> None:
    """Jobs that come after know them before there are any images."""
    spec = declare(config(source="celeba", label=LABEL))
    assert (spec.attributes, spec.classes) == (ATTRIBUTES, 8)
    assert declare(config(source="celeba", label="Young")).attributes == ()


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Young,Old", "--label Old: CelebA has no such attribute"),
        ("Young,Young", "names Young twice"),
        (",".join("ABCDEFGHIJK"), "2,048 combinations; want at most 10"),
    ],
)
def test_attributes_that_are_not_there_are_refused(tmp_path: Path, label: str, said: str) -> None:
    """Exit code 2, and nothing is written."""
    write_faces(tmp_path, 12)
    result = preprocess(tmp_path, *WORDS, "--label", label)
    assert (result.exit_code, said in result.stderr) == (2, True), result.output
    assert not (tmp_path / "e" / "real").exists()


def test_an_attribute_that_all_train_images_have_is_refused(tmp_path: Path) -> None:
    """A combination may be empty, a side of an attribute not."""
    folder = write_faces(tmp_path, 24)
    table = folder / "list_attr_celeba.txt"
    count, header, *rows = table.read_text().splitlines()
    rows = [" ".join([*row.split()[:2], "1", *row.split()[3:]]) for row in rows]
    table.write_text("\n".join([count, header, *rows]) + "\n")
    result = preprocess(tmp_path, *WORDS, "--label", "Bald,Young")
    assert result.exit_code == 2
    assert "1 of 4 classes have no image that can be used (not Bald)" in result.stderr


def test_a_manifest_whose_classes_are_not_the_combinations_is_refused(tmp_path: Path) -> None:
    """Names and bits must not fall apart; a dataset of plain classes has no such field."""
    write_faces(tmp_path, 24)
    path = done(tmp_path, *WORDS, "--label", LABEL).folder / MANIFEST
    payload = path.read_bytes()
    assert parse_manifest(payload, path).to_bytes() == payload
    with pytest.raises(FormatError, match="classes are not the combinations"):
        parse_manifest(payload.replace(b'"Young+Male"', b'"Male+Young"'), path)
    plain = done(tmp_path, *WORDS, "--label", "Young", "--force").folder / MANIFEST
    assert b"attributes" not in plain.read_bytes()


def test_a_train_split_of_an_exact_size_has_every_combination_that_occurs(tmp_path: Path) -> None:
    """In the proportions in which they occur; those that nobody has are no reason to refuse."""
    write_faces(tmp_path, 144)
    artifact = done(tmp_path, *WORDS, "--label", LABEL, "--limit-train", "12")
    counts = artifact.dataset.splits["train"].class_counts
    assert (sum(counts), [label for label, count in enumerate(counts) if not count]) == (12, [4, 6])
