"""How sure is a difference? Two models on the same texts, by any metric of the scoreboard."""

from collections.abc import Callable

import numpy as np

from distill_utils.checks import as_labels, at_least_one


def paired_difference(
    metric: str, labels: np.ndarray, a: np.ndarray, b: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """The difference in a metric, a - b, on the same texts, in points, with a 95% interval.

    labels: (n_texts,) class numbers; a, b: the predictions of one model (n_texts,) or of one kind of model once a
    seed, (n_seeds, n_texts). The metric is taken for each seed and averaged; texts are redrawn (Koehn, 2004). Where
    hardly a text differs, redrawing shows too little: each end is at least 3 / n_texts away, as far as a difference of
    which n_texts texts show nothing may be (the rule of three: Hanley and Lippman-Hand, 1983).

    Raises ValueError for another metric, no texts, other lengths, and what is no class number.
    """
    if metric not in OF_CONFUSIONS:
        raise ValueError(f"unknown metric {metric!r}: use one of {', '.join(OF_CONFUSIONS)}")
    labels = as_labels(labels)
    at_least_one(labels=len(labels), draws=draws)
    models = [[as_labels(row, n_texts=len(labels), what="predictions") for row in np.atleast_2d(x)] for x in (a, b)]
    # Texts of one label and the same answers are alike, so redrawing texts is redrawing their counts.
    kinds, counts = np.unique(np.stack([labels, *models[0], *models[1]], axis=1), axis=0, return_counts=True)
    redrawn = np.random.default_rng(seed).multinomial(len(labels), counts / len(labels), size=draws)
    counts = np.concatenate([counts[None], redrawn])  # (1 + draws, n_kinds), the texts as they are first
    n_classes = int(kinds.max()) + 1

    def scores(columns: np.ndarray) -> np.ndarray:  # (1 + draws,)
        cells = kinds[:, :1] * n_classes + columns  # (n_kinds, n_seeds)
        confusions = [counts @ np.eye(n_classes**2)[cell] for cell in cells.T]
        return np.mean([OF_CONFUSIONS[metric](found.reshape(-1, n_classes, n_classes)) for found in confusions], axis=0)

    split = 1 + len(models[0])
    found = 100 * (scores(kinds[:, 1:split]) - scores(kinds[:, split:]))
    points, (low, high), least = float(found[0]), np.percentile(found[1:], [2.5, 97.5]), 300 / len(labels)
    return points, min(float(low), points - least), max(float(high), points + least)


def _accuracy(confusions: np.ndarray) -> np.ndarray:
    return np.trace(confusions, axis1=1, axis2=2) / confusions.sum(axis=(1, 2))


def _macro_f1(confusions: np.ndarray) -> np.ndarray:
    """The mean F1 of the classes that are in labels or predictions, as scikit-learn has it."""
    both = confusions.sum(axis=1) + confusions.sum(axis=2)  # (n, n_classes): 2 TP + FP + FN
    f1 = 2 * np.diagonal(confusions, axis1=1, axis2=2) / np.maximum(both, 1)
    return f1.sum(axis=1) / (both > 0).sum(axis=1)


def _matthews(confusions: np.ndarray) -> np.ndarray:
    """Gorodkin's correlation of K classes (2004); 0 where all labels, or all predictions, are one class."""
    n, right = confusions.sum(axis=(1, 2)), np.trace(confusions, axis1=1, axis2=2)
    said, true = confusions.sum(axis=1), confusions.sum(axis=2)
    spread = np.sqrt((n**2 - (said**2).sum(axis=1)) * (n**2 - (true**2).sum(axis=1)))
    return np.where(spread > 0, (n * right - (said * true).sum(axis=1)) / np.where(spread > 0, spread, 1), 0.0)


OF_CONFUSIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # (n, n_classes, n_classes) -> (n,)
    "accuracy": _accuracy,
    "macro_f1": _macro_f1,
    "matthews_correlation": _matthews,
}
