"""Is a model as often right as it says?"""

import numpy as np

from distill_utils.checks import as_labels, as_soft_labels, at_least_one


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> float:
    """How far confidence and accuracy are apart, in points: the mean over bins of confidence, weighted by their texts.

    probabilities: (n_texts, n_classes); labels: (n_texts,) class numbers. Bins are of equal width (Guo et al., 2017,
    section 2). Raises ValueError when they do not match, for no texts, and for what are no probabilities.
    """
    at_least_one(bins=bins, labels=len(labels))
    found = np.asarray(probabilities)
    found = as_soft_labels(found, len(labels), found.shape[-1]).astype(np.float64)
    labels = as_labels(labels, found.shape[1], len(found))
    confidence, right = found.max(axis=1), found.argmax(axis=1) == labels
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(places, confidence - right, minlength=bins)  # of each bin, times its texts
    return 100 * float(np.abs(gaps).sum()) / len(found)
