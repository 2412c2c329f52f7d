"""Several students as one."""

from pathlib import Path

import numpy as np
from torch import nn

from distill_utils.checks import as_texts
from distill_utils.students.student import Student


class Ensemble(Student):
    """Trained students that answer together: the mean of their logits, at the sum of their costs.

    Raises ValueError when there are none, or they do not know the same classes in the same order.
    """

    def __init__(self, members: list[Student]):
        if not len(members):
            raise ValueError("an ensemble of no students: give one or more")
        for member in members:
            if member.labels != members[0].labels:
                raise ValueError(
                    f"the students of an ensemble know other classes, or in another order: {members[0].labels} and "
                    f"{member.labels}; train them with the same labels"
                )
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
