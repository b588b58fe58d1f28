"""The trials in optuna's storage: which worker takes which, what the next one tries, when there are enough."""

import math
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

import optuna
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import TrialState

from jobs.tune.options import TuneConfig
from jobs.tune.space import Choices, Value
from shared.disk.durable import make_folder, open_in_place, resize
from shared.disk.steps import step
from shared.errors import BadConfig
from shared.runtime.seeding import Stream, derive_seed
from shared.store.locking.hold import Hold
from shared.store.locking.taking import holding, sweep, take

optuna.logging.set_verbosity(optuna.logging.WARNING)


DRAWS = 3
"""How often the sampler may draw options that a trial had before others are drawn at random."""


@dataclass(frozen=True)
class Lease:
    """A trial that this process works on, as long as it holds the lock; `resumed` if another one began it."""

    trial: optuna.Trial
    lock: Hold
    resumed: bool


class Study:
    """The trials of one search, in `folder`; any number of processes open it, on any machines that share the volume.

    Whoever works on a trial holds its lock, which can be taken over once that process is gone. So a trial that is
    running and whose lock is free belongs to a lost worker: the next one goes on with it, under the same number.
    """

    def __init__(self, folder: Path, config: TuneConfig, storage: str | None) -> None:
        self.folder, self.config = folder, config
        # before the folder is made: a wrong URL leaves nothing behind
        database = None if storage is None else _open_database(storage)
        make_folder(folder, parents=True)
        rungs, epochs = config.rungs, config.trial_epochs
        # pruner and sampler belong to a process, not to the storage: every worker makes the same ones
        pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
        if rungs:
            pruner = optuna.pruners.SuccessiveHalvingPruner(rungs[0], config.reduction)
        assert not rungs or rungs[-1] < epochs
        # one worker at a time creates the study, the others load it
        with holding(folder / ".claim.lock"):
            sweep(folder.glob(".*.lock*"))
            self.optuna = optuna.create_study(
                study_name=f"halfreal-{folder.name}",
                storage=database or JournalStorage(Journal(folder / "journal.log")),
                pruner=pruner,
                load_if_exists=True,
            )

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """Every trial that was begun, by number; not those that were given back before, see `claim`."""
        none = TrialState.WAITING, TrialState.FAIL
        return [trial for trial in self.optuna.get_trials(deepcopy=False) if trial.state not in none]

    @property
    def running(self) -> bool:
        """Whether some trial is unfinished."""
        return any(trial.state == TrialState.RUNNING for trial in self.trials)

    @property
    def best(self) -> optuna.trial.FrozenTrial | None:
        """The finished trial with the lowest value, the first of equals; None where none finished."""
        # by number among equals, so that every worker names the same best trial
        done = [trial for trial in self.trials if trial.state == TrialState.COMPLETE]
        return min(done, key=lambda trial: (trial.value, trial.number), default=None)

    def lock(self, name: str) -> Hold | None:
        """Return the lock of the work called `name`, held, or None where another process holds it."""
        return take(self.folder / f".{name}.lock")

    def claim(self) -> Lease | None:
        """Take over a trial of a lost worker, or begin one; None where nothing is left to take."""
        # one worker at a time, so that no two take the same trial or try the same options
        with holding(self.folder / ".claim.lock"):
            return self._lost_trial() or self._new_trial()

    def _lost_trial(self) -> Lease | None:
        """Take over a trial that runs but whose lock nobody holds."""
        # a lock is held as long as its process lives, so a free lock of a running trial means a lost worker; its
        # checkpoints and reported scores are on the volume, so that the trial goes on where it was
        for trial in self.trials:
            if trial.state == TrialState.RUNNING and (lock := self.lock(trial_name(trial.number))):
                return Lease(self._suggested(optuna.Trial(self.optuna, trial._trial_id)), lock, True)
        return None

    def _new_trial(self) -> Lease | None:
        """Begin a trial of options that none had yet.

        Options that an earlier trial had would give its very score: such a trial is given back, and its number is lost.
        """
        if not self.optuna.get_trials(deepcopy=False):  # the first trial is the recipe itself
            # the baseline takes part, so that tuning never ends with options worse on val than the recipe's
            own = self.config.own
            self.optuna.enqueue_trial({n: own[n] for n, domain in self.config.domains.items() if domain.holds(own[n])})
        for left in reversed(range(DRAWS + 1)):
            if self._enough():
                break
            # the sampler keeps proposing what it believes best; in a small space only chance finds what is left
            if not left:
                self.optuna.enqueue_trial(self._untried())
            trial = self._suggested(self.optuna.ask())
            if all(trial.params != other.params for other in self.trials if other.number != trial.number):
                lock = self.lock(trial_name(trial.number))
                assert lock is not None  # nobody else knows of the trial yet
                return Lease(trial, lock, False)
            self.optuna.tell(trial, state=TrialState.FAIL)
        return None

    def _untried(self) -> dict[str, Value]:
        """Return options at random that no trial had; there must be some."""
        rng = Random(derive_seed(self.config.seed, Stream.UNTRIED_OPTIONS, len(self.trials)))
        while True:
            drawn = {name: domain.draw(rng) for name, domain in self.config.domains.items()}
            if all(drawn != trial.params for trial in self.trials):
                return drawn

    def _suggested(self, trial: optuna.Trial) -> optuna.Trial:
        """Give every option of the space its value; those already in the storage stay."""
        # a sampler for each trial, seeded by its number: workers that share one seed would all try the same options
        startup = min(10, max(self.config.trials // 3, 2))
        seed = derive_seed(self.config.seed, Stream.TRIAL_SAMPLER, trial.number) % 2**32
        self.optuna.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup)
        for name, domain in self.config.domains.items():
            if isinstance(domain, Choices):
                trial.suggest_categorical(name, domain.values)
            elif domain.whole:
                trial.suggest_int(name, int(domain.low), int(domain.high), log=domain.log)
            else:
                trial.suggest_float(name, domain.low, domain.high, log=domain.log)
        return trial

    def _enough(self) -> bool:
        """Whether no further trial is to be begun."""
        begun = self.trials
        # a space of few values may be exhausted before the trials are
        if len(begun) >= min(self.config.trials, math.prod(domain.size for domain in self.config.domains.values())):
            return True
        if self.config.minutes is None or not begun:
            return False
        # from the first trial of any worker: the budget is the search's, not one worker's
        first = min(trial.datetime_start for trial in begun if trial.datetime_start)
        return (datetime.now() - first).total_seconds() > 60 * self.config.minutes


def trial_name(number: int) -> str:
    """Return what the folder of a trial is called."""
    return f"{number:04d}"


class Journal(JournalFileBackend):
    """Optuna's journal file; an incomplete last line, of a writer that was killed, is cut off before writing.

    Optuna skips such a line when it reads, but would append to it, after which nobody could read the journal.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file_lock = path, JournalFileSymlinkLock(str(path))
        super().__init__(str(path), self._file_lock)

    def append_logs(self, logs: list[dict[str, object]]) -> None:
        """Append records, each a line."""
        self._file_lock.acquire()
        try:
            if not self._whole():
                # under the lock of the journal, or a writer in the middle of its line would lose it
                whole_lines = self._path.read_bytes().rfind(b"\n") + 1
                descriptor = open_in_place(self._path)
                resize(descriptor, whole_lines, self._path)
                os.close(descriptor)
        finally:
            self._file_lock.release()
        step("write", self._path)
        super().append_logs(logs)

    def _whole(self) -> bool:
        """Whether the last line ends as lines do; the whole file is not read for that."""
        with self._path.open("rb") as journal:
            if not journal.seek(0, os.SEEK_END):
                return True
            journal.seek(-1, os.SEEK_END)
            return journal.read() == b"\n"


def _open_database(url: str) -> RDBStorage:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return RDBStorage(url)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        # SQLAlchemy's messages span many lines
        reason = " ".join(str(error).split())[:200]
        raise BadConfig(
            f"--storage: optuna cannot use this database ({reason}); want a URL as SQLAlchemy has them"
        ) from error
