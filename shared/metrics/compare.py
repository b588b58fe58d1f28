"""Scores of several experiments next to each other, if their protocols allow it; a difference only beyond the spread.

One score is the headline, the one by which the snapshots were chosen: the intervals of its differences hold together
with 95 %. Those of all other scores share another 5 %.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NoReturn

from shared.errors import BadInput
from shared.metrics.metric import FEATURE_METRICS, OTHER_METRICS, metric_of
from shared.metrics.over_replicates import summary
from shared.metrics.protocol import differences
from shared.models.tables import EXTRACTORS
from shared.stats.confidence import other_level
from shared.stats.intervals import StudentSummary, welch_difference
from shared.store.records.scores import Protocol, ScoresRecord

WITHIN = "within the spread over replicates"
UNKNOWN = "not known: one replicate has no spread"
"""What is said of two experiments whose difference is not shown."""


class NotComparable(BadInput):
    """Experiments have no score in common that was measured under one protocol."""


DISTANCES = {
    row.stored_name(name): name
    for name in ("inception_clean", "inception_legacy", "efficientnet_lite0", "classifier")
    for row in FEATURE_METRICS
    if row.per_snapshot and row.higher_is_better is False
}
"""The scores that every snapshot has, with their extractors: those that may be the headline, the first that is there.

Inception's come before those of networks that differ from experiment to experiment."""


@dataclass(frozen=True)
class Scored:
    """The scores of an experiment's replicates on test, the protocol of each extractor, what chose its snapshots."""

    scores: list[dict[str, float]]
    protocols: dict[str, Protocol]
    chosen_by: str

    @classmethod
    def of(cls, records: Sequence[ScoresRecord]) -> "Scored":
        """Return the scores in the records of all replicates; none where some replicate was scored on val alone."""
        tests = [record.on_test for record in records if record.on_test is not None]
        scores = [
            scored.test.scores | ({} if scored.test.agreement is None else {"agreement": scored.test.agreement})
            for scored in tests
        ]
        # the seeds of later replicates follow from that of the first
        complete = tests and len(tests) == len(records)
        return cls(scores, tests[0].test_protocols if complete else {}, records[0].chosen_score)


@dataclass(frozen=True)
class PairDifference:
    """The mean of `b` less that of `a` over replicates, its interval (None with one), and who is better by it."""

    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    better: str | None
    finding: str


@dataclass(frozen=True)
class Finding:
    """What the differences of all pairs show, in words, and who is better than every other one (None: not shown)."""

    pairs: list[PairDifference]
    best: str | None
    words: str


@dataclass(frozen=True)
class ScoreComparison:
    """Scores of quality on test by name and experiment, and what their differences show.

    `score` is the headline and `level` that of each of its differences, `other_level` that of every other one.
    `not_compared` says of extractors that all experiments have why their scores are left out.
    """

    score: str
    scores: dict[str, dict[str, StudentSummary]]
    findings: dict[str, Finding]
    level: float
    other_level: float
    protocols: dict[str, Protocol]
    not_compared: dict[str, str]

    @property
    def sentence(self) -> str:
        """Who is best by the headline, with the numbers; or that this is not shown, and why."""
        finding, better = self.findings[self.score], "higher" if higher_is_better(self.score) else "lower"
        values = ", ".join(f"{name} {found['mean']:.4g}" for name, found in self.scores[self.score].items())
        numbers = f"{self.score} on test, {better} is better: {values}"
        if finding.best:
            others = [name for name in self.scores[self.score] if name != finding.best]
            return f"{finding.best} is better than {others[0] if len(others) == 1 else 'every other'}: {numbers}."
        if any(pair.better for pair in finding.pairs):
            return f"No experiment is better than every other: {finding.words} ({numbers})."
        if finding.words == UNKNOWN:
            return f"Which one is better is {UNKNOWN} ({numbers})."
        return f"No experiment is shown to be better: the differences are {finding.words} ({numbers})."


def compare_scores(experiments: Mapping[str, Scored]) -> ScoreComparison:
    """Return the numbers of each experiment by score, and which of them differ.

    Raises NotComparable where the experiments have no extractor in common, or none that was used under one protocol.
    """
    shared, differing = shared_protocols({name: scored.protocols for name, scored in experiments.items()})
    if not shared:
        _refuse(list(experiments), differing)
    all_scores = [scores for scored in experiments.values() for scores in scored.scores]
    names = [name for name, extractor in judged_scores().items() if extractor in shared]
    names = [name for name in names if all(name in scores for scores in all_scores)]
    table = {
        name: {
            experiment: summary(name, [scores[name] for scores in scored.scores])
            for experiment, scored in experiments.items()
        }
        for name in names
    }
    headline = headline_score(names, [scored.chosen_by for scored in experiments.values()])
    pairs = len(list(combinations(experiments, 2)))
    level, others = other_level(pairs), other_level(pairs * (len(names) - 1))
    findings = {name: find(name, values, level if name == headline else others) for name, values in table.items()}
    return ScoreComparison(headline, table, findings, level, others, shared, differing)


