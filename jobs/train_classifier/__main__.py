"""The command `train_classifier`."""

from typing import TYPE_CHECKING, Any

from jobs.pipeline import JOB_NAMES, TRAIN_CLASSIFIER
from jobs.train_classifier.options import ClassifierOptions
from jobs.train_classifier.validate import validate
from shared.cli.job import job
from shared.cli.run import Result, Run

if TYPE_CHECKING:
    from shared.data.images import Images
    from shared.models.fitting import Fitted


@job(TRAIN_CLASSIFIER, ClassifierOptions, jobs=JOB_NAMES, validate=validate)
def main(run: Run, config: ClassifierOptions) -> Result:
    """Train a small CNN on the real train split, choose the best weights on val, measure them on test.

    Best is the highest macro F1 on val. Writes the model `classifier`, which annotates synthetic images and whose
    features the scores use, and figures of its training and its confusion matrix.
    """
    from shared.data.images import load_split
    from shared.models.fitting import FitExtras, classifier_spec, fit, save_classifier
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
            extras=FitExtras(config.patience, on_step=bar.advance),
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
