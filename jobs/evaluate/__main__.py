"""The command `evaluate`."""

from dataclasses import dataclass

import click

from jobs.pipeline import EVALUATE
from shared.cli import job
from shared.job import Result, Run


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """The options of evaluate, checked."""

    images: int
    seed: int


@job(EVALUATE, EvaluateConfig)
@click.option("--images", type=click.IntRange(4), default=2000, help="Synthetic images drawn for each score.")
def main(run: Run, config: EvaluateConfig) -> Result:
    """Score every snapshot on the val split, choose the best, score that one again on the test split.

    Scores are distances in the features of the experiment's own classifier (`frechet_classifier`,
    `kernel_classifier`; not FID, which is defined on Inception features). The same latents score every snapshot;
    the chosen one is scored on test with fresh ones, so that the printed best is not a lucky draw.
    """
    from jobs.evaluate.selection import evaluate
    from shared.charts import score_curve
    from shared.figures import named_rows, save_png
    from shared.snapshots import real_beside_generated

    facts = evaluate(run, config.images, config.seed)
    save_png(score_curve(facts), run.figures / "scores.png")
    real, gan, chosen = run.inputs["real"], run.inputs["gan"], facts["chosen"]
    title = f"left real test images, right generated after epoch {chosen['epoch']}"
    rows = named_rows(real_beside_generated(real, gan, chosen["file"]), real.dataset.classes, title)
    save_png(rows, run.figures / "real_and_generated.png")
    test, own = facts["test"]["frechet_classifier"], facts["real"]["frechet_classifier"]
    return Result(
        facts,
        summary=f"chose epoch {chosen['epoch']}: frechet_classifier {test:.3f} on test (real train: {own:.3f})",
    )


if __name__ == "__main__":
    main()
