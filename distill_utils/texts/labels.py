"""Labels are names: what stands in a file, whatever its type, is read as a class name, by one rule for all splits.

A label is its value as text, without white space around it: "007" is not "7", and "None" and "NA" are names. Two kinds
of columns have several spellings of one name: where every class is a whole number, 1, 1.0, "1" and "1.0" are the class
"1"; where every class is a truth value, True, "TRUE" and "true" are the class "true".
"""

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

# At most 15 digits, which floats keep; a longer number is a name like any other text.
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]{0,14}))(?:\.0+)?")


def name_of(value: object, class_names: Sequence[str] = ()) -> str | None:
    """The name that a value stands for; None where there is no label (None, NaN, empty).

    class_names: names behind the numbers 0, 1, ... of the column, where it has any. A number, or a text that is no such
    name itself, then stands for the name at its place; "" for a number without one (-1: "not labelled").

    Raises ValueError for what cannot be one name (a list, a dict).
    """
    if not pd.api.types.is_scalar(value):
        raise ValueError(f"a {type(value).__name__} is not one label")
    name = "" if pd.isna(value) else str(value).strip()
    if not name:
        return None
    is_text = isinstance(value, str)
    if class_names and not (is_text and name in class_names):
        whole = _WHOLE.fullmatch(name)
        if whole and 0 <= int(whole[1]) < len(class_names):
            return class_names[int(whole[1])]
        return name if is_text else ""
    return name


def classes_of(names: Iterable[str], order: Sequence[str] = ()) -> tuple[str, ...]:
    """The classes that the labels of train make: in `order` where given, whole numbers by size, else sorted."""
    names = set(names)
    if order:
        return tuple(name for name in order if name in names)
    spelling = _spelling(names)
    return tuple(sorted({spelling(name) for name in names}, key=int if spelling is _whole else None))


def numbers_of(names: Iterable[str], classes: Sequence[str]) -> np.ndarray:
    """The class number of each name, (n,) int64; -1 where it is no class."""
    spelling = _spelling(classes)
    numbers = {spelling(name): number for number, name in enumerate(classes)}
    return np.array([numbers.get(spelling(name), -1) for name in names], dtype=np.int64)


def _spelling(classes: Iterable[str]) -> Callable[[str], str]:
    """What is compared in place of a name, given the names of all classes."""
    if all(_WHOLE.fullmatch(name) for name in classes):
        return _whole
    return str.lower if all(name.lower() in ("true", "false") for name in classes) else str


def _whole(name: str) -> str:
    whole = _WHOLE.fullmatch(name)
    return str(int(whole[1])) if whole else name  # "1.0": "1", "-0": "0"
