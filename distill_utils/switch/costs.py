"""What the parts of a switch cost, in a unit that travels: the time in which the teacher reads one word."""

import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from distill_utils.checks import as_texts, at_least_one

Answer = Callable[[list[str]], object]


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread, as a small server has it; as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def in_teacher_words(
    parts: dict[str, Answer], teacher: Answer, texts: list[str], n_teacher: int, *, rounds: int = 3
) -> dict[str, float]:
    """What each part costs a text, counted in words (between spaces) that the teacher reads in the same time.

    parts: name -> what is timed on `texts`; the teacher is timed on the first `n_teacher` of them, since it is slow.
    All take their turn, round after round, on one thread: a machine that slows down slows them together. The median
    over the rounds counts. Raises ValueError for no texts, no rounds, or no word that the teacher reads.
    """
    texts = as_texts(texts)
    few = texts[:n_teacher]
    words = sum(len(text.split()) for text in few)
    at_least_one(rounds=rounds, texts=len(texts), words=words)
    found = {name: [] for name in parts}
    with one_thread():
        teacher(few[:1])  # it may read its weights only now
        for _ in range(rounds):
            word = timeit.timeit(lambda: teacher(few), number=1) / words
            for name, part in parts.items():
                seconds = timeit.timeit(lambda part=part: part(texts), number=1)
                found[name].append(seconds / len(texts) / word)
    return {name: float(np.median(costs)) for name, costs in found.items()}


def speed_up(words: np.ndarray, deferred: np.ndarray, cost: float) -> float:
    """How many times faster than the teacher alone a switch is; cost: of student and router a text, in teacher words.

    words: (n,) of each text; deferred: (n,) of booleans, which of them the teacher reads. Everything is counted: the
    student on every text, the teacher on every word that it gets. Raises ValueError for a cost that is not above 0.
    """
    words, deferred = np.asarray(words), np.asarray(deferred, bool)
    if not cost > 0:
        raise ValueError(f"cost={cost}: a student takes some time for each text, give a number above 0")
    return float(words.sum() / (len(words) * cost + words[deferred].sum()))
