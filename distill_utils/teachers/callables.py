"""A function as a teacher: anything that maps texts to answers, such as a model behind an API."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from distill_utils.checks import as_labels, as_texts, at_least_one
from distill_utils.teachers.columns import ROUNDING, Column, NoAnswer, listed, log_probabilities, probabilities
from distill_utils.texts.labels import numbers_of
from distill_utils.texts.words import plain


class CallableTeacher(Column):
    """What `from_callable` makes: a function asked in batches, its answers kept by name and text."""

    def __init__(self, function: Callable[[list[str]], object], class_names: Iterable[str], name: str, batch_size: int):
        super().__init__(class_names, name)
        at_least_one(batch_size=batch_size)
        self.function, self.chunk = function, batch_size

    @property
    def fingerprint(self) -> str:
        """A hash of name and classes, all that is known of the function: give another name when it answers anew."""
        return hashlib.sha256(json.dumps([self.name, self.class_names]).encode()).hexdigest()[:32]

    def logits(self, texts: Iterable[str]) -> np.ndarray:
        """Logits, float32, shape (n_texts, n_classes), asked for now. Raises ValueError when a reply cannot be used."""
        texts, found = [plain(text) for text in as_texts(texts)], [np.empty((0, self.n_classes))]
        for start in range(0, len(texts), self.chunk):
            batch = texts[start : start + self.chunk]
            try:
                found.append(_answers(self.function(list(batch)), len(batch), self.class_names))
            except NoAnswer as error:
                raise ValueError(f"{self.name} on {batch[error.row][:60]!r}: {error}") from None
        return log_probabilities(np.concatenate(found))


def from_callable(
    function: Callable[[list[str]], object], class_names: Sequence[str], *, name: str, batch_size: int = 64
) -> CallableTeacher:
    """A teacher from anything that maps a list of texts to answers, such as a model behind an API.

    A reply holds one answer a text: probabilities (n, n_classes); labels (class names or numbers); or {class name:
    log-probability} of the likeliest classes, whose remainder is spread evenly over the others. It is asked
    `batch_size` texts at a time; `cached_logits`, `soft_labels` and `predict` keep each batch's answers by `name` and
    text before they ask for more, so what the function raises loses nothing.

    `logits` raises ValueError, in one line, for a reply of another length or shape, that does not sum to 1 (within
    0.01), or names an unknown class.
    """
    return CallableTeacher(function, class_names, name, batch_size)


def _answers(reply: object, n_texts: int, class_names: tuple[str, ...]) -> np.ndarray:
    """Probabilities (n_texts, n_classes), whatever the form of the reply."""
    n_classes = len(class_names)
    wanted = f"give {n_texts} labels, {n_texts} dicts, or probabilities ({n_texts}, {n_classes})"
    if isinstance(reply, str | Mapping) or not isinstance(reply, Iterable):
        raise NoAnswer(f"the reply is a {type(reply).__name__}: {wanted}", 0)
    rows = np.asarray(reply).tolist() if hasattr(reply, "__array__") else list(reply)
    if len(rows) != n_texts:
        raise NoAnswer(f"the reply has {len(rows)} answers to {n_texts} texts: {wanted}", 0)
    if all(isinstance(row, Mapping) for row in rows):
        return probabilities(np.array([_spread(row, place, class_names) for place, row in enumerate(rows)]))
    if all(isinstance(row, str) for row in rows):
        return np.eye(n_classes)[[_number(name, place, class_names) for place, name in enumerate(rows)]]
    try:
        found = np.array(rows)
        if found.ndim == 1:
            return np.eye(n_classes)[as_labels(found, n_classes)]
        found = found.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise NoAnswer(f"the reply cannot be read ({' '.join(str(error).split())[:120]}): {wanted}", 0) from None
    if found.shape != (n_texts, n_classes):
        raise NoAnswer(f"the reply is of shape {found.shape}: {wanted}", 0)
    return probabilities(found)


def _number(name: str, place: int, class_names: tuple[str, ...]) -> int:
    number = numbers_of([name.strip()], class_names)[0]
    if number < 0:
        raise NoAnswer(f"{name[:40]!r} is an unknown class: {listed(class_names)}", place)
    return number


def _spread(named: Mapping[str, float], place: int, class_names: tuple[str, ...]) -> np.ndarray:
    """Probabilities (n_classes,) from the log-probabilities of some classes."""
    if not named:
        raise NoAnswer(f"no class is named: name one or more with its log-probability; {listed(class_names)}", place)
    found = np.full(len(class_names), np.nan)
    for name, log_probability in named.items():
        number = _number(str(name), place, class_names)
        try:
            found[number] = np.exp(float(log_probability))
        except (TypeError, ValueError):  # NaN stays where it is
            pass
        if np.isnan(found[number]):
            raise NoAnswer(f"{name!r} has {log_probability!r} for a log-probability: give a number", place)
    others, total = np.isnan(found), np.nansum(found)
    if not total <= 1 + ROUNDING:
        raise NoAnswer(f"the exponentials of its log-probabilities sum to {total:.4g}, which is more than 1", place)
    found[others] = max(1 - total, 0) / max(others.sum(), 1)
    return found
