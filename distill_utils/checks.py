"""What public functions ask of their arguments: texts, class numbers, probabilities, amounts.

Each check gives the argument back in one form, or raises ValueError: one line that says what came and what to give.
"""

from collections.abc import Iterable, Mapping
from numbers import Integral, Real

import numpy as np


def as_texts(texts: Iterable[str]) -> list[str]:
    """Texts as a list: from a list, tuple, array, pandas Series or a data set's column.

    Raises ValueError for one string, for what has no order of its own or more than one column, and for an element
    that is not a string (None and NaN are none), named by its place.
    """
    if type(texts) is list and set(map(type, texts)) <= {str}:
        return texts
    if isinstance(texts, str | bytes):
        raise ValueError(f"one string is not a list of texts: give a list, such as [{_short(texts)}]")
    if (
        isinstance(texts, Mapping | set | frozenset)
        or not isinstance(texts, Iterable)
        or getattr(texts, "ndim", 1) != 1
    ):
        raise ValueError(f"a {type(texts).__name__} is not a list of texts: give a list of strings, or one column")
    found = texts.tolist() if hasattr(texts, "tolist") else list(texts)
    for place, text in enumerate(found):
        if not isinstance(text, str):
            raise ValueError(
                f"text {place} is {_short(text)}, of type {type(text).__name__}: give strings, and leave out what is "
                "missing"
            )
    return found


