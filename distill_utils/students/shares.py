"""A student's answers moved to the mix of classes that it will meet: texts made on purpose hold another one."""

from collections.abc import Iterable

import numpy as np
import torch

from distill_utils.checks import as_logits
from distill_utils.students.student import Student

ROUNDS = 20  # over the classes; two classes need one


@torch.no_grad()
def match_shares(student: Student, texts: Iterable[str], shares: np.ndarray) -> None:
    """Move the bias of a student's last layer until it answers each class for its share of the texts.

    texts: such as the student will meet, without labels. shares: of each class among them, (n_classes,), summing to 1.
    What was learned stays as it is; only the line between the classes moves (prior shift: Saerens et al., 2002).

    Raises ValueError for no texts, and for shares that are none.
    """
    bias = bias_to_shares(student.predict_logits(texts), shares)
    student.output.bias += torch.from_numpy(bias).to(student.output.bias)


def bias_to_shares(logits: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """What to add to logits, (n_texts, n_classes), so that each class is the largest in its share of the texts.

    float32, (n_classes,), of mean 0. Class by class: a class gets its share when the texts where it leads by most are
    as many. Raises ValueError for no texts, for what is not finite, and for shares that are no probabilities.
    """
    logits = as_logits(logits).astype(np.float64)
    n_texts, n_classes = logits.shape
    if not n_texts:
        raise ValueError("0 texts: give some of those that the student will meet")
    shares = np.asarray(shares, dtype=float)
    if shares.shape != (n_classes,) or not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-3:
        raise ValueError(f"shares {shares.tolist()}: give {n_classes} numbers of 0 or more, one a class, that sum to 1")
    bias = np.zeros(n_classes)
    for _ in range(ROUNDS):
        for number in range(n_classes):
            moved = logits + bias
            lead = np.sort(moved[:, number] - np.delete(moved, number, axis=1).max(axis=1))[::-1]
            lead = [lead[0] + 1, *lead, lead[-1] - 1]  # it may win none, or all
            ours = round(n_texts * shares[number])  # texts to win: the line goes behind the last of them
            bias[number] -= (lead[ours] + lead[ours + 1]) / 2
    return (bias - bias.mean()).astype(np.float32)
