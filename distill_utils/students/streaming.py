"""More texts than memory holds: what a student reads of a labelled folder, in files that are mapped."""

from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from distill_utils.cache import room_to_write
from distill_utils.students.student import Student


def encode_labelled(student: Student, folder: Path, scratch: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The row numbers and counts of `student.encode`, and soft labels (n_texts, n_classes), of all of a folder's texts.

    Rows and soft labels lie in nameless files in `scratch`, which the system deletes when the arrays are gone.

    Raises DataError for a folder that cannot be used or holds no text, CacheError when `scratch` is full.
    """
    from distill_utils.texts.labelled import read_labelled  # loads `datasets`, which students else do without

    counts, n_classes = [], len(student.labels)
    with room_to_write(scratch), TemporaryFile(dir=scratch) as rows_file, TemporaryFile(dir=scratch) as labels_file:
        for texts, soft_labels in read_labelled(folder, student.labels):
            rows, count = student.encode(texts)
            rows_file.write(rows)
            labels_file.write(soft_labels)
            counts.append(count)
        rows, soft_labels = _mapped(rows_file, np.int32), _mapped(labels_file, np.float32)
    return rows, np.concatenate(counts), soft_labels.reshape(-1, n_classes)


def _mapped(file, dtype: type) -> np.ndarray:
    file.flush()
    if not file.tell():  # nothing to map: no text had a word that the student knows
        return np.empty(0, dtype)
    return np.asarray(np.memmap(file, dtype, mode="c"))  # torch asks for an array that could be written
