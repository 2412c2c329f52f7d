"""Labels are names: what stands in a file, whatever its type, is read as a class name, by one rule for all splits.

A label is its value as text, in one Unicode form (NFC) with single spaces and nothing around it: "007" is not "7", and
"None" and "NA" are names. Two kinds of columns have several spellings of one name. Where every class is a whole number,
1, 1.0, "1" and "1.0" are the class "1". Where every class is a truth value, True, "TRUE" and "true" are the class
"true", and 1 is, too. Names that differ in other ways are other classes; those that look alike are said.
"""

import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from unicodedata import normalize

import numpy as np
import pandas as pd

from distill_utils.texts.words import normalise

# At most 15 digits, which floats keep; a longer number is a name like any other text.
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]{0,14}))(?:\.0+)?")
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"  # what copied text brings along, shown as nothing


def name_of(value: object, class_names: Sequence[str] = ()) -> str | None:
    """The name that a value stands for; None where there is no label (None, NaN, empty).

    class_names: names behind the numbers 0, 1, ... of the column, where it has any. A number, or a text that is no such
    name itself, then stands for the name at its place; "" for a number without one (-1: "not labelled").

    Raises ValueError for what cannot be one name (a list, a dict).
    """
    if not pd.api.types.is_scalar(value) or isinstance(value, bytes):
        raise ValueError(f"a {type(value).__name__} is not one label")
    name = "" if pd.isna(value) else normalize("NFC", " ".join(str(value).strip(_UNSEEN).split())).strip(_UNSEEN)
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
    if all(map(_WHOLE.fullmatch, names)):
        return tuple(sorted(set(map(_whole, names)), key=int))
    return tuple(sorted(set(map(_spelling(names), names))))


def numbers_of(names: Iterable[str], classes: Sequence[str]) -> np.ndarray:
    """The class number of each name, (n,) int64; -1 where it is no class."""
    spelling = _spelling(classes)
    numbers = {spelling(name): number for number, name in enumerate(classes)}
    return np.array([numbers.get(spelling(name), -1) for name in names], dtype=np.int64)


def warn_of_look_alikes(classes: Sequence[str]) -> None:
    """Say, in one line, which class names differ only in case, or in how a number or a character is written."""
    groups = defaultdict(list)
    for name in classes:
        groups[_whole(normalise(name))].append(name)
    if alike := [group for group in groups.values() if len(group) > 1]:
        named = "; ".join(" and ".join(repr(name[:40]) for name in group[:3]) for group in alike[:5])
        warnings.warn(f"class names that look alike: {named}; if they mean one class, write one name", stacklevel=3)


def _spelling(classes: Iterable[str]) -> Callable[[str], str]:
    """What is compared in place of a name, given the names of all classes."""
    if all(_truth(name) in ("false", "true") for name in classes):
        return _truth
    return _whole if all(map(_WHOLE.fullmatch, classes)) else str


def _truth(name: str) -> str:
    return {"0": "false", "1": "true"}.get(_whole(name), name.lower())


def _whole(name: str) -> str:
    whole = _WHOLE.fullmatch(name)
    return str(int(whole[1])) if whole else name  # "1.0": "1", "-0": "0"
