"""The list of mutations follows the code: each names one place in it, and a test that exists."""

from pathlib import Path

import pytest

from tests.checks.mutation import Mutation
from tests.checks.mutations import MUTATIONS

ROOT = Path(__file__).resolve().parent.parent


def test_there_are_as_many_as_the_makefile_says() -> None:
    """`make mutations` plants this number of mistakes."""
    assert f"inject {len(MUTATIONS)} faults" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_names_differ() -> None:
    """`make mutations` refuses a list in which two mistakes have one name."""
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_has_its_place_and_its_test(mutation: Mutation) -> None:
    """Renaming a test or moving a line is noticed here, not when `make mutations` runs some day."""
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1
    path, _, name = mutation.test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8")
