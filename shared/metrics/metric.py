"""Every metric as a row: what it is called, what computes it, which direction is better, between what it lies.

Scorer, comparisons, tuning, report and results read these tables, so that a new metric is a row and a function. No
torch or numpy in here: the rows name their functions.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.lazy import Lazy

if TYPE_CHECKING:
    from shared.metrics.classification import Array, Counts
    from shared.models.extractor import FeatureSet


@dataclass(frozen=True)
class FeaturePair:
    """What a metric of features compares; `classes` are the names of the labels, `seed` is that of its draws."""

    synthetic: "FeatureSet"
    real: "FeatureSet"
    classes: list[str]
    seed: int


Compute = Callable[[FeaturePair], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What is known of a metric; `higher_is_better` is None for what says nothing of quality, such as an error.

    `headline` metrics are those of short tables, the others are stored and shown in full ones only.
    """

    name: str
    about: str
    higher_is_better: bool | None
    low: float = 0.0
    high: float = 1.0
    headline: bool = False


@dataclass(frozen=True, kw_only=True)
class FeatureMetric(Metric):
    """A metric of the features of synthetic and real images, stored as `<name>_<extractor>_<suffix>`.

    `compute` returns values by `key`; rows of one computation share it, and each takes its own. Inception's
    features give the metric another name, `inception_name`: FID, KID and the Inception Score are what Inception gives,
    and nothing else.
    Every snapshot is scored by those that are `per_snapshot`.
    """

    compute: "Lazy[Compute]"
    suffix: str = ""
    inception_name: str | None = None
    per_snapshot: bool = False

    @property
    def by_class(self) -> bool:
        """Whether it has a value for each class."""
        return self.suffix == "by_class"

    @property
    def key(self) -> str:
        """The name without the extractor."""
        return "_".join(filter(None, (self.name, self.suffix)))

    def stored_name(self, extractor: str) -> str:
        """Return the name that its value of an extractor's features has in results."""
        name = self.inception_name if self.inception_name and extractor.startswith("inception") else self.name
        return "_".join(filter(None, (name, extractor, self.suffix)))


@dataclass(frozen=True, kw_only=True)
class ClassificationMetric(Metric):
    """A metric of a classifier's answers on labelled images.

    `compute` takes their counts; that of a `ranked` one takes the areas under the ROC curves, (..., classes).
    """

    compute: "Lazy[Callable[[Counts], float]] | Lazy[Callable[[Array], Array]]"
    ranked: bool = False


EXTRAPOLATION: "Lazy[Compute]" = Lazy("shared.metrics.features.frechet:extrapolated_score")
PRDC: "Lazy[Compute]" = Lazy("shared.metrics.features.prdc:score")
CLASS_SCORE: "Lazy[Compute]" = Lazy("shared.metrics.features.inception_score:score")

FRECHET = FeatureMetric(
    name="frechet",
    inception_name="fid",
    about="Fréchet distance of Gaussians fitted to the features (Heusel et al. 2017)",
    compute=Lazy("shared.metrics.features.frechet:score"),
    higher_is_better=False,
    high=math.inf,
    per_snapshot=True,
    headline=True,
)

KERNEL = FeatureMetric(
    name="kernel",
    inception_name="kid",
    about="squared MMD with a cubic kernel, unbiased, so that it may be negative (Binkowski et al. 2018)",
    compute=Lazy("shared.metrics.features.kernel:score"),
    higher_is_better=False,
    low=-math.inf,
    high=math.inf,
    per_snapshot=True,
    headline=True,
)

