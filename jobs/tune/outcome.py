"""What a search shows: trials, importances, before and after on test, the tuned recipe."""

import shlex
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from jobs.pipeline import EVALUATE, PIPELINE, TRAIN_GAN, TUNE
from jobs.tune.image_grid import baseline_and_tuned
from jobs.tune.options import TuneConfig
from jobs.tune.study import Study, trial_name
from jobs.tune.trial_runner import TrialRunner
from shared.cli.progress import Reporter
from shared.cli.recipes import load_recipe, to_toml
from shared.cli.run import Result, Run
from shared.format.files import write_whole
from shared.metrics.metric import headline_names
from shared.runtime.job_processes import ask
from shared.stats.confidence import LEVEL_TEXT
from shared.stats.intervals import student_summary, welch_difference
from shared.stats.significance import direction_shown
from shared.store.artifacts import Artifact, open_artifact
from shared.store.checkpoints import save
from shared.store.records.tune import TuneRecord

FEWEST = 4
"""Trials from which importances are worked out."""

GRID = "grid.safetensors"


@dataclass(frozen=True)
class Comparison:
    """One run before or after: its folder, the options that it has besides the recipe's, its seed."""

    name: str
    params: dict[str, Any]
    seed: int


def sides(study: Study, config: TuneConfig) -> dict[str, list[Comparison]]:
    """Return the runs before, with the recipe's own options, and after, with the best trial's.

    Their seeds are none that a trial had. Where the best trial has the recipe's own options both are the same.
    """
    best = study.best
    assert best is not None
    after = f"trial-{trial_name(best.number)}", best.params
    chosen = {"before": ("recipe", {}), "after": ("recipe", {}) if best.params == config.own else after}
    seeds = range(config.seed + 1, config.seed + 1 + config.seeds)
    return {
        side: [Comparison(f"{name}-seed-{seed}", params, seed) for seed in seeds]
        for side, (name, params) in chosen.items()
    }


def comparison_runs(study: Study, config: TuneConfig) -> list[Comparison]:
    """Return every run of both sides once."""
    found = sides(study, config)
    return [*found["before"], *(run for run in found["after"] if run not in found["before"])]


def pair_of(study: Study, config: TuneConfig, found: Comparison, words: list[str], reporter: Reporter) -> TrialRunner:
    """Return the jobs of a run before or after, which are scored on test."""
    options = config.fixed | found.params | {"train_gan.seed": found.seed, "evaluate.seed": found.seed}
    options |= {"evaluate.reference": "test", "evaluate.synthetic_only": True}
    return TrialRunner(study.folder / found.name, words, options, reporter)


def finish(run: Run, config: TuneConfig, recipe: str, words: list[str], storage: str | None) -> Result:
    """Write figures, the grid and the tuned recipe of a search in which everything is done; return its facts."""
    study = Study(run.folder.parent / "trials" / config.study(run.inputs), config, storage)
    best = study.best
    assert best is not None
    scores = {side: [_scores(study, found.name) for found in runs] for side, runs in sides(study, config).items()}
    protocol = scores["before"][0].facts["test_protocols"]
    score = scores["before"][0].facts["chosen_score"]
    facts: dict[str, Any] = {
        "objective": "error of a classifier trained on synthetic images alone"
        if config.objective == "synthetic_only"
        else score,
        "score": score,
        "trials": [trial_facts(study, trial) for trial in study.trials],
        "rungs": config.rungs,
        "best": {"number": best.number, "value": best.value, "params": best.params},
        "own": config.own,
        **importances(study, config),
        "comparison": compare(scores, score, config.objective, best.params == config.own),
        "epochs": config.train_gan["epochs"],
        "seeds": [found.seed for found in sides(study, config)["before"]],
        "protocol": protocol[score.split("_", 1)[1]],
        "val_protocol": _scores(study, trial_name(best.number)).facts["protocol"],
    }
    write_whole(run.folder / "tuned.toml", tuned_recipe(recipe, config, words, facts).encode())
    gans = [
        open_artifact(each[0].folder.parent / TRAIN_GAN.writes, TRAIN_GAN.kind, TRAIN_GAN.name)
        for each in scores.values()
    ]
    files = [each[0].facts["chosen"]["file"] for each in scores.values()]
    sheet = baseline_and_tuned(run.inputs["real"], gans, files)
    save(run.folder / GRID, {"sheet": sheet}, {})
    _draw(run, facts, sheet)
    tuned = run.folder.parent / TUNE.writes / "tuned.toml"
    return Result(
        TuneRecord.model_validate(facts),
        summary=f"{facts['comparison']['sentence']}\nhalfreal run --recipe {shlex.quote(str(tuned))}",
    )


def _draw(run: Run, facts: dict[str, Any], sheet: Any) -> None:
    from shared.plots.figures import named_rows, save_png
    from shared.plots.trial_charts import GRID_TITLE, trial_charts

    for name, (figure, _) in trial_charts(facts).items():
        save_png(figure, run.figures / f"{name}.png")
    save_png(named_rows(sheet, run.inputs["real"].dataset.classes, GRID_TITLE), run.figures / "baseline_and_tuned.png")


def _scores(study: Study, name: str) -> Artifact:
    return open_artifact(study.folder / name / EVALUATE.writes, EVALUATE.kind, EVALUATE.name)


