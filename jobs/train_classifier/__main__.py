"""The command `train_classifier`."""

from typing import TYPE_CHECKING

from jobs.pipeline import JOB_NAMES, PREPROCESS, TRAIN_CLASSIFIER
from jobs.train_classifier.options import ClassifierOptions
from jobs.train_classifier.validate import validate
from shared.cli.job import job
from shared.cli.run import How, Result, Run
from shared.models.fit_options import FIT_IMPORTS

if TYPE_CHECKING:
    from shared.data.images import Images
    from shared.format.manifest import Dataset
    from shared.models.networks import Classifier
    from shared.store.records.classifier import ClassTable


@job(
    TRAIN_CLASSIFIER,
    ClassifierOptions,
    jobs=JOB_NAMES,
    how=How(preload=(*FIT_IMPORTS, "sklearn.metrics", "shared.plots.gallery")),
    validate=validate,
)
def main(run: Run, config: ClassifierOptions) -> Result:
    """Train a classifier on the real train split, choose the best weights on val, measure them on test.

    Best is the highest macro F1 on val. Writes a model `classifier` for each replicate, which annotates the synthetic
    images of that replicate, and figures of its training and its confusion matrix. Scores use the features of the
    first one.
    """
    # imported here: torch takes seconds, and --help and option checks need none of it
    from shared.data.decoded.plan import memory_plan
    from shared.data.images import load_split
    from shared.models.classifiers import parameter_count
    from shared.models.fitting import FitExtras, classifier_spec, fit, save_classifier
    from shared.models.zoo.checks import check_classifier
    from shared.plots.gallery import classifier_pictures, save_all
    from shared.runtime.devices import pick_device
    from shared.store.records.classifier import ClassifierRecord

    real = run.input(PREPROCESS)
    size_px, device = config.size_px or real.dataset.size_px, pick_device(run.device)
    # what cannot work is said before the images are read
    for line in check_classifier(config, size_px, real.dataset.channels, real.dataset.class_count, device):
        run.reporter.info(line)
    names = ("train", "val", "test")
    run.reporter.info(memory_plan([(real, name) for name in names], device), event="memory")
    # the same filter is recorded and used for synthetic images: a classifier reacts to how images were resized
    splits = {name: load_split(real, name).at(size_px, config.resize_filter) for name in names}
    with run.reporter.bar("train", config.steps, "steps") as bar:
        fitted = fit(
            splits["train"],
            splits["val"],
            real.dataset.class_count,
            config,
            seed=config.seed,
            device=device,
            extras=FitExtras(config.patience, on_step=bar.advance),
        )
    spec = classifier_spec(splits["train"], real.dataset.class_count, config)
    save_classifier(run.folder, fitted.network, spec, config.resize_filter)
    # test only measures: weights were chosen on val
    val, test = (table_of(fitted.network, splits[name], real.dataset) for name in ("val", "test"))
    record = ClassifierRecord(
        network=config.network,
        size_px=size_px,
        resize_filter=config.resize_filter,
        classes=real.dataset.classes,
        attributes=real.dataset.attributes or None,
        parameters=parameter_count(fitted.network),
        best_step=fitted.best_step,
        curve=fitted.curve,
        val=val,
        test=test,
    )
    save_all(classifier_pictures(record), run.figures)
    return Result(
        record, summary=f"best at step {fitted.best_step}; test accuracy {test.accuracy:.4f}, F1 {test.f1:.4f}"
    )


def table_of(network: "Classifier", images: "Images", dataset: "Dataset") -> "ClassTable":
    """Return how well the network does on images of a dataset."""
    from shared.metrics.classification import score_table
    from shared.models.fitting import logits_of

    predicted = logits_of(network, images.pixels).argmax(dim=1).cpu().numpy()
    return score_table(images.labels.numpy(), predicted, dataset.classes, dataset.attributes)


if __name__ == "__main__":
    main()
