"""A cascade: a switch whose teacher is a switch, so that three models share the work (Viola and Jones, 2001)."""

from dataclasses import dataclass

import numpy as np

from distill_utils.checks import above_zero
from distill_utils.results.scoreboard import paired_bootstrap
from distill_utils.switch.costs import speed_up
from distill_utils.switch.routers import confidence
from distill_utils.switch.switch import Switch


@dataclass(frozen=True)
class _Answers:
    """Of student, middle model and teacher on the same n texts."""

    doubt: tuple[np.ndarray, np.ndarray]  # of the first two, (n,) each
    right: np.ndarray  # (3, n) booleans
    words: np.ndarray  # between spaces, (n,)

    @classmethod
    def of(cls, student, middle, teacher, texts: list[str], labels: np.ndarray) -> "_Answers":
        logits = student.predict_logits(texts), middle.cached_logits(texts), teacher.cached_logits(texts)
        right = np.stack([found.argmax(axis=1) == labels for found in logits])
        return cls((confidence(logits[0]), confidence(logits[1])), right, np.array([len(x.split()) for x in texts]))


class Cascade:
    """What the student doubts goes to a model of middling size, and what that one doubts to the teacher.

    student: with `predict_logits(texts)`; middle: a teacher that is smaller than the task's own. task: an
    `experiment.Experiment`, or anything with a teacher, and texts and labels by split. Doubt is `confidence`, its
    thresholds are set on validation texts, and outcomes are those of the test texts; transformers' answers are cached.
    """

    def __init__(self, student, middle, task):
        self.models = student, middle, task.teacher
        self.validation, self.test = (
            _Answers.of(*self.models, task.texts[split], task.labels[split]) for split in ("validation", "test")
        )
        self.thresholds = np.inf, np.inf

    def calibrate(self, *, max_loss: float, cost: float) -> "Cascade":
        """Set both thresholds: of all pairs that lose at most `max_loss` points to the teacher here, the cheapest.

        cost: of a word that the middle model reads, in words that the teacher reads. Validation texts are taken at
        their word, as by `Switch.calibrate` at risk 0.5. Raises ValueError for a cost that is not above 0, and for a
        loss below 0: the teacher alone does not keep to that.
        """
        above_zero(cost=cost)
        if not max_loss >= 0:
            raise ValueError(f"max_loss={max_loss}: it is points of accuracy below the teacher's, 0 or more")
        here, (first, second) = self.validation, self.validation.doubt
        student, middle, teacher = here.right.astype(int)
        enough = teacher.sum() - max_loss / 100 * len(teacher) - 1e-9
        most_doubted, cheapest = np.argsort(-second, kind="stable"), np.inf
        for threshold in (np.inf, *np.unique(first)[::-1]):
            passed = first >= threshold
            order = most_doubted[passed[most_doubted]]  # the teacher gets the first 0, 1, 2, ... of them
            right = np.where(passed, middle, student).sum() + _sums((teacher - middle)[order])
            words = cost * here.words[passed].sum() + _sums(here.words[order])
            cuts = np.concatenate((np.diff(second[order], prepend=np.inf) < 0, [True]))  # equal doubts go together
            words[~cuts | (right < enough)] = np.inf
            count = int(words.argmin())
            if words[count] < cheapest:
                cheapest = words[count]
                self.thresholds = float(threshold), float(second[order[count - 1]]) if count else np.inf
        return self

    def outcome(self, *, student: float, word: float) -> dict[str, object]:
        """What the cascade does on the test texts, and its speed-up over the teacher alone, everything counted.

        student: what it costs a text; word: what the middle model costs a word; both in words that the teacher reads.
        """
        here = self.test
        asked = here.doubt[0] >= self.thresholds[0]
        asked_twice = asked & (here.doubt[1] >= self.thresholds[1])
        right = here.right[asked.astype(int) + asked_twice, np.arange(len(asked))]
        points, low, high = paired_bootstrap(right, here.right[2])
        cost = student + word * here.words[asked].sum() / len(asked)  # of a text, before the teacher
        return {
            "to the middle %": 100 * asked.mean(),
            "to the teacher %": 100 * asked_twice.mean(),
            "accuracy": 100 * right.mean(),
            "minus teacher": points,
            "95% interval": f"{low:+.1f} .. {high:+.1f}",
            "speed-up": speed_up(here.words, asked_twice, cost),
        }

    def switch(self) -> Switch:
        """The cascade at work: a `Switch` that passes texts on to another one."""
        student, middle, teacher = self.models
        inner = Switch(middle, teacher, "confidence")
        outer = Switch(student, inner, "confidence")
        outer.threshold, inner.threshold = self.thresholds
        return outer


def _sums(numbers: np.ndarray) -> np.ndarray:
    """The sum of the first 0, 1, 2, ..., n of n numbers."""
    return np.concatenate(([0], np.cumsum(numbers))).astype(float)
