"""A teacher is a column beside the text: a table that holds the answers, or a function that gives them."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from distill_utils.checks import as_names, as_texts, at_least_one
from distill_utils.teachers.labeller import Labeller
from distill_utils.texts.words import plain

# Logits are log-probabilities, and log 0 is infinite: without a floor one zero would outweigh all else wherever logits
# are averaged or compared. Answers written with a few decimals say nothing of what lies below it.
FLOOR = 1e-4
SUM = 1e-2  # how far from 1 a row may sum, rounded as it may be; it is then made to sum to 1


class Column(Labeller):
    """Answers without a model behind them: no word vectors, no layers, no tokenizer, no size.

    Its logits are log-probabilities, FLOOR at least; its soft labels are 0 where these stand at the floor, so that
    votes that all agree come back as a one-hot row.
    """

    def __init__(self, class_names: Iterable[str], name: str):
        self.class_names, self.name = as_names(class_names), name

    def soft_labels(self, texts: Iterable[str], folder: Path | None = None) -> np.ndarray:
        """Class probabilities, float32, shape (n_texts, n_classes)."""
        found = np.exp(self.cached_logits(texts, folder))
        found[found < 1.01 * FLOOR] = 0  # of float16 precision
        return found / found.sum(axis=1, keepdims=True)


class TableTeacher(Column):
    """What `from_table` makes: answers to its own texts, {plain text: probabilities (n_classes,)}, and to no others."""

    any_text = False

    def __init__(self, answers: Mapping[str, np.ndarray], class_names: Iterable[str], name: str):
        super().__init__(class_names, name)
        self.answers = answers

    def answerable(self, texts: Iterable[str]) -> list[str]:
        """Those of the texts that the table holds, in order."""
        return [text for text in as_texts(texts) if plain(text) in self.answers]

    def logits(self, texts: Iterable[str]) -> np.ndarray:
        """Logits, float32, shape (n_texts, n_classes). Raises ValueError when a text is not in the table."""
        texts = as_texts(texts)
        rows = [self.answers.get(plain(text)) for text in texts]
        if missing := [text for text, row in zip(texts, rows, strict=True) if row is None]:
            raise ValueError(
                f"{self.name} has no answer for {len(missing)} of {len(texts)} texts, such as {missing[0][:60]!r}: add "
                "them to the table, or leave them out (answerable)"
            )
        return _logits(np.array(rows, np.float64).reshape(len(texts), self.n_classes))

    def cached_logits(self, texts: Iterable[str], folder: Path | None = None) -> np.ndarray:
        """Like `logits`: what stands in a table needs no cache."""
        return self.logits(texts)


class CallableTeacher(Column):
    """What `from_callable` makes: a function asked in batches, its answers kept by name and text."""

    def __init__(self, function: Callable[[list[str]], object], class_names: Iterable[str], name: str, batch_size: int):
        super().__init__(class_names, name)
        at_least_one(batch_size=batch_size)
        self.function, self.chunk = function, batch_size

    @property
    def fingerprint(self) -> str:
        """A hash of name and classes, all that is known of the function: give a new name when it answers anew."""
        return hashlib.sha256(json.dumps([self.name, self.class_names]).encode()).hexdigest()[:32]

    def logits(self, texts: Iterable[str]) -> np.ndarray:
        """Logits, float32, shape (n_texts, n_classes), asked for now. Raises ValueError when a reply cannot be used."""
        texts, found = [plain(text) for text in as_texts(texts)], [np.empty((0, self.n_classes))]
        for start in range(0, len(texts), self.chunk):
            batch = texts[start : start + self.chunk]
            try:
                found.append(_probabilities(self.function(list(batch)), batch, self.class_names))
            except _Unusable as error:
                raise ValueError(f"{self.name}: {error}") from None
        return _logits(np.concatenate(found))


def from_table(
    path: str | Path,
    class_names: Sequence[str],
    *,
    text_column: str = "text",
    label_column: str = "label",
    prefix: str = "",
) -> TableTeacher:
    """A teacher from a file (CSV, JSONL, parquet): a probability column a class, or a column of labels.

    Columns `prefix` + class name hold probabilities; where there are none, each label is a vote, and a cell of JSON or
    parquet may hold a list of votes. Labels are class names, or class numbers where no name is a number. Several rows
    of one text are averaged, so votes are counted. Texts are known by their `plain` form.

    Raises DataError, in one line with its place, for a class that is missing or unknown, an empty text, and what is
    not a probability or does not sum to 1 (within 0.01).
    """
    raise NotImplementedError


def from_callable(
    function: Callable[[list[str]], object], class_names: Sequence[str], *, name: str, batch_size: int = 64
) -> CallableTeacher:
    """A teacher from anything that maps a list of texts to answers, such as a model behind an API.

    A reply holds one answer a text: probabilities (n, n_classes); labels (class names or numbers); or {class name:
    log-probability} of the likeliest classes, whose remainder is spread evenly over the others. It is asked
    `batch_size` texts at a time; `cached_logits`, `soft_labels` and `predict` keep each batch's answers by `name` and
    text before the next is asked, so what it raises loses nothing. Raises ValueError, in one line, for a reply of
    another length or shape, that does not sum to 1 (within 0.01), or names an unknown class.
    """
    return CallableTeacher(function, class_names, name, batch_size)


class _Unusable(Exception):
    """What is wrong with a reply."""


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, FLOOR)).astype(np.float32)


def _probabilities(reply: object, texts: list[str], class_names: tuple[str, ...]) -> np.ndarray:
    raise NotImplementedError
