"""A table as a teacher: a text column, and beside it probabilities or votes."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from distill_utils.checks import as_names, as_texts
from distill_utils.teachers.columns import Column, NoAnswer, listed, log_probabilities, probabilities
from distill_utils.texts.labels import name_of, numbers_of
from distill_utils.texts.readers import read_file
from distill_utils.texts.tables import DataError, Table
from distill_utils.texts.words import plain


class TableTeacher(Column):
    """What `from_table` makes: answers to its own texts, {plain text: probabilities (n_classes,)}, and to no others."""

    any_text = False

    def __init__(self, answers: Mapping[str, np.ndarray], class_names: Iterable[str], name: str):
        super().__init__(class_names, name)
        self.answers = answers

    def answerable(self, texts: Iterable[str]) -> list[str]:
        """Those of the texts that the table holds, in order."""
        return [text for text in as_texts(texts) if plain(text) in self.answers]

    def logits(self, texts: Iterable[str]) -> np.ndarray:
        """Logits, float32, shape (n_texts, n_classes). Raises ValueError when a text is not in the table."""
        texts = as_texts(texts)
        rows = [self.answers.get(plain(text)) for text in texts]
        if missing := [text for text, row in zip(texts, rows, strict=True) if row is None]:
            raise ValueError(
                f"{self.name} has no answer for {len(missing)} of {len(texts)} texts, the first is "
                f"{missing[0][:60]!r}: add them to the table, or leave them out"
            )
        return log_probabilities(np.array(rows, np.float64).reshape(len(texts), self.n_classes))

    def cached_logits(self, texts: Iterable[str], folder: Path | None = None) -> np.ndarray:
        """Like `logits`: what stands in a table needs no cache."""
        return self.logits(texts)


def from_table(
    path: str | Path,
    class_names: Sequence[str],
    *,
    text_column: str = "text",
    label_column: str = "label",
    prefix: str = "",
) -> TableTeacher:
    """A teacher from a file (CSV, JSONL, parquet): a probability column a class, or a column of labels.

    Columns `prefix` + class name hold probabilities; where there are none, each label is a vote, and a cell of JSON or
    parquet may hold a list of votes. Labels are class names, or class numbers where no class is named by a number.
    Several rows of one text are averaged, so votes are counted. Texts are known by their `plain` form.

    Raises DataError, in one line with its place, for a class that is missing or unknown, an empty text, and what is
    not a probability or does not sum to 1 (within 0.01).
    """
    path, class_names = Path(path).expanduser(), as_names(class_names)
    table = read_file(path)
    texts, columns = _texts(table, text_column), [prefix + name for name in class_names]
    missing = [column for column in columns if column not in table.frame]
    if missing == columns and not prefix and label_column in table.frame:
        rows, found = _votes(table, class_names, label_column)
    elif missing:
        label = f", nor a column {label_column!r} of labels" if missing == columns and not prefix else ""
        raise DataError(
            f"{table.source} has no column {missing[0]!r} of probabilities{label}: it has {_columns(table)}; give each "
            "class a column of its name, after the same prefix="
        )
    else:
        rows, found = range(len(texts)), _stated(table, columns, prefix, class_names)
    answers: dict[str, list[np.ndarray]] = {}
    for row, answer in zip(rows, found, strict=True):
        answers.setdefault(plain(texts[row]), []).append(answer)
    return TableTeacher({text: np.mean(several, axis=0) for text, several in answers.items()}, class_names, path.name)


def _texts(table: Table, column: str) -> list[str]:
    if column not in table.frame:
        raise DataError(
            f"{table.source} has no column {column!r}: it has {_columns(table)}; say which with text_column"
        )
    texts = table.frame[column].tolist()
    for row, text in enumerate(texts):
        if text is None or isinstance(text, str) and not text.strip():
            raise DataError(f"{table.where(row)}: the text is empty: write one, or remove the row")
        if not isinstance(text, str):
            raise DataError(
                f"{table.where(row)}: the text is a {type(text).__name__}, not a string: write it in quotes"
            )
    return texts


def _stated(table: Table, columns: list[str], prefix: str, class_names: tuple[str, ...]) -> np.ndarray:
    """The probabilities of all rows, (n_rows, n_classes)."""
    unknown = [column for column in table.frame if prefix and column.startswith(prefix) and column not in columns]
    if unknown:
        raise DataError(f"{table.source} has a column {unknown[0]!r}, which is of no class: {listed(class_names)}")
    try:
        return probabilities(table.frame[columns].map(_number).to_numpy(np.float64))
    except NoAnswer as error:
        raise DataError(f"{table.where(error.row)}: {error}: correct them, or remove the row") from None


def _number(cell: object) -> float:
    """The number that stands in a cell; NaN where there is none."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return np.nan


def _votes(table: Table, class_names: tuple[str, ...], column: str) -> tuple[list[int], np.ndarray]:
    """The row of each vote, and the votes as one-hot rows, (n_votes, n_classes)."""
    numbered = () if any(name.isdigit() for name in class_names) else class_names
    numbered = table.class_names.get(column, numbered)
    cells = enumerate(table.frame[column])
    votes = [(row, vote) for row, cell in cells for vote in (cell if isinstance(cell, list) and cell else [cell])]
    numbers = numbers_of([_name(vote, numbered) for _, vote in votes], class_names)
    for (row, vote), number in zip(votes, numbers, strict=True):
        if number < 0:
            what = "there is no label" if vote in (None, []) else f"the label {str(vote)[:40]!r} is no class"
            raise DataError(f"{table.where(row)}: {what} ({listed(class_names)}): correct it, or remove the row")
    return [row for row, _ in votes], np.eye(len(class_names))[numbers]


def _name(vote: object, numbered: Sequence[str]) -> str:
    """The class name that a vote stands for; "" where it stands for none."""
    try:
        return name_of(vote, numbered) or ""
    except ValueError:  # a dict, or a list within a list
        return ""


def _columns(table: Table) -> str:
    return ", ".join(map(repr, table.frame.columns))
