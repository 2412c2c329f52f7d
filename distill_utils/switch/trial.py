"""A switch on trial: student and teacher answer the same held-out texts, each once; what would a switch of them do?"""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from distill_utils.checks import as_texts
from distill_utils.results.scoreboard import paired_bootstrap
from distill_utils.switch.curves import cost_curve, curve
from distill_utils.switch.routers import (
    DeferralHead,
    Doubt,
    Router,
    calibrate_temperature,
    oracle_scores,
    random_scores,
    shuffle_consistency,
)
from distill_utils.switch.switch import Switch
from distill_utils.texts.words import Vocabulary


@dataclass
class Trial:
    """A student, its teacher, held-out texts and their labels, (n,) class numbers. The teacher's answers are cached."""

    student: object
    teacher: object
    texts: list[str]
    labels: np.ndarray
    logits: np.ndarray = field(init=False)  # the student's, (n, n_classes)
    right: tuple[np.ndarray, np.ndarray] = field(init=False)  # of student and teacher, (n,) booleans
    words: np.ndarray = field(init=False)  # between spaces, (n,): what a teacher's work is counted in

    def __post_init__(self):
        self.texts = as_texts(self.texts)
        self.logits = self.student.predict_logits(self.texts)
        self.right = self.logits.argmax(axis=1) == self.labels, self.teacher.predict(self.texts) == self.labels
        self.words = np.array([len(text.split()) for text in self.texts])

    def difficulty(self, router: Router) -> np.ndarray:
        """What a router makes of each text, (n,)."""
        return router(self.texts, self.logits)

    def free_routers(self, vocabulary: Vocabulary) -> dict[str, Router]:
        """Routers that read the student's own output, fitted on these texts: "confidence", "margin", "learned head".

        The head needs texts that the teacher corrects: where there are none, it stays out.
        """
        found = {
            "confidence": Doubt("confidence", calibrate_temperature(self.logits, self.labels)),
            "margin": Doubt("margin"),
        }
        if (oracle_scores(*self.right) > 0).any():
            found["learned head"] = DeferralHead(vocabulary).fit(self.texts, self.logits, *self.right)
        return found

    def difficulties(self, rules: dict[str, Router]) -> dict[str, np.ndarray]:
        """The difficulty of each text, (n,), by each rule; by the blog's shuffle detector; by chance; by an oracle."""
        detector = shuffle_consistency(self.teacher.predict, self.texts, 1, np.random.default_rng(0))
        found = {name: self.difficulty(rule) for name, rule in rules.items()} | {"shuffle detector": detector}
        return found | {"random": random_scores(len(self.texts), seed=0), "oracle": oracle_scores(*self.right)}

    def curve(self, difficulty: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares of deferral and the accuracies there, as `curve` gives them, for a difficulty of each text, (n,)."""
        return curve(difficulty, *self.right)

    def word_shares(self, difficulty: np.ndarray) -> np.ndarray:
        """The share of all words that goes to the teacher at each point of `curve`, (n + 1,)."""
        order = np.argsort(-np.asarray(difficulty, np.float64), kind="stable")
        return np.concatenate(([0], np.cumsum(self.words[order]))) / self.words.sum()

    def against_speed(self, difficulty: np.ndarray, cost: float) -> tuple[np.ndarray, np.ndarray]:
        """Speed-ups over the teacher alone and accuracies, (n + 1,) each, when the k most difficult texts are deferred.

        cost: of student and router a text, in words that the teacher reads (see `costs`).
        """
        return cost_curve(self.word_shares(difficulty), cost, self.words.mean()), self.curve(difficulty)[1]

    def switch(self, router: Router, **limits: float) -> Switch:
        """A switch with its threshold set on these texts; limits: for `Switch.calibrate`."""
        teacher = self.teacher
        named = SimpleNamespace(logits=teacher.cached_logits, class_names=teacher.class_names, name=teacher.name)
        found = Switch(self.student, named, router).calibrate(self.texts, self.labels, **limits)
        found.teacher = teacher  # from here on nothing is cached
        return found

    def deferred(self, switch: Switch) -> np.ndarray:
        """Which of these texts a switch passes on, (n,) of booleans."""
        return self.difficulty(switch.router) >= switch.threshold

    def outcome(self, switch: Switch) -> dict[str, object]:
        """What a switch of this student does here: shares deferred, accuracy, and points gained over the teacher."""
        deferred, (student, teacher) = self.deferred(switch), self.right
        right = np.where(deferred, teacher, student)
        points, low, high = paired_bootstrap(right, teacher)
        return {
            "deferred %": 100 * deferred.mean(),
            "their words %": 100 * self.words[deferred].sum() / max(1, self.words.sum()),
            "accuracy": 100 * right.mean(),
            "minus teacher": points,
            "95% interval": f"{low:+.1f} .. {high:+.1f}",
        }


def compete(students: dict[str, object], task, *, max_loss: float) -> list[dict]:
    """Several students of a task on its validation texts, a row each: alone, and as a switch by its own confidence.

    task: an `experiment.Experiment`, or anything with a teacher, and texts and labels by split. Each switch is set to
    lose at most `max_loss` points against the teacher on these very texts. "words to the teacher %" is the share of all
    words that it sends there.
    """
    rows = []
    for name, student in students.items():
        trial = Trial(student, task.teacher, task.texts["validation"], task.labels["validation"])
        found = trial.outcome(trial.switch(Doubt("confidence"), max_loss=max_loss, risk=0.5))
        alone, whole = (100 * right.mean() for right in trial.right)
        rows.append(
            {
                "student": name,
                "alone": alone,
                "as a switch": found["accuracy"],
                "teacher": whole,
                "words to the teacher %": found["their words %"],
            }
        )
    return rows
