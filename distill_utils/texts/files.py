"""One file as a table: what stands in it is read where that is certain, else one line says what was found."""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")  # in any case; all but parquet also as .gz
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
BYTE_ORDER_MARKS = {  # UTF-32 first: its little-endian mark begins with UTF-16's
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\xef\xbb\xbf": "UTF-8-sig",
}
FOREIGN = {  # how files begin that often stand under a data file's name, what they are, and what to do
    b"pk\x03\x04": "a zip archive or an Excel file: unpack it, or save it as 'CSV UTF-8'",
    b"\xd0\xcf\x11\xe0": "an Excel file: save it as 'CSV UTF-8'",
    b"par1": "a parquet file: name it .parquet",
    b"version https://git-lfs": "a pointer of Git LFS, not the data: fetch the data with 'git lfs pull'",
    b"<!doctype": "a web page: download the data itself",
    b"<html": "a web page: download the data itself",
}
LINE_END = re.compile(r"\r\n|\r|\n")


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


def parts_of(path: Path) -> tuple[str, str]:
    """A data file's stem and its suffix in lower case: ("Train", ".csv") for Train.CSV.gz."""
    name = Path(path.name[:-3]) if path.name.lower().endswith(".gz") else Path(path.name)
    return name.stem, name.suffix.lower()


def is_data_file(path: Path) -> bool:
    """Whether a file's name ends in one of `SUFFIXES`."""
    return parts_of(path)[1] in SUFFIXES


def read_file(path: Path) -> Table:
    """One file. Raises DataError when it cannot be opened, or when what stands in it is not certain."""
    if not is_data_file(path):
        raise DataError(f"cannot read {path.name!r}: save it as one of {', '.join(SUFFIXES)}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot open {path.name!r}: {error.strerror}") from error
    return read_bytes(data, path.name)


def read_bytes(data: bytes, name: str) -> Table:
    """The content of a file of this name. Raises DataError when what stands in it is not certain."""
    _, suffix = parts_of(Path(name))
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data, name)
    if not data.strip():
        raise DataError(f"{name} is empty")
    for start, what in FOREIGN.items():
        if data[:64].lstrip().lower().startswith(start) and not (suffix == ".parquet" and start == b"par1"):
            raise DataError(f"{name} is {what}")
    if suffix == ".parquet":
        return _parquet(data, name)
    text = _decoded(data, name)
    return _delimited(text, name, suffix) if suffix in (".csv", ".tsv") else _json(text, name)


def from_arrow(
    table: pa.Table, name: str, class_names: dict[str, tuple[str, ...]], lines: Sequence[int] | None = None
) -> Table:
    """An arrow table with Python's own values."""
    columns = {}
    for column, values in zip(table.column_names, table.columns, strict=True):
        if not re.fullmatch(r"__index_level_\d+__", column):  # pandas' row numbers, not a column
            columns[column] = [None if value != value else value for value in values.to_pylist()]
    return _table(columns, name, lines, class_names)


def _table(columns: dict[str, list], name: str, lines: Sequence[int] | None, class_names: dict | None = None) -> Table:
    if not columns or not len(next(iter(columns.values()))):
        raise DataError(f"{name} holds no rows: its columns are {', '.join(map(repr, columns)) or 'none'}")
    frame = pd.DataFrame({column: pd.Series(values, dtype=object) for column, values in columns.items()})
    return Table(frame, class_names or {}, name, lines)


# --- from bytes to text


def _unpacked(data: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} is gzip, but damaged or cut short ({error}): fetch it again") from error


def _decoded(data: bytes, name: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 where that is certain."""
    encoding = next((encoding for mark, encoding in BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)
    encoding = encoding or _unmarked_utf16(data) or "UTF-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if not encoding.startswith("UTF-8"):
            raise DataError(f"{name} begins as {encoding}, but is damaged further on: save it as UTF-8") from error
        byte = data[error.start : error.start + 1]
        line = len(re.findall(rb"\r\n|\r|\n", data[: error.start])) + 1
        letter = byte.decode("cp1252", errors="replace")
        guess = f" ({letter} in Windows' cp1252)" if letter.isprintable() and letter != "\ufffd" else ""
        raise DataError(
            f"{name}, line {line}: byte 0x{byte.hex()}{guess} is not UTF-8: save the file as UTF-8 (a spreadsheet's "
            "'CSV UTF-8'; or: iconv -f cp1252 -t utf-8 OLD > NEW)"
        ) from error
    if "\0" in text:
        line = len(LINE_END.findall(text[: text.index("\0")])) + 1
        raise DataError(f"{name}, line {line}: a NUL byte, so this is not a text file: save it as UTF-8 text")
    return text


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without a byte-order mark, which is certain if it begins in ASCII and holds no control characters."""
    order = {(True, False): "le", (False, True): "be"}.get((data[:1] > b"\0", data[1:2] > b"\0"))
    if order is None:
        return None
    try:
        text = data.decode(f"utf-16-{order}")
    except UnicodeDecodeError:
        return None
    return f"utf-16-{order}" if not re.search(r"[\x00-\x08\x0e-\x1f]", text) else None


# --- CSV and TSV


def _delimited(text: str, name: str, suffix: str) -> Table:
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
    return _table(values, name, lines)


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


# --- JSON


def _object(pairs: list[tuple[str, object]]) -> dict:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice in a row")
    return row


NO_NUMBERS = {"NaN": None, "Infinity": float("inf"), "-Infinity": float("-inf")}  # NaN: how pandas writes nothing
DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=NO_NUMBERS.get)


def _json(text: str, name: str) -> Table:
    """Rows as objects: one a line, or all in an array."""
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
    return _table(columns, name, lines)


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


# --- parquet


def _parquet(data: bytes, name: str) -> Table:
    if not data.startswith(b"PAR1"):
        raise DataError(f"{name} is not a parquet file: damaged, or another kind of file under this name")
    try:
        table = pa.parquet.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError, ValueError) as error:
        said = " ".join(str(error).split())[:120]
        raise DataError(f"{name} is a damaged parquet file, perhaps cut short ({said}): fetch it again") from error
    if len(set(table.column_names)) < len(table.column_names):
        raise DataError(f"{name}: two columns have one name ({', '.join(map(repr, table.column_names))}): rename one")
    written_by_datasets = b"huggingface" in (table.schema.metadata or {})
    features = datasets.Features.from_arrow_schema(table.schema) if written_by_datasets else {}
    return from_arrow(table, name, names_of_classes(features))


def names_of_classes(features: dict) -> dict[str, tuple[str, ...]]:
    """The class names of the columns of `datasets` features that have any."""
    return {
        column: tuple(feature.names)
        for column, feature in features.items()
        if isinstance(feature, datasets.ClassLabel) and feature.names
    }
