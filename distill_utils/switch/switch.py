"""The switch: a student answers every text, the teacher only those that a router finds too difficult."""

import timeit
from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from distill_utils.switch.routers import Router, oracle_scores


class Switch:
    """A student with `predict_logits(texts)`, a teacher with `logits(texts)`, both (n, n_classes), and a router."""

    def __init__(self, student, teacher, router: Router):
        self.student, self.teacher, self.router = student, teacher, router
        self.threshold = None

    def predict(self, texts: list[str]) -> np.ndarray:
        """Class numbers, int64, (n,): the teacher answers, in one call, the texts at or above the threshold.

        Raises ValueError before `calibrate`.
        """
        if self.threshold is None:
            raise ValueError("the switch has no threshold yet: call calibrate(texts, labels, budget=0.1) first")
        if not len(texts):
            return np.empty(0, np.int64)
        logits = self.student.predict_logits(texts)
        answers = logits.argmax(axis=1)
        deferred = np.flatnonzero(self.router(texts, logits) >= self.threshold)
        if len(deferred):
            answers[deferred] = self.teacher.logits([texts[row] for row in deferred]).argmax(axis=1)
        return answers

    def calibrate(
        self,
        texts: list[str],
        labels: np.ndarray,
        *,
        budget: float | None = None,
        max_loss: float | None = None,
        risk: float = 0.05,
    ) -> "Switch":
        """Set the threshold on validation texts; labels: (n,) class numbers.

        budget: the largest share of texts to defer, 0 to 1; texts of equal difficulty are deferred together, so
        fewer may be. max_loss: points of accuracy below the teacher's. From everything deferred downwards, the last
        share before the loss may be larger than that, where "may" is a chance above `risk` (a fixed sequence of
        tests: Angelopoulos et al., 2021). At risk 0.5 the validation texts are taken at their word.

        Raises ValueError unless exactly one of budget and max_loss is given, all in range, with one label a text.
        """
        if (budget is None) == (max_loss is None):
            raise ValueError("give either budget= (share of texts to defer) or max_loss= (points of accuracy)")
        if not (0 <= budget <= 1 if max_loss is None else max_loss >= 0):
            raise ValueError(f"budget={budget}, max_loss={max_loss}: a budget is a share in 0..1, a loss is 0 or more")
        if not 0 < risk <= 0.5:
            raise ValueError(f"risk={risk}: it is the chance of losing more than max_loss, above 0 and at most 0.5")
        if len(texts) != len(labels) or not len(texts):
            raise ValueError(f"{len(texts)} texts and {len(labels)} labels: give one label a text, and some texts")
        logits = self.student.predict_logits(texts)
        difficulty = np.asarray(self.router(texts, logits), np.float64)
        # All the places to cut: nothing deferred, the most difficult value, the two most difficult, ..., everything.
        values, counts = np.unique(difficulty, return_counts=True)
        thresholds = np.concatenate(([np.inf], values[:0:-1], [-np.inf]))
        deferred = np.concatenate(([0], np.cumsum(counts[::-1])))
        if budget is not None:
            self.threshold = float(thresholds[deferred / len(texts) <= budget][-1])
            return self
        teacher_correct = self.teacher.logits(texts).argmax(axis=1) == labels
        order = np.argsort(-difficulty, kind="stable")
        lost = oracle_scores(logits.argmax(axis=1) == labels, teacher_correct)[order]
        too_much = _largest_loss(lost, risk)[deferred] > max_loss
        too_much[-1] = False  # the teacher alone loses nothing
        self.threshold = float(thresholds[len(too_much) - too_much[::-1].argmax() if too_much.any() else 0])
        return self


def _largest_loss(lost: np.ndarray, risk: float) -> np.ndarray:
    """What a switch loses at most, in points, (n + 1,), when the first k texts are deferred; more with chance `risk`.

    lost: (n,) of 1 (only the teacher is right), -1 (only the student) and 0. The upper end of a normal interval for
    a paired difference, half a text added to each of the four cells (Agresti and Min, 2005); at risk 0.5 the mean.
    """
    n = len(lost)
    kept = lambda rows: np.concatenate((np.cumsum(rows[::-1])[::-1], [0]))  # noqa: E731  of texts from k on
    mean, unequal = kept(lost) / n, (kept(np.abs(lost)) + 1) / (n + 2)
    spread = np.sqrt((unequal - (mean * n / (n + 2)) ** 2) / (n + 2))
    return np.round(100 * (mean + norm.isf(risk) * spread), 9)  # 92.4 - 92.3 is a little more than 0.1


def curve(
    difficulty: np.ndarray, student_correct: np.ndarray, teacher_correct: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The switch's accuracy in percent, (n + 1,), when the k most difficult texts are deferred, and the shares k / n.

    All three: (n,), the last two of 0 and 1. Equal difficulties go by row. Raises ValueError when lengths differ.
    """
    if not 0 < len(difficulty) == len(student_correct) == len(teacher_correct):
        raise ValueError(
            f"{len(difficulty)} difficulties, {len(student_correct)} student and {len(teacher_correct)} teacher "
            "answers: give one of each a text"
        )
    order = np.argsort(-np.asarray(difficulty, np.float64), kind="stable")
    gained = np.cumsum(oracle_scores(student_correct, teacher_correct)[order])
    correct = np.sum(student_correct) + np.concatenate(([0], gained))
    return np.arange(len(order) + 1) / len(order), 100 * correct / len(order)


def area(shares: np.ndarray, accuracy: np.ndarray) -> float:
    """The mean accuracy over all shares of deferral, in percent: one number for a router."""
    return float(np.trapezoid(accuracy, shares))


def cost_curve(
    shares: np.ndarray, seconds_student: float, seconds_teacher: float, seconds_router: float = 0.0
) -> np.ndarray:
    """Speed-up over the teacher alone at each share of deferral; seconds a text. Student and router see every text."""
    return seconds_teacher / (seconds_student + seconds_router + np.asarray(shares) * seconds_teacher)


def measure_seconds(function: Callable[[list[str]], object], texts: list[str], repeats: int = 3) -> float:
    """Seconds a text, raw text in, on all texts at once; the best of `repeats`, since a machine is only ever slowed."""
    return min(timeit.repeat(lambda: function(texts), number=1, repeat=repeats)) / len(texts)
