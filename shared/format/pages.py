"""Pages: files that list the shards of a split, so that a manifest stays small; a reader opens those that it needs."""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Annotated, overload

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from shared.disk.durable import write_whole
from shared.errors import FormatError
from shared.format.files import read_whole, sha256
from shared.format.records import FileInfo, IndexInfo, PageInfo, ShardInfo

PAGE_SHARDS = 1000
"""Shards of a page; the last one of a split may list fewer."""

PAGE_NAMES = "*-shards-[0-9][0-9][0-9][0-9][0-9]*.json"
"""What matches the names of pages, of every split."""

KEPT_PAGES = 2
"""Pages of a split in memory: with 1,000 classes one takes about 10 MB."""


class _Listed(FileInfo):
    """A shard as a page has it: `class_counts` has the classes that occur, since most of many do not."""

    count: int
    class_counts: dict[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]]
    index: IndexInfo

    @model_validator(mode="after")
    def _totals_agree(self) -> "_Listed":
        if self.count != sum(self.class_counts.values()):
            raise ValueError("count differs from the sum over classes")
        return self


_PAGE = TypeAdapter(list[_Listed])


class PagedShards(Sequence[ShardInfo]):
    """The shards that `pages` list, in their order, of a dataset of `class_count` classes in `folder`.

    Their number is known at once; a page is read, and checked against its record, when a shard of it is asked for.
    Going through all of them reads each page once. Raises FormatError for a page that is missing or not as recorded.
    """

    def __init__(self, folder: Path, pages: Sequence[PageInfo], class_count: int) -> None:
        self.folder, self.pages, self.class_count = folder, list(pages), class_count
        self._ends = list(accumulate(page.shards for page in pages))
        self._kept: dict[int, list[ShardInfo]] = {}

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __eq__(self, other: object) -> bool:
        # pages are known by their hashes, so that nothing needs to be read
        if not isinstance(other, PagedShards):
            return NotImplemented
        return self.class_count == other.class_count and self.pages == other.pages

    __hash__ = None  # type: ignore[assignment]  # as of other sequences that are compared by content

    def __iter__(self) -> Iterator[ShardInfo]:
        for number in range(len(self.pages)):
            yield from self._page(number)

    @overload
    def __getitem__(self, index: int) -> ShardInfo: ...

    @overload
    def __getitem__(self, index: slice) -> list[ShardInfo]: ...

    def __getitem__(self, index: int | slice) -> ShardInfo | list[ShardInfo]:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        place = range(len(self))[index]
        number = bisect_right(self._ends, place)
        return self._page(number)[place - self._ends[number]]  # from the page's end

    def _page(self, number: int) -> list[ShardInfo]:
        shards = self._kept.pop(number, None) or _read_page(self.folder, self.pages[number], self.class_count)
        self._kept[number] = shards
        while len(self._kept) > KEPT_PAGES:
            del self._kept[next(iter(self._kept))]
        return shards


def _read_page(folder: Path, page: PageInfo, class_count: int) -> list[ShardInfo]:
    path = folder / page.name
    payload = read_whole(path, page.bytes, page.sha256)
    try:
        shards = [_dense(listed, class_count) for listed in _PAGE.validate_json(payload)]
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise FormatError(f"{path}: field {place}: {first['msg']}") from error
    except IndexError as error:
        raise FormatError(f"{path}: a shard counts a class that is none of the {class_count}") from error
    held = len(shards), sum(shard.count for shard in shards)
    if held != (page.shards, page.count):
        raise FormatError(
            f"{path}: {held[0]} shards with {held[1]} samples, the manifest says {page.shards} with {page.count}"
        )
    return shards


def _dense(listed: _Listed, class_count: int) -> ShardInfo:
    counts = [0] * class_count
    for label, count in listed.class_counts.items():
        counts[label] = count
    # what is in it was checked as it was parsed
    return ShardInfo.model_construct(**(dict(listed) | {"class_counts": counts}))


def write_pages(folder: Path, split: str, shards: Sequence[ShardInfo], class_count: int) -> PagedShards:
    """Write the pages of a split into `folder`; return the shards as a reader of these pages sees them.

    Equal shards give equal bytes. Raises ValueError for a shard without an index.
    """
    pages = []
    for number, start in enumerate(range(0, len(shards), PAGE_SHARDS)):
        listed = shards[start : start + PAGE_SHARDS]
        # a line for each shard, for people who look for one
        payload = ("[\n" + ",\n".join(map(_line, listed)) + "\n]\n").encode()
        name = f"{split}-shards-{number:05d}.json"
        write_whole(folder / name, payload)
        count = sum(shard.count for shard in listed)
        pages.append(PageInfo(name=name, bytes=len(payload), sha256=sha256(payload), shards=len(listed), count=count))
    return PagedShards(folder, pages, class_count)


def _line(shard: ShardInfo) -> str:
    if shard.index is None:
        raise ValueError(f"{shard.name}: has no index")
    counts = {str(label): count for label, count in enumerate(shard.class_counts) if count}
    return json.dumps(shard.model_dump(mode="json") | {"class_counts": counts}, separators=(",", ":"))
