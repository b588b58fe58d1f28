"""The outcome of a search: trials, importances, baseline and tuned options on test, the tuned recipe."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from jobs.pipeline import EVALUATE, PIPELINE, PREPROCESS, SYNTHESIZE, TRAIN_GAN, TUNE
from jobs.tune.image_grid import baseline_and_tuned
from jobs.tune.options import TuneConfig
from jobs.tune.study import Study, trial_name
from jobs.tune.trial_runner import TrialRunner
from shared.cli.common_options import place_flags
from shared.cli.progress import Reporter
from shared.cli.recipes import load_recipe, to_toml
from shared.cli.run import Result, Run
from shared.disk.durable import write_whole
from shared.metrics.metric import headline_names
from shared.plots.gallery import save_all
from shared.plots.training.trial_charts import tune_pictures
from shared.runtime.job_processes import ask
from shared.stats.class_choice import by_size
from shared.stats.confidence import LEVEL_TEXT
from shared.stats.intervals import direction_shown, student_summary, welch_difference
from shared.store.artifacts import Artifact, open_output
from shared.store.checkpoints import save
from shared.store.lineage import experiment_folder, need_test_scores
from shared.store.records.scores import ScoresRecord
from shared.store.records.tune import BestTrial, Difference, QualityRow, Summary, TrialRow, TuneComparison, TuneRecord
from shared.store.replicates import place

FEWEST = 4
"""Fewest trials from which importances are computed."""

GRID = "grid.safetensors"


@dataclass(frozen=True)
class Comparison:
    """One run of the baseline or the tuned options: its folder, its options besides the recipe's, its seed."""

    name: str
    params: dict[str, object]
    seed: int


def sides(study: Study, config: TuneConfig) -> dict[str, list[Comparison]]:
    """Return the runs of the baseline, the recipe's own options, and of the tuned ones, the best trial's.

    Where the best trial has the recipe's own options both are the same runs.
    """
    best = study.best
    assert best is not None
    tuned = f"trial-{trial_name(best.number)}", best.params
    chosen = {"baseline": ("recipe", {}), "tuned": ("recipe", {}) if best.params == config.own else tuned}
    # not the trials' seed: the best of many trials was chosen for a lucky seed too
    seeds = range(config.seed + 1, config.seed + 1 + config.seeds)
    return {
        side: [Comparison(f"{name}-seed-{seed}", params, seed) for seed in seeds]
        for side, (name, params) in chosen.items()
    }


def comparison_runs(study: Study, config: TuneConfig) -> list[Comparison]:
    """Return every run of both sides once."""
    baseline, tuned = sides(study, config).values()
    return [*baseline, *(run for run in tuned if run not in baseline)]


def runner_of(study: Study, config: TuneConfig, run: Comparison, words: list[str], reporter: Reporter) -> TrialRunner:
    """Return the jobs of a run of either side, which is scored on test."""
    options = config.fixed | run.params | {"train_gan.seed": run.seed, "evaluate.seed": run.seed}
    # of GANs, also where the experiment's own images were imported
    options |= {"evaluate.scored": "snapshots", "evaluate.reference": "test", "evaluate.synthetic_only": True}
    return TrialRunner(study.folder / run.name, words, options, reporter)


