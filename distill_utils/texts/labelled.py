"""Texts with soft labels beside them, in parquet files: what many machines write, and `fit` reads piece by piece."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from distill_utils.checks import as_soft_labels
from distill_utils.texts.tables import DataError

PREFIX = "soft_label_"  # then the class's name: one column of probabilities a class
NOTE = b"distill_utils"  # in a file's schema: its text column, and which teacher labelled it
BATCH = 8192  # texts in memory at once


@contextmanager
def reading(path: Path):
    """Turn what pyarrow says of a file that cannot be read into one DataError."""
    try:
        yield
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        what = " ".join(str(getattr(error, "strerror", None) or error).split())[:120]
        raise DataError(f"{path} is damaged, or no parquet file ({what}): write it again, or remove it") from error


def open_parquet(path: Path) -> pq.ParquetFile:
    """A parquet file, its columns and number of rows at hand. Raises DataError when it cannot be read."""
    with reading(path):
        return pq.ParquetFile(path)


def note_of(schema: pa.Schema) -> dict:
    """What `label_files` noted in a file's schema; of a file from elsewhere nothing."""
    return json.loads((schema.metadata or {}).get(NOTE, b"{}"))


def classes_of(schema: pa.Schema) -> tuple[str, ...]:
    """The classes that a file has soft labels of, in the order of its columns."""
    return tuple(name.removeprefix(PREFIX) for name in schema.names if name.startswith(PREFIX))


def labelled_files(folder: Path) -> list[Path]:
    """The parquet files of a folder and its subfolders, by name; what begins with a dot is not finished."""
    found = sorted(folder.rglob("*.parquet"))
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def check_text_column(schema: pa.Schema, column: str, path: Path) -> None:
    """Raises DataError unless the column is there and holds strings."""
    if column not in schema.names:
        raise DataError(f"{path} has no column {column!r} of texts: it has {', '.join(map(repr, schema.names))}")
    kind = schema.field(column).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        raise DataError(f"{path}: the column {column!r} holds {kind}, not texts: write strings, or name another column")


def text_batches(file: pq.ParquetFile, path: Path, columns: list[str] | None, column: str, size: int) -> Iterator:
    """(first row, record batch, its texts) of at most `size` rows each. Raises DataError for a missing text."""
    row = 0
    with reading(path):
        for batch in file.iter_batches(size, columns=columns):
            texts = batch.column(column)
            if texts.null_count:
                missing = row + texts.is_null().to_pylist().index(True)
                raise DataError(f"{path}, row {missing}: there is no text: write one, or remove the row")
            yield row, batch, texts.to_pylist()
            row += len(batch)


def read_labelled(folder: Path, class_names: tuple[str, ...]) -> Iterator[tuple[list[str], np.ndarray]]:
    """Texts and their soft labels, float32 (n_texts, n_classes), some thousand at once, in the order of the files.

    Every file's columns are looked at first. The texts stand in the column `text` where no note says otherwise.

    Raises DataError, in one line with its place, for a folder without such files, a damaged one, a column that is not
    there, other classes than `class_names`, and soft labels that are no probabilities.
    """
    folder = folder.expanduser()
    if not (paths := labelled_files(folder)):
        raise DataError(f"no parquet files in {folder}: give the folder that label_files wrote")
    files = [(path, open_parquet(path)) for path in paths]
    if not any(file.metadata.num_rows for _, file in files):
        raise DataError(f"the files in {folder} hold no texts: label some")
    files = [(path, file.schema_arrow) for path, file in files]  # one file is open at a time
    for path, schema in files:
        check_text_column(schema, note_of(schema).get("text", "text"), path)
        if set(found := classes_of(schema)) != set(class_names):
            ours, theirs = ", ".join(class_names), ", ".join(found) or "no class"
            raise DataError(
                f"{path} has soft labels of {theirs}, and the student's classes are {ours}: use a student with the "
                f"teacher's classes (columns are named {PREFIX} and the class)"
            )
    names = [PREFIX + name for name in class_names]
    for path, schema in files:
        column = note_of(schema).get("text", "text")
        for row, batch, texts in text_batches(open_parquet(path), path, [column, *names], column, BATCH):
            values = [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
            try:
                yield texts, as_soft_labels(np.stack(values, axis=1), len(texts), len(names))
            except ValueError as error:
                raise DataError(f"{path}, rows from {row} on: {error}") from error
