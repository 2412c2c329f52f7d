"""Which model, and why: one rule, applied to validation figures."""

from dataclasses import dataclass

import numpy as np

from distill_utils.results.intervals import paired_difference

TOLERANCE = 1.0  # points that the student may lose, where no max_loss is asked for


@dataclass(frozen=True)
class Candidate:
    """A kind of model: its size, and its answers to the validation texts, (n_models, n_texts) class numbers."""

    name: str
    parameters: int
    predictions: np.ndarray


def answers_of(models: list, texts: list[str]) -> np.ndarray:
    """What one kind of model says, (n_models, n_texts)."""
    return np.stack([model.predict(texts) for model in models])


def smallest_as_good(metric: str, labels: np.ndarray, candidates: list[Candidate]) -> Candidate:
    """The smallest candidate that is level with the best one; of equal sizes the one that scores more.

    Level: what it loses is at most a quarter of the width of the 95% interval of that difference, about one standard
    error (the one-standard-error rule: Breiman et al., 1984, section 3.4.3).
    """
    ranked = sorted(candidates, key=lambda one: -_score(metric, labels, one.predictions))
    for candidate in sorted(ranked, key=lambda one: one.parameters):
        lost, low, high = paired_difference(metric, labels, ranked[0].predictions, candidate.predictions)
        if lost <= (high - low) / 4:
            return candidate
    return ranked[0]


def advice(
    metric: str,
    labels: np.ndarray,
    student: Candidate,
    *,
    teacher: Candidate | None,
    linear: Candidate,
    twin: Candidate,
    tolerance: float = TOLERANCE,
) -> str:
    """One sentence, or two: which model to take, from answers to the validation texts. teacher: None if it has none.

    The student alone, if even the low end of its interval against the teacher loses at most `tolerance` points; the
    switch otherwise. Beside that: whether the linear model (TF-IDF) or the student's twin on hard labels is level.
    """
    if teacher is None:
        line = (
            f"Take the {student.name}: it could not be compared, since the teacher did not answer the validation texts."
        )
    else:
        points, low, high = paired_difference(metric, labels, student.predictions, teacher.predictions)
        far = f"{abs(points):.1f} points {'below' if points < 0 else 'above'}" if round(points, 1) else "level with"
        against = f"on validation it is {far} {teacher.name} (95% interval {low:+.1f} .. {high:+.1f})"
        if low >= -tolerance:
            line = f"Take the {student.name}, alone: {against}, so a loss of more than {tolerance:g} is ruled out."
        elif points >= -tolerance:
            line = (
                f"Take the switch, with the {student.name}: {against}, and a loss of more than {tolerance:g} is not "
                "ruled out. More validation texts may do that, and then the student is enough."
            )
        else:
            line = f"Take the switch, with the {student.name}: {against}, and no more than {tolerance:g} may be lost."
    level = [other.name for other in (linear, twin) if not _better(metric, labels, student, other)]
    if level:
        line += f" But on validation {' and '.join(level)} cannot be told from it: perhaps no teacher is needed."
    return line


def _better(metric: str, labels: np.ndarray, one: Candidate, other: Candidate) -> bool:
    return one.name == other.name or paired_difference(metric, labels, one.predictions, other.predictions)[1] > 0


def _score(metric: str, labels: np.ndarray, predictions: np.ndarray) -> float:
    nobody = np.full(len(labels), labels[0])
    return paired_difference(metric, labels, predictions, nobody, draws=1)[0]
