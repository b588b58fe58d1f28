"""Jobs that are watched, as processes: replicates, ranks, workers and trials speak and count each for itself."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import torch
from torch import Tensor

from jobs.tune.trial_runner import TrialRunner
from shared.cli.progress import Reporter
from shared.data.images import Images
from shared.data.pixels import InMemory, Pixels, Rows
from shared.models.fit_options import FitConfig
from shared.models.fitting import fit
from shared.runtime.observe.identity import Identity
from shared.runtime.observe.watching import observing
from shared.store.artifacts import Artifact
from shared.store.lineage import watched_label
from tests.jobs.conftest import LateClock
from tests.jobs.train_gan.test_gan_processes import command, ends, together
from tests.shared.models.fits import shades
from tests.shared.runtime.observe.exposition import values

ROOT = Path(__file__).resolve().parents[2]

CLASSIFIER = ["--steps", "6", "--batch-images", "8", "--width", "4", "--measure-every", "3", "--device", "cpu"]


def entries(text: str) -> list[dict[str, Any]]:
    """Return the objects of a log, of which every line must be one."""
    return [json.loads(line) for line in text.splitlines()]


def two_replicates(root: Path) -> list[object]:
    """Return the words of a watched train_classifier of two replicates at once."""
    place = ["--data-root", root, "--experiment", "small", "--log-format", "json", "--metrics-dir", root / "metrics"]
    return [*place, "--replicates", 2, "--processes", 2, "--threads", 1, *CLASSIFIER]


@pytest.mark.slow
def test_replicates_in_processes_of_their_own(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """Each has its number in its lines, a file of metrics with its losses, and its share of waiting in its record."""
    make_dataset(tmp_path / "small" / "real", train=24, val=6, test=6)
    words = two_replicates(tmp_path)
    done = run([sys.executable, "-m", "jobs.train_classifier", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = entries(done.stderr)
    assert {(line["job"], line["experiment"], line["rank"]) for line in lines} == {("train_classifier", "small", 0)}
    assert {line["replicate"] for line in lines if line["event"] == "complete"} == {0, 1}
    for number in (0, 1):
        told = values((tmp_path / "metrics" / f"halfreal_train_classifier-small-r0{number}-0.prom").read_text())
        assert told["images_seen_total"] == 48
        assert {"loss:train", "loss:val"} <= told.keys()
        recorded = json.loads((tmp_path / "small" / "classifier" / f"r0{number}" / "run.json").read_text())
        assert recorded["data_wait_share"] == pytest.approx(told["data_wait_ratio"], abs=1e-3)
        assert 0 < recorded["data_wait_share"] < 1


@pytest.mark.slow
def test_a_replicate_that_fails_is_counted_once(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """The process that waits for the replicates says that they failed; the error is theirs."""
    make_dataset(tmp_path / "small" / "real", train=24, val=6, test=6)
    words = [*two_replicates(tmp_path), "--learning-rate", "1e30"]
    done = run([sys.executable, "-m", "jobs.train_classifier", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 2
    errors = [line for line in entries(done.stderr) if line["event"] == "error"]
    assert sorted(line["replicate"] for line in errors if line["replicate"] is not None) == [0, 1]
    assert {line["fields"]["code"] for line in errors} == {2}
    told = [values(path.read_text()) for path in (tmp_path / "metrics").iterdir()]
    assert [each["errors_total"] for each in told] == [1, 1]


@pytest.mark.long
def test_ranks_have_files_and_lines_of_their_own(
    make_dataset: Callable[..., Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes that train together: each counts the images that it read, which add up to those of the run."""
    make_dataset(tmp_path / "small" / "real", train=24, val=6, test=6)
    monkeypatch.setenv("HALFREAL_LOG_FORMAT", "json")
    monkeypatch.setenv("HALFREAL_METRICS_DIR", str(tmp_path / "metrics"))
    found = ends(together(command(tmp_path, epochs=2), world=2))
    assert [code for code, _ in found] == [0, 0], found
    for rank, (_, said) in enumerate(found):
        assert {line["rank"] for line in entries(said)} <= {rank}
    assert {line["event"] for line in entries(found[0][1])} >= {"complete"}
    files = [tmp_path / "metrics" / f"halfreal_train_gan-small-r00-{rank}.prom" for rank in (0, 1)]
    told = [values(path.read_text()) for path in files]
    assert [each["images_seen_total"] for each in told] == [24, 24]
    assert all({"loss:discriminator_loss", "loss:generator_loss"} <= each.keys() for each in told)


WORKERS = """
from functools import partial
from shared.runtime.observe.identity import Identity, identify
from shared.runtime.observe import log
from shared.runtime.processes import processes
if __name__ == "__main__":
    log.begin(())
    identify(Identity("preprocess", "digits", None, 3))
    with processes(2, chunk=1) as spread:
        list(spread(partial(log.say, "message"), "ab"))
"""


def test_workers_speak_as_the_process_that_they_work_for(tmp_path: Path) -> None:
    """The processes of `preprocess` warn of images: in the same format, with the same rank."""
    (tmp_path / "main.py").write_text(WORKERS)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HALFREAL_LOG_FORMAT": "json"}
    done = run([sys.executable, tmp_path / "main.py"], env=environment, capture_output=True, text=True)
    lines = entries(done.stderr)
    assert sorted(line["fields"]["message"] for line in lines) == ["a", "b"], done.stderr
    assert {(line["job"], line["experiment"], line["rank"]) for line in lines} == {("preprocess", "digits", 3)}


def test_a_trial_is_told_from_those_of_other_experiments(tmp_path: Path) -> None:
    """Every search has a trial 0: its label has the experiment and the search."""
    runner = TrialRunner(tmp_path / "mine" / "trials" / "abc" / "0000", [], {}, Reporter("tune"))
    root, name = Path(runner.place[1]), runner.place[3]
    assert watched_label(root / name) == "mine/trials/abc/0000"
    assert watched_label(tmp_path / "mine") == "mine"
    assert watched_label(tmp_path / "mine" / "study" / "images-5") == "mine/study/images-5"


@pytest.mark.slow
def test_every_run_that_trains_records_its_wait(volume: Path) -> None:
    """The classifier, the GAN, the fits, the scores, for which `evaluate` fits a classifier; nothing else."""
    recorded = {path.parent: json.loads(path.read_text()) for path in (volume / "small").glob("**/run.json")}
    shares = {
        path.relative_to(volume / "small").parts[0]: facts["data_wait_share"]
        for path, facts in recorded.items()
        if "data_wait_share" in facts
    }
    assert shares.keys() == {"classifier", "gan", "scores", "fits"}
    assert all(0 < share < 1 for share in shares.values())


class SlowSource(InMemory):
    """Images of which every reading takes 1,000 s."""

    def __init__(self, images: Tensor, late: LateClock) -> None:
        super().__init__(images)
        self.late = late

    def read(self, rows: Rows) -> Tensor:
        """Return images, late."""
        self.late.late_s += 1000
        return super().read(rows)


def test_the_wait_of_a_fit_is_counted(late: LateClock) -> None:
    """A fit of a classifier reads the images of each step: that is waiting, measurements on val are not."""
    images = shades(24)
    slow = Images(Pixels([SlowSource(images.images, late)]), images.labels)
    config = FitConfig(steps=6, measure_every=2, batch_images=8, width=4)
    with observing(Identity("train_classifier"), lambda error: 1) as watched:
        fit(slow, shades(6), 3, config, seed=0, device=torch.device("cpu"))
        share = watched.data_wait_share
        assert share is not None
        assert 0.9 < share <= 1
        assert watched.values.of("images_seen_total") == 48
