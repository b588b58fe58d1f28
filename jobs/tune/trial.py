"""One trial: train a GAN with the options that were drawn, stop it where it falls behind, score it on val."""

import time
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import Trial, TrialState

from jobs.tune.options import TuneConfig
from jobs.tune.study import Lease, Study, trial_name
from jobs.tune.trial_runner import Refused, TrialRunner
from shared.cli.options import listed
from shared.cli.run import Run
from shared.disk.durable import remove_tree
from shared.store.records.base import parse_record_json
from shared.store.records.scores import PrintedScores, ScoresRecord


@dataclass
class Attempt:
    """A trial that `runner` trains and scores; its command `evaluate snapshot` gets the arguments `words`.

    `reported` has the scores so far by epoch; `curve` is False once snapshots turn out not to be scorable one by one.
    """

    config: TuneConfig
    study: Study
    lease: Lease
    runner: TrialRunner
    words: list[str]
    reported: dict[int, float]
    curve: bool = True

    @property
    def trial(self) -> Trial:
        """The trial as optuna has it."""
        return self.lease.trial

    def run(self) -> str:
        """Run the trial to its end and tell the study; return the outcome in words."""
        self.runner.prepare()
        started = time.monotonic()
        try:
            # a trial taken over may have lost already, by scores reported after its worker died
            if self.reported and self.trial.should_prune():
                return self._stopped()
            finished = self.runner.train(self._falls_behind)
            # training may end between two looks, with rungs not yet scored
            if not finished or any(self._falls_behind() for _ in self.config.rungs):
                return self._stopped()
            scores = self.runner.evaluate()
        except Refused as error:  # diverged, or options that contradict each other
            # pruned, not failed: the sampler learns from pruned trials, and failed ones count as never begun
            self.trial.set_user_attr("refused", str(error))
            self._tell(TrialState.PRUNED)
            return f"given up: {error}"
        value = value_of(scores.record, self.config.objective)
        self.trial.set_user_attr("epoch", scores.record.chosen_snapshot.epoch)
        self._tell(TrialState.COMPLETE, value)
        what = "synthetic-only error" if self.config.objective == "synthetic_only" else scores.record.chosen_score
        epoch = scores.record.chosen_snapshot.epoch
        return f"{what} {value:.4g} on val after epoch {epoch}, {time.monotonic() - started:.0f} s"

    def _falls_behind(self) -> bool:
        """Score the snapshot of the next rung if it is there; whether successive halving stops the trial now."""
        due = [epoch for epoch in self.config.rungs if not any(step >= epoch for step in self.reported)]
        there = self.runner.snapshots()
        ready = sorted(epoch for epoch in there if due and due[0] <= epoch < self.config.trial_epochs)
        if not ready or not self.curve:
            return False
        printed = self.runner.score(there[ready[0]], self.words)
        if printed is None:
            self.curve = not there[ready[0]].exists()  # it moves when the GAN is finished: look again
            return False
        scored = parse_record_json(PrintedScores, printed, f"evaluate snapshot {there[ready[0]]}")
        self.reported[scored.epoch] = scored.value
        self.trial.report(scored.value, scored.epoch)
        stop: bool = self.trial.should_prune()
        return stop

    def _stopped(self) -> str:
        """Tell the study that the trial fell behind; its unfinished GAN is deleted."""
        self._tell(TrialState.PRUNED)
        # its checkpoints would fill the volume: most trials of a search are stopped
        for draft in self.runner.folder.glob("gan/.r*-*"):
            if draft.is_dir():
                remove_tree(draft)
        epoch, score = max(self.reported.items())
        return f"stopped after epoch {epoch} with {score:.4g}: others were better there"

    def _tell(self, state: TrialState, value: float | None = None) -> None:
        """Tell the study how the trial ended; Lost where another worker has taken it over and may tell otherwise."""
        self.lease.lock.check()
        self.study.optuna.tell(self.trial, value, state)


def value_of(scores: ScoresRecord, objective: str) -> float:
    """Return the objective of a trial, lower is better, from its scores on val."""
    if objective == "synthetic_only":
        assert scores.synthetic_only is not None  # `attempt` sets evaluate.synthetic_only
        return 1 - scores.synthetic_only.accuracy
    return min(value for _, value in scores.curve)


def attempt(run: Run, config: TuneConfig, study: Study, lease: Lease, words: list[str]) -> str:
    """Run a leased trial to its end; return its outcome in words."""
    # every trial has the same seed, so that only the options differ between them
    options = config.fixed | lease.trial.params | {"train_gan.seed": config.seed, "evaluate.seed": config.seed}
    options |= {"evaluate.scored": "snapshots", "evaluate.reference": "val"}
    options |= {"evaluate.synthetic_only": config.objective == "synthetic_only"}
    # rungs use the extractor that chooses snapshots, so that pruning and objective agree
    extractor = listed(str(config.evaluate["per_snapshot"]))[0]
    scored = {"images": config.evaluate["images"], "extractor": extractor, "seed": config.seed, "device": run.device}
    scored["fallback"] = config.evaluate["fallback"]
    flags = [word for name, value in scored.items() for word in (f"--{name}", str(value))]
    folder: Path = study.folder / trial_name(lease.trial.number)
    reported = dict(study.optuna.get_trials(deepcopy=False)[lease.trial.number].intermediate_values)
    return Attempt(config, study, lease, TrialRunner(folder, words, options, run.reporter), flags, reported).run()
