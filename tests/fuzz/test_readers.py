"""No reader ends with a traceback, hangs, writes, or fills the memory for any damage to a file."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.attempt import attempt, damaged
from tests.fuzz.readers import READERS

EXAMPLES = 12
"""Damaged files of each reader here; `python -m tests.checks.fuzz --minutes 30` reads millions."""


@pytest.mark.parametrize("name", READERS)
def test_whole_files_are_read(name: str) -> None:
    """What the damage begins with is right: else every file would be refused for the same reason."""
    assert attempt(READERS[name], READERS[name].files()).kind == "read"


@pytest.mark.fault(8)
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused(name: str) -> None:
    """It is read, perhaps with rejected images, or refused as bad input; nothing else, within seconds."""

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
    )
    @given(st.randoms(use_true_random=False))
    def try_one(random: Random) -> None:
        outcome = attempt(READERS[name], damaged(READERS[name], random))
        assert outcome.kind != "wrong", outcome.wrong

    try_one()
