"""The comparison as a whole: what the page, the JSON and the terminal show."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.commands.results_json import without_nan
from jobs.compare.experiments import Experiment, open_experiment
from jobs.compare.published import PrintedRow, printed_rows, printed_words
from jobs.compare.reference import Reference, Settings
from jobs.compare.under_reference import CACHE, Referenced, score_under
from shared.cli.progress import Reporter
from shared.metrics import over_replicates
from shared.metrics.compare import ScoreComparison, Scored, compare_scores
from shared.metrics.over_epochs import EpochComparison, compare_epochs
from shared.metrics.over_replicates import MEMBERS_FOUND
from shared.metrics.protocol import in_words
from shared.plots.answers import first_answers, first_line
from shared.stats.confidence import LEVEL_TEXT
from shared.store.lineage import need_test_scores
from shared.store.records.mixed import ArmRow, MixedRecord
from shared.store.records.scores import COLLAPSE, LITTLE_VARIETY
from shared.store.replicates import replicate_name

FOLDER = "compare"
"""The folder of the volume that comparisons are in."""


@dataclass(frozen=True)
class Comparison:
    """The experiments by name, their scores on test, those of their snapshots on val; the reference if there is one."""

    experiments: dict[str, Experiment]
    scores: ScoreComparison
    epochs: EpochComparison
    referenced: Referenced | None

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before the numbers: copies of training images, collapsed generators."""
        return [f"{name}: {line}" for name, experiment in self.experiments.items() for line in _warnings(experiment)]

    @property
    def verdicts(self) -> dict[str, MixedRecord]:
        """The experiments that have a verdict, with it."""
        return {name: each.mixed for name, each in self.experiments.items() if each.mixed is not None}

    @property
    def all_imported(self) -> bool:
        """Whether no experiment has a generator of its own."""
        return all(each.imported for each in self.experiments.values())

    @property
    def any_published(self) -> bool:
        """Whether the source of some experiment's recipe prints numbers, as far as that is known."""
        return any(each.published is not None for each in self.experiments.values())

    @property
    def arms(self) -> dict[str, dict[str, ArmRow]]:
        """The arms that some experiment has, each with the experiments that have it."""
        rows = [(name, arm) for name, each in self.experiments.items() if each.mixed for arm in each.mixed.arms]
        return {
            arm: {name: row for name, row in rows if row.arm == arm} for arm in dict.fromkeys(r.arm for _, r in rows)
        }

    @property
    def printed(self) -> dict[str, list[PrintedRow]]:
        """The printed numbers of each experiment's recipe, with its own."""
        return {name: printed_rows(experiment) for name, experiment in self.experiments.items()}

    def facts(self) -> dict[str, object]:
        """Return the comparison as JSON holds it; there is no NaN."""
        scores, facts = asdict(self.scores), {name: _facts(each) for name, each in self.experiments.items()}
        protocols = {name: protocol.facts() for name, protocol in self.scores.protocols.items()}
        best = {name: finding.best for name, finding in self.scores.findings.items()}
        named = {
            "sentence": self.scores.sentence,
            "winner": best[self.scores.score],
            "warnings": self.warnings,
            "experiments": facts,
            **scores,
            "best": best,
            "protocols": protocols,
            "over_epochs": asdict(self.epochs),
            "arms": {
                arm: {name: row.accuracy.facts() for name, row in rows.items()} for arm, rows in self.arms.items()
            },
            "reference": self.referenced and _reference_facts(self.referenced),
        }
        return {name: without_nan(value) for name, value in named.items()}


