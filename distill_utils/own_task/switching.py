"""The switch of a task of your own: student first, the teacher within the limits asked for."""

from types import SimpleNamespace

import numpy as np

from distill_utils.experiment import Experiment
from distill_utils.own_task.teaching import answers
from distill_utils.students import Student
from distill_utils.switch import Switch, cost_curve, curve, measure_seconds, one_thread
from distill_utils.switch.routers import Doubt, calibrate_temperature

TIMED = 200  # texts


def calibrated(task: Experiment, student: Student, **limits: float) -> Switch:
    """A switch by the student's confidence, temperature and threshold from validation; limits: for `Switch.calibrate`.

    Raises ValueError for a max_loss when the teacher does not answer the validation texts.
    """
    texts, labels, teacher = task.texts["validation"], task.labels["validation"], task.teacher
    if "max_loss" in limits and not answers(task, "validation"):
        raise ValueError(
            f"max_loss is measured against the teacher, and {task.teacher_name} does not answer the validation texts: "
            "set a budget instead"
        )
    heat = calibrate_temperature(student.predict_logits(texts), labels)
    named = SimpleNamespace(logits=teacher.cached_logits, class_names=teacher.class_names, name=teacher.name)
    switch = Switch(student, named, Doubt("confidence", heat)).calibrate(texts, labels, **limits)
    switch.teacher = teacher  # from here on nothing is cached
    return switch


def describe(switch: Switch, teacher: str) -> str:
    """When this switch asks its teacher, in one sentence."""
    if switch.threshold == -np.inf:
        return f"The switch asks {teacher} about every text."
    if switch.threshold == np.inf:
        return f"The switch never asks {teacher}."
    return (
        f"The switch asks {teacher} where the student's doubt (1 - its largest probability, at temperature "
        f"{switch.router.temperature:.3g}) is {switch.threshold:.3g} or more."
    )


def in_use(task: Experiment, switch: Switch) -> dict[str, object]:
    """What the switch does on the test texts: its score, what it defers (of texts, of words), its speed-up if timed.

    A teacher that does not answer them leaves the share alone.
    """
    texts = task.texts["test"]
    deferred = switch.router(texts, switch.student.predict_logits(texts)) >= switch.threshold
    words = np.array([len(text.split()) for text in texts])
    found = {"deferred %": 100 * deferred.mean(), "their words %": 100 * words[deferred].sum() / max(1, words.sum())}
    if not answers(task, "test"):
        return found
    student, teacher = switch.student.predict(texts), task.teacher.predict(texts)
    found |= {
        "student": task.score(student),
        "switch": task.score(np.where(deferred, teacher, student)),
        "teacher": task.score(teacher),
    }
    if task.teacher.any_text:
        few = texts[:TIMED]
        with one_thread():
            found["speed-up"] = measure_seconds(task.teacher.logits, few, 2) / measure_seconds(switch.predict, few, 2)
    return found


def trade(task: Experiment, switch: Switch, speed_up: float) -> tuple[dict, dict]:
    """What `figures.switch_curves` draws: speed-up and accuracy on test at every share deferred, and three points.

    The curves: by the student's confidence, and what chance gives on average. The points: student, teacher, and the
    switch as it is set, at its measured speed-up.
    """
    texts, labels = task.texts["test"], task.labels["test"]
    logits = switch.student.predict_logits(texts)
    right = logits.argmax(axis=1) == labels, task.teacher.predict(texts) == labels
    difficulty = switch.router(texts, logits)
    with one_thread():
        speeds = [measure_seconds(answer, texts[:TIMED], 2) for answer in (switch.student.predict, task.teacher.logits)]
    shares, accuracy = curve(difficulty, *right)
    chance = accuracy[0] + (accuracy[-1] - accuracy[0]) * shares  # on average over all orders
    speed = cost_curve(shares, *speeds)
    drawn = {"confidence": (speed, accuracy), "random": (speed, chance)}
    accuracy = 100 * np.where(difficulty >= switch.threshold, right[1], right[0])
    points = {"student": (speeds[1] / speeds[0], 100 * right[0].mean()), "teacher": (1.0, 100 * right[1].mean())}
    return drawn, points | {"switch": (speed_up, accuracy.mean())}
