"""The switch and its curve, on a table worked out by hand."""

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from distill_utils.students import MLP, Ensemble
from distill_utils.switch import Switch, area, cost_curve, curve, measure_latency, measure_seconds
from distill_utils.switch.routers import confidence, oracle_scores, random_scores
from distill_utils.texts.words import Vocabulary

# Six texts of class 1, the most difficult first.
TEXTS = ["t0", "t1", "t2", "t3", "t4", "t5"]
LABELS = np.ones(6, int)
DIFFICULTY = np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.1])
STUDENT = np.array([0, 1, 0, 1, 1, 1])  # 0 and 1: what it answers, and whether that is right
TEACHER = np.array([1, 1, 1, 0, 1, 1])


class Stub:
    """A student and a teacher: the answer stands in a table; what was asked is kept."""

    def __init__(self, answers, texts=TEXTS):
        self.table, self.asked = dict(zip(texts, answers, strict=True)), []

    def logits(self, texts):
        self.asked.append(texts)
        return np.eye(2, dtype=np.float32)[[self.table[text] for text in texts]]

    predict_logits = logits


def switch(difficulty=DIFFICULTY):
    of = dict(zip(TEXTS, difficulty, strict=True))
    return Switch(Stub(STUDENT), Stub(TEACHER), lambda texts, logits: np.array([of[text] for text in texts]))


def test_curve_and_area_by_hand():
    shares, accuracy = curve(DIFFICULTY, STUDENT, TEACHER)
    np.testing.assert_allclose(shares, np.arange(7) / 6)
    np.testing.assert_allclose(accuracy, 100 * np.array([4, 5, 5, 6, 5, 5, 5]) / 6)
    assert area(shares, accuracy) == pytest.approx(100 * (4 / 2 + 5 + 5 + 6 + 5 + 5 + 5 / 2) / 36)
    reverse = curve(-DIFFICULTY, STUDENT, TEACHER)[1]
    np.testing.assert_allclose(reverse, 100 * np.array([4, 4, 4, 3, 4, 4, 5]) / 6)
    np.testing.assert_array_equal(curve(np.zeros(6), STUDENT, TEACHER)[1], accuracy)  # ties go by row


def test_nothing_beats_the_oracle():
    random = np.random.default_rng(0)
    student, teacher = random.random(60) < 0.7, random.random(60) < 0.85
    best = curve(oracle_scores(student, teacher), student, teacher)
    assert best[1].max() == pytest.approx(100 * (student | teacher).mean())
    for seed in range(50):
        other = curve(random_scores(60, seed), student, teacher)
        assert (best[1] >= other[1] - 1e-9).all() and area(*best) > area(*other)


def test_the_speed_up_counts_student_and_router_on_every_text():
    # A student 40 times as fast; the detector of the blog runs the teacher twice.
    np.testing.assert_allclose(cost_curve([0, 0.05, 0.2, 1], 0.025, 1.0), [40, 13.33, 4.44, 0.976], atol=0.01)
    np.testing.assert_allclose(cost_curve([0.05, 0.2], 0.025, 1.0, 2.0), [0.48, 0.45], atol=0.01)


def test_seconds_are_the_best_of_the_repeats_for_each_text():
    naps = iter([0.3, 0.02, 0.3])
    assert 0.02 / 4 <= measure_seconds(lambda texts: time.sleep(next(naps)), TEXTS[:4]) < 0.3 / 4
    assert next(naps, None) is None


def test_only_deferred_texts_reach_the_teacher_in_one_call():
    one = switch().calibrate(TEXTS, LABELS, budget=0.5)
    assert one.student.asked == [TEXTS] and one.teacher.asked == []  # a budget needs no teacher
    answers = one.predict(TEXTS[::-1])
    assert one.teacher.asked == [["t2", "t1", "t0"]] and len(one.student.asked) == 2
    assert answers.tolist() == [1, 1, 1, 1, 1, 1] and answers.dtype == np.int64
    one.predict(["t4", "t5"])
    assert len(one.teacher.asked) == 1
    assert one.predict([]).shape == (0,) and len(one.student.asked) == 3


