"""Accuracy, precision, recall, F1 and the confusion matrix of a classifier's answers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def score_table(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: list[str]) -> dict[str, Any]:
    """Return accuracy, macro and per-class precision, recall, F1 and the confusion matrix, by scikit-learn.

    Macro means run over the classes that occur in `truth` or `predicted`. Rows of `confusion` are true classes,
    columns predicted ones. A ratio whose denominator is 0 counts as 0.
    """
    from sklearn import metrics  # takes a second to import, which a command that only asks a classifier can save

    every = list(range(len(classes)))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=every, zero_division=0
    )
    macro = metrics.precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
    return {
        "n": len(truth),
        "accuracy": float(metrics.accuracy_score(truth, predicted)),
        "precision": float(macro[0]),
        "recall": float(macro[1]),
        "f1": float(macro[2]),
        "classes": [
            {
                "class_name": name,
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "n": int(support[i]),
            }
            for i, name in enumerate(classes)
        ],
        "confusion": metrics.confusion_matrix(truth, predicted, labels=every).tolist(),
    }
