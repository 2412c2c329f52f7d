"""The switch: a student answers every text, the teacher only those that a router finds too difficult."""

import re
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save
from scipy.stats import norm

from distill_utils.cache import read_note, written_together
from distill_utils.checks import as_labels, as_logits, as_texts, same_classes
from distill_utils.students import Student
from distill_utils.switch.routers import DeferralHead, Doubt, Router, oracle_scores

NOTE, STUDENT, ARRAYS = "switch.json", "student", "router.safetensors"
SAVED = {kind.__name__: kind for kind in (Doubt, DeferralHead)}  # routers that a switch can be saved with


class Switch:
    """A student with `predict_logits(texts)`, a teacher with `logits(texts)`, both (n, n_classes), and a router.

    A switch has `logits`, too, so it can be the teacher of another one; and a teacher can be the student of one.

    router: a function (texts, student_logits) -> (n,) difficulty, or the name of a rule: "confidence", "margin". The
    teacher may be None: then the student answers every text. Raises ValueError when student and teacher do not know
    the same classes in the same order, as far as both name them.
    """

    def __init__(self, student, teacher, router: Router | str):
        self.student, self.threshold, self.teacher_name = student, None, None
        self.router = Doubt(router) if isinstance(router, str) else router
        self.teacher = teacher

    @property
    def teacher(self):
        """Who answers what is too difficult, or None."""
        return self._teacher

    @teacher.setter
    def teacher(self, teacher) -> None:
        ours, theirs = _names(getattr(self.student, "labels", None)), _names(getattr(teacher, "class_names", None))
        if ours and theirs:
            same_classes(ours, theirs, "student", "teacher")
        self._teacher = teacher
        if teacher is not None:
            self.teacher_name = getattr(teacher, "name", None)

    def predict(self, texts: list[str]) -> np.ndarray:
        """Class numbers, int64, (n,): the teacher answers, in one call, the texts at or above the threshold.

        Raises ValueError before `calibrate`, and when student, teacher or router do not answer every text.
        """
        texts = as_texts(texts)
        self._check_threshold()
        return self.logits(texts).argmax(axis=1) if texts else np.empty(0, np.int64)

    def logits(self, texts: list[str]) -> np.ndarray:
        """Logits, (n, n_classes): the teacher's where it is asked, else the student's. Errors as of `predict`."""
        texts = as_texts(texts)
        self._check_threshold()
        logits = self._student_logits(texts)
        logits = np.array(logits, np.result_type(logits, np.float32))  # a copy, which can hold the teacher's
        if self.teacher is None:
            return logits
        deferred = np.flatnonzero(self._difficulty(texts, logits) >= self.threshold)
        if len(deferred):
            logits[deferred] = self._ask([texts[row] for row in deferred], logits.shape[1])
        return logits

    def _student_logits(self, texts: list[str]) -> np.ndarray:
        """The student's logits, (n, n_classes), or those of a teacher in its place."""
        student = self.student
        return as_logits((getattr(student, "predict_logits", None) or student.logits)(texts), len(texts))

    def _check_threshold(self) -> None:
        if self.threshold is None:
            raise ValueError("the switch has no threshold yet: call calibrate(texts, labels, budget=0.1) first")

    def describe(self) -> str:
        """Who answers what, in one line."""
        student = f"the student ({type(self.student).__name__})"
        named = "" if self.teacher_name is None else f" ({self.teacher_name})"
        if self.teacher is None:
            return f"{student} answers every text: its teacher{named} is not here"
        router = self.router if isinstance(self.router, Doubt) else type(self.router).__name__
        return f"{student} answers, and the teacher{named} where the router ({router}) finds {self.threshold} or more"

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `switch.json` (threshold, router, the teacher's name), the router's arrays and the student in a folder.

        The teacher is not written. Raises ValueError for a router that is a function of your own.
        """
        kind = type(self.router).__name__
        if SAVED.get(kind) is not type(self.router) or not isinstance(self.student, Student):
            raise ValueError(
                f"cannot save a switch of {type(self.student).__name__} and {kind}: its student must be one of this "
                f"library, its router one of {', '.join(SAVED)}"
            )
        router, arrays = self.router.state()
        note = {"threshold": repr(self.threshold), "teacher": self.teacher_name, "kind": kind, "router": router}
        with written_together(Path(folder), NOTE, note) as staged:
            self.student.save_pretrained(staged / STUDENT)
            (staged / ARRAYS).write_bytes(save(arrays))

    @classmethod
    def from_pretrained(cls, folder: str | Path, teacher=None) -> "Switch":
        """Read what `save_pretrained` wrote. Without a teacher the student answers every text, as `describe` says.

        Raises ValueError when a file is missing or damaged, or the teacher knows other classes.
        """
        folder = Path(folder).expanduser()
        note = read_note(folder, NOTE)
        student = Student.from_pretrained(folder / STUDENT)
        try:
            router = SAVED[note["kind"]].of_state(note["router"], load_file(folder / ARRAYS))
            threshold = None if note["threshold"] == "None" else float(note["threshold"])
            name = note["teacher"]
        except (KeyError, TypeError, ValueError) as error:  # by another version: all is as it was written
            raise ValueError(f"{NOTE} in {folder} does not fit its files: save it again") from error
        switch = cls(student, teacher, router)
        switch.threshold, switch.teacher_name = threshold, switch.teacher_name or name
        return switch

    def _difficulty(self, texts: list[str], logits: np.ndarray) -> np.ndarray:
        found = np.asarray(self.router(texts, logits), np.float64)
        if found.shape != (len(texts),) or np.isnan(found).any():
            raise ValueError(
                f"the router gave numbers of shape {found.shape}, or NaN, for {len(texts)} texts: it must give one each"
            )
        return found

    def _ask(self, texts: list[str], n_classes: int) -> np.ndarray:
        """The teacher's logits, (n, n_classes)."""
        return as_logits(self.teacher.logits(texts), len(texts), n_classes)

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

        Raises ValueError unless exactly one of budget and max_loss is given, all in range, with one class number a
        text; max_loss needs the teacher.
        """
        texts = as_texts(texts)
        if (budget is None) == (max_loss is None):
            raise ValueError("give either budget= (share of texts to defer) or max_loss= (points of accuracy)")
        if not (0 <= budget <= 1 if max_loss is None else max_loss >= 0):
            raise ValueError(f"budget={budget}, max_loss={max_loss}: a budget is a share in 0..1, a loss is 0 or more")
        if not 0 < risk <= 0.5:
            raise ValueError(f"risk={risk}: it is the chance of losing more than max_loss, above 0 and at most 0.5")
        if not texts:
            raise ValueError("0 texts to calibrate on: give some validation texts, and one label a text")
        if max_loss is not None and self.teacher is None:
            raise ValueError("max_loss is measured against the teacher: give the switch its teacher, or set a budget")
        logits = self._student_logits(texts)
        labels = as_labels(labels, logits.shape[1], len(texts))
        difficulty = self._difficulty(texts, logits)
        # All the places to cut: nothing deferred, the most difficult value, the two most difficult, ..., everything.
        values, counts = np.unique(difficulty, return_counts=True)
        thresholds = np.concatenate(([np.inf], values[:0:-1], [-np.inf]))
        deferred = np.concatenate(([0], np.cumsum(counts[::-1])))
        if budget is not None:
            self.threshold = float(thresholds[deferred / len(texts) <= budget][-1])
            return self
        teacher_correct = self._ask(texts, logits.shape[1]).argmax(axis=1) == labels
        order = np.argsort(-difficulty, kind="stable")
        lost = oracle_scores(logits.argmax(axis=1) == labels, teacher_correct)[order]
        too_much = _largest_loss(lost, risk)[deferred] > max_loss
        too_much[-1] = False  # the teacher alone loses nothing
        self.threshold = float(thresholds[len(too_much) - too_much[::-1].argmax() if too_much.any() else 0])
        return self


def _names(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Class names, or None where there are none; "LABEL_0", "LABEL_1", ... stand for no names on the hub."""
    if names is None or all(re.fullmatch(r"LABEL_\d+", name) for name in names):
        return None
    return tuple(names)


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