def _facts(experiment: Experiment) -> dict[str, object]:
    dataset = experiment.real.dataset
    return {
        "recipe": experiment.recipe,
        "tuned": experiment.tuned,
        "published": [asdict(row) for row in printed_rows(experiment)],
        "published_words": printed_words(experiment),
        "family": experiment.family,
        "imported": [made.record.imported.facts() for made in experiment.sets.values() if made.record.imported],
        "size_px": dataset.size_px,
        "channels": dataset.channels,
        "preparation": dataset.preparation,
        "real_sha256": experiment.real.sha256,
        "replicates": [replicate_name(number) for number in experiment.scores],
        "of_verdict": experiment.mixed is not None,
        "first_line": experiment.mixed and (first_line(experiment.mixed) or None),
        "first_answers": [answer.sentence for answer in first_answers(experiment.mixed)] if experiment.mixed else [],
    }


def _reference_facts(referenced: Referenced) -> dict[str, object]:
    return {
        "experiment": referenced.name,
        "protocol": referenced.protocol.facts(),
        "format": referenced.preparation,
        "real_train": referenced.real,
        "notes": referenced.notes,
    }


def _warnings(experiment: Experiment) -> list[str]:
    chosen = [record for record in experiment.records.values() if not record.imported]
    missing = sorted({record.fallback for record in chosen if record.fallback})
    chosen_by = next(iter(experiment.records.values())).chosen_score
    instead = [f"snapshots were chosen by {chosen_by}, for want of the weights of {name}" for name in missing]
    on_test = [record.on_test for record in experiment.records.values() if record.on_test is not None]
    if not on_test:
        return instead
    copies = [
        f"copies of training images, by {space}, in {found.flagged} of {found.replicates} replicates: low distances "
        "say little then"
        for space, found in over_replicates.copies(on_test).items()
        if found.shown
    ]
    members = [
        f"{MEMBERS_FOUND}, by {space}: AUC {found.mean:.3f} ({LEVEL_TEXT} interval {found.low:.3f} to {found.high:.3f})"
        for space, found in (over_replicates.membership(on_test, experiment.imported) or {}).items()
        if found.found
    ]
    collapsed = sum(any(line.startswith((COLLAPSE, LITTLE_VARIETY)) for line in scored.warnings) for scored in on_test)
    what = "little variety" if experiment.imported else "mode collapse"
    signs = [f"signs of {what} in {collapsed} of {len(on_test)} replicates; its report says which"]
    return instead + copies + members + (signs if collapsed else [])


def compare(
    data_root: Path, names: tuple[str, ...], reference: str | None, settings: Settings, reporter: Reporter
) -> Comparison:
    """Compare the experiments of these names on a volume; under a reference's protocol if one is named.

    Raises BadInput where they cannot be compared, and says how they can.
    """
    experiments = {name: open_experiment(data_root / name) for name in names}
    referenced = score_by(data_root, reference, experiments, settings, reporter) if reference else None
    scored = referenced.scored if referenced else {name: own_scores(each) for name, each in experiments.items()}
    scores = compare_scores(scored)
    records = {name: each.records for name, each in experiments.items() if not each.imported}
    return Comparison(experiments, scores, compare_epochs(records, scores.score), referenced)


def score_by(
    data_root: Path, name: str, experiments: Mapping[str, Experiment], settings: Settings, reporter: Reporter
) -> Referenced:
    """Return the scores of all experiments against the real images of the experiment `name`."""
    reporter.stop.listen()  # what is scored is kept, so that a stopped comparison goes on
    first = next(iter(experiments.values()))
    chosen_by = next(iter(first.records.values())).chosen_score
    reference = Reference(data_root / name, settings, chosen_by, data_root / "weights")
    counts = [made.split("train").count for each in experiments.values() for made in each.sets.values()]
    if settings.images is None and counts:
        # distances of unequal numbers do not compare, and of an imported set no more can be drawn
        reference.images = min(reference.images, *counts)
    referenced = score_under(reference, experiments, data_root / FOLDER / CACHE, reporter)
    reporter.info(f"protocol: {in_words(referenced.protocol)}; {referenced.preparation}")
    return referenced


def own_scores(experiment: Experiment) -> Scored:
    """Return an experiment's own scores on test; BadInput where a replicate has none."""
    for scores in experiment.scores.values():
        need_test_scores(scores)
    return Scored.of(list(experiment.records.values()))
