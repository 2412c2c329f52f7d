"""A long text read in pieces, by a teacher or a student alike: the mean of what is said of each piece."""

from collections.abc import Callable

import numpy as np

from distill_utils.checks import as_texts
from distill_utils.texts.words import pieces


def mean_over_pieces(logits_of: Callable[[list[str]], np.ndarray], texts: list[str], longest: int) -> np.ndarray:
    """Logits, float32, (n_texts, n_classes): the mean over each text's pieces of at most `longest` words.

    logits_of: texts -> (n_texts, n_classes); it is called once, on all pieces.
    """
    parts = [pieces(text, longest) for text in as_texts(texts)]
    counts = np.array([len(part) for part in parts], np.int64)
    logits = logits_of([piece for part in parts for piece in part])
    if not parts or counts.max() == 1:
        return logits
    return np.add.reduceat(logits, np.cumsum(counts) - counts) / counts[:, None].astype(np.float32)
