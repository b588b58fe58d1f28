"""The numbers of a running job that a Prometheus text file has: one row each, and their values."""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PREFIX = "halfreal_"

LABELS = ("job", "experiment", "replicate", "rank")
"""The labels that every number has; they say whose it is."""


@dataclass(frozen=True)
class Metric:
    """A number of a job; its name ends in `unit`, by Prometheus's conventions, unless it has none.

    A counter only rises while its process lives. `label` names a label of its own, where the number is one of several.
    """

    kind: Literal["counter", "gauge"]
    unit: Literal["total", "seconds", "seconds_total", "bytes", "bytes_total", "ratio", "per_second", ""]
    help: str
    label: str = ""


METRICS: Mapping[str, Metric] = {
    "images_seen_total": Metric("counter", "total", "Images that this process trained on, or has done."),
    "images_per_second": Metric("gauge", "per_second", "Images a second since the file was last written."),
    "training_seconds_total": Metric("counter", "seconds_total", "Time in training loops, and of preparing images."),
    "data_wait_seconds_total": Metric("counter", "seconds_total", "Time in which training waited for images."),
    "data_wait_ratio": Metric("gauge", "ratio", "Share of the time of training in which it waited for images."),
    "loss": Metric("gauge", "", "The last mean of a loss that training reported.", label="loss"),
    "progress_ratio": Metric("gauge", "ratio", "Share of the job's present piece of work that is done."),
    "memory_peak_bytes": Metric("gauge", "bytes", "Most memory that this process has held."),
    "memory_limit_bytes": Metric("gauge", "bytes", "Memory that this process may use."),
    "cache_hits_total": Metric("counter", "total", "Images whose decoded form was in the cache already."),
    "cache_misses_total": Metric("counter", "total", "Images that had to be decoded."),
    "read_bytes_total": Metric("counter", "bytes_total", "Bytes of artifacts that were read from the volume."),
    "job_start_time_seconds": Metric("gauge", "seconds", "When the process began this work, as Unix time."),
    "job_update_time_seconds": Metric("gauge", "seconds", "When the file was written, as Unix time."),
    "job_exit_code": Metric("gauge", "", "Exit code of work that has ended; absent while it goes on."),
    "errors_total": Metric("counter", "total", "Whether the work ended with an error, an interruption being none."),
}
"""Every number, by its name without the prefix, in the order of the file."""


class Values:
    """The values of METRICS for one process; threads may add to them."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def add(self, name: str, amount: float) -> None:
        """Add to a counter."""
        assert METRICS[name].kind == "counter"
        with self._lock:
            self._values[name, ""] = self._values.get((name, ""), 0) + amount

    def set(self, name: str, value: float, label: str = "") -> None:
        """Set a number; `label` is the value of its own label, if it has one."""
        assert bool(METRICS[name].label) == bool(label)
        with self._lock:
            self._values[name, label] = value

    def of(self, name: str) -> float:
        """Return the value of a number without a label of its own; 0 before there is one."""
        return self._values.get((name, ""), 0)

    def text(self, labels: Mapping[str, str]) -> str:
        """Return the values in Prometheus's text format, each with these labels."""
        with self._lock:
            values = dict(self._values)
        lines = []
        for name, metric in METRICS.items():
            rows = [(label, value) for (key, label), value in values.items() if key == name]
            if rows:
                lines += [f"# HELP {PREFIX}{name} {metric.help}", f"# TYPE {PREFIX}{name} {metric.kind}"]
            for label, value in rows:
                own = {metric.label: label} if metric.label else {}
                lines.append(f"{PREFIX}{name}{{{_pairs({**labels, **own})}}} {_number(value)}")
        return "".join(f"{line}\n" for line in lines)


def _pairs(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else str(int(value)) if value == int(value) else repr(value)
