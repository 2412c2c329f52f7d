"""A teacher that reads a long text in pieces."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from distill_utils.checks import as_texts, at_least_one
from distill_utils.teachers.labeller import Labeller
from distill_utils.teachers.teacher import Truncation
from distill_utils.texts.long_texts import mean_over_pieces
from distill_utils.texts.words import pieces


class InPieces(Labeller):
    """A teacher that reads texts in pieces of at most `longest` words, whose logits are averaged.

    The answers to pieces are cached as its own. Whatever else is asked of it, the teacher answers.
    """

    def __init__(self, teacher: Labeller, longest: int):
        at_least_one(longest=longest)
        if not teacher.any_text:
            raise ValueError(f"{teacher.name} answers its own texts only, and no pieces of them: take it as it is")
        self.teacher, self.longest = teacher, longest
        self.name, self.class_names, self.has_weights = teacher.name, teacher.class_names, teacher.has_weights
        self.train_seconds = teacher.train_seconds

    def __getattr__(self, name: str):
        if name == "teacher":  # not there yet: a copy is being made
            raise AttributeError(name)
        return getattr(self.teacher, name)

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides its labels."""
        return f"{self.teacher.fingerprint}-{self.longest}"

    def logits(self, texts: Iterable[str]) -> np.ndarray:
        """Logits, float32, shape (n_texts, n_classes)."""
        return mean_over_pieces(self.teacher.logits, texts, self.longest)

    def cached_logits(self, texts: Iterable[str], folder: Path | None = None) -> np.ndarray:
        """Like `logits`, from the teacher's cached answers to the pieces."""
        return mean_over_pieces(lambda found: self.teacher.cached_logits(found, folder), texts, self.longest)

    def count_parameters(self) -> tuple[int | None, int | None]:
        """As the teacher's."""
        return self.teacher.count_parameters()

    def truncation(self, texts: Iterable[str]) -> Truncation:
        """How much of the pieces it does not read."""
        return self.teacher.truncation([piece for text in as_texts(texts) for piece in pieces(text, self.longest)])
