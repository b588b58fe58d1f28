"""The command `evaluate`, and those that score one snapshot or two datasets."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.evaluate.missing import addable, lacking
from jobs.evaluate.options import EvaluateOptions
from jobs.evaluate.validate import validate
from jobs.pipeline import EVALUATE, JOB_NAMES, PREPROCESS, SYNTHESIZE, TRAIN_GAN
from shared.cli.click_options import LocalPath
from shared.cli.common_options import experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.job import JobGroup, job
from shared.cli.recipes import Recipe
from shared.cli.run import Additions, How, Result, Run
from shared.models.fit_options import FIT_IMPORTS
from shared.models.tables import EXTRACTORS
from shared.runtime.launch import is_main_process

if TYPE_CHECKING:
    from shared.plots.gallery import Pictures
    from shared.store.records.scores import ScoresRecord


@job(
    EVALUATE,
    EvaluateOptions,
    jobs=JOB_NAMES,
    how=How(
        preload=(*FIT_IMPORTS, "jobs.evaluate.imported", "jobs.evaluate.tensorboard", "shared.plots.gallery"),
        additions=Additions(lacking, addable),
        divides=True,
    ),
    validate=validate,
    cls=JobGroup,
)
def main(run: Run, config: EvaluateOptions) -> Result | None:
    """Score every snapshot on the val split, choose the best, score that one again on the test split.

    Extractors: classifier (the experiment's own), efficientnet_lite0, inception_clean (clean-fid's FID),
    inception_legacy (TensorFlow's FID). Only Inception's scores are called FID, KID and Inception Score. Every snapshot
    is scored with the same latents; the chosen one is scored on test with fresh ones, so that the reported score is not
    that of a lucky draw, and against the train images, as papers do. Scores whose weights are missing are left out, and
    added by the next call once they are there. With --scored synthetic the images that synthesize imported are scored
    on test: nothing is chosen. With --parts several processes share the replicates, and the snapshots of each where
    there are more of them; the last one chooses. `halfreal compare A B` compares experiments.
    """
    from jobs.evaluate.tensorboard import write_tensorboard
    from shared.metrics.protocol import in_words
    from shared.plots.gallery import save_all

    record = imported(run, config) if config.imported else snapshots(run, config)
    if record is None:
        return None
    # all processes have the same record; one of them writes
    if is_main_process():
        save_all(pictures_of(run, config, record), run.figures)
        write_tensorboard(run.folder, record.rows)
    score = record.chosen_score
    chose = f"imported images: {score}" if record.imported else f"chose epoch {record.chosen_snapshot.epoch}: {score}"
    on_test = record.on_test
    if on_test is None:
        return Result(record, summary=f"{chose} {min(value for _, value in record.curve):.3f} on val")
    reference = on_test.train_reference
    for protocol in [*on_test.test_protocols.values(), *(reference.protocols.values() if reference else ())]:
        run.reporter.info(f"protocol: {in_words(protocol)}")
    flagged = [space for space, copies in on_test.copies.items() if copies.flagged]
    copies = f"; it copies training images, by {' and '.join(flagged)}: see the report" if flagged else ""
    test, real_train = on_test.test.scores[score], on_test.real.scores[score]
    return Result(record, summary=f"{chose} {test:.3f} on test (real train: {real_train:.3f}){copies}")


def pictures_of(run: Run, config: EvaluateOptions, record: "ScoresRecord") -> "Pictures":
    """Draw the scores of the snapshots, or of the imported images."""
    from shared.plots.gallery import imported_scores_pictures, scores_pictures

    if config.imported:
        return imported_scores_pictures(record, run.input(PREPROCESS), run.input(SYNTHESIZE))
    return scores_pictures(record, run.input(PREPROCESS), run.input(TRAIN_GAN))


def snapshots(run: Run, config: EvaluateOptions) -> "ScoresRecord | None":
    """Score the snapshots of a GAN, or add to what is there of their scores; None while other parts are at some."""
    from jobs.evaluate.selection import choose, extend, plan_of
    from shared.store.artifacts import as_output

    plan = plan_of(run, config)
    return choose(run, plan) if run.extends is None else extend(run, plan, as_output(EVALUATE, run.extends).record)


def imported(run: Run, config: EvaluateOptions) -> "ScoresRecord":
    """Score imported images, or add to what is there of their scores."""
    from jobs.evaluate.imported import evaluate_imported, extend_imported
    from jobs.evaluate.selection import plan_of
    from shared.store.artifacts import as_output

    plan = plan_of(run, config)
    if run.extends is None:
        return evaluate_imported(run, plan)
    return extend_imported(run, plan, as_output(EVALUATE, run.extends).record)


@click.command("between", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.argument("synthetic", type=LocalPath())
@click.argument("real", type=LocalPath())
@click.option("--split", default="test", help="Split of the real dataset.")
@click.option(
    "--extractor",
    # a classifier is an experiment's own
    type=click.Choice([name for name in EXTRACTORS if name != "classifier"]),
    default="efficientnet_lite0",
    help="Feature extractor.",
)
@click.option("--data-root", type=LocalPath(), default=Path("data"), envvar="HALFREAL_DATA_ROOT")
@click.option("--device", default="auto", envvar="HALFREAL_DEVICE", help="Device of torch: cpu, cuda, cuda:1 or auto.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Random seed of the scores.")
def between(synthetic: Path, real: Path, split: str, extractor: str, data_root: Path, device: str, seed: int) -> None:
    """Print, as JSON, every score of the shards in SYNTHETIC against a split of those in REAL, with the protocol."""
    from jobs.evaluate.score_datasets import open_dataset, score_between

    opened = open_dataset(synthetic), open_dataset(real)
    scores = score_between(*opened, split, extractor, data_root / "weights", device, seed)
    click.echo(json.dumps(scores, indent=1))


@click.command("snapshot", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.argument("file", type=LocalPath())
@place
@click.option("--images", type=click.IntRange(4), default=2000, help="Synthetic images drawn.")
@click.option("--extractor", type=click.Choice(tuple(EXTRACTORS)), default="classifier", help="Feature extractor.")
@click.option(
    "--fallback",
    type=click.Choice(tuple(EXTRACTORS)),
    default="classifier",
    help="Its stand-in without weights.",
)
@click.option("--device", default="auto", envvar="HALFREAL_DEVICE", help="Device of torch: cpu, cuda, cuda:1 or auto.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Random seed of the latents and of the scores."
)
def snapshot(
    file: Path, recipe: Recipe, experiment: str | None, data_root: Path, device: str, debug: bool, **plan: Any
) -> None:
    """Print, as JSON, the distances on val of one snapshot FILE, of a GAN that may still be training."""
    from jobs.evaluate.snapshot import score_file

    folder = data_root / experiment_name(experiment, recipe)
    click.echo(score_file(file, folder, device, **plan).model_dump_json())


main.add_command(snapshot)  # type: ignore[attr-defined]
main.add_command(between)  # type: ignore[attr-defined]

if __name__ == "__main__":
    main()
