"""Scores, per-class distances, copy and membership tests of all replicates: mean, interval, the worst."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from shared.metrics.metric import metric_of
from shared.models.tables import EXTRACTORS
from shared.stats.intervals import StudentSummary, student_summary
from shared.stats.ranks import least_count
from shared.store.records.copies import ALPHA, MOST_TRAIN, TESTS, CopyTest, spaces_with_copies
from shared.store.records.datasets import Imported
from shared.store.records.membership import MembershipTest
from shared.store.records.scores import OnTest

COPIES_FOUND = "copies of training images"
MEMBERS_FOUND = "training images can be told from others"

CHANCE = 0.5
"""The AUC of an attack that guesses."""

UNSEEN = ("test", "val")
"""Splits that copies are not looked for in: no generator of halfreal sees them."""

NEAR_THE_FLOOR = 2.0
"""Times the floor below which half or more of a class's distance comes from the small number of images."""

MOST_NAMED = 10
"""Classes that a warning names."""


@dataclass(frozen=True)
class ScoreSummary:
    """A score against test over replicates: of the chosen snapshots, and of real train images."""

    synthetic: StudentSummary
    real: StudentSummary | None


@dataclass(frozen=True)
class ClassDistance:
    """A class's distance to test, mean over replicates: synthetic images, and the floor: as many real train images."""

    synthetic: float
    floor: float | None

    @property
    def near_the_floor(self) -> bool:
        """Whether most of the distance is what real images have too, for want of more of them."""
        return self.floor is not None and self.synthetic < NEAR_THE_FLOOR * self.floor


@dataclass(frozen=True)
class CopiesSummary:
    """The copy test in one space over replicates: shares of synthetic images, and in how many it was flagged.

    `shown` says whether that is more than chance flags among all tests of the experiment, see `spaces_with_copies`.
    `flagged_for` says for what in any of them, `p_value` is the smallest, `least_share` the share from which on copies
    would be shown; empty and None where an earlier version tested. `unseen_files` counts the files of imported sets
    that are real images of val or test, where copies are not looked for. `spared` counts those of `CopyTest`.
    """

    nearer: list[float]
    copy_rate: list[float]
    expected_copy_rate: float
    flagged: int
    flagged_for: tuple[str, ...] = ()
    p_value: float | None = None
    least_share: float | None = None
    unseen_files: Mapping[str, int] = field(default_factory=dict)
    shown: bool = False
    spared: int = 0

    @property
    def finding(self) -> str:
        """What was found, in words."""
        return copies_finding(self.shown, self.flagged_for, self.unseen_files, self.flagged, bool(self.spared))

    @property
    def replicates(self) -> int:
        """How many replicates were tested."""
        return len(self.nearer)


@dataclass(frozen=True)
class MembershipSummary:
    """The membership test in one space over replicates: the AUC with its interval, members found at rates of errors.

    `auc` are the values of replicates. The interval of their mean holds for other generators and for other members and
    non-members. Counts are the smallest of any replicate; `tpr_at` is None where one of them had too few non-members.
    `imported` where it is not known what the generator learned from.
    """

    auc: list[float]
    low: float
    high: float
    tpr_at: Mapping[str, StudentSummary | None]
    n_members: int
    n_non_members: int
    n_synthetic: int
    non_members: str
    confounded: bool
    grouped: bool
    imported: bool

    @property
    def mean(self) -> float:
        """The mean of the AUC."""
        return fmean(self.auc)

    @property
    def found(self) -> bool:
        """Whether members can be told from non-members, by more than chance and for no other reason."""
        return self.low > CHANCE and not self.confounded

    @property
    def finding(self) -> str:
        """What was found, in words."""
        if self.confounded:
            return f"says nothing of membership: train and {self.non_members} are no random draw of one set"
        if self.found:
            return f"{MEMBERS_FOUND}{', or their groups can' if self.grouped else ''}"
        return "no sign of membership" + (
            f"; the generator may have seen {self.non_members} images, too" if self.imported else ""
        )


