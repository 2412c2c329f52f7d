"""A teacher is a column beside the text: what tables and functions that answer have in common."""

from collections.abc import Iterable

import numpy as np

from distill_utils.checks import as_names
from distill_utils.teachers.labeller import Labeller

# Logits are log-probabilities, and log 0 is infinite: without a floor one zero would outweigh all else wherever logits
# are averaged or compared. Answers written with a few decimals say nothing of what lies below it.
FLOOR = 1e-4
ROUNDING = 1e-2  # how far from 1 the probabilities of a text may sum; they are then made to sum to 1


class Column(Labeller):
    """Answers without a model behind them: no word vectors, no layers, no tokenizer, no size.

    Its logits are log-probabilities, log(FLOOR) at least; its soft labels are 0 where these stand at the floor, so that
    votes that all agree come back as a one-hot row.
    """

    def __init__(self, class_names: Iterable[str], name: str):
        self.class_names, self.name = as_names(class_names), name

    def softened(self, logits: np.ndarray) -> np.ndarray:
        """The probabilities that logits of this teacher stand for, float32, shape (n_texts, n_classes)."""
        found = np.exp(logits)
        found[found < 1.01 * FLOOR] = 0  # kept at float16 precision
        return found / found.sum(axis=1, keepdims=True)


class NoAnswer(Exception):
    """What is wrong with an answer, and the row it stands in."""

    def __init__(self, what: str, row: int):
        super().__init__(what)
        self.row = row


def probabilities(given: np.ndarray) -> np.ndarray:
    """Probabilities (n_texts, n_classes) that sum to 1 in each row, from such as nearly do. Raises NoAnswer."""
    sums = given.sum(axis=1)
    wrong = ~np.isfinite(given).all(axis=1) | (given < 0).any(axis=1) | ~(np.abs(sums - 1) <= ROUNDING)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        values = ", ".join(f"{value:.4g}" for value in given[row][:8]) + (", ..." if given.shape[1] > 8 else "")
        what = f"sum to {sums[row]:.4g}, not to 1"
        if not np.isfinite(given[row]).all():
            what = "are not all numbers"
        elif (given[row] < 0).any():
            what = "are not all 0 or more"
        raise NoAnswer(f"the probabilities {values} {what}", row)
    return given / sums[:, None]


def log_probabilities(found: np.ndarray) -> np.ndarray:
    """Logits, float32, from probabilities of the same shape."""
    return np.log(np.maximum(found, FLOOR)).astype(np.float32)


def listed(class_names: tuple[str, ...]) -> str:
    """The classes for a message."""
    more = f" and {len(class_names) - 20} more" if len(class_names) > 20 else ""
    return "the classes are " + ", ".join(" ".join(name.split())[:40] for name in class_names[:20]) + more
