"""One file as a table: what stands in it is read where that is certain, else one line says what was found."""

import gzip
import re
import zlib
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet

from distill_utils.texts.delimited import read_delimited
from distill_utils.texts.json_rows import read_json
from distill_utils.texts.tables import LINE_END, DataError, Table, from_arrow, names_of_classes

SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")  # in any case; all but parquet also as .gz
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
    return read_delimited(text, name, suffix) if suffix in (".csv", ".tsv") else read_json(text, name)


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
        raise DataError(f"{name}, line {line}: a NUL byte: remove it, or save the file as UTF-8 if it is no text file")
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