def copies_finding(
    flagged: bool, flagged_for: Sequence[str], files: Mapping[str, int], by_chance: int = 0, spared: bool = False
) -> str:
    """Return what a copy test found, in words; `by_chance` flags are no more than chance may bring."""
    unseen = "".join(
        f"; {count:,} file{' is a' if count == 1 else 's are'} {split} image{'' if count == 1 else 's'}"
        for split, count in files.items()
    )
    if not flagged:
        beyond = " beyond what chance flags" if by_chance else ""
        alike = "; train is nearer than held-out images, but no nearer than train images are to each other"
        return f"no sign of copying{' training images' if unseen else ''}{beyond}{alike if spared else ''}{unseen}"
    reasons = f" ({', '.join(flagged_for)})" if flagged_for else ""
    return f"{COPIES_FOUND}{reasons}{unseen}"


def unseen_files(sets: Iterable[Imported | None]) -> dict[str, int]:
    """Return how many files of imported sets are real images of val and test, by split where there are any."""
    counts = Counter(dict.fromkeys(UNSEEN, 0))
    for imported in sets:
        counts.update({split: imported.equal_to_real.get(split, 0) for split in UNSEEN} if imported else {})
    return dict(+counts)


def summaries(on_test: Sequence[OnTest]) -> dict[str, ScoreSummary]:
    """Return every score that all replicates have, by name; intervals are Student's t over replicates."""
    tests, reals = [scored.test.scores for scored in on_test], [scored.real.scores for scored in on_test]
    agreements = [scored.test.agreement for scored in on_test if scored.test.agreement is not None]
    found = {
        name: ScoreSummary(
            summary(name, [scores[name] for scores in tests]),
            summary(name, [scores[name] for scores in reals]) if all(name in scores for scores in reals) else None,
        )
        for name in tests[0]
        if all(name in scores for scores in tests)
    }
    if len(agreements) == len(on_test):
        found["agreement"] = ScoreSummary(summary("agreement", agreements), None)
    return found


def train_summaries(on_test: Sequence[OnTest]) -> dict[str, StudentSummary]:
    """Return every distance to the train images that all replicates have, by name; intervals as of `summaries`."""
    references = [scored.train_reference for scored in on_test if scored.train_reference is not None]
    if len(references) < len(on_test):
        return {}
    names = [name for name in references[0].scores if all(name in reference.scores for reference in references)]
    return {name: summary(name, [reference.scores[name] for reference in references]) for name in names}


def unpublished(on_test: Sequence[OnTest]) -> list[str]:
    """Return the extractors whose weights nobody published in any replicate."""
    rows = [protocol for scored in on_test for protocol in scored.test_protocols.values()]
    return list(dict.fromkeys(protocol.extractor for protocol in rows if protocol.unpublished))


def summary(name: str, values: Sequence[float]) -> StudentSummary:
    """Return the mean of a score and its interval, which is within what the score can be."""
    metric = metric_of(name, EXTRACTORS)
    return student_summary(values) if metric is None else student_summary(values, metric.low, metric.high)


def class_distances(on_test: Sequence[OnTest], score: str) -> dict[str, ClassDistance]:
    """Return the distance of each class that every replicate has, by the name of the class."""
    drawn = [scored.test.by_class.get(score, {}) for scored in on_test]
    real = [scored.real.by_class.get(score, {}) for scored in on_test]
    return {
        name: ClassDistance(
            fmean(distances[name] for distances in drawn),
            fmean(distances[name] for distances in real) if all(name in distances for distances in real) else None,
        )
        for name in drawn[0]
        if all(name in distances for distances in drawn)
    }


def floor_warning(classes: Mapping[str, ClassDistance]) -> str:
    """Return in how many classes the distance says little of the generator, for want of images; "" for none."""
    near = [name for name, distance in classes.items() if distance.near_the_floor]
    if not near:
        return ""
    listed = ", ".join(near[:MOST_NAMED]) + (", ..." if len(near) > MOST_NAMED else "")
    return (
        f"few images: in {len(near)} of {len(classes)} classes ({listed}) half or more of the distance is what as many "
        "real images have too (the floor). It says little about the generator."
    )


