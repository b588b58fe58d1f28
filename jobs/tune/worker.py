"""A worker: runs trials until none is left, then baseline and tuned options; waits for what others still run."""

import os
import time
from typing import Any

from jobs.tune.options import TuneConfig
from jobs.tune.outcome import comparison_runs, runner_of
from jobs.tune.study import Study
from jobs.tune.trial import attempt
from shared.cli.run import Run
from shared.disk.durable import remove_tree
from shared.errors import BadInput, Busy
from shared.runtime.job_processes import end, start, variables
from shared.runtime.memory import shared_by
from shared.store.lineage import TRIALS_FOLDER

PAUSE_S = 0.5


class Worker:
    """One of any number of processes that share a search."""

    def __init__(self, run: Run, config: TuneConfig, words: list[str], storage: str | None) -> None:
        self.run, self.config, self.words = run, config, words
        self.folder = run.folder / TRIALS_FOLDER / config.study(run.inputs)
        self.storage = storage
        self.study = Study(self.folder, config, storage)

    def forget(self) -> None:
        """Drop every trial; Busy if another worker is at one."""
        for trial in self.study.trials:
            lock = self.study.lock(f"{trial.number:04d}")
            if lock is None:
                raise Busy(f"{self.folder}: another worker is at trial {trial.number}; stop it, then use --force")
            lock.release()
        if self.storage is not None:
            import optuna

            # a database outlives the folder, and the journal file is in it
            optuna.delete_study(study_name=self.study.optuna.study_name, storage=self.study.optuna._storage)
        remove_tree(self.folder, strict=True)
        self.study = Study(self.folder, self.config, self.storage)

    def work(self, helpers: int, options: dict[str, object]) -> bool:
        """Work until every trial and comparison run is done, with `helpers` more processes started with `options`.

        Returns whether all is done: a part of the work ends where nothing is left to begin, though others are at work.
        """
        place = ["--data-root", str(self.run.folder.parent), "--experiment", self.run.folder.name]
        os.environ |= shared_by(helpers + 1)  # this process works next to them
        started = [start("tune", [*self.words[:2], *place], variables(options)) for _ in range(helpers)]
        try:
            self._trials()
            return self._comparison()
        finally:
            for process in started:
                if self.run.reporter.stop.signal_name:
                    end(process)
                process.wait()

    def _trials(self) -> None:
        say = self.run.reporter.info
        while True:
            lease = self.study.claim()
            if lease is not None:
                number = lease.trial.number
                shown = ", ".join(
                    f"{name.partition('.')[2]} {short(value)}" for name, value in lease.trial.params.items()
                )
                say(f"trial {number}{' taken over' if lease.resumed else ''}: {shown}")
                try:
                    say(f"trial {number}: {attempt(self.run, self.config, self.study, lease, self.words)}")
                finally:
                    lease.lock.release()
            elif self.study.running:
                self._pause()
            else:
                break
        if self.study.best is None:
            reason = next((trial.user_attrs["refused"] for trial in self.study.trials if trial.user_attrs), "")
            raise BadInput(f"{self.folder}: no trial came to its end; the first was refused:\n{reason}")

    def _comparison(self) -> bool:
        """Do the runs of both sides that no other worker does; wait for the others, or as a part return False."""
        waiting = comparison_runs(self.study, self.config)
        while waiting:
            left = len(waiting)
            for comparison in list(waiting):
                runner = runner_of(self.study, self.config, comparison, self.words, self.run.reporter)
                lock = None if runner.done else self.study.lock(comparison.name)
                if lock is not None:
                    try:
                        runner.prepare()
                        runner.train(lambda: False)
                        runner.evaluate()
                    finally:
                        lock.release()
                    self.run.reporter.info(f"{comparison.name}: scored on test")
                if runner.done:
                    waiting.remove(comparison)
            if len(waiting) == left and self.run.shard.count > 1:
                # the part that is at the last one writes the result; where it is lost, it is started again
                return False
            if waiting:
                self._pause()
        return True

    def _pause(self) -> None:
        if self.run.reporter.stop.signal_name:
            self.run.reporter.stop.raise_if_set()
        time.sleep(PAUSE_S)


def short(value: Any) -> str:
    """Return an option's value in a few characters."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
