"""Words to row numbers: the student's vocabulary, built for speed from raw text to a label."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise, repeat

import numpy as np

_END = b"\x1e"  # ASCII's own record separator, between texts
_SPACES = b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'
_TABLE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ" + _SPACES, b"abcdefghijklmnopqrstuvwxyz" + b" " * len(_SPACES))


def plain(text: str) -> str:
    """A text as teachers and students see it."""
    return text


def words_of(text: str) -> list[str]:
    """The words of a text: ASCII lower-cased, split on white space and punctuation, apostrophes dropped."""
    return text.replace("\x1e", " ").encode().translate(_TABLE, b"'").decode().split()


class Vocabulary:
    """The words a student knows, in row order. Other words are skipped."""

    def __init__(self, words: Iterable[str]):
        self.words = list(words)
        # Keys are bytes: a batch is lower-cased and split as one bytes object, without decoding it again.
        self._rows = {word.encode(): row for row, word in enumerate(self.words)}
        if len(self._rows) != len(self.words):
            raise ValueError("a vocabulary lists each word once")
        self._rows[_END] = -2

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def fit(cls, texts: Iterable[str], size: int) -> "Vocabulary":
        """The `size` most frequent words of `texts`; ties go to the one seen first."""
        counts = Counter()
        for text in texts:
            counts.update(words_of(text))
        return cls(word for word, _ in counts.most_common(size))

    def encode(self, texts: list[str], keep_unknown: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers of all known words, flat int32 (n_words,), and how many each text has, int64 (n_texts,).

        keep_unknown: unknown words come as row len(self), and each text ends in row len(self) + 1.
        """
        joined = " \x1e ".join(texts)
        if joined.count("\x1e") != len(texts) - 1:  # a text holds the separator itself
            joined = " \x1e ".join([text.replace("\x1e", " ") for text in texts])
        words = joined.encode().translate(_TABLE, b"'").split()
        if keep_unknown and texts:
            words.append(_END)
            rows = np.fromiter(map(self._rows.get, words, repeat(len(self))), np.int32, len(words))
            ends = np.flatnonzero(rows == -2)
            rows[ends] = len(self) + 1
            return rows, np.diff(ends, prepend=-1)
        rows = np.fromiter(map(self._rows.get, words, repeat(-1)), np.int32, len(words))
        ends = np.flatnonzero(rows == -2)
        known = rows >= 0
        counts = np.diff(np.concatenate(([0], np.cumsum(known)[ends], [known.sum()]))) if len(texts) else np.empty(0)
        return rows[known], counts.astype(np.int64)


def pieces(text: str, longest: int) -> list[str]:
    """A text cut into pieces of like length, of at most `longest` words between white space; a short one as it is."""
    words = text.split()
    if len(words) <= longest:
        return [text]
    ends = np.linspace(0, len(words), -(-len(words) // longest) + 1).round().astype(int)
    return [" ".join(words[start:end]) for start, end in pairwise(ends)]
