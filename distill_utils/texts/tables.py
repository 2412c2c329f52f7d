"""The rows of a split as they stand, with the place of each, and the one line for data that cannot be used."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import datasets
import pandas as pd
import pyarrow as pa

LINE_END = re.compile(r"\r\n|\r|\n")  # not str.splitlines, which ends lines at U+2028, too


class DataError(ValueError):
    """Data that cannot be used; the message is one line: what is wrong, and what to do."""


@dataclass(frozen=True)
class Table:
    """The rows of one split as they stand in a file.

    frame: columns of dtype object, rows numbered from 0. A field of a CSV file is a str, and None where it is empty;
    JSON and parquet values keep their types, and null and NaN are None.
    class_names: {column: the names behind its class numbers}, where the file or the hub says so.
    source: the file's name. lines: the line each row begins on, where a file has lines.
    """

    frame: pd.DataFrame
    class_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""
    lines: Sequence[int] | None = None

    def where(self, row: int) -> str:
        """The place of a row (its number in `frame`) in words, such as "data.csv, line 14"."""
        place = f"row {row}" if self.lines is None else f"line {self.lines[row]}"
        return f"{self.source}, {place}" if self.source else place


def table_of(
    columns: dict[str, list], name: str, *, lines: Sequence[int] | None = None, class_names: dict | None = None
) -> Table:
    """The table of a file of this name, from its values by column. Raises DataError when it has no rows."""
    if not columns or not len(next(iter(columns.values()))):
        raise DataError(f"{name} holds no rows: its columns are {', '.join(map(repr, columns)) or 'none'}")
    frame = pd.DataFrame({column: pd.Series(values, dtype=object) for column, values in columns.items()})
    return Table(frame, class_names or {}, name, lines)


def from_arrow(table: pa.Table, name: str, class_names: dict[str, tuple[str, ...]]) -> Table:
    """An arrow table with Python's own values."""
    columns = {}
    for column, values in zip(table.column_names, table.columns, strict=True):
        if not re.fullmatch(r"__index_level_\d+__", column):  # pandas' row numbers, not a column
            columns[column] = [None if value != value else value for value in _python_values(values)]
    return table_of(columns, name, class_names=class_names)


def _python_values(column: pa.ChunkedArray) -> list:
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        with suppress(pa.ArrowInvalid):  # text that was never said to be text
            column = column.cast(pa.string())
    try:
        return column.to_pylist()
    except (OverflowError, ValueError):  # a date that Python's calendar does not reach
        return column.cast(pa.int64()).to_pylist()


def names_of_classes(features: dict) -> dict[str, tuple[str, ...]]:
    """The class names of the columns of `datasets` features that have any."""
    return {
        column: tuple(feature.names)
        for column, feature in features.items()
        if isinstance(feature, datasets.ClassLabel) and feature.names
    }