def _refuse(names: list[str], differing: Mapping[str, str]) -> NoReturn:
    remedy = "--reference EXPERIMENT scores all of them against one set of real images"
    if not differing:
        raise NotComparable(
            f"{', '.join(names)}: no extractor in common; run evaluate with the same --extractors, or\n{remedy}"
        )
    extractor, how = next(iter(differing.items()))
    raise NotComparable(
        f"{', '.join(names)} were scored under different protocols ({extractor}): {how}\n"
        f"such numbers do not compare; {remedy}"
    )


def shared_protocols(protocols: Mapping[str, Mapping[str, Protocol]]) -> tuple[dict[str, Protocol], dict[str, str]]:
    """Return the protocols that all experiments share, by extractor, and in what those of other extractors differ.

    `protocols` has those of each experiment. Extractors that some experiment did not use are in neither.
    """
    (first, reference), *others = protocols.items()
    differing = {
        extractor: f"{first} and {name} have {'; '.join(differences(reference[extractor], other[extractor]))}"
        for name, other in reversed(others)
        for extractor in sorted(reference)
        if extractor in other and differences(reference[extractor], other[extractor])
    }
    common = [name for name in reference if all(name in other for _, other in others)]
    return (
        {name: reference[name] for name in common if name not in differing},
        {name: differing[name] for name in common if name in differing},
    )


def judged_scores() -> dict[str, str]:
    """Return the scores of quality by the names that results store them under, each with its extractor.

    Errors, slopes and spreads are none. What is measured by the experiment's own classifier belongs to that.
    """
    by_features = {
        row.stored_name(extractor): extractor
        for extractor in EXTRACTORS
        for row in FEATURE_METRICS
        if row.higher_is_better is not None and not row.by_class
    }
    return by_features | {row.name: "classifier" for row in OTHER_METRICS if row.higher_is_better is not None}


def higher_is_better(name: str) -> bool:
    """Return the better direction of a score of quality."""
    metric = metric_of(name, EXTRACTORS)
    assert metric is not None  # one of `judged_scores`
    return bool(metric.higher_is_better)


def headline_score(names: Sequence[str], chosen_by: Iterable[str]) -> str:
    """Return the score that is judged first: the one that chose every snapshot, else the first distance among `names`.

    What chose was fixed before anybody saw a score on test.
    """
    chose = set(chosen_by)
    if len(chose) == 1 and chose <= set(names):
        return chose.pop()
    return next((name for name in DISTANCES if name in names), names[0])


def find(name: str, values: Mapping[str, StudentSummary], level: float) -> Finding:
    """Return what a score shows of the experiments whose values over replicates are given, each difference at `level`.

    The intervals are Welch's.
    """
    higher = higher_is_better(name)
    pairs = [_pair(a, b, values, higher, level) for a, b in combinations(values, 2)]
    wins = {name: sum(pair.better == name for pair in pairs) for name in values}
    best = next((name for name in values if wins[name] == len(values) - 1), None)
    if len(pairs) < 2:
        return Finding(pairs, best, pairs[0].finding)
    shown = [
        f"{pair.better} is better than {pair.a if pair.better == pair.b else pair.b}" for pair in pairs if pair.better
    ]
    # a pair with one replicate leaves open what the others may show
    unshown = UNKNOWN if any(pair.low is None for pair in pairs) else WITHIN
    return Finding(pairs, best, f"{best} is best" if best else "; ".join(shown) or unshown)


def _pair(a: str, b: str, values: Mapping[str, StudentSummary], higher: bool, level: float) -> PairDifference:
    found = welch_difference(values[a]["values"], values[b]["values"], level)
    low, high = found["low"], found["high"]
    if low is None or high is None:
        return PairDifference(a, b, **found, better=None, finding=UNKNOWN)
    better = None if low <= 0 <= high else b if (low > 0) == higher else a
    return PairDifference(a, b, **found, better=better, finding=f"{better} is better" if better else WITHIN)
