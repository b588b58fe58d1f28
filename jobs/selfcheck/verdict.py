"""The check of the verdict: every piece done, by several processes, and what follows from those of each control."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from jobs.selfcheck.controls import CONTROLS, REAL_ARMS, Known
from jobs.selfcheck.findings import Finding, finding
from jobs.selfcheck.findings import Signs as ControlSigns
from jobs.selfcheck.pieces import REAL, Piece, PieceRecord, Plan, do_piece
from jobs.selfcheck.planted import kept_classes
from jobs.selfcheck.sets import RealSets, Source
from jobs.train_mixed.arms import ARMS
from jobs.train_mixed.experiment import INTERVAL, as_outcome, collapses, flagged_spaces
from jobs.train_mixed.fits import fit_file
from jobs.train_mixed.options import MixedOptions
from jobs.train_mixed.outcome import Outcome
from jobs.train_mixed.summaries import majority_baseline
from jobs.train_mixed.verdict import Signs, make_record
from shared import __version__
from shared.cli.options import recorded
from shared.cli.progress import ProgressBar, Reporter, clock
from shared.runtime.processes import processes
from shared.store.checkpoints import load
from shared.store.records.mixed import FitRow
from shared.store.records.mixed_protocol import MixedProtocol

Truth = NDArray[np.int64]


@dataclass(frozen=True)
class RealArms:
    """The arms of real images alone, which every control is compared with, and what they say."""

    outcomes: dict[str, Outcome]
    rows: list[FitRow]
    known: Known


def plan_key(source: Source, config: MixedOptions, seed: int, device: str) -> str:
    """Return a name for all that the fits of a check depend on: equal ones may go on from each other's."""
    facts = [__version__, str(source.folder), source.sha256, recorded(config), seed, device]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


class Progress:
    """The progress of a check over all of its controls; fits that an earlier call made do not enter the rate."""

    def __init__(self, plan: Plan, pieces: Sequence[Piece]) -> None:
        self._fits = {piece: len(piece.arms) * plan.config.fits for piece in pieces}
        self._known = {piece for piece in pieces if piece.is_finished(plan)}
        self._left = sum(fits for piece, fits in self._fits.items() if piece not in self._known)
        self._done, self._started = 0, time.monotonic()

    def fits(self, pieces: Sequence[Piece]) -> int:
        """Return the number of fits of these pieces."""
        return sum(self._fits[piece] for piece in pieces)

    def advance(self, piece: Piece, bar: ProgressBar) -> None:
        """Count a piece, on the bar of its control too, whose note tells the time left of all of them."""
        fits = self._fits[piece]
        if piece in self._known:
            bar.skip(fits)
            return
        self._done += fits
        left = (time.monotonic() - self._started) * (self._left - self._done) / self._done
        bar.advance(fits, note=f"(all controls: {clock(left)} left)")


def check_verdict(
    plan: Plan, names: Sequence[str], replicates: int, count: int, reporter: Reporter
) -> Iterator[Finding]:
    """Yield what the product says of each control, and whether that is right; `count` processes do the work."""
    sets = plan.source.load(plan.seed)
    cases = {name: [Piece(name, replicate) for replicate in range(replicates)] for name in (REAL, *names)}
    pieces = [piece for case in cases.values() for piece in case]
    progress = Progress(plan, pieces)
    with processes(count, do_piece.__module__, chunk=1) as spread:
        records = iter(spread(partial(do_piece, plan), pieces))
        real = real_arms(plan, sets, done(cases[REAL], records, progress, reporter))
        for name in names:
            yield found(plan, sets, name, real, done(cases[name], records, progress, reporter))


def done(
    case: list[Piece], records: Iterator[PieceRecord], progress: Progress, reporter: Reporter
) -> list[PieceRecord]:
    """Return the records of the pieces of a case, as they are finished, under a bar of its own."""
    found = []
    with reporter.bar(case[0].name, progress.fits(case), "fits") as bar:
        for piece in case:
            found.append(next(records))
            progress.advance(piece, bar)
    return found


def real_arms(plan: Plan, sets: RealSets, records: list[PieceRecord]) -> RealArms:
    """Return what the arms of real images alone say."""
    outcomes = {arm: read(plan, REAL, arm, len(records), sets) for arm in REAL_ARMS}
    train_counts, truth = counts(sets), sets.test.labels.numpy()
    known = Known(
        accuracy={arm: float(outcome.correct.mean()) for arm, outcome in outcomes.items()},
        majority_baseline=majority_baseline(train_counts, truth),
        left_out=float((truth >= kept_classes(len(sets.classes))).mean()),
    )
    return RealArms(outcomes, [row for record in records for row in record.rows], known)


def read(plan: Plan, name: str, arm: str, replicates: int, sets: RealSets) -> Outcome:
    """Return the answers of the classifiers of an arm, from the files of their fits."""
    folders = [Piece(name, replicate).folder(plan) for replicate in range(replicates)]
    paths = [[folder / fit_file(arm, number) for number in range(plan.config.fits)] for folder in folders]
    return as_outcome(
        [[load(path.read_bytes(), str(path))[0] for path in fits] for fits in paths], sets.test.labels.numpy()
    )


def found(plan: Plan, sets: RealSets, name: str, real: RealArms, records: list[PieceRecord]) -> Finding:
    """Return what the product says of a control, from its pieces, and whether that is right."""
    arms = CONTROLS[name].arms
    outcomes = real.outcomes | {arm: read(plan, name, arm, len(records), sets) for arm in arms}
    lines = collapses({number: record.collapsed for number, record in enumerate(records)})
    copies = [record.copies for record in records]
    record = make_record(
        outcomes,
        real.rows + [row for record in records for row in record.rows],
        # the generator is conditional: the labels of its images are the classes asked for
        {arm: ARMS[arm].information(conditional=True) for arm in outcomes},
        protocol(plan, sets, len(records)),
        Signs(
            classes=sets.classes,
            train_counts=counts(sets),
            synthetic_counts=np.sum([record.counts for record in records], axis=0).tolist(),
            collapsed=lines,
            copies=flagged_spaces(copies),
        ),
    )
    return finding(name, record, ControlSigns(copies, [record.membership for record in records], lines), real.known)


def counts(sets: RealSets) -> list[int]:
    """Return the train images of each class."""
    found: list[int] = np.bincount(sets.train.labels.numpy(), minlength=len(sets.classes)).tolist()
    return found


def protocol(plan: Plan, sets: RealSets, replicates: int) -> MixedProtocol:
    """Return what the arms of a control have in common."""
    config = plan.config
    return MixedProtocol(
        n_test=len(sets.test),
        n_val=len(sets.val),
        n_synthetic_usable=len(sets.train),
        min_confidence=0.0,
        replicates=replicates,
        planned=replicates,
        added=0,
        fits=config.fits,
        optimizer_steps=config.steps,
        most_steps=config.most_steps,
        patience=config.patience,
        split="test of real",
        selection="highest macro F1 on real val",
        interval=INTERVAL,
    )
