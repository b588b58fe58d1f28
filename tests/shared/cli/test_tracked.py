"""A job whose numbers go to trackers: MLflow for real, and trackers that are lost on the way."""

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Interrupted
from shared.runtime.observe import trackers
from shared.runtime.observe.trackers import DEFAULTS, TRACKERS, VARIABLE, TrackedRun, track
from shared.store.records.classifier import ClassTable
from shared.store.records.mixed import FitRow, FitsRecord
from tests.jobs.report.records import mixed_record
from tests.shared.conftest import Toy


class Fake:
    """A tracker that remembers what it is told; it fails from a call on."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.runs: list[TrackedRun] = []
        self.told: list[tuple[dict[str, float], int | None]] = []
        self.finished, self.fails_after = 0, fails_after

    def open(self, run: TrackedRun) -> "Fake":
        """Remember the run."""
        self.runs.append(run)
        return self

    def log(self, values: dict[str, float], step: int | None) -> None:
        """Remember the numbers, or fail."""
        if len(self.told) == self.fails_after:
            raise ConnectionError("no answer from https://me:secret@tracker.example/api")
        self.told.append((values, step))

    def finish(self) -> None:
        """Remember that."""
        self.finished += 1


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave no variable of a call to the next test; keep what a library writes by itself below `tmp_path`."""
    for name in (VARIABLE, *DEFAULTS):
        monkeypatch.setenv(name, DEFAULTS.get(name, ""))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put a fake in the place of MLflow, which counts as installed."""
    made = Fake()
    monkeypatch.setitem(TRACKERS, "mlflow", made.open)
    monkeypatch.setattr(trackers, "find_spec", lambda name: name)
    return made


def losses(run: Any, config: Any) -> None:
    """Log two epochs, as a job's loop does."""
    track({"generator_loss": 2.0}, 1)
    track({"generator_loss": 1.0}, 2)


@pytest.fixture(autouse=True)
def toy_is_tracked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the record of the toy a number that is known at the end."""

    def tracked(self: Toy) -> Iterator[tuple[dict[str, float], int | None]]:
        yield {"steps": float(self.steps)}, None

    monkeypatch.setattr(Toy, "tracked", tracked)


def test_what_the_loop_and_the_record_say_is_logged(laboratory: Any, fake: Fake) -> None:
    """One run, named after the artifact's place in the experiment, with the options that it is made with."""
    laboratory.body = losses
    assert laboratory.call("--track", "mlflow", "--steps", "7").exit_code == 0
    (run,) = fake.runs
    assert (run.experiment, run.place, run.options["steps"]) == ("digits", "toy", 7)
    assert run.folder == laboratory.volume / "trackers"
    assert fake.told == [({"generator_loss": 2.0}, 1), ({"generator_loss": 1.0}, 2), ({"steps": 7.0}, None)]
    assert fake.finished == 1
    laboratory.call("--steps", "7", HALFREAL_TRACK="mlflow")
    assert len(fake.runs) == 1, "what is complete is not logged again"


def test_without_a_tracker_nothing_is_opened(laboratory: Any, fake: Fake) -> None:
    """TensorBoard's files are not a tracker's business here."""
    laboratory.body = losses
    assert laboratory.call("--track", "tensorboard").exit_code == 0
    assert fake.runs == []


@pytest.mark.parametrize("fails_after", [0, 1, 2])
def test_a_lost_tracker_ends_no_work(fails_after: int, laboratory: Any, fake: Fake) -> None:
    """The artifact is made; the loss is said once, without the password of an address."""
    laboratory.body, fake.fails_after = losses, fails_after
    outcome = laboratory.call("--track", "mlflow")
    assert (outcome.exit_code, laboratory.final.exists()) == (0, True)
    assert outcome.stderr.count("the work goes on without it") == 1
    assert "secret" not in outcome.stderr
    assert len(fake.told) == fails_after


def test_stopped_work_goes_on_in_its_run(laboratory: Any, fake: Fake) -> None:
    """The key of a run is that of what is made: the same after a stop, another one for other options."""

    def stopped(run: Any, config: Any) -> None:
        losses(run, config)
        raise Interrupted("stopped by SIGTERM")

    laboratory.body = stopped
    assert laboratory.call("--track", "mlflow", resumes=True).exit_code == 75
    assert fake.finished == 1
    laboratory.body = losses
    assert laboratory.call("--track", "mlflow", resumes=True).exit_code == 0
    assert laboratory.call("--track", "mlflow", "--steps", "9", "--force").exit_code == 0
    first, second, other = [run.key for run in fake.runs]
    assert first == second != other


def test_no_artifact_knows_its_trackers(laboratory: Any, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither names nor addresses are in any file of the artifact."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@tracker.example")
    laboratory.body = losses
    assert laboratory.call("--track", "mlflow").exit_code == 0
    written = b"".join(path.read_bytes() for path in laboratory.final.rglob("*") if path.is_file())
    assert not [word for word in (b"mlflow", b"secret", b"tracker.example") if word in written]


def test_an_unknown_tracker_is_refused(laboratory: Any) -> None:
    """Exit code 2 before any work."""
    outcome = laboratory.call("--track", "mlflow2")
    assert (outcome.exit_code, "no tracker is called 'mlflow2'" in outcome.stderr) == (2, True), outcome.stderr
    assert laboratory.runs == []