FEATURE_METRICS = (
    FRECHET,
    KERNEL,
    FeatureMetric(
        name="kernel",
        suffix="se",
        inception_name="kid",
        about="standard error of the kernel distance",
        compute=KERNEL.compute,
        higher_is_better=None,
        high=math.inf,
        per_snapshot=True,
    ),
    FeatureMetric(
        name="frechet",
        suffix="infinite",
        inception_name="fid",
        about="Fréchet distance extrapolated to infinitely many synthetic images (Chong and Forsyth 2020); of the real "
        "ones there are as many as there are, so that their part of the bias stays",
        compute=EXTRAPOLATION,
        higher_is_better=False,
        low=-math.inf,
        high=math.inf,
    ),
    FeatureMetric(
        name="frechet",
        suffix="slope",
        inception_name="fid",
        about="slope of that extrapolation over 1 / n, n synthetic images",
        compute=EXTRAPOLATION,
        higher_is_better=None,
        low=-math.inf,
        high=math.inf,
    ),
    FeatureMetric(
        name="frechet",
        suffix="by_class",
        inception_name="fid",
        about="Fréchet distance of the images of each class",
        compute=Lazy("shared.metrics.features.frechet:class_score"),
        higher_is_better=False,
        high=math.inf,
    ),
    FeatureMetric(
        name="precision",
        about="share of synthetic images within the real ones' manifold (Kynkäänniemi et al. 2019)",
        compute=PRDC,
        higher_is_better=True,
        headline=True,
    ),
    FeatureMetric(
        name="recall",
        about="share of real images within the synthetic ones' manifold (Kynkäänniemi et al. 2019)",
        compute=PRDC,
        higher_is_better=True,
        headline=True,
    ),
    FeatureMetric(
        name="density",
        about="real neighbourhoods that a synthetic image lies in, 1 where the sets are alike (Naeem et al. 2020)",
        compute=PRDC,
        higher_is_better=True,
        high=math.inf,
        headline=True,
    ),
    FeatureMetric(
        name="coverage",
        about="share of real neighbourhoods with a synthetic image in them (Naeem et al. 2020)",
        compute=PRDC,
        higher_is_better=True,
        headline=True,
    ),
    FeatureMetric(
        name="class_score",
        inception_name="inception_score",
        about="exp of the mean divergence of an image's classes from those of all (Salimans et al. 2016)",
        compute=CLASS_SCORE,
        higher_is_better=True,
        low=1.0,
        high=math.inf,
    ),
    FeatureMetric(
        name="class_score",
        suffix="std",
        inception_name="inception_score",
        about="standard deviation of that score over parts of the images",
        compute=CLASS_SCORE,
        higher_is_better=None,
        high=math.inf,
    ),
)

OTHER_METRICS = (
    Metric(
        name="agreement",
        about="share of images that the experiment's classifier gives the class asked for",
        higher_is_better=True,
        headline=True,
    ),
    Metric(
        name="synthetic_only_accuracy",
        about="classification accuracy score: of a classifier trained on synthetic images alone (Ravuri, Vinyals 2019)",
        higher_is_better=True,
        headline=True,
    ),
)
"""Metrics of a generator that are not computed from features: `jobs` that have what they need compute them."""

CLASSIFICATION_METRICS = (
    ClassificationMetric(
        name="accuracy",
        about="share of images whose class is right",
        compute=Lazy("shared.metrics.classification:accuracy"),
        higher_is_better=True,
        headline=True,
    ),
    ClassificationMetric(
        name="balanced_accuracy",
        about="mean recall of the classes that occur",
        compute=Lazy("shared.metrics.classification:balanced_accuracy"),
        higher_is_better=True,
    ),
    ClassificationMetric(
        name="precision",
        about="macro precision",
        compute=Lazy("shared.metrics.classification:precision"),
        higher_is_better=True,
        headline=True,
    ),
    ClassificationMetric(
        name="recall",
        about="macro recall",
        compute=Lazy("shared.metrics.classification:recall"),
        higher_is_better=True,
        headline=True,
    ),
    ClassificationMetric(
        name="f1",
        about="macro F1",
        compute=Lazy("shared.metrics.classification:f1"),
        higher_is_better=True,
        headline=True,
    ),
    ClassificationMetric(
        name="roc_auc",
        about="area under the ROC curve, macro mean of one class against the rest",
        compute=Lazy("shared.metrics.classification:roc_auc"),
        higher_is_better=True,
        ranked=True,
    ),
)


def metric_of(stored: str, extractors: Iterable[str]) -> Metric | None:
    """Return the row of a generator's metric by the name that results store it under.

    None for a name of no row, as a volume of another version may hold.
    """
    names = {row.stored_name(extractor): row for row in FEATURE_METRICS for extractor in extractors}
    return names.get(stored) or next((row for row in OTHER_METRICS if row.name == stored), None)


def extrapolated_side(stored: str, extractors: Iterable[str]) -> str | None:
    """Return of which images' number a score is extrapolated, "synthetic"; None for a score as it was measured."""
    metric = metric_of(stored, extractors)
    return "synthetic" if isinstance(metric, FeatureMetric) and metric.suffix == "infinite" else None


def headline_names(extractor: str) -> dict[str, Metric]:
    """Return the rows of a generator's headline metrics by the names that results store them under."""
    rows: dict[str, Metric] = {row.stored_name(extractor): row for row in FEATURE_METRICS}
    rows |= {row.name: row for row in OTHER_METRICS}
    return {name: row for name, row in rows.items() if row.headline}
