"""JSON rows as a table: one object a line, or all in an array."""

import json
import re

import pandas as pd

from distill_utils.texts.tables import LINE_END, DataError, Table, table_of


def _object(pairs: list[tuple[str, object]]) -> dict:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice in a row")
    return row


NO_NUMBERS = {"NaN": None, "Infinity": float("inf"), "-Infinity": float("-inf")}  # NaN: how pandas writes nothing
DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=NO_NUMBERS.get)


def read_json(text: str, name: str) -> Table:
    """The text of a JSON file. Raises DataError, with the line, when what stands in it is not certain."""
    if text.lstrip().startswith("[") and (whole := _array(text, name)) is not None:
        rows, lines = whole, None
    else:
        rows, lines = _objects(text, name)
    places = Table(pd.DataFrame(), source=name, lines=lines)
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise DataError(
                f'{places.where(number)}: {json.dumps(row)[:40]} is not an object: write rows as {{"text": ..., '
                '"label": ...}'
            )
    if len(rows) == 1 and rows[0] and all(isinstance(value, (dict, list)) for value in rows[0].values()):
        raise DataError(_not_rows(name, rows[0]))
    columns = {
        column: [row.get(column) for row in rows] for column in dict.fromkeys(key for row in rows for key in row)
    }
    if re.search(r"\\u[dD][89a-fA-F]", text):
        for column, values in columns.items():
            for number, value in enumerate(values):
                if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
                    raise DataError(
                        f"{places.where(number)}: {column!r} holds half a character (\\ud...): write the other half too"
                    )
    return table_of(columns, name, lines=lines)


def _objects(text: str, name: str) -> tuple[list, list[int]]:
    rows, lines = [], []
    for number, line in enumerate(LINE_END.split(text), start=1):
        if not line.strip():
            continue
        try:
            rows.append(DECODER.decode(line))
        except (ValueError, RecursionError) as error:
            try:
                whole = DECODER.decode(text)
            except (ValueError, RecursionError):
                raise DataError(f"{name}, line {number} is not JSON ({_said(error)}): correct or remove it") from error
            raise DataError(_not_rows(name, whole)) from error
        lines.append(number)
    return rows, lines


def _array(text: str, name: str) -> list | None:
    """The array that is the whole text; None where arrays stand one a line."""
    try:
        return DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError):
            if error.msg == "Extra data":
                return None
            raise DataError(
                f"{name}, line {error.lineno}: this JSON array is damaged ({_said(error)}): correct it there"
            ) from error
        raise DataError(f"{name}: this JSON array is damaged ({_said(error)})") from error


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, column {error.colno}"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)


def _not_rows(name: str, found: object) -> str:
    fields = ", ".join(map(repr, list(found)[:8])) if isinstance(found, dict) else ""
    return (
        f"{name} is one JSON object ({fields}), not rows: write an array of rows, or one row a line (pandas: "
        "to_json(..., orient='records', lines=True))"
    )