def test_a_missing_library_is_said_at_once(laboratory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, the library and what to install."""
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    outcome = laboratory.call("--track", "tensorboard,wandb")
    assert (outcome.exit_code, "pip install 'halfreal[track]'" in outcome.stderr) == (2, True), outcome.stderr
    assert laboratory.runs == []


def test_records_say_what_trackers_are_told() -> None:
    """Names are those of arms and metrics; a fit is a step; intervals are next to what they are of."""
    table = ClassTable(n=4, accuracy=0.5, precision=0.4, recall=0.3, f1=0.2, classes=[], confusion_rows=["", ""])
    row = FitRow(
        arm="real_100",
        replicate=0,
        fit=1,
        seed=3,
        n_real=9,
        n_synthetic=0,
        best_step=5,
        stopped_at=6,
        equal_steps_accuracy=0.5,
        test=table,
    )
    (told,) = FitsRecord(rows=[row], n_val=3, n_synthetic_usable=0).tracked()
    names = ("accuracy", "precision", "recall", "f1")
    assert told == (dict(zip((f"real_100/test/{name}" for name in names), (0.5, 0.4, 0.3, 0.2), strict=True)), 1)
    mixed = mixed_record()
    answer = mixed.headline
    assert answer is not None
    logged = {name: value for values, _ in mixed.tracked() for name, value in values.items()}
    name = f"{answer.a}_less_{answer.b}/{answer.metric}"
    assert [logged[name], logged[f"{name}/low"], logged[f"{name}/high"]] == [answer.difference, answer.low, answer.high]
    assert {f"{arm.arm}/accuracy" for arm in mixed.arms} <= logged.keys()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mlflow") is None, reason="the extra track is not installed")
def test_mlflow_has_one_run_of_work_that_was_stopped(laboratory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow itself, with a store of files on the volume: experiment, run, options and metrics are those of the job."""
    from mlflow.tracking import MlflowClient

    def stopped(run: Any, config: Any) -> None:
        track({"generator_loss": 2.0, "real/score": 0.5}, 1)
        raise Interrupted("stopped by SIGTERM")

    body: Callable[..., None] = lambda run, config: track({"generator_loss": 1.0}, 2)  # noqa: E731
    for laboratory.body in (stopped, body):
        outcome = laboratory.call("--track", "mlflow", "--steps", "7", resumes=True)
        assert "goes on without" not in outcome.stderr, outcome.stderr
    assert laboratory.final.exists()
    client = MlflowClient(tracking_uri=(laboratory.volume / "trackers" / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.data.params["steps"], run.info.status) == ("toy", "7", "FINISHED")
    history = client.get_metric_history(run.info.run_id, "generator_loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 2.0), (2, 1.0)]
    assert (run.data.metrics["steps"], run.data.metrics["real/score"]) == (7.0, 0.5)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("wandb") is None, reason="the extra track is not installed")
def test_wandb_has_every_number_of_work_that_was_stopped(laboratory: Any) -> None:
    """Weights & Biases itself, without a network: project, run, options and metrics are those of the job.

    It drops what is logged at an earlier step, as scores on test are: these must be there, too.
    """

    def stopped(run: Any, config: Any) -> None:
        track({"generator_loss": 2.0}, 1)
        raise Interrupted("stopped by SIGTERM")

    def goes_on(run: Any, config: Any) -> None:
        track({"generator_loss": 1.0}, 2)
        track({"test/accuracy": 0.5}, 1)

    for laboratory.body in (stopped, goes_on):
        outcome = laboratory.call("--track", "wandb", "--steps", "7", resumes=True)
        assert "goes on without" not in outcome.stderr, outcome.stderr
    assert laboratory.final.exists()
    files = sorted((laboratory.volume / "trackers" / "wandb").glob("offline-run-*/run-*.wandb"))
    assert len(files) == 2, "a file for each start, of one run"
    first, second = (ended_records(path) for path in files)
    run, again = (next(each.run for each in records if each.HasField("run")) for records in (first, second))
    assert (run.project, run.display_name, run.run_id) == ("digits", "toy", again.run_id)
    options = {item.key: item.value_json for each in first for item in each.run.config.update}
    options |= {item.key: item.value_json for each in first for item in each.config.update}
    assert options["steps"] == "7"
    logged = [
        {item.key or item.nested_key[0]: float(item.value_json) for item in each.history.item}
        for each in (*first, *second)
        if each.HasField("history")
    ]
    wanted = [{"generator_loss": 2.0, "step": 1}, {"generator_loss": 1.0, "step": 2}]
    # a number of no step is given the last one there
    wanted += [{"test/accuracy": 0.5, "step": 1}, {"steps": 7.0, "step": 1}]
    assert [{name: row[name] for name in row if not name.startswith("_")} for row in logged] == wanted


def ended_records(path: Path) -> list[Any]:
    """Return the records of a run that was closed; the process that writes them may take a moment longer."""
    for _ in range(300):
        records = list(wandb_records(path))
        if records and records[-1].HasField("exit"):
            return records
        time.sleep(0.1)
    raise AssertionError(f"{path}: no record of the run's end after 30 s")


def wandb_records(path: Path) -> Iterator[Any]:
    """Yield the records of a file of Weights & Biases: its own messages, in a log of LevelDB's form.

    Blocks of 32 KiB hold pieces with 7 bytes before each: a checksum, the length, and whether it is whole, the first,
    a further one, or the last.
    """
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, block = path.read_bytes(), 7, 32768
    joined = b""
    while place + 7 <= len(data):
        if block - place % block < 7:
            place += block - place % block
            continue
        size, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        if place + 7 + size > len(data):
            return  # it is still being written
        joined += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):
            record = Record()
            record.ParseFromString(joined)
            yield record
            joined = b""
