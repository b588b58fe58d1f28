"""Verify artifacts file by file, in any number of processes, and gather what only their files together show."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from jobs.verify.dependents import compare_inputs
from jobs.verify.files import Checked, Task, check
from jobs.verify.opened import Opened, Problem
from shared.errors import FormatError
from shared.format.checks.shard import key_number
from shared.format.shards import read_members

Spread = Callable[[Callable[[Task], Checked], Iterable[Task]], Iterator[Checked]]
"""Applies a function to tasks in any number of processes; results come in order (see `shared.runtime.processes`)."""


@dataclass
class Verified:
    """What was verified, and what was found wrong; `confirmed` manifests are as what was made from them says."""

    artifacts: int = 0
    confirmed: int = 0
    unfinished: int = 0
    files: int = 0
    size_bytes: int = 0
    images: int = 0
    problems: list[Problem] = field(default_factory=list)


def verify(
    found: list[Opened], spread: Spread, *, decode: bool, problems: list[Problem], advance: Callable[[int], object]
) -> Verified:
    """Verify all that was `found`, whose `problems` so far are given; pictures are decoded where that is asked for.

    `advance(count)` is called with the number of files that were checked since the last call.
    """
    done = Verified(problems=list(problems))
    done.artifacts = sum(each.manifest is not None for each in found)
    done.unfinished = len(found) - done.artifacts
    by_folder = {each.folder: each for each in found}
    of_pages: list[Problem] = []
    tasks = (task for each in found for task in each.tasks(decode, of_pages))
    for folder, results in groupby(spread(check, tasks), key=lambda checked: checked.task.folder):
        own = list(_problems_of(by_folder[folder], results, done, advance))
        # a job that commits meanwhile takes its files away: what is missing then was not lost
        if own and by_folder[folder].manifest is not None and by_folder[folder].is_replaced():
            own = [Problem(folder, "was replaced while it was verified; verify it again")]
        done.problems += own
    for each in found:
        if each.manifest is not None:
            done.problems += each.problems()
    done.confirmed, of_inputs = compare_inputs(found)
    done.problems += of_inputs
    # a page that cannot be read is found by who looks for names, too
    done.problems = list(dict.fromkeys([*done.problems, *of_pages]))
    return done


def _problems_of(
    opened: Opened, results: Iterable[Checked], done: Verified, advance: Callable[[int], object]
) -> Iterator[Problem]:
    """Yield what is wrong with the files of one artifact; count them."""
    for split, of_split in groupby(results, key=lambda checked: checked.task.split):
        shards = []
        for checked in of_split:
            for name, what in checked.problems:
                path = opened.folder / name
                yield Problem(path, what.removeprefix(f"{path}: "), opened.job)
            done.files += 1
            done.size_bytes += checked.task.info.bytes if checked.task.info is not None else 0
            done.images += len(checked.keys)
            if split:
                shards.append(checked)
            advance(1 if opened.manifest is not None else 0)
        yield from _repeated_keys(opened, split, shards)


def _repeated_keys(opened: Opened, split: str, shards: list[Checked]) -> Iterator[Problem]:
    """Yield each key that comes twice in a split, in the shard in which it comes again."""
    numbers = np.sort(np.concatenate([shard.keys for shard in shards])) if shards else np.zeros(0, np.uint64)
    twice = set(numbers[1:][numbers[1:] == numbers[:-1]].tolist())
    if not twice:
        return
    names = {shard.task.name for shard in shards if not twice.isdisjoint(shard.keys.tolist())}
    seen: dict[str, str] = {}
    for info in opened.splits[split].shards:
        path = opened.folder / info.name
        try:
            # by the keys themselves, since different ones may have one number
            for key, _ in read_members(path, info) if info.name in names else ():
                if key in seen:
                    yield Problem(path, f"key {key!r} comes twice in {split}: in {seen[key]} too", opened.job)
                if key_number(key) in twice:
                    seen[key] = info.name
        except FormatError:  # which is among the problems already
            continue
