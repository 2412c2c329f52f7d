"""Several students as one."""

import numpy as np

from distill_utils.students.student import Student


class Ensemble:
    """Trained students that answer together: the mean of their logits, at the sum of their costs."""

    def __init__(self, members: list[Student]):
        self.members = members

    def predict_logits(self, texts: list[str]) -> np.ndarray:
        """Logits, float32, shape (len(texts), n_classes)."""
        return np.mean([member.predict_logits(texts) for member in self.members], axis=0)

    def predict(self, texts: list[str]) -> np.ndarray:
        """Class numbers, int64, shape (len(texts),)."""
        return self.predict_logits(texts).argmax(axis=1)
