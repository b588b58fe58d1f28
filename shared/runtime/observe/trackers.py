"""The trackers that people keep their runs in: MLflow, through Accelerate's class, and Weights & Biases.

Work on an artifact is one run in each, named after its place, in an experiment of the experiment's name. The run has a
key that follows from what is made, by which work that goes on after a stop finds it again. A tracker that fails is
left out from then on: numbers are lost there, the work goes on. TensorBoard's files are written in any case.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shared.disk.durable import make_folder
from shared.errors import BadConfig
from shared.runtime.launch import is_main_process
from shared.runtime.observe.log import say

VARIABLE = "HALFREAL_TRACK"
"""The trackers, joined by commas; processes that a command starts inherit it."""

TENSORBOARD = "tensorboard"

FOLDER = "trackers"
"""The folder of a volume in which trackers keep what goes to no server."""

KEY = "halfreal.key"
"""The tag of a run of MLflow by which it is found again."""

STEP = "step"
"""The metric of Weights & Biases that the others are drawn over."""

DEFAULTS = {
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    # a server that is gone must not keep the work waiting: its client would try for minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    # its default is a database; files need no library more, and several processes may write them
    "MLFLOW_ALLOW_FILE_STORE": "true",
}
"""What the libraries are told by the environment, where that says nothing else."""


@dataclass(frozen=True)
class TrackedRun:
    """Work on an artifact: its experiment, its place there, its key and options; the volume's folder of trackers."""

    experiment: str
    place: str
    key: str
    options: Mapping[str, object]
    folder: Path


def checked(text: str) -> str:
    """Return names of trackers, joined by commas, as they came.

    Raises BadConfig for one that is unknown, ModuleNotFoundError for one whose library is not installed.
    """
    for name in _names(text):
        if name not in (TENSORBOARD, *TRACKERS):
            there = ", ".join((TENSORBOARD, *TRACKERS))
            raise BadConfig(f"--track {text}: no tracker is called {name!r}; there are {there}")
        if name in TRACKERS and find_spec(name) is None:
            raise ModuleNotFoundError(name=name)
    return text


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


class Tracking:
    """The runs of one piece of work in the trackers `names`; a tracker is opened when there is something to log."""

    def __init__(self, names: list[str], run: Callable[[], TrackedRun]) -> None:
        self._run = run
        self._left = dict.fromkeys(names)
        self._open: dict[str, Any] = {}

    def log(self, values: Mapping[str, float], step: int | None) -> None:
        """Log numbers by name."""
        for name in list(self._left):
            self._attempt(name, lambda tracker: tracker.log(dict(values), step=step))

    def finish(self) -> None:
        """Close the runs."""
        for name in [name for name in self._left if name in self._open]:
            self._attempt(name, lambda tracker: tracker.finish())

    def _attempt(self, name: str, call: Callable[[Any], object]) -> None:
        """Call a tracker; one that fails is left out, and that is said once."""
        try:
            if name not in self._open:
                self._open[name] = TRACKERS[name](self._run())
            call(self._open[name])
        except Exception as error:  # any error of a library or a server: hours of work go on
            del self._left[name]
            lines = str(error).splitlines() or [""]
            # an address may have a password
            why = re.sub(r"//[^/@\s]*@", "//", lines[0])
            say(
                "tracker_failed", f"{name}: {type(error).__name__}: {why}; the work goes on without it", level="warning"
            )


def _mlflow(run: TrackedRun) -> Any:
    """Return the run of MLflow, found by its key or new, at MLFLOW_TRACKING_URI or on the volume."""
    import mlflow
    from accelerate.tracking import MLflowTracker

    if "MLFLOW_TRACKING_URI" not in os.environ:
        make_folder(run.folder / "mlflow", parents=True)
        mlflow.set_tracking_uri((run.folder / "mlflow").absolute().as_uri())
    known = mlflow.search_experiments(filter_string=f"name = '{run.experiment}'")
    wanted = f"tags.`{KEY}` = '{run.key}'"
    ids = [experiment.experiment_id for experiment in known]
    found = mlflow.search_runs(ids, wanted, max_results=1, output_format="list") if ids else []
    run_id = found[0].info.run_id if found else None
    tracker = MLflowTracker(run.experiment, run_id=run_id, run_name=run.place, tags={KEY: run.key})
    tracker.start()
    if not found:
        tracker.store_init_configuration(dict(run.options))
    return tracker


def _wandb(run: TrackedRun) -> Any:
    """Return the run of Weights & Biases: on the volume, unless WANDB_MODE says online."""
    import wandb

    make_folder(run.folder, parents=True)
    return _WithStep(
        wandb.init(
            project=run.experiment.replace("/", "-"),
            name=run.place,
            id=run.key,
            resume="allow",
            config=dict(run.options),
            dir=str(run.folder),  # it makes its own folder there
        )
    )


class _WithStep:
    """A run of Weights & Biases in which our steps are numbers like others, which its charts are drawn over.

    Its own steps only grow: what is logged at an earlier one, such as the test scores of a snapshot that was chosen, is
    dropped there.
    """

    def __init__(self, run: Any) -> None:
        self._run = run
        run.define_metric("*", step_metric=STEP)

    def log(self, values: dict[str, float], step: int | None) -> None:
        """Log numbers by name, with their step."""
        self._run.log(values if step is None else values | {STEP: step})

    def finish(self) -> None:
        """Close the run."""
        self._run.finish()


TRACKERS: dict[str, Callable[[TrackedRun], Any]] = {"mlflow": _mlflow, "wandb": _wandb}
"""By the name of its library: what opens a run."""

ACTIVE: list[Tracking] = []
"""What is tracked now, the innermost last."""


@contextmanager
def tracking(run: Callable[[], TrackedRun]) -> Iterator[None]:
    """Track the work within, if the environment names trackers; `run` is asked once there are numbers."""
    names = [name for name in _names(os.environ.get(VARIABLE, "")) if name in TRACKERS]
    for variable, value in DEFAULTS.items() if names else ():
        os.environ.setdefault(variable, value)
    ACTIVE.append(Tracking(names if is_main_process() else [], run))
    try:
        yield
    finally:
        ACTIVE.pop().finish()


def track(values: Mapping[str, float], step: int | None = None) -> None:
    """Log numbers by name of the work that is tracked, if any is."""
    if ACTIVE:
        ACTIVE[-1].log(values, step)
