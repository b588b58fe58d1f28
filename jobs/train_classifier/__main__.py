"""The command `train_classifier`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from jobs.expected import expected_images
from jobs.pipeline import TRAIN_CLASSIFIER
from shared.cli.job import job
from shared.cli.run import Result, Run
from shared.data.resizing import FILTERS
from shared.models.fit_options import FitConfig
from shared.models.tables import CLASSIFIERS
from shared.store.work_shards import Shard

if TYPE_CHECKING:
    from shared.data.images import Images
    from shared.models.fitting import Fitted


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig(FitConfig):
    """The options of train_classifier, checked; `size_px` 0 is the size of the dataset's images."""

    patience: int
    size_px: int
    resize_filter: str
    seed: int


def check_size(config: ClassifierConfig, part: Shard, inputs: dict[str, Any]) -> None:
    """Raise BadConfig for images that the network is not built for."""
    config.check_size(config.size_px or expected_images(inputs).size_px)


@job(TRAIN_CLASSIFIER, ClassifierConfig, check=check_size)
@click.option("--network", type=click.Choice(tuple(CLASSIFIERS)), default="small_cnn", help="Its layers.")
@click.option("--size-px", type=click.IntRange(0), default=0, help="Size of image that it sees; 0 is the dataset's.")
@click.option("--resize-filter", type=click.Choice(FILTERS), default="bicubic", help="Brings images to that size.")
@click.option("--steps", type=click.IntRange(1), default=2000, help="Optimizer steps at most.")
@click.option("--batch-images", type=click.IntRange(2), default=64, help="Images in a step.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=1e-3, help="Of Adam.")
@click.option("--measure-every", type=click.IntRange(1), default=50, help="Steps between measurements on val.")
@click.option("--patience", type=click.IntRange(0), default=8, help="Measurements without a better one; 0 never stops.")
@click.option("--width", type=click.IntRange(1), default=16, help="Channels of the first convolution.")
def main(run: Run, config: ClassifierConfig) -> Result:
    """Train a small CNN on the real train split, choose the best weights on val, measure them on test.

    Best is the highest macro F1 on val. Writes the model `classifier`, which annotates synthetic images and whose
    features the scores use, and figures of its training and its confusion matrix.
    """
    from shared.data.images import load_split
    from shared.models.fitting import classifier_spec, fit, save_classifier
    from shared.runtime.devices import pick_device
    from shared.store.records.classifier import ClassifierRecord

    real = run.inputs["real"]
    size_px = config.size_px or real.dataset.size_px
    splits = {name: load_split(real, name).at(size_px, config.resize_filter) for name in ("train", "val", "test")}
    with run.reporter.bar("train", config.steps, "steps") as bar:
        fitted = fit(
            splits["train"],
            splits["val"],
            len(real.dataset.classes),
            config,
            seed=config.seed,
            device=pick_device(run.device),
            patience=config.patience,
            on_step=bar.advance,
        )
    spec = classifier_spec(splits["train"], len(real.dataset.classes), config)
    save_classifier(run.folder, fitted.network, spec, config.resize_filter)
    facts = measure(fitted, {name: splits[name] for name in ("val", "test")}, real.dataset.classes)
    facts |= {"network": config.network, "size_px": size_px, "resize_filter": config.resize_filter}
    draw(run, facts)
    test = facts["test"]
    return Result(
        ClassifierRecord.model_validate(facts),
        summary=f"best at step {fitted.best_step}; test accuracy {test['accuracy']:.4f}, F1 {test['f1']:.4f}",
    )


def measure(fitted: "Fitted", splits: "dict[str, Images]", classes: list[str]) -> dict[str, Any]:
    """Return the facts of the fitted classifier: its curve and its table on each of `splits`."""
    from shared.metrics.classification import score_table
    from shared.models.classifiers import parameter_count
    from shared.models.fitting import logits_of

    tables = {}
    for split, images in splits.items():
        predicted = logits_of(fitted.network, images.images).argmax(dim=1).cpu().numpy()
        tables[split] = score_table(images.labels.numpy(), predicted, classes)
    return {
        "classes": classes,
        "best_step": fitted.best_step,
        "curve": fitted.curve,
        "parameters": parameter_count(fitted.network),
        **tables,
    }


def draw(run: Run, facts: dict[str, Any]) -> None:
    """Draw the confusion matrix on test and the curve of training."""
    from shared.plots.charts import classifier_curve
    from shared.plots.figures import confusion, save_png

    title = f"annotator on {facts['test']['n']:,} real test images"
    save_png(confusion(facts["test"]["confusion"], facts["classes"], title), run.figures / "confusion.png")
    save_png(classifier_curve(facts), run.figures / "curve.png")


if __name__ == "__main__":
    main()