def finish(run: Run, config: TuneConfig, recipe: str, words: list[str], storage: str | None) -> Result:
    """Write the figures, the image grid and the tuned recipe of a finished search; return its record."""
    study = Study(run.folder.parent / "trials" / config.study(run.inputs), config, storage)
    best = study.best
    assert best is not None
    scores = {
        side: [_scores(study, comparison.name) for comparison in runs] for side, runs in sides(study, config).items()
    }
    first = scores["baseline"][0]
    score, protocols = first.record.chosen_score, need_test_scores(first).test_protocols
    by_classifier = config.objective == "synthetic_only"
    explained = importances(study, config)
    record = TuneRecord(
        objective="error of a classifier trained on synthetic images alone" if by_classifier else score,
        score=score,
        trials=[trial_row(study, trial) for trial in study.trials],
        rungs=config.rungs,
        best=BestTrial(number=best.number, value=value_of(best), params=best.params),
        own=config.own,
        importance_of=explained.of,
        importance_trials=explained.trials,
        importances=explained.shares,
        comparison=compare(scores, score, config.objective, best.params == config.own),
        epochs=config.trial_epochs,
        seeds=[comparison.seed for comparison in sides(study, config)["baseline"]],
        protocol=protocols[first.record.extractor],
        val_protocol=_scores(study, trial_name(best.number)).record.protocol,
    )
    write_whole(run.folder / "tuned.toml", tuned_recipe(recipe, config, words, record).encode())
    gans = [open_output(TRAIN_GAN, experiment_folder({place(EVALUATE, 0): runs[0]})) for runs in scores.values()]
    real = run.input(PREPROCESS)
    choice = by_size(real.split("train").class_counts)
    files = [runs[0].record.chosen_snapshot.file for runs in scores.values()]
    sheet = baseline_and_tuned(real, gans, files, choice.places)
    conditional = all(gan.record.conditional for gan in gans)
    names = choice.names(real.dataset.classes)
    about: dict[str, object] = {"conditional": conditional}
    if not choice.whole:
        about |= {"classes": names, "chosen": choice.words}
    save(run.folder / GRID, {"sheet": sheet}, about)
    save_all(tune_pictures(record, sheet, names, conditional, choice.words), run.figures)
    again = command_of_tuned(run.folder.parent, run.sources.parent)
    return Result(record, summary=f"{record.comparison.sentence}\n{again}")


def command_of_tuned(experiment: Path, data_root: Path) -> str:
    """Return the command that runs the tuned recipe of the experiment in a folder as an experiment of its own."""
    # without a name every tuned recipe would be the experiment `tuned`
    name = "-".join([*experiment.relative_to(data_root).parts, "tuned"])
    recipe = shlex.quote(str(experiment / TUNE.writes / "tuned.toml"))
    return f"halfreal run --recipe {recipe} --experiment {name}{place_flags(data_root)}"


def _scores(study: Study, name: str) -> Artifact[ScoresRecord]:
    return open_output(EVALUATE, study.folder / name)


def value_of(trial: FrozenTrial) -> float:
    """Return the objective of a finished trial."""
    assert trial.value is not None
    return trial.value


def trial_row(study: Study, trial: FrozenTrial) -> TrialRow:
    """Return what is kept of a trial: state, options, value, its score after each epoch that was scored."""
    curve = sorted(trial.intermediate_values.items())
    if trial.state == TrialState.COMPLETE:
        curve = _scores(study, trial_name(trial.number)).record.curve
    refused = trial.user_attrs.get("refused")
    return TrialRow(
        number=trial.number,
        state="refused" if refused else {"COMPLETE": "finished", "PRUNED": "stopped"}[trial.state.name],
        refused=refused,
        params=trial.params,
        value=trial.value if trial.state == TrialState.COMPLETE else None,
        epoch=trial.user_attrs.get("epoch"),
        curve=curve,
    )


@dataclass(frozen=True)
class Importances:
    """What was explained, by how many trials, and the share of each option; None where that cannot be said."""

    of: str
    trials: int
    shares: dict[str, float] | None


def importances(study: Study, config: TuneConfig) -> Importances:
    """Return how much of the differences between trials each option explains (fANOVA, Hutter et al. 2014), in [0, 1].

    Of the score at the first rung, which every trial has, where trials were stopped; of the objective otherwise. None
    where there are too few trials, or all are alike.
    """
    # a stopped trial has no objective, and leaving it out would hide just the options that do badly
    early = any(trial.state == TrialState.PRUNED and trial.intermediate_values for trial in study.trials)
    values = {
        trial.number: trial.intermediate_values[min(trial.intermediate_values)] if early else trial.value
        for trial in study.trials
        if (trial.intermediate_values if early else trial.state == TrialState.COMPLETE)
    }
    what = f"score at the first rung ({config.rungs[0]} epochs)" if early else "objective"
    if len(values) < FEWEST or len(set(values.values())) == 1:
        return Importances(what, len(values), None)
    # a copy in memory: the values explained are not always those that the study has
    again = optuna.create_study()
    for trial in study.trials:
        if trial.number in values:
            again.add_trial(
                optuna.create_trial(params=trial.params, distributions=trial.distributions, value=values[trial.number])
            )
    # seeded: its random forest would give other shares each time
    evaluator = FanovaImportanceEvaluator(seed=config.seed)
    return Importances(what, len(values), dict(get_param_importances(again, evaluator=evaluator)))


