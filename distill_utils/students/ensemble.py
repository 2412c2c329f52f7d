"""Several students as one."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from torch import nn

from distill_utils.checks import as_texts, same_classes
from distill_utils.students.student import Student


class Ensemble(Student):
    """Trained students that answer together: the mean of their logits, at the sum of their costs.

    Raises ValueError when there are none, or they do not know the same classes in the same order.
    """

    def __init__(self, members: list[Student]):
        members = list(members) if isinstance(members, Iterable) else [members]
        if not members:
            raise ValueError("an ensemble of no students: give one or more")
        for number, member in enumerate(members):
            if not isinstance(member, Student):
                raise ValueError(f"member {number} of the ensemble is a {type(member).__name__}: give students")
            same_classes(members[0].labels, member.labels, "student 0 of the ensemble", f"student {number}")
        super().__init__(None, members[0].labels)
        self.members = nn.ModuleList(members)

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Raises ValueError: each member reads in its own way, and is trained by itself."""
        raise ValueError("an ensemble is not trained as one: fit each of its students, then join them")

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes)."""
        texts = as_texts(texts)
        return np.mean([member.predict_logits(texts) for member in self.members], axis=0)

    def _write(self, folder: Path) -> None:
        for number, member in enumerate(self.members):
            member.save_pretrained(folder / str(number))

    @classmethod
    def _read(cls, folder: Path, note: dict) -> "Ensemble":
        numbers = sorted({int(file.split("/")[0]) for file in note["files"]})
        return cls([Student.from_pretrained(folder / str(number)) for number in numbers])