def copies(on_test: Sequence[OnTest], sets: Sequence[Imported | None] = ()) -> dict[str, CopiesSummary]:
    """Return the copy test of each space that every replicate has, of images of these imported `sets`."""
    files = unseen_files(sets)
    spaces = [space for space in on_test[0].copies if all(space in scored.copies for scored in on_test)]
    every = [scored.copies for scored in on_test]
    looks, shown = sum(map(len, every)), spaces_with_copies(every)
    return {
        space: replace(_copies_in([found[space] for found in every], looks), unseen_files=files, shown=space in shown)
        for space in spaces
    }


def _least_share(test: CopyTest, looks: int) -> float | None:
    """Return the share of exact copies from which on one of `looks` tests shows them; None for no share."""
    least = least_count(test.n_synthetic, min(test.n_held_out, MOST_TRAIN), 1, ALPHA / TESTS / looks)
    return None if least is None or test.least_share is None else least / test.n_synthetic


def _copies_in(tests: Sequence[CopyTest], looks: int) -> CopiesSummary:
    """Return the copy tests of one space over replicates, of the `looks` tests of an experiment."""
    shares = [share for share in (_least_share(test, looks) for test in tests) if share is not None]
    return CopiesSummary(
        nearer=[test.nearer for test in tests],
        copy_rate=[test.copy_rate for test in tests],
        expected_copy_rate=max(test.expected_copy_rate for test in tests),
        flagged=sum(test.flagged for test in tests),
        flagged_for=tuple(dict.fromkeys(what for test in tests for what in test.flagged_for or [])),
        p_value=min((test.p_value for test in tests if test.p_value is not None), default=None),
        least_share=max(shares, default=None),
        spared=sum(test.spared for test in tests),
    )


def membership(on_test: Sequence[OnTest], imported: bool = False) -> dict[str, MembershipSummary] | None:
    """Return the membership test of each space that every replicate has; None where one has none, as earlier ones."""
    tests = [scored.membership for scored in on_test if scored.membership]
    if len(tests) < len(on_test):
        return None
    spaces = [space for space in tests[0] if all(space in found for found in tests)]
    return {space: _membership_in([found[space] for found in tests], imported) for space in spaces}


def _membership_in(tests: Sequence[MembershipTest], imported: bool) -> MembershipSummary:
    """Return the membership tests of one space over replicates."""
    over = student_summary([test.auc for test in tests])
    # Student's interval is for other generators and these real images: replicates have the same non-members, so that
    # their mean is no surer of what other images would give than one replicate is. In simulation it covered 71 %.
    reach = math.hypot(
        fmean(max(test.auc_high - test.auc, test.auc - test.auc_low) for test in tests),
        0.0 if over["high"] is None else over["high"] - over["mean"],
    )
    known = {name: [rate for test in tests if (rate := test.tpr_at.get(name)) is not None] for name in tests[0].tpr_at}
    return MembershipSummary(
        auc=over["values"],
        low=max(over["mean"] - reach, 0.0),
        high=min(over["mean"] + reach, 1.0),
        tpr_at={
            name: student_summary(values, 0.0, 1.0) if len(values) == len(tests) else None
            for name, values in known.items()
        },
        n_members=min(test.n_members for test in tests),
        n_non_members=min(test.n_non_members for test in tests),
        n_synthetic=min(test.n_synthetic for test in tests),
        non_members=tests[0].non_members,
        confounded=any(test.confounded for test in tests),
        grouped=any(test.grouped for test in tests),
        imported=imported,
    )


def warnings(on_test: Sequence[OnTest]) -> Iterator[tuple[str, list[int]]]:
    """Yield each warning and the replicates that it is of."""
    said: dict[str, list[int]] = {}
    for number, scored in enumerate(on_test):
        for line in scored.warnings:
            said.setdefault(line, []).append(number)
    yield from said.items()


def over_all_snapshots(curves: Sequence[Mapping[str, float]], name: str) -> tuple[float, float, float]:
    """Return the lowest, the mean and the highest of a score over every snapshot of every replicate."""
    values = [scores[name] for scores in curves]
    return min(values), fmean(values), max(values)