def as_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Class names as a tuple. Raises ValueError unless they are strings, two or more, each once."""
    if isinstance(labels, str | bytes):
        raise ValueError(f"one string is not a list of class names: give a tuple, such as ({_short(labels)}, ...)")
    names = tuple(labels)
    for name in names:
        if not isinstance(name, str):
            raise ValueError(f"class name {_short(name)} is of type {type(name).__name__}: class names are strings")
    if len(set(names)) < max(2, len(names)):
        raise ValueError(f"class names {_short(names)}: give two or more, each of them once")
    return names


def as_labels(
    labels: Iterable[int], n_classes: int | None = None, n_texts: int | None = None, *, what: str = "labels"
) -> np.ndarray:
    """Class numbers as int64 (n,), each from 0 to n_classes - 1 where n_classes is given, one a text if n_texts is.

    Raises ValueError for class names, floats, truth values, another shape or length, and numbers out of range.
    """
    if labels is None or isinstance(labels, Mapping | set | frozenset):
        raise ValueError(f"a {type(labels).__name__} is not a list of {what}: give one class number a text")
    found = _array(labels if hasattr(labels, "__array__") or np.isscalar(labels) else list(labels), what)
    if found.dtype == object:  # a column of a table may hold plain integers as objects
        found = np.array(found.tolist())
    if found.ndim != 1:
        raise ValueError(f"{what} of shape {found.shape}: give one class number a text, shape (n_texts,)")
    if not found.size:
        found = found.astype(np.int64)
    if found.dtype.kind in "USO":
        first = next((label for label in found.tolist() if not isinstance(label, Integral)), found[0])
        raise ValueError(f"{what} are class numbers, not such as {_short(first)}: give the numbers")
    if found.dtype.kind not in "iu":
        raise ValueError(f"{what} are class numbers, not of type {found.dtype}: give whole numbers")
    if n_texts is not None and len(found) != n_texts:
        raise ValueError(f"{n_texts} texts and {len(found)} {what}: give one a text")
    if n_classes is not None and found.size and not 0 <= found.min() <= found.max() < n_classes:
        place = int(np.flatnonzero((found < 0) | (found >= n_classes))[0])
        raise ValueError(
            f"{what} hold {found[place]} (text {place}), but the {n_classes} classes are numbered 0 to {n_classes - 1}"
        )
    return found.astype(np.int64)


def as_logits(logits: np.ndarray, n_texts: int | None = None, n_classes: int | None = None) -> np.ndarray:
    """Logits as they are, (n_texts, n_classes). Raises ValueError for another shape, and when they are not finite."""
    found = _array(logits, "logits")
    wanted = (n_texts, n_classes)
    if found.ndim != 2 or any(size not in (None, has) for size, has in zip(wanted, found.shape, strict=True)):
        rows, columns = ("n_texts" if n_texts is None else n_texts, "n_classes" if n_classes is None else n_classes)
        raise ValueError(f"logits of shape {found.shape}: give one row a text, one column a class: ({rows}, {columns})")
    if found.dtype.kind not in "fiub":
        raise ValueError(f"logits are numbers, not of type {found.dtype}")
    _finite(found, "logits")
    return found


def as_soft_labels(soft_labels: np.ndarray, n_texts: int, n_classes: int) -> np.ndarray:
    """Soft labels as float32 (n_texts, n_classes), laid out row by row.

    Raises ValueError unless they are probabilities: finite, 0 to 1, each row summing to 1 within 0.001.
    """
    found = _array(soft_labels, "soft labels")
    if found.ndim == 1 and found.dtype.kind in "iu" or found.shape[1:] == (1,):
        raise ValueError(
            f"soft labels of shape {found.shape} look like class numbers: give one_hot(labels, {n_classes}), "
            f"shape ({n_texts}, {n_classes})"
        )
    if found.ndim and len(found) != n_texts:
        raise ValueError(f"{n_texts} texts and {len(found)} rows of soft labels: there must be one row a text")
    if found.shape != (n_texts, n_classes):
        raise ValueError(
            f"soft labels of shape {found.shape}: the student has {n_classes} classes, so give one column a class, "
            f"shape ({n_texts}, {n_classes})"
        )
    if found.dtype.kind not in "fiub":
        raise ValueError(f"soft labels are probabilities, not of type {found.dtype}")
    found = np.ascontiguousarray(found, dtype=np.float32)
    _finite(found, "soft labels")
    sums = found.sum(axis=1, dtype=np.float64)
    wrong = (found < 0).any(axis=1) | (found > 1.001).any(axis=1) | (np.abs(sums - 1) > 1e-3)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"soft labels are probabilities that sum to 1 in each row, but row {row} is {_row(found[row])}: "
            + _looks_like(found)
        )
    return found


def as_outcomes(correct: np.ndarray) -> np.ndarray:
    """Right or wrong, as float64 of 1 and 0, any shape. Raises ValueError when other values are in it."""
    found = _array(correct, "outcomes")
    if found.dtype.kind not in "biuf" or not np.isin(found, (0, 1)).all():
        raise ValueError("outcomes are 0 (wrong) and 1 (right), and others were given: give answers == labels")
    return found.astype(np.float64)


def at_least_one(**amounts: int) -> None:
    """Raises ValueError for the first amount that is not a whole number of 1 or more, by its name."""
    at_least(1, **amounts)


def at_least(least: int, /, **amounts: int) -> None:
    """Raises ValueError for the first amount that is not a whole number of `least` or more, by its name."""
    for name, amount in amounts.items():
        if isinstance(amount, bool) or not isinstance(amount, Integral) or amount < least:
            raise ValueError(f"{name}={_short(amount)}: give a whole number, {least} or more")


def above_zero(**amounts: float) -> None:
    """Raises ValueError for the first amount that is not a finite number above 0, by its name."""
    for name, amount in amounts.items():
        if isinstance(amount, bool) or not isinstance(amount, Real) or not 0 < amount < np.inf:
            raise ValueError(f"{name}={_short(amount)}: give a number above 0")


def same_classes(ours: tuple[str, ...], theirs: tuple[str, ...], who: str, whose: str) -> None:
    """Raises ValueError unless both name the same classes in the same order; says where they differ first."""
    if ours == theirs:
        return
    order = "the same in another order" if sorted(ours) == sorted(theirs) else "not the same"
    place = next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    first = f"class {place} is {_short(ours[place])} and {_short(theirs[place])}" if place is not None else "one ends"
    raise ValueError(
        f"{who} and {whose} know {len(ours)} and {len(theirs)} classes, {order} ({first}): train them with the same "
        "class names, in one order"
    )


def _array(values: object, what: str) -> np.ndarray:
    """Any array, tensor or list of lists as an array."""
    if hasattr(values, "detach"):  # a tensor of torch: perhaps with a gradient, or of a type that numpy lacks
        values = values.detach().cpu()
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{what} are rows of unequal lengths: give rows of one length") from error


def _finite(values: np.ndarray, what: str) -> None:
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=-1))[0])
        raise ValueError(f"{what} are not finite: row {row} is {_row(values[row])}")


def _looks_like(values: np.ndarray) -> str:
    """What numbers that are no probabilities seem to be, and what to do with them."""
    if (values <= 0).all() and np.allclose(np.exp(values).sum(axis=1), 1, atol=1e-3):
        return "they look like log-probabilities, so give their exponential, np.exp"
    if (values < 0).any():
        return "they look like logits, so give their softmax"
    if np.allclose(values.sum(axis=1), 100, atol=0.5):
        return "they look like percentages, so divide them by 100"
    return "they look like logits, or like scores of each class for itself; give a softmax, or divide rows by their sum"


def _row(values: np.ndarray) -> str:
    return _short([float(f"{value:.3g}") for value in values])


def _short(value: object) -> str:
    """A value for a message: its repr, on one line and not too long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
