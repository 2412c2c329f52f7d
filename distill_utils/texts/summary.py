"""What is in a labelled data set: how many of each class, what repeats, how long, in which letters."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from distill_utils.checks import as_labels, as_texts
from distill_utils.texts.words import normalise, words_of

FEW = 30  # test texts of a class: below, one of them moves its recall by more than three points


def class_counts(labels: dict[str, np.ndarray], names: Sequence[str]) -> pd.DataFrame:
    """A row a class, the most frequent first: its texts in each split, and its share of the first one in percent."""
    counts = {split: np.bincount(as_labels(found, len(names)), minlength=len(names)) for split, found in labels.items()}
    frame = pd.DataFrame({"class": list(names), **counts})
    first = next(iter(counts))
    frame["share %"] = 100 * frame[first] / frame[first].sum()
    return frame.sort_values(first, ascending=False, kind="stable", ignore_index=True)


def facts(texts: list[str], labels: np.ndarray) -> dict[str, float]:
    """What repeats, how long, in which letters; texts are compared as `words.normalise` writes them.

    `repeated`: texts that an earlier one equals. `contradicting`: texts that stand there with another label, too.
    `median words`, `most words`: of a text, 99% have at most so many. `not ASCII %`: words with a letter outside it.
    Raises ValueError when there are no texts, or not one label a text.
    """
    texts = as_texts(texts)
    frame = pd.DataFrame({"text": map(normalise, texts), "label": as_labels(labels, n_texts=len(texts))})
    if frame.empty:
        raise ValueError("0 texts: give some to look at")
    words = [words_of(text) for text in texts]
    lengths, total = np.array([len(found) for found in words]), sum(map(len, words))
    foreign = sum(not word.isascii() for found in words for word in found)
    return {
        "texts": len(texts),
        "repeated": int(frame["text"].duplicated().sum()),
        "contradicting": int((frame.groupby("text")["label"].transform("nunique") > 1).sum()),
        "median words": int(np.median(lengths)),
        "most words (99%)": int(np.percentile(lengths, 99)),
        "not ASCII %": 100 * foreign / max(total, 1),
    }


def too_small(labels: np.ndarray, names: Sequence[str], few: int = FEW) -> list[str]:
    """One line for each class with fewer than `few` test texts: how much a single text weighs."""
    counts = np.bincount(as_labels(labels, len(names)), minlength=len(names))
    lines = []
    for name, count in zip(names, counts.tolist(), strict=True):
        if count == 0:
            lines.append(f"class {name!r} has no test text: nothing is known of it")
        elif count < few:
            weight = f"one of them is {100 / count:.0f} points of its recall"
            lines.append(f"class {name!r} has {count} test text(s), and {weight}: read its scores as a hint")
    return lines