@pytest.mark.parametrize(
    ("difficulty", "budget", "deferred"),
    [
        (DIFFICULTY, 0, 0),
        (DIFFICULTY, 0.49, 2),
        (DIFFICULTY, 2 / 6, 2),
        (DIFFICULTY, 1, 6),
        ([0.9, 0.8, 0.8, 0.8, 0.3, 0.1], 0.5, 1),  # deferring one 0.8 is deferring all three: 4 of 6
        ([0.9, 0.8, 0.8, 0.8, 0.3, 0.1], 0.7, 4),
        ([0.5] * 6, 0.99, 0),  # a student whose logits are constant
        ([0.5] * 6, 1, 6),
    ],
)
def test_the_budget_is_never_exceeded_on_validation(difficulty, budget, deferred):
    one = switch(difficulty).calibrate(TEXTS, LABELS, budget=budget)
    one.predict(TEXTS)
    assert len(one.teacher.asked[0] if one.teacher.asked else []) == deferred


def test_the_ends_of_the_budget_hold_for_texts_harder_and_easier_than_any_seen():
    for budget in (0, 1):
        one = switch().calibrate(TEXTS[1:5], LABELS[1:5], budget=budget)
        one.predict(["t0", "t5"])
        assert one.teacher.asked == ([["t0", "t5"]] if budget else [])


@pytest.mark.parametrize(
    ("difficulty", "max_loss", "deferred"),
    [
        (DIFFICULTY, 0, ["t0"]),  # 83.3 like the teacher; with t2 it would be 100
        (DIFFICULTY, 20, []),  # the student's 66.7 will do
        (-DIFFICULTY, 0, TEXTS),
        (-DIFFICULTY, 16.7, ["t5", "t4", "t3", "t2"]),  # three deferred: 50; fewer would do by chance
        (-DIFFICULTY, 34, []),
        ([0.9, 0.9, 0.9, 0.8, 0.3, 0.1], 0, ["t0", "t1", "t2"]),
    ],
)
def test_a_loss_taken_at_its_word_stops_at_the_last_share_that_keeps_it(difficulty, max_loss, deferred):
    one = switch(difficulty).calibrate(TEXTS, LABELS, max_loss=max_loss, risk=0.5)
    one.predict(TEXTS)
    assert sorted(sum(one.teacher.asked[1:], [])) == sorted(deferred)


def many(student, teacher):
    """A switch over texts numbered by difficulty, and the texts."""
    texts = [str(i) for i in range(len(student))]
    return Switch(Stub(student * 1, texts), Stub(teacher * 1, texts), lambda texts, _: np.array(texts, float)), texts


def test_a_loss_of_just_the_allowed_points_is_allowed():
    one, texts = many(np.arange(1000) < 923, np.arange(1000) < 924)  # 92.4 - 92.3 is more than 0.1 in floats
    assert one.calibrate(texts, np.ones(1000, int), max_loss=0.1, risk=0.5).threshold == np.inf


@pytest.mark.parametrize(
    ("max_loss", "deferred"),
    [(6.32, 0), (6.31, 41), (4.88, 41), (4.87, 51), (3.35, 51), (3.34, 61), (1.65, 61), (1.64, 98)],
)
def test_a_loss_within_a_risk_counts_what_few_texts_cannot_rule_out(max_loss, deferred):
    # The teacher corrects the texts 37, 47 and 57 of 98, and errs on 67. Answered by the student, in points:
    # none lost of 0..36, 164.5 sqrt(0.01 / 100) = 1.645; one of 0..46, 1.020 + 164.5 sqrt((0.02 - 0.01**2) / 100) =
    # 3.341; two of 0..56, 2.041 + 164.5 sqrt((0.03 - 0.02**2) / 100) = 4.871; three of 0..66, 3.061 + 3.253 = 6.314;
    # then one is won, 2.041 + 3.663 = 5.704, too late.
    numbers = np.arange(98)
    one, texts = many(~np.isin(numbers, (37, 47, 57)), numbers != 67)
    one.calibrate(texts, np.ones(98, int), max_loss=max_loss)
    assert (numbers >= one.threshold).sum() == deferred


