"""What a mean hides: each class on its own, and which classes are taken for which."""

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from distill_utils.checks import as_labels, at_least_one


def per_class(labels: np.ndarray, predictions: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    """A row a class: `class`, `texts` (that have it), `precision`, `recall` and `F1` in percent.

    labels, predictions: (n_texts,) class numbers. A class that is never predicted has precision 0, one without a
    text recall 0. Raises ValueError for no texts, other lengths, and numbers without a name.
    """
    labels, predictions = _checked(labels, predictions, len(names))
    numbers = list(range(len(names)))
    found = precision_recall_fscore_support(labels, predictions, labels=numbers, zero_division=0)
    precision, recall, f1 = (100 * values for values in found[:3])
    return pd.DataFrame({"class": names, "texts": found[3], "precision": precision, "recall": recall, "F1": f1})


def confusion_counts(labels: np.ndarray, predictions: np.ndarray, n_classes: int) -> np.ndarray:
    """How many texts of each class (rows) got each answer (columns), (n_classes, n_classes) int64."""
    labels, predictions = _checked(labels, predictions, n_classes)
    return confusion_matrix(labels, predictions, labels=list(range(n_classes)))


def _checked(labels: np.ndarray, predictions: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    labels = as_labels(labels, n_classes)
    at_least_one(labels=len(labels))
    return labels, as_labels(predictions, n_classes, len(labels), what="predictions")