def trial_facts(study: Study, trial: FrozenTrial) -> dict[str, Any]:
    """Return what is kept of a trial: state, options, value, its score after each epoch that was scored."""
    curve = sorted(trial.intermediate_values.items())
    if trial.state == TrialState.COMPLETE:
        found = _scores(study, trial_name(trial.number)).facts
        curve = [(row["epoch"], row[found["chosen_score"]]) for row in found["rows"]]
    refused = trial.user_attrs.get("refused")
    return {
        "number": trial.number,
        "state": "refused" if refused else {"COMPLETE": "finished", "PRUNED": "stopped"}[trial.state.name],
        "refused": refused,
        "params": trial.params,
        "value": trial.value if trial.state == TrialState.COMPLETE else None,
        "epoch": trial.user_attrs.get("epoch"),
        "curve": [[epoch, score] for epoch, score in curve],
    }


def importances(study: Study, config: TuneConfig) -> dict[str, Any]:
    """Return how much of the differences between trials each option explains (fANOVA, Hutter et al. 2014), in [0, 1].

    Of the score at the first rung, which every trial has, where trials were stopped; of the objective otherwise. None
    where there are too few trials, or all are alike.
    """
    early = any(trial.state == TrialState.PRUNED and trial.intermediate_values for trial in study.trials)
    values = {
        trial.number: trial.intermediate_values[min(trial.intermediate_values)] if early else trial.value
        for trial in study.trials
        if (trial.intermediate_values if early else trial.state == TrialState.COMPLETE)
    }
    what = f"score at the first rung ({config.rungs[0]} epochs)" if early else "objective"
    about = {"importance_of": what, "importance_trials": len(values)}
    if len(values) < FEWEST or len(set(values.values())) == 1:
        return about | {"importances": None}
    again = optuna.create_study()
    for trial in study.trials:
        if trial.number in values:
            again.add_trial(
                optuna.create_trial(params=trial.params, distributions=trial.distributions, value=values[trial.number])
            )
    evaluator = FanovaImportanceEvaluator(seed=config.seed)
    return about | {"importances": dict(get_param_importances(again, evaluator=evaluator))}


def compare(scores: dict[str, list[Artifact]], score: str, objective: str, unchanged: bool) -> dict[str, Any]:
    """Return, from the scores of both sides' runs, a row for each figure of quality, and the finding in a sentence.

    The first row, of which the sentence speaks, is that of the objective.
    """
    rows = []
    for name, metric in headline_names(extractor=score.split("_", 1)[1]).items():
        lower_is_better = not metric.higher_is_better
        found = {side: [figure_of(each, name) for each in artifacts] for side, artifacts in scores.items()}
        if None not in found["before"] + found["after"]:
            change = welch_difference(found["before"], found["after"])
            shown = direction_shown(change["low"], change["high"], lower_is_better)
            rows.append(
                {
                    "name": name,
                    "lower_is_better": lower_is_better,
                    **{side: student_summary(values, metric.low, metric.high) for side, values in found.items()},
                    "change": change,
                    "outcome": "unchanged" if unchanged else shown,
                }
            )
    first = "synthetic_only_accuracy" if objective == "synthetic_only" else score
    rows.sort(key=lambda row: row["name"] != first)
    return {"rows": rows, "unchanged": unchanged, "sentence": sentence(rows[0], unchanged)}


def figure_of(scores: Artifact, name: str) -> Any:
    """Return a figure of quality on test by name; None where there is none, such as agreement without classes."""
    if name == "synthetic_only_accuracy":
        return scores.facts["synthetic_only"]["accuracy"]
    return scores.facts["test"][name]


def sentence(row: dict[str, Any], unchanged: bool) -> str:
    """Return the finding in words, from the row of the score that trials were chosen by."""
    name, count = row["name"], len(row["before"]["values"])
    before, after = (f"{row[side]['mean']:.3g}" for side in ("before", "after"))
    if unchanged:
        seeds = "1 seed" if count == 1 else f"{count} seeds"
        return f"No trial did better on val than the recipe's own options: {name} is {before} on test ({seeds})."
    low, high = row["change"]["low"], row["change"]["high"]
    means = f"from {before} to {after} on test"
    if low is None:
        return f"Tuning changed {name} {means}; one seed of each cannot say more."
    interval = f"{LEVEL_TEXT} interval of the difference {low:+.3g} to {high:+.3g}, {count} seeds each"
    if row["outcome"] == "no difference shown":
        return f"Tuning made no difference to {name} that these runs can show: {means} ({interval})."
    verb = "lowered" if row["change"]["difference"] < 0 else "raised"
    return f"Tuning {verb} {name} {means} ({interval})."


def tuned_recipe(recipe: str, config: TuneConfig, words: list[str], facts: dict[str, Any]) -> str:
    """Return the recipe, every option of every job written out, with the options of the best trial, as TOML."""
    said = load_recipe(recipe)
    count, best = len(facts["trials"]), facts["best"]
    about = f"{said.name}, tuned: trial {best['number']} of {count} trials of {facts['epochs']} epochs."
    found = {EVALUATE.name: config.evaluate, **config.others}
    params = {name.partition(".")[2]: value for name, value in best["params"].items()}  # with the recipe's own epochs
    found[TRAIN_GAN.name] = ask({TRAIN_GAN.name: [params]}, words)[TRAIN_GAN.name].options()
    return to_toml(said.words | {"about": about}, {row.name: found[row.name] for row in PIPELINE})