@pytest.mark.parametrize(("risk", "low", "high"), [(0.05, 0.0, 0.07), (0.5, 0.3, 1.0)])
def test_the_loss_is_exceeded_as_often_as_the_risk_says(risk, low, high):
    # Of 1,000 texts evenly spread over 0..1 the student is wrong where its doubt is above 0.8, three times in ten;
    # the teacher errs once in 20, anywhere. So a threshold t in 0.8..1 loses 25 (t - 0.8) points, and 1 at 0.84.
    exceeded, random = [], np.random.default_rng(0)
    for _ in range(300):
        doubt = np.sort(random.random(1000))
        of = {str(i): value for i, value in enumerate(doubt)}
        student, teacher = (doubt < 0.8) | (random.random(1000) > 0.3), random.random(1000) > 0.05
        student &= (doubt > 0.8) | teacher  # where it is sure it answers like the teacher
        one, texts = many(student, teacher)
        one.router = lambda texts, _, of=of: np.array([of[text] for text in texts])
        exceeded.append(one.calibrate(texts, np.ones(1000, int), max_loss=1.0, risk=risk).threshold > 0.84)
    assert low <= np.mean(exceeded) <= high


def test_routers_plug_in_with_the_students_logits():
    one = Switch(Stub(STUDENT), Stub(TEACHER), lambda texts, logits: confidence(logits, 2.0))
    one.calibrate(TEXTS, LABELS, budget=0.5).predict(TEXTS)
    assert one.teacher.asked == []  # all alike


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({}, "either budget= .* or max_loss="),
        ({"budget": 0.1, "max_loss": 1}, "either budget= .* or max_loss="),
        ({"budget": 20}, "a budget is a share in 0..1"),
        ({"max_loss": -1}, "a loss is 0 or more"),
        ({"max_loss": 1, "risk": 0}, "risk=0: .* above 0 and at most 0.5"),
        ({"labels": LABELS[:5], "budget": 0.1}, "6 texts and 5 labels: give"),
        ({"texts": [], "labels": [], "budget": 0.1}, "0 texts .* give"),
    ],
)
def test_bad_calibration_is_named_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        switch().calibrate(**({"texts": TEXTS, "labels": LABELS} | call))
    assert "\n" not in str(error.value)


def test_a_switch_without_threshold_says_what_to_call():
    with pytest.raises(ValueError, match="call calibrate"):
        switch().predict(TEXTS)


def test_a_curve_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match="6 difficulties, 5 student and 6 teacher answers: give"):
        curve(DIFFICULTY, STUDENT[:5], TEACHER)


class Named(Stub):
    """A teacher that names its classes."""

    def __init__(self, *class_names, answers=TEACHER):
        super().__init__(answers)
        self.class_names, self.name = class_names, "a teacher"


def student(*labels) -> MLP:
    torch.manual_seed(0)
    return MLP(Vocabulary(TEXTS), labels, embedding_size=4, hidden=4).eval()


def test_student_and_teacher_know_the_same_classes_in_the_same_order():
    with pytest.raises(ValueError, match=r"same in another order \(class 0 is 'neg' and 'pos'\): train them") as error:
        Switch(student("neg", "pos"), Named("pos", "neg"), "confidence")
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=r"not the same \(class 0 is 'neg' and 'bad'\): train"):
        Switch(student("neg", "pos"), Named("bad", "good"), "confidence")
    with pytest.raises(ValueError, match="student and teacher know 2 and 3 classes, not the same"):
        Switch(Ensemble([student("neg", "pos")]), Named("neg", "pos", "neutral"), "confidence")
    one = Switch(student("neg", "pos"), Named("neg", "pos"), "confidence")
    with pytest.raises(ValueError, match="in another order"):
        one.teacher = Named("pos", "neg")
    one.teacher = Named("LABEL_0", "LABEL_1")  # as a checkpoint without names has it
    assert Switch(student("neg", "pos"), Stub(TEACHER), "margin").teacher.asked == []


@pytest.mark.parametrize("setting", [{"budget": 0.5}, {"max_loss": 1}])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["pos"] * 6, "labels are class numbers, not such as 'pos'"),
        (np.ones(6), "labels are class numbers, not of type float64"),
        (np.ones(6, bool), "not of type bool"),
        (np.full(6, 2), "labels hold 2 .text 0., but the 2 classes are numbered 0 to 1"),
        (-LABELS, "labels hold -1"),
        (np.ones((6, 1), int), r"labels of shape \(6, 1\)"),
    ],
)
def test_labels_of_the_wrong_kind_set_no_threshold(labels, message, setting):
    one = switch()
    with pytest.raises(ValueError, match=message) as error:
        one.calibrate(TEXTS, labels, **setting)
    assert "\n" not in str(error.value) and one.threshold is None


