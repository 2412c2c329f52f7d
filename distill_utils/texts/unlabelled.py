"""Texts without labels from a file of your own: they cost nothing but the teacher's time."""

from pathlib import Path

from distill_utils.texts.files import is_data_file, read_file
from distill_utils.texts.readers import DataError


def read_texts(path: Path, text_column: str) -> list[str]:
    """The texts of a table's column, or of a .txt file, one a line; empty ones are left out.

    Raises DataError when the file cannot be read, holds no text, or has no such column.
    """
    path = Path(path).expanduser()
    if is_data_file(path):
        frame = read_file(path).frame
        if text_column not in frame:
            raise DataError(f"no column {text_column!r} in {path.name}: it has {', '.join(map(repr, frame.columns))}")
        found = frame[text_column].tolist()
    elif path.suffix.lower() == ".txt":
        try:
            found = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
            raise DataError(f"cannot read {path.name}: {reason}") from error
    else:
        raise DataError(f"cannot read {path.name!r}: give a .txt file, one text a line, or a table with a text column")
    texts = [text for text in found if isinstance(text, str) and text.strip()]
    if not texts:
        raise DataError(f"{path.name} holds no text: give some, or leave the parameter empty")
    return texts
