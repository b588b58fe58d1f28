"""A train_gan and an evaluate with their own options, as ordinary jobs in a folder of their own."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jobs.pipeline import EVALUATE, PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN
from shared.cli.progress import Reporter
from shared.disk.durable import make_folder, open_to_write, symlink
from shared.errors import BadInput, Busy, HalfrealError, Interrupted
from shared.format.manifest import MANIFEST
from shared.runtime.job_processes import end, start, variables, wait
from shared.runtime.observe.log import last_error
from shared.store.artifacts import Artifact, open_output
from shared.store.job import Job
from shared.store.locks import locked
from shared.store.records.scores import ScoresRecord
from shared.store.replicates import place

ATTEMPTS = 3
"""How often a job is started that was killed or crashed."""

PAUSE_S = 0.5

SHARED = (PREPROCESS, TRAIN_CLASSIFIER)
"""The jobs whose artifacts the folder takes from the experiment."""


class Refused(BadInput):
    """A job refused its options or its training diverged: starting it again cannot help."""


@dataclass(frozen=True)
class TrialRunner:
    """Both jobs in `folder`; they are called with `words` and with `options`, by `job.option`, that beat the recipe.

    They read the experiment's real images and its classifier by links, write `gan` and `scores` next to them, and log
    to `log.txt`.
    """

    folder: Path
    words: list[str]
    options: dict[str, object]
    reporter: Reporter

    def prepare(self) -> None:
        """Make the folder, its links to the experiment's artifacts and, for extractors, to the volume's weights."""
        make_folder(self.folder, parents=True)
        experiment = self.folder.parent.parent.parent
        # relative links, since the volume may be mounted elsewhere on another machine
        links = {self.folder / job.writes: experiment / job.writes for job in SHARED}
        links[self.folder.parent / "weights"] = experiment.parent / "weights"
        for link, target in links.items():
            if not link.is_symlink():
                try:
                    symlink(link, os.path.relpath(target, link.parent))
                except FileExistsError:  # another worker was quicker
                    continue

    @property
    def place(self) -> list[str]:
        """The arguments that name the volume and the experiment of the jobs."""
        return ["--data-root", str(self.folder.parent), "--experiment", self.folder.name]

    def train(self, watch: Callable[[], bool]) -> bool:
        """Train the GAN; `watch` is called all the while and says whether to stop it. Return whether it finished."""
        return self._job(TRAIN_GAN, watch)

    def evaluate(self) -> Artifact[ScoresRecord]:
        """Score the GAN and return the scores."""
        self._job(EVALUATE, lambda: False)
        return open_output(EVALUATE, self.folder)

    def _job(self, job: Job, watch: Callable[[], bool]) -> bool:
        """Run a job to its end, again if it crashed or another process is still building the same; else as `train`."""
        lost, name = 0, job.name
        while True:
            code, stopped = self._once(name, watch)
            if stopped or code == 0:
                return not stopped
            if code == Interrupted.exit_code:
                if self._wait_for_other(job, watch):
                    return False
                continue
            lost += 1
            if code == BadInput.exit_code:
                raise Refused(self.last_words())
            # a crash may be bad luck (memory, a lost node), three in a row are not
            if lost == ATTEMPTS:
                raise HalfrealError(
                    f"{self.folder}: {name} failed {lost} times (exit code {code}): {self.last_words()}"
                )

    def _wait_for_other(self, job: Job, watch: Callable[[], bool]) -> bool:
        """Wait until no other process builds the same artifact; return whether to stop."""
        # the job of a worker that was killed saves what it has done, then stops; one of another machine may finish
        while True:
            if self.reporter.stop.signal_name:
                self.reporter.stop.raise_if_set()
            try:
                with locked(self.folder / place(job, 0)):
                    return False
            except Busy:
                if watch():
                    return True
                time.sleep(PAUSE_S)

    def _once(self, job: str, watch: Callable[[], bool]) -> tuple[int, bool]:
        with open_to_write(self.folder / "log.txt", append=True) as log:
            # one replicate: the runs of both sides that are compared in the end have seeds of their own
            words = [*self.words, *self.place, "--replicates", "1"]
            # the parts of a search are its workers: a job that took one for its own would do a share of a trial
            process = start(job, words, variables(self.options | {f"{job}.parts": 1}), stdout=log, stderr=log)
            try:
                while (code := wait(process)) is None:
                    if self.reporter.stop.signal_name:
                        self.reporter.stop.raise_if_set()
                    if watch():
                        return end(process), True
            finally:
                end(process)
        if self.reporter.stop.signal_name:
            self.reporter.stop.raise_if_set()
        return code, False

    def snapshots(self) -> dict[int, Path]:
        """Return the snapshots that exist now, of a finished GAN or not, by epoch."""
        # the staging folder of an unfinished GAN is named after its options, hence the pattern
        made = self.folder / place(TRAIN_GAN, 0)
        paths = [*made.parent.glob(f".{made.name}-*/snapshots/epoch-*"), *made.glob("snapshots/epoch-*")]
        return {int(path.stem.removeprefix("epoch-")): path for path in paths if path.suffix == ".safetensors"}

    @property
    def done(self) -> bool:
        """Whether both jobs are finished."""
        return (self.folder / place(EVALUATE, 0) / MANIFEST).exists()

    def score(self, snapshot: Path, words: list[str]) -> bytes | None:
        """Return what `evaluate snapshot` prints of a snapshot; None where it refuses it."""
        words = ["snapshot", str(snapshot), *self.words[:2], *self.place, *words]
        with open_to_write(self.folder / "log.txt", append=True) as log:
            process = start(EVALUATE.name, words, stdout=subprocess.PIPE, stderr=log)
            try:
                while True:
                    try:
                        printed: bytes = process.communicate(timeout=0.2)[0]
                        break
                    except subprocess.TimeoutExpired:
                        if self.reporter.stop.signal_name:
                            self.reporter.stop.raise_if_set()
            finally:
                end(process)
        if self.reporter.stop.signal_name:
            self.reporter.stop.raise_if_set()
        return printed if process.returncode == 0 else None

    def last_words(self) -> str:
        """Return the last error that the jobs wrote."""
        lines = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
        # the log has all runs of both jobs; only the last error matters
        return last_error(lines)[:300]
