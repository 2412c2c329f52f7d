"""A student that reads a long text in pieces."""

from pathlib import Path

import numpy as np

from distill_utils.checks import as_texts, at_least_one
from distill_utils.students.student import Student
from distill_utils.texts.long_texts import mean_over_pieces


class InPieces(Student):
    """A trained student that reads texts in pieces of at most `longest` words, whose logits are averaged."""

    def __init__(self, student: Student, longest: int):
        at_least_one(longest=longest)
        super().__init__(None, student.labels, longest=longest)
        self.student = student

    def encode(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Raises ValueError: the student itself is trained, on whole texts or on pieces."""
        raise ValueError("a student in pieces is not trained as one: fit the student, then let it read in pieces")

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes)."""
        return mean_over_pieces(self.student.predict_logits, as_texts(texts), self.config["longest"])

    def _write(self, folder: Path) -> None:
        self.student.save_pretrained(folder / "whole")

    @classmethod
    def _read(cls, folder: Path, note: dict) -> "InPieces":
        return cls(Student.from_pretrained(folder / "whole"), note["config"]["longest"])
