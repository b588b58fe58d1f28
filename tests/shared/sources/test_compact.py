"""Millions of small objects in little memory: what comes out is what went in."""

import sys
from functools import partial
from pathlib import Path

import pytest

from shared.sources.entries import BLOCK, Compact, Entry, understood
from shared.sources.items import read_file
from shared.sources.reading import Reading


def entries(count: int) -> list[Entry]:
    """Return entries as a large set has them."""
    tar = Path("/data/set/train-00001.tar")
    return [
        Entry(str(n % 3), {"source": "webdataset", "file": tar.name, "key": f"s{n:08d}"}, partial(read_file, tar))
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 2])
def test_elements_come_back(count: int) -> None:
    """In any order, from both ends, in slices, and again after more were added."""
    numbers = Compact(range(count))
    assert [*numbers] == [*range(count)]
    assert [numbers[place] for place in reversed(range(count))] == [*reversed(range(count))]
    assert [numbers[place - count] for place in range(count)] == [*range(count)]
    assert numbers[1:-1:2] == [*range(count)][1:-1:2]
    for place in (count, -count - 1):
        with pytest.raises(IndexError):
            numbers[place]
    numbers.extend(range(count, count + BLOCK))
    assert [*numbers] == [*range(count + BLOCK)]


def test_an_entry_takes_little() -> None:
    """Less than 100 bytes, where its texts and functions alone take five times that."""
    count = 2000
    found = Compact(entries(count))
    assert [(each.label, each.origin) for each in found] == [(each.label, each.origin) for each in entries(count)]
    assert sum(sys.getsizeof(block) for block in found._blocks) + sys.getsizeof(found._blocks) < 100 * count


def test_a_source_keeps_its_entries_packed() -> None:
    """Items are made as they are asked for, with the label of their class; unusable ones say why."""
    made = [*entries(50), Entry("", {"file": "broken"}, bytes, why="cut short")]
    source = understood(Path("set"), iter(made), Reading())
    assert len(source.items) == 51
    assert isinstance(source.items._entries, Compact)  # type: ignore[attr-defined]
    assert [item.label for item in source.items[:4]] == [0, 1, 2, 0]
    with pytest.raises(ValueError, match="cut short"):
        source.items[50].read()
