"""Solutions pass their own checks; plausible wrong answers fail them, each with a word on what it forgets."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import softmax

from distill_utils import exercises, switch, word_order
from distill_utils.exercises import check
from distill_utils.results.scoreboard import paired_bootstrap
from distill_utils.students import MLP, BiLSTM, count_parameters, kl_to_soft_labels
from distill_utils.switch import Switch
from distill_utils.texts.words import Vocabulary


def kl_by_hand(logits, soft):
    q = torch.exp(logits) / torch.exp(logits).sum(dim=1, keepdim=True)
    parts = torch.where(soft > 0, soft * (torch.log(soft.clamp_min(1e-30)) - torch.log(q)), torch.zeros_like(soft))
    return parts.sum(dim=1).mean()


def shuffled_pairs(text, random):
    return word_order.shuffle(text, 2, random=random)


def interval(ours, theirs, random):
    difference = ours - theirs
    rows = random.integers(len(difference), size=(2000, len(difference)))
    means = 100 * difference[rows].mean(axis=1)
    return 100 * difference.mean(), np.percentile(means, 2.5), np.percentile(means, 97.5)


def unpaired(ours, theirs, random):
    draw = lambda right: right[random.integers(len(right), size=(2000, len(right)))].mean(axis=1)  # noqa: E731
    means = 100 * (draw(ours) - draw(theirs))
    return 100 * (ours - theirs).mean(), np.percentile(means, 2.5), np.percentile(means, 97.5)


def accuracies(difficulty, student, teacher):
    order = np.argsort(-difficulty)
    return [100 * np.r_[teacher[order[:k]], student[order[k:]]].mean() for k in range(len(order) + 1)]


RIGHT = {
    "1.1": [40_374],
    "1.2": [2.3026, np.float32(2.3)],
    "1.3": [kl_by_hand, kl_to_soft_labels],
    "1.4": [lambda logits, t: softmax(logits / t, axis=1), lambda z, t: F.softmax(torch.tensor(z) / t, dim=1)],
    "1.5": [{"reviews", "forum"}, ["forum", "reviews"]],
    "1.6": [(20, 22.2)],
    "1.7": [0.42],
    "2.1": [(70, 0), (70.0, 0.0)],
    "2.2": [[("good, not bad", "bad, not good"), ("a dog bites a man", "a man bites a dog")]],
    "2.3": [282_202],
    "2.4": [lambda soft: np.eye(soft.shape[1])[soft.argmax(axis=1)]],
    "2.5": [("B", 85.6)],
    "2.6": [(0, 2.8)],
    "2.7": [interval, lambda ours, theirs, random: paired_bootstrap(ours, theirs)],
    "3.1": [0.2],
    "3.2": [shuffled_pairs],
    "3.3": [(0, 0.0)],
    "3.4": [8.333, 1 / 0.12],
    "3.5": [0.71, 0.65],
    "3.6": [91.67, 1100 / 12],
    "3.7": [accuracies],
}
WRONG = [
    ("1.1", 40_187, "layers on top do not shrink"),
    ("1.1", 40_000, "layers on top are missing"),
    ("1.1", 30_000, "Too small"),
    ("1.1", "40374", "give one number"),
    ("1.2", 1.0, "base 10"),
    ("1.2", -2.3026, "never negative"),
    ("1.2", 0.357, "which class does the label name"),
    ("1.3", lambda z, p: len(z) * kl_by_hand(z, p), "takes their mean"),
    ("1.3", lambda z, p: F.kl_div(F.log_softmax(z, -1), p, reduction="none").mean(), "add up over the classes first"),
    ("1.3", lambda z, p: F.cross_entropy(z, p), "teacher's own entropy"),
    ("1.3", lambda z, p: kl_by_hand(p.log(), F.softmax(z, -1)), "stand in front"),
    ("1.3", lambda z, p: -kl_by_hand(z, p), "sign"),
    ("1.3", lambda z, p: (p * (p / z).log()).sum(1).mean(), "logarithm can be taken of a logit"),
    ("1.3", lambda z, p: (p * (p.log() - F.log_softmax(z, 1))).sum(1).mean(), "0 log 0"),
    ("1.3", lambda z, p: (p * (p.log() - F.log_softmax(z, 1))).sum(1), "one number for the whole batch"),
    ("1.3", lambda z, p: nothing, "stopped with NameError"),  # noqa: F821
    ("1.4", lambda z, t: softmax(z, axis=1), "changes nothing yet"),
    ("1.4", lambda z, t: softmax(z * t, axis=1), "this sharpens"),
    ("1.4", lambda z, t: softmax(z, axis=1) / t, "have to sum to 1"),
    ("1.4", lambda z, t: softmax(z / t), "numbers are others"),
    ("1.5", {"reviews"}, "one is missing"),
    ("1.5", {"reviews", "forum", "word probes"}, "does not leak"),
    ("1.5", "reviews", "set of names"),
    ("1.6", (55, 22.2), "too high, by 32.8"),
    ("1.6", (55, 55.8), "shuffle the labels"),
    ("1.6", (-10.0, 22.2), "too low"),
    ("1.7", 0.5, "one spread"),
    ("1.7", 0, "above their mean"),
    ("2.1", (70, 70), "the MCC: that is the accuracy again"),
    ("2.1", (30, 0), "accuracy: too small"),
    ("2.1", 70, "two things"),
    ("2.2", [("good", "bad"), ("a b", "b a")], "can tell 'good'"),
    ("2.2", [("not good", "Not good!"), ("a b", "b a")], "same words in the same order"),
    ("2.2", [("a b", "b a")], "two pairs"),
    ("2.2", [("so so good", "good so"), ("a b", "b a")], "more often"),
    ("2.3", 161_402, "one direction"),
    ("2.3", 241_600, "layers on top are missing"),
    ("2.4", lambda soft: soft.argmax(axis=1), "class numbers"),
    ("2.4", lambda soft: np.round(soft), "less than one half"),
    ("2.5", ("C", 86.8), "by the test score"),
    ("2.5", ("B", 87.3), "made you choose it"),
    ("2.5", ("A", 85.0), "another one"),
    ("2.6", (60, 2.8), "too high"),
    ("2.6", (0, 51.3), "score it by MCC"),
    ("2.7", unpaired, "too wide"),
    ("2.7", lambda ours, theirs, random: interval(theirs, ours, random), "sign"),
    ("2.7", lambda ours, theirs, random: np.array(interval(ours, theirs, random)) / 100, "out of 100"),
    ("2.7", lambda a, b, random: np.repeat(interval(a, b, random)[0], 3), "too narrow"),
    ("3.1", 0.3, "two classes"),
    ("3.1", 0.15, "could be lost"),
    ("3.2", lambda text, random: word_order.shuffle(text, 1, random=random), "torn"),
    ("3.2", lambda text, random: word_order.shuffle(text, 2, random=np.random.default_rng(1)), "same each time"),
    ("3.2", lambda text, random: text, "nothing has changed"),
    ("3.2", lambda text, random: text.split(), "list"),
    ("3.2", lambda text, random: " ".join(text.split()[2:]), "lost"),
    ("3.3", (0.4, 0.0), "too high"),
    ("3.3", (0.3, 0.35), "pooling='mean'"),
    ("3.4", 10, "student's own time"),
    ("3.4", 8.47, "deferred ones too"),
    ("3.5", float(np.quantile(exercises.DIFFICULTY, 0.75)), "30% .* too many"),
    ("3.5", 0.9, "0% .* allows more"),
    ("3.6", 75, "teacher alone"),
    ("3.6", 0.9167, "in percent"),
    ("3.7", lambda d, s, t: accuracies(-d, s, t), "simplest texts"),
    ("3.7", lambda d, s, t: accuracies(d, s, t)[1:], "there are six"),
    ("3.7", lambda d, s, t: np.array(accuracies(d, s, t)) / 100, "percent"),
]


@pytest.mark.parametrize("number", exercises.CHECKS)
def test_a_right_answer_passes(number):
    for answer in RIGHT[number]:
        verdict = check(number, answer)
        assert verdict.right is True, verdict.line
        assert repr(verdict).startswith(f"Exercise {number}: right. ")


@pytest.mark.parametrize("number, answer, hint", WRONG)
def test_a_wrong_answer_is_told_which_way(number, answer, hint):
    verdict = check(number, answer)
    assert verdict.right is False and "\n" not in verdict.line and re.search(r"[^.]\.$", verdict.line)
    assert re.match(rf"Exercise {number}: not yet\. .*{hint}", verdict.line, re.IGNORECASE), verdict.line


def test_every_exercise_has_a_wrong_answer():
    assert {number for number, _, _ in WRONG} == set(exercises.CHECKS)


@pytest.mark.parametrize("number", exercises.CHECKS)
@pytest.mark.parametrize(
    "dots", [None, ..., (..., ...), [(..., "a"), ("b", "c")], lambda *arguments: ..., lambda *arguments: None]
)
def test_the_starters_dots_are_no_answer(number, dots):
    takes_a_function = callable(RIGHT[number][0])
    if callable(dots) == takes_a_function or not callable(dots):
        verdict = check(number, dots)
        assert verdict.right is None and "no answer yet" in verdict.line and "\n" not in verdict.line


def test_no_exercise_of_that_number():
    with pytest.raises(ValueError, match="there is no exercise '1.9': there are 1.1, "):
        check("1.9", 1)


# The right answers, against the library.


def test_the_sizes_are_those_of_the_library():
    student = MLP(Vocabulary(map(str, range(2500))), tuple("abcdef"))
    assert count_parameters(student)[0] == RIGHT["1.1"][0]
    bilstm = BiLSTM(Vocabulary(map(str, range(10))), ("n", "p"), embedding_size=200, hidden=100, dense=200)
    assert count_parameters(bilstm)[1] == RIGHT["2.3"][0]


def test_the_best_of_three_by_drawing():
    scores = np.random.default_rng(0).normal(0, 0.5, size=(200_000, 3))
    assert scores.max(axis=1).mean() == pytest.approx(RIGHT["1.7"][0], abs=0.01)


def test_the_threshold_is_the_librarys():
    """Whose student is as sure as the exercise says, and whose router reads it off."""

    class Student:
        labels = ("a", "b")

        def predict_logits(self, texts):
            return np.zeros((len(texts), 2), np.float32)

    texts = [str(number) for number in range(10)]
    found = Switch(Student(), None, lambda some, logits: exercises.DIFFICULTY[: len(some)])
    found.calibrate(texts, np.zeros(10, int), budget=0.25)
    assert check("3.5", found.threshold).right and found.threshold == 0.71


def test_the_curve_holds_the_best_switch():
    oracle = switch.routers.oracle_scores(exercises.STUDENT_RIGHT, exercises.TEACHER_RIGHT)
    assert switch.curve(oracle, exercises.STUDENT_RIGHT, exercises.TEACHER_RIGHT)[1].max() == pytest.approx(1100 / 12)
