"""Comma, semicolon and tab separated text as a table."""

import csv
import io
import re

from distill_utils.texts.tables import LINE_END, DataError, Table, table_of

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


def read_delimited(text: str, name: str, suffix: str) -> Table:
    """The text of a .csv or .tsv file. Raises DataError, with the line, when what stands in it is not certain."""
    if re.match(r'\s*(\[\s*)?\{\s*"', text):
        raise DataError(f"{name} holds JSON: name it .jsonl")
    first_line, delimiter = 1, None
    if hint := re.match(r'"?sep=([^\w"\r\n])"?(\r\n|\r|\n)', text, re.IGNORECASE):  # Excel's own first line
        first_line, delimiter, text = 2, hint[1], text[hint.end() :]
    limit = csv.field_size_limit(len(text) + 1)  # a text may be longer than the module's 128 KB
    try:
        delimiter = delimiter or _delimiter(text, name, suffix)
        rows, lines = _rows(text, name, delimiter, first_line)
    finally:
        csv.field_size_limit(limit)
    names, rows = _header(rows, lines, name, delimiter)
    lines = lines[1:]
    columns = list(zip(*rows, strict=True)) or [[]] * len(names)
    if not names[0] and len({value for value in columns[0] if value.isdecimal()}) == len(rows):
        names, columns = names[1:], columns[1:]  # pandas' row numbers: to_csv without index=False
    for number, column in enumerate(names, start=1):
        if not column:
            raise DataError(f"{name}: column {number} has no name: name it in the header, or remove it")
        if names.count(column) > 1:
            raise DataError(f"{name}: two columns are named {column!r}: rename one, or remove it")
    values = {column: [value or None for value in fields] for column, fields in zip(names, columns, strict=True)}
    return table_of(values, name, lines=lines)


def _delimiter(text: str, name: str, suffix: str) -> str:
    """What separates the names in the first line that holds any."""
    possible = []
    for delimiter in DELIMITERS:
        try:
            rows = csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=delimiter, strict=True)
            header = next((row for row in rows if any(map(str.strip, row))), [])
        except csv.Error:
            continue
        if len(header) > 1 and not any('"' in column for column in header):
            possible.append(delimiter)
    if suffix == ".tsv" and ("\t" in possible or not possible):
        return "\t"
    if len(possible) > 1 and "|" in possible:
        possible.remove("|")  # the rarest: beside another it belongs to a name
    if len(possible) > 1:
        marks = " and ".join(f"a {DELIMITERS[delimiter]}" for delimiter in possible)
        raise DataError(f"{name}: its header holds {marks}: use one to separate columns, and no other in their names")
    return possible[0] if possible else ","


def _rows(text: str, name: str, delimiter: str, first_line: int) -> tuple[list[list[str]], list[int]]:
    """The rows that hold anything, the header first, and the lines they begin on."""
    plain = _unquoted(text, first_line) if delimiter == "\t" and '"' in text else None
    try:
        rows, lines = _quoted(text, name, delimiter, first_line)
    except DataError:
        if plain is None:
            raise
        return plain
    if plain is not None and len(plain[0]) > len(rows):
        line = next(line for line, following in zip(lines, [*lines[1:], None], strict=True) if line + 1 != following)
        raise DataError(
            f"{name}, line {line}: a quote mark opens a text of several lines, or belongs to the text; both fit: "
            "save it as .jsonl, or remove the quote mark"
        )
    return rows, lines


def _quoted(text: str, name: str, delimiter: str, first_line: int) -> tuple[list[list[str]], list[int]]:
    mark = re.escape(delimiter)
    padded = re.match(rf"\s*[^{mark}\r\n]+({mark} [^{mark}\r\n]+)+(\r|\n|$)", text)  # a space after each
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=delimiter, strict=True, skipinitialspace=bool(padded))
    rows, lines, line = [], [], first_line
    try:
        for row in reader:
            if any(row) and not (len(row) == 1 and not row[0].strip()):
                rows.append(row)
                lines.append(line)
            line = first_line + reader.line_num
    except csv.Error as error:
        what = "has an opening quote mark and no closing one"
        if "end of data" not in str(error):
            what = f"has a quote mark inside a quoted text ({error})"
        raise DataError(
            f"{name}, line {line}: the row that begins here {what}: put texts in quotes, and double the quotes in them"
        ) from error
    return rows, lines


def _unquoted(text: str, first_line: int) -> tuple[list[list[str]], list[int]] | None:
    """The same with quote marks as letters, as many .tsv files have them; None where the lines do not fit that."""
    numbered = [(n, line) for n, line in enumerate(LINE_END.split(text), start=first_line) if line.strip('" \t')]
    rows = [line.split("\t") for _, line in numbered]
    if not rows or '"' in numbered[0][1] or {len(row) for row in rows} != {len(rows[0])}:
        return None
    return rows, [n for n, _ in numbered]


def _header(rows: list[list[str]], lines: list[int], name: str, delimiter: str) -> tuple[list[str], list[list[str]]]:
    """Column names and rows, all of one length."""
    if not rows:
        raise DataError(f"{name} is empty")
    names, rows = [column.strip() for column in rows[0]], rows[1:]
    while len(names) > 1 and not names[-1]:
        names.pop()
    width = len(names)
    if len({len(row) for row in rows}) == 1 and len(rows[0]) > width and not any(any(row[width:]) for row in rows):
        rows = [row[:width] for row in rows]  # every row ends in a delimiter
    bad = [number for number, row in enumerate(rows) if len(row) != width]
    if not bad:
        return names, rows
    others = f", the first of {len(bad)} such rows" if len(bad) > 1 else ""
    advice = f"put a text in quotes if it holds a {DELIMITERS.get(delimiter, repr(delimiter))} or a line break"
    if len(bad) == len(rows) and len({len(row) for row in rows}) == 1:
        advice += ", or name every column in the header"
    raise DataError(
        f"{name}, line {lines[bad[0] + 1]}: {_count(len(rows[bad[0]]), 'field')}, where the header has {width} "
        f"({', '.join(map(repr, names))}){others}: {advice}"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
