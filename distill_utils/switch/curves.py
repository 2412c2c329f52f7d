"""What a switch is worth: its accuracy and its speed at every share of deferral."""

import timeit
from collections.abc import Callable

import numpy as np

from distill_utils.checks import as_outcomes, as_texts, at_least_one
from distill_utils.switch.routers import oracle_scores


def curve(
    difficulty: np.ndarray, student_correct: np.ndarray, teacher_correct: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The switch's accuracy in percent, (n + 1,), when the k most difficult texts are deferred, and the shares k / n.

    All three: (n,), the last two of 0 and 1. Equal difficulties go by row. Raises ValueError when lengths differ, or
    values are of another kind.
    """
    if not 0 < len(difficulty) == len(student_correct) == len(teacher_correct):
        raise ValueError(
            f"{len(difficulty)} difficulties, {len(student_correct)} student and {len(teacher_correct)} teacher "
            "answers: give one of each a text"
        )
    difficulty = np.asarray(difficulty, np.float64)
    if difficulty.ndim != 1 or np.isnan(difficulty).any():
        raise ValueError(f"difficulties of shape {difficulty.shape}, or NaN among them: give one number a text")
    order = np.argsort(-difficulty, kind="stable")
    gained = np.cumsum(oracle_scores(student_correct, teacher_correct)[order])
    correct = np.concatenate(([0], gained)) + as_outcomes(student_correct).sum()
    return np.arange(len(order) + 1) / len(order), 100 * correct / len(order)


def area(shares: np.ndarray, accuracy: np.ndarray) -> float:
    """The mean accuracy over all shares of deferral, in percent: one number for a router.

    Raises ValueError unless the shares rise from 0 to 1, with an accuracy each: what `curve` gives.
    """
    shares, accuracy = np.asarray(shares, np.float64), np.asarray(accuracy, np.float64)
    if shares.ndim != 1 or shares.shape != accuracy.shape or not np.isfinite(accuracy).all():
        raise ValueError(f"shares of shape {shares.shape}, accuracies of {accuracy.shape}: give one accuracy a share")
    if len(shares) < 2 or (shares[0], shares[-1]) != (0, 1) or not (np.diff(shares) >= 0).all():
        raise ValueError("the shares of deferral do not rise from 0 to 1: give what curve returns")
    return float(np.trapezoid(accuracy, shares))


def summary(shares: np.ndarray, accuracy: np.ndarray) -> dict[str, float]:
    """A router in four numbers: its area, its accuracy with 5% and 20% deferred, and how often it beats chance, in %.

    Chance is the straight line from the student's accuracy to the teacher's; it is looked at 5%, 10%, ..., 95%.
    """
    budgets = np.arange(5, 100, 5) / 100
    above = np.interp(budgets, shares, accuracy) > np.interp(budgets, [0, 1], accuracy[[0, -1]])
    five, twenty = np.interp([0.05, 0.2], shares, accuracy)
    found = {"area": area(shares, accuracy), "5% deferred": five, "20% deferred": twenty}
    return found | {"above chance %": 100 * above.mean()}


def cost_curve(
    shares: np.ndarray, seconds_student: float, seconds_teacher: float, seconds_router: float = 0.0
) -> np.ndarray:
    """Speed-up over the teacher alone at each share of deferral; seconds a text. Student and router see every text.

    Raises ValueError for shares outside 0..1, and times that are not above 0 (the router's may be 0).
    """
    shares = np.asarray(shares, np.float64)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError("shares of deferral lie in 0..1, and others were given: divide percentages by 100")
    times = {"student": seconds_student, "teacher": seconds_teacher, "router": seconds_router}
    if not min(seconds_student, seconds_teacher) > 0 or not seconds_router >= 0:
        raise ValueError(f"seconds a text of {times}: times are above 0, the router's may be 0")
    return seconds_teacher / (seconds_student + seconds_router + shares * seconds_teacher)


def measure_seconds(function: Callable[[list[str]], object], texts: list[str], repeats: int = 3) -> float:
    """Seconds a text, raw text in, on all texts at once; the best of `repeats`, since a machine is only ever slowed.

    Raises ValueError for no texts, or no repeats.
    """
    texts = as_texts(texts)
    at_least_one(repeats=repeats, texts=len(texts))
    return min(timeit.repeat(lambda: function(texts), number=1, repeat=repeats)) / len(texts)


def measure_latency(function: Callable[[list[str]], object], texts: list[str]) -> float:
    """Seconds that one text alone takes, raw text in: the median over `texts`, after one call that is not counted."""
    texts = as_texts(texts)
    at_least_one(texts=len(texts))
    function(texts[:1])
    return float(np.median([timeit.timeit(lambda text=text: function([text]), number=1) for text in texts]))
