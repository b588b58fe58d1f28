"""What a part of the command is, what it measures, and how times are taken on a GPU."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

import torch

from tests.gpu.sizes import Sizes

DEVICE = "GPU_TESTS_DEVICE"
"""The variable that names the device of the tests; without it they run on the CPU, where `make test` has them."""

Iteration = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A measurement: median, least and largest of `value` over rounds, in `unit`.

    `ratios` are those to peers, of each round: median, least, largest, by the peer's name; above 1 ours is better.
    `goal` is what was aimed at, in words, and `met` whether it is; `note` says why there is no value, or what was
    found.
    """

    what: str
    unit: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    ratios: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    goal: str = ""
    met: bool | None = None
    note: str = ""

    def facts(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class Task:
    """What a part is given: the device, the sizes, and the time on the monotonic clock by which it is to end."""

    device: torch.device
    sizes: Sizes
    ends: float

    @property
    def left_s(self) -> float:
        """The seconds that are left."""
        return self.ends - time.monotonic()


Measure = Callable[[Task], Iterator[Row]]


def finish(device: torch.device) -> None:
    """Wait until the device has done all that it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(iteration: Iteration, times: int, device: torch.device) -> float:
    """Return the seconds that an iteration takes, of `times` in a row."""
    finish(device)
    begun = time.perf_counter()
    for _ in range(times):
        iteration()
    finish(device)
    return (time.perf_counter() - begun) / times


def rounds_of(sides: Mapping[str, Iteration], task: Task) -> dict[str, list[float]]:
    """Return the seconds of an iteration of each side in each round; sides alternate, after iterations to warm up."""
    sizes, times = task.sizes, dict[str, int]()
    for name, side in sides.items():
        for _ in range(sizes.warm):
            side()
        times[name] = max(round(sizes.round_s / seconds_of(side, 1, task.device)), 1)
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(sizes.rounds):
        for name in list(sides) if number % 2 else list(sides)[::-1]:
            taken[name].append(seconds_of(sides[name], times[name], task.device))
    return taken


def spread(values: list[float]) -> tuple[float, float, float]:
    """Return median, least and largest."""
    return statistics.median(values), min(values), max(values)


def ratios(ours: list[float], peers: Mapping[str, list[float]]) -> dict[str, tuple[float, float, float]]:
    """Return each peer's seconds over ours, round by round: median, least and largest."""
    return {
        name: spread([their / our for our, their in zip(ours, theirs, strict=True)]) for name, theirs in peers.items()
    }
