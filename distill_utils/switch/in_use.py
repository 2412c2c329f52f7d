"""A switch in use: routers fitted and thresholds set on validation, judged and timed on test, everything counted."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from distill_utils.switch.costs import Answer, in_teacher_words, speed_up
from distill_utils.switch.switch import Switch
from distill_utils.switch.trial import Trial

TIMED = 32  # test texts on which the teacher is timed: it is slow
LEARNED = "learned head"


@dataclass(frozen=True)
class Target:
    """What a switch should do on test texts, said before it runs.

    max_loss: points of accuracy below the teacher, at most; speed_up: over the teacher alone, at least.
    """

    max_loss: float
    speed_up: float

    def __str__(self) -> str:
        return f"at most {self.max_loss:g} points lost, at least {self.speed_up:g}x"

    def reached(self, minus_teacher: float, speed_up: float) -> bool:
        """Whether both hold, for points gained over the teacher and the speed-up."""
        return minus_teacher >= -self.max_loss - 1e-9 and speed_up >= self.speed_up


class InUse:
    """All switches of one student and its task's teacher: set on validation, tried on test.

    task: an `experiment.Experiment`, or anything with a teacher, a vocabulary, and texts and labels by split.

    The routers are fitted on every second validation text. A threshold is set on all of them; the learned head's on the
    others, since a router that was fitted on a text finds it too easy. `costs` of a text are counted in words that the
    teacher reads in the same time (see `costs`): of the student, of each router, of the teacher; empty before `time`.
    """

    def __init__(self, student, task):
        texts, labels = task.texts["validation"], task.labels["validation"]
        fitting, self.unseen, self.whole = (
            Trial(student, task.teacher, texts[rows], labels[rows])
            for rows in (slice(None, None, 2), slice(1, None, 2), slice(None))
        )
        self.routers = fitting.free_routers(task.vocabulary)
        self.test = Trial(student, task.teacher, task.texts["test"], task.labels["test"])
        self.difficulty = self.test.difficulties(self.routers)
        self.curves = {router: self.test.curve(found) for router, found in self.difficulty.items()}
        self.costs: dict[str, float] = {}

    def time(self, beside: dict[str, Answer] | None = None) -> dict[str, float]:
        """Measure `costs` on the test texts; beside: name -> what else is timed, in turn with the teacher."""
        test = self.test
        parts = {"student": test.student.predict_logits, **(beside or {})}
        parts |= {name: partial(rule, student_logits=test.logits) for name, rule in self.routers.items()}
        found = in_teacher_words(parts, test.teacher.logits, test.texts, TIMED)
        words = test.words.mean()  # the blog's detector runs the teacher twice: it needs no stopwatch
        self.costs = found | {"shuffle detector": 2 * words, "the teacher itself": words}
        return self.costs

    def switch(self, router: str = "confidence", **limits: float) -> Switch:
        """A switch whose threshold validation sets; limits: for `Switch.calibrate`."""
        return (self.unseen if router == LEARNED else self.whole).switch(self.routers[router], **limits)

    def outcome(self, router: str = "confidence", **limits: float) -> dict[str, object]:
        """What that switch does on the test texts, and its speed-up, all of its parts counted; after `time`."""
        switch, cost = self.switch(router, **limits), self.costs["student"] + self.costs[router]
        speed = speed_up(self.test.words, self.test.deferred(switch), cost)
        return {"router": router, **self.test.outcome(switch), "speed-up": speed}

    def speed_of(self, answer: Answer, n_texts: int = TIMED) -> float:
        """The speed-up of anything that answers the first n_texts test texts, timed in turn with the teacher."""
        texts, words = self.test.texts[:n_texts], self.test.words[:n_texts]
        return float(words.mean() / in_teacher_words({"it": answer}, self.test.teacher.logits, texts, TIMED)["it"])

    def against_speed(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Router -> speed-ups and accuracies at every share of deferral, (n + 1,) each: from student to teacher."""
        return {router: self._against_speed(router) for router in self.difficulty}

    def _against_speed(self, router: str) -> tuple[np.ndarray, np.ndarray]:
        return self.test.against_speed(self.difficulty[router], self.costs["student"] + self.costs.get(router, 0))

    def at_share(self, router: str, share: float) -> tuple[float, float]:
        """Speed-up and accuracy where a share of the test texts, 0 to 1, is deferred."""
        speeds, accuracy = self._against_speed(router)
        row = round(share * (len(speeds) - 1))
        return float(speeds[row]), float(accuracy[row])

    def at_speed(self, router: str, speed: float) -> tuple[float, float]:
        """Speed-up and accuracy of the switch that defers most test texts and is still `speed` times as fast.

        Where none is, those of the student alone.
        """
        speeds, accuracy = self._against_speed(router)
        row = max(0, int((speeds >= speed).sum()) - 1)  # they fall from row to row
        return float(speeds[row]), float(accuracy[row])

    def landmarks(self) -> dict[str, tuple[float, float]]:
        """Speed-up and accuracy of the student alone and of the teacher alone."""
        return {"student": self.at_share("confidence", 0), "teacher": (1.0, self.at_share("confidence", 1)[1])}
