"""Every table of the series: plain HTML that needs no style, with what users wrote shown as they wrote it."""

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from unicodedata import east_asian_width

import numpy as np
import pandas as pd

MARK = "→ "
SAVED = 4  # digits after the point that results are saved with


@dataclass(frozen=True, repr=False)
class Table:
    """Cells as text, and which columns stand at the right and which rows are marked; a notebook shows it as HTML.

    note: a line below the table.
    """

    columns: list[str]
    rows: list[list[str]]
    right: list[bool]
    marked: list[bool]
    note: str = ""

    def _repr_html_(self) -> str:
        head = "".join(self._cell("th", *column) for column in zip(self.columns, self.right, strict=True))
        body = [
            "".join(self._cell("td", *cell, bold=marked) for cell in zip(row, self.right, strict=True))
            for row, marked in zip(self.rows, self.marked, strict=True)
        ]
        lines = [f"<thead><tr>{head}</tr></thead>", "<tbody>", *(f"<tr>{row}</tr>" for row in body), "</tbody>"]
        below = [f"<p>{_escape(self.note)}</p>"] if self.note else []
        return "\n".join(["<table>", *lines, "</table>", *below])

    @staticmethod
    def _cell(tag: str, text: str, right: bool, bold: bool = False) -> str:
        # Code hosts and an untrusted notebook strip styles, and their own align cells to the right: a <div> in the
        # cell keeps its side, and <b> its weight.
        side = 'align="right"' if right else 'align="left" dir="auto"'
        text = f"<b>{_escape(text)}</b>" if bold else _escape(text)
        return f"<{tag}><div {side}>{text}</div></{tag}>"

    def __repr__(self) -> str:
        lines = [[" ".join(cell.split()) for cell in row] for row in [self.columns, *self.rows]]
        widths = [max(map(text_width, column)) for column in zip(*lines, strict=True)]
        written = [
            "  ".join(
                " " * (width - text_width(cell)) + cell if right else cell + " " * (width - text_width(cell))
                for cell, width, right in zip(line, widths, self.right, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([*written, self.note] if self.note else written)


def table(
    rows: pd.DataFrame | Iterable,
    columns: list[str] | None = None,
    *,
    highlight: str | None = None,
    digits: int = 1,
    formats: dict[str, Callable] | None = None,
    note: str = "",
) -> Table:
    """Rows (a frame, dicts, or tuples with `columns`) as a table; the row whose first cell is `highlight` is marked.

    Numbers have `digits` digits after the point and never an exponent; a (mean, spread) pair is one number, a missing
    value an empty cell. `formats`: column -> function from a value to its text. Columns that hold numbers stand at the
    right. note: a line below the table. Raises ValueError if no row is called `highlight`.
    """
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    values = frame.to_numpy().tolist()
    names = [row[0] for row in values]
    if highlight is not None and highlight not in names:
        raise ValueError(f"no row is called {highlight!r}; there are: {', '.join(map(str, names))}")
    write = [(formats or {}).get(column, lambda value: written(value, digits)) for column in frame.columns]
    cells = [
        ["" if _missing(value) else _text(how(value)) for how, value in zip(write, row, strict=True)] for row in values
    ]
    marked = [highlight is not None and name == highlight for name in names]
    for row in (row for row, mark in zip(cells, marked, strict=True) if mark):
        row[0] = MARK + row[0]
    right = [any(_is_number(row[column]) for row in values) for column in range(len(frame.columns))]
    return Table([_text(column) for column in frame.columns], cells, right, marked, _text(note))


def about(value: float, unit: str = "x") -> str:
    """A time or a ratio to what a stopwatch is good for: one digit, two where the first is a 1: 23.4 -> "20x"."""
    digits = 2 if f"{value:e}".startswith("1") else 1  # 15 as 20 would be a third off
    return np.format_float_positional(value, precision=digits, fractional=False, trim="-") + unit


def _is_number(value: object) -> bool:
    return isinstance(value, (Real, tuple)) and not isinstance(value, bool) and not _missing(value)


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, Real) and value != value)


def written(value: object, digits: int = 1) -> str:
    """A cell's text: a number with `digits` digits after the point, a (mean, spread) pair as one, else as it is.

    A number is first rounded to the four digits that results are saved with, so that 88.85 and the mean
    88.85000000000001 read the same in a notebook and on the pages made from its results.
    """
    if isinstance(value, tuple):
        return " ± ".join(written(part, digits) for part in value if not _missing(part))
    if not _is_number(value):
        return str(value)
    return f"{value:,}" if isinstance(value, Integral) else f"{round(float(value), max(SAVED, digits)):z,.{digits}f}"


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()  # half a surrogate pair could not be sent


def _escape(text: str) -> str:
    """A text for HTML. Each $ and backslash gets an element of its own: mathematics is sought in running text only."""
    escaped = html.escape(text, quote=False).replace("\n", "<br>")
    return re.sub(r"[$\\]", r"<span>\g<0></span>", escaped)


def text_width(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
