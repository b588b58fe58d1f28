"""One process's work on one artifact, as it is watched: its numbers, where time went, and the file that has them."""

import resource
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from shared.disk.durable import write_whole
from shared.errors import Interrupted
from shared.runtime.memory import limit_bytes
from shared.runtime.observe.identity import Identity
from shared.runtime.observe.metrics import LABELS, PREFIX, Values

LEAST_INTERVAL_S = 1.0
"""The shortest interval over which a rate is measured: at the end of the work the last one may be any."""

IMAGES = "images"
"""The unit of the work that is counted."""

Batch = TypeVar("Batch", bound=tuple[Sized, ...])


class Observation:
    """The numbers of the work of `identity` since now, written to a file of `folder`, if there is one."""

    def __init__(self, identity: Identity, folder: Path | None) -> None:
        self.identity, self.values = identity, Values()
        self.path = None if folder is None else folder / file_name(identity)
        self._trained_s = 0.0
        self._waited_s = 0.0
        self._prepared_s = 0.0
        self._is_waiting = False
        self._training_since: float | None = None
        self._rated = (time.monotonic(), 0.0)
        for name in ("images_seen_total", "read_bytes_total", "errors_total"):
            self.values.add(name, 0)
        self.values.set("job_start_time_seconds", time.time())

    @property
    def is_training(self) -> bool:
        """Whether a training loop runs now."""
        return self._training_since is not None

    @contextmanager
    def training(self) -> Iterator[None]:
        """Count the time of a training loop; one within another is part of it."""
        if self.is_training:
            yield
            return
        self._training_since = time.perf_counter()
        try:
            yield
        finally:
            self._trained_s = self.training_s
            self._training_since = None

    @contextmanager
    def waiting(self, *, prepares: bool = False) -> Iterator[None]:
        """Count time in which a training loop waits for images; elsewhere nothing waits, unless it `prepares` them."""
        if self._is_waiting:  # a wait within another one is part of it
            yield
            return
        started, self._is_waiting = time.perf_counter(), True
        try:
            yield
        finally:
            self._is_waiting = False
            seconds = time.perf_counter() - started
            if self.is_training:
                self._waited_s += seconds
            elif prepares:
                self._prepared_s += seconds

    @property
    def training_s(self) -> float:
        """The seconds in training loops until now."""
        since = self._training_since
        return self._trained_s + (0.0 if since is None else time.perf_counter() - since)

    @property
    def waited_s(self) -> float:
        """The seconds that training waited for images until now: within its loops, and while they were prepared."""
        return self._waited_s + self._prepared_s

    @property
    def data_wait_share(self) -> float | None:
        """The share of waiting in the time of training, preparing images included; None where nothing was trained."""
        return self.waited_s / (self.training_s + self._prepared_s) if self.training_s else None

    def write(self) -> None:
        """Write the file, whole or not at all, if there is one."""
        if self.path is None:
            return
        self._measure()
        labels = {name: "" if value is None else str(value) for name, value in self.identity.facts().items()}
        write_whole(self.path, self.values.text({name: labels[name] for name in LABELS}).encode())

    def _measure(self) -> None:
        """Bring the numbers that nobody reports up to date."""
        values, share = self.values, self.data_wait_share
        now, images = time.monotonic(), values.of("images_seen_total")
        then, before = self._rated
        if now - then >= LEAST_INTERVAL_S:
            values.set("images_per_second", (images - before) / (now - then))
            self._rated = (now, images)
        if share is not None:
            trained_s = self.training_s + self._prepared_s
            values.add("training_seconds_total", trained_s - values.of("training_seconds_total"))
            values.add("data_wait_seconds_total", self.waited_s - values.of("data_wait_seconds_total"))
            values.set("data_wait_ratio", share)
        values.set("memory_peak_bytes", peak_bytes())
        values.set("memory_limit_bytes", limit_bytes())
        values.set("job_update_time_seconds", time.time())

    def end(self, code: int) -> None:
        """Note how the work ended."""
        self.values.set("job_exit_code", code)
        self.values.add("errors_total", int(code not in (0, Interrupted.exit_code)))


def file_name(identity: Identity) -> str:
    """Return the name of the file of a process's work: another one for each set of labels."""
    # the experiment of a point of a study has slashes; of other signs names have none that a file may not have
    experiment = (identity.experiment or "").replace("/", "%2F")
    replicate = "" if identity.replicate is None else f"-r{identity.replicate:02d}"
    return f"{PREFIX}{identity.job}-{experiment}{replicate}-{identity.rank or 0}.prom"


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)  # Linux: KiB


ACTIVE: list[Observation] = []
"""The observations that go on, the innermost last; `watching.observing` adds to them."""


def observation() -> Observation | None:
    """Return the observation of the work that this process does now; None where nothing is observed."""
    return ACTIVE[-1] if ACTIVE else None


def count(name: str, amount: float = 1) -> None:
    """Add to a counter of `shared.runtime.observe.metrics` for the work that is observed, if any is."""
    if (watched := observation()) is not None:
        watched.values.add(name, amount)


def count_done(count: int, unit: str) -> None:
    """Count what a job has done, if that is images; those of a training loop are counted as batches are taken."""
    if unit == IMAGES and (watched := observation()) is not None and not watched.is_training:
        watched.values.add("images_seen_total", count)


def progress(share: float) -> None:
    """Note the share of the present piece of work that is done."""
    if (watched := observation()) is not None:
        watched.values.set("progress_ratio", share)


def report_losses(means: dict[str, float]) -> None:
    """Note the means of losses, by name."""
    if (watched := observation()) is not None:
        for name, mean in means.items():
            watched.values.set("loss", mean, name)


def data_wait() -> dict[str, float]:
    """Return `data_wait_share` of the work that is observed, for its record; nothing where it has trained nothing."""
    watched = observation()
    share = None if watched is None else watched.data_wait_share
    return {} if share is None else {"data_wait_share": float(f"{share:.3g}")}


@contextmanager
def training() -> Iterator[None]:
    """Count the time of a training loop."""
    watched = observation()
    if watched is None:
        yield
        return
    with watched.training():
        yield


@contextmanager
def waiting() -> Iterator[None]:
    """Count the time in which a training loop waits for images."""
    watched = observation()
    if watched is None:
        yield
        return
    with watched.waiting():
        yield


@contextmanager
def preparing() -> Iterator[None]:
    """Count the time in which images are decoded, or brought to a device: where a job trains, training waits for it."""
    watched = observation()
    if watched is None:
        yield
        return
    with watched.waiting(prepares=True):
        yield


def timed(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield the batches (images, labels) of a training loop; the time until each is there counts as waiting."""
    stream = iter(batches)
    while True:
        with waiting():
            batch = next(stream, None)
        if batch is None:
            return
        count("images_seen_total", len(batch[0]))
        yield batch