def compare(
    scores: dict[str, list[Artifact[ScoresRecord]]], score: str, objective: str, unchanged: bool
) -> TuneComparison:
    """Return, from the scores of both sides' runs, a row for each figure of quality, and the finding in a sentence.

    The first row, of which the sentence speaks, is that of the objective.
    """
    rows = []
    for name, metric in headline_names(extractor=score.split("_", 1)[1]).items():
        lower_is_better = not metric.higher_is_better
        baseline, tuned = (figures_of(scores[side], name) for side in ("baseline", "tuned"))
        if baseline is not None and tuned is not None:
            change = Difference(**welch_difference(baseline, tuned))
            shown = direction_shown(change.low, change.high, lower_is_better)
            rows.append(
                QualityRow(
                    name=name,
                    lower_is_better=lower_is_better,
                    before=Summary(**student_summary(baseline, metric.low, metric.high)),
                    after=Summary(**student_summary(tuned, metric.low, metric.high)),
                    change=change,
                    outcome="unchanged" if unchanged else shown,
                )
            )
    first = "synthetic_only_accuracy" if objective == "synthetic_only" else score
    # stable: the other rows keep the order of the metrics table
    rows.sort(key=lambda quality: quality.name != first)
    return TuneComparison(rows=rows, unchanged=unchanged, sentence=sentence(rows[0], unchanged))


def figures_of(scores: list[Artifact[ScoresRecord]], name: str) -> list[float] | None:
    """Return a figure of quality of each run on test; None where there is none, such as agreement without classes."""
    values = [figure_of(run_scores, name) for run_scores in scores]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def figure_of(scores: Artifact[ScoresRecord], name: str) -> float | None:
    """Return a figure of quality on test by name, None where there is none."""
    if name == "synthetic_only_accuracy":
        by_classifier = scores.record.synthetic_only
        return None if by_classifier is None else by_classifier.accuracy
    test = need_test_scores(scores).test
    return test.agreement if name == "agreement" else test.scores[name]


def sentence(row: QualityRow, unchanged: bool) -> str:
    """Return the finding in words, from the row of the score that trials were chosen by."""
    name, count = row.name, len(row.before.values)
    baseline, tuned = (f"{side.mean:.3g}" for side in (row.before, row.after))
    if unchanged:
        seeds = "1 seed" if count == 1 else f"{count} seeds"
        return f"No trial did better on val than the recipe's own options: {name} is {baseline} on test ({seeds})."
    low, high = row.change.low, row.change.high
    means = f"from {baseline} to {tuned} on test"
    if low is None or high is None:
        return f"Tuning changed {name} {means}; one seed of each cannot say more."
    interval = f"{LEVEL_TEXT} interval of the difference {low:+.3g} to {high:+.3g}, {count} seeds each"
    if row.outcome == "no difference shown":
        return f"Tuning made no difference to {name} that these runs can show: {means} ({interval})."
    verb = "lowered" if row.change.difference < 0 else "raised"
    return f"Tuning {verb} {name} {means} ({interval})."


def tuned_recipe(recipe: str, config: TuneConfig, words: list[str], record: TuneRecord) -> str:
    """Return the recipe, every option of every job written out, with the options of the best trial, as TOML."""
    source = load_recipe(recipe)
    count, best = len(record.trials), record.best
    about = f"{source.name}, tuned: trial {best.number} of {count} trials of {record.epochs} epochs."
    options = {**config.others, EVALUATE.name: config.evaluate | {"scored": "snapshots"}}
    if options[SYNTHESIZE.name].get("source") != "generator":  # a tuned GAN is drawn from
        kept = {name: value for name, value in options[SYNTHESIZE.name].items() if name in ("shard_images", "seed")}
        options[SYNTHESIZE.name] = {"source": "generator"} | kept
    params = {name.partition(".")[2]: value for name, value in best.params.items()}  # with the recipe's own epochs
    options[TRAIN_GAN.name] = ask({TRAIN_GAN.name: [params]}, words)[TRAIN_GAN.name].options()
    return to_toml(source.words | {"about": about}, {job.name: options[job.name] for job in PIPELINE})