def test_texts_of_every_kind_get_the_same_answers():
    one = switch().calibrate(pd.Series(TEXTS), pd.Series(LABELS), budget=0.5)
    for texts in (TEXTS, tuple(TEXTS), np.array(TEXTS), pd.Series(TEXTS, index=range(6, 0, -1))):
        assert one.predict(texts).tolist() == [1, 1, 1, 1, 1, 1]
    assert one.predict(np.array([])).shape == (0,) and one.predict(()).dtype == np.int64
    for call in (one.predict, lambda texts: one.calibrate(texts, LABELS[:2], budget=0.5)):
        with pytest.raises(ValueError, match="one string is not a list"):
            call("t0")


@pytest.mark.parametrize(
    ("router", "message"),
    [
        (lambda texts, logits: np.full(len(texts), np.nan), "the router gave .* NaN"),
        (lambda texts, logits: logits, r"the router gave numbers of shape \(6, 2\)"),
        (lambda texts, logits: 0.5, r"the router gave numbers of shape \(\)"),
        ("entropy", "unknown router 'entropy': use one of confidence, margin, or a function"),
    ],
)
def test_a_router_gives_each_text_a_number(router, message):
    with pytest.raises(ValueError, match=message):
        Switch(Stub(STUDENT), Stub(TEACHER), router).calibrate(TEXTS, LABELS, budget=0.5)


def test_a_teacher_of_other_classes_without_names_is_seen_when_it_answers():
    one = switch().calibrate(TEXTS, LABELS, budget=0.5)
    one.teacher = SimpleNamespace(logits=lambda texts: np.zeros((len(texts), 3)))
    with pytest.raises(ValueError, match=r"logits of shape \(3, 3\): .* \(3, 2\)"):
        one.predict(TEXTS)


def test_without_a_teacher_the_student_answers_and_the_switch_says_so():
    one = Switch(student("neg", "pos"), None, "confidence").calibrate(TEXTS, LABELS, budget=1)
    np.testing.assert_array_equal(one.predict(TEXTS), one.student.predict(TEXTS))
    assert one.describe() == "the student (MLP) answers every text: its teacher is not here"
    with pytest.raises(ValueError, match="max_loss is measured against the teacher: give"):
        one.calibrate(TEXTS, LABELS, max_loss=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: curve(np.full(6, np.nan), STUDENT, TEACHER), "NaN among them: give one number a text"),
        (lambda: curve(DIFFICULTY, STUDENT + 1, TEACHER), "outcomes are 0 .wrong. and 1 .right."),
        (lambda: curve([], [], []), "0 difficulties, 0 student and 0 teacher"),
        (lambda: area([0, 0.5, 1], [90, 91]), "give one accuracy a share"),
        (lambda: area([0, 50, 100], [90, 91, 92]), "do not rise from 0 to 1: give what curve returns"),
        (lambda: area([1, 0.5, 0], [90, 91, 92]), "do not rise from 0 to 1"),
        (lambda: area([0.5], [90]), "do not rise from 0 to 1"),
        (lambda: cost_curve([5, 20], 0.1, 1), "shares of deferral lie in 0..1, .*: divide percentages by 100"),
        (lambda: cost_curve([0.1], 0, 1), "times are above 0"),
        (lambda: cost_curve([0.1], 0.1, 1, -1), "times are above 0"),
        (lambda: measure_seconds(len, []), "texts=0: give"),
        (lambda: measure_seconds(len, TEXTS, 0), "repeats=0: give"),
        (lambda: measure_seconds(len, "t0"), "one string is not a list"),
    ],
)
def test_curves_name_what_they_cannot_use(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_latency_is_the_median_of_single_calls():
    seen = []

    def answer(texts):
        seen.append(list(texts))
        time.sleep(0.03 if texts == ["slow"] else 0.001)

    assert 0.0005 < measure_latency(answer, ["a", "b", "slow"]) < 0.02
    assert seen == [["a"], ["a"], ["b"], ["slow"]]  # the first call warms up
    with pytest.raises(ValueError, match="1 or more"):
        measure_latency(answer, [])
