"""A cascade on eight texts worked out by hand, and against trying every pair of thresholds."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from distill_utils.switch import Cascade, Switch

WORDS = (1, 2, 3, 4, 5, 6, 7, 8)  # 36 in all
TEXTS = [f"t{row}" + " w" * (count - 1) for row, count in enumerate(WORDS)]
NAMES = ("no", "yes")


class Model:
    """Says yes where it is right, since all labels are yes, with a doubt below one half."""

    class_names, name = NAMES, "model"

    def __init__(self, right, doubt):
        self.table = {
            text: (0.0, np.log((1 - hesitates) / hesitates) * (1 if good else -1))
            for text, good, hesitates in zip(TEXTS, right, doubt, strict=True)
        }
        self.asked = []

    def logits(self, texts):
        self.asked += texts
        return np.array([self.table[text] for text in texts])

    predict_logits = cached_logits = logits


STUDENT = Model([0, 0, 0, 1, 1, 1, 1, 1], [0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.1, 0.05])
MIDDLE = Model([1, 0, 1, 1, 1, 1, 1, 1], [0.1, 0.45, 0.05, 0.4, 0.35, 0.01, 0.02, 0.03])
TEACHER = Model([1, 1, 1, 1, 1, 1, 1, 1], [0.01] * 8)


def cascade() -> Cascade:
    labels = np.ones(8, int)
    splits = ("validation", "test")
    task = SimpleNamespace(teacher=TEACHER, texts=dict.fromkeys(splits, TEXTS), labels=dict.fromkeys(splits, labels))
    return Cascade(STUDENT, MIDDLE, task)


def test_a_cascade_by_hand():
    # The middle one must get t0, t1 and t2, six words at a tenth, and the teacher t1, two words.
    one = cascade().calibrate(max_loss=0, cost=0.1)
    assert one.thresholds == pytest.approx((0.35, 0.45))
    found = one.outcome(student=0.5, word=0.2)
    assert found.pop("95% interval") == "+0.0 .. +0.0"
    work = 8 * 0.5 + 6 * 0.2 + 2
    wanted = {"to the middle %": 37.5, "to the teacher %": 12.5, "accuracy": 100, "minus teacher": 0}
    assert found == pytest.approx(wanted | {"speed-up": 36 / work})


def test_the_middle_one_alone_where_that_is_enough():
    one = cascade().calibrate(max_loss=100 / 8, cost=0.1)  # one text of eight may be lost: t1
    assert one.thresholds == (pytest.approx(0.35), np.inf)
    # The student is right on five.
    assert cascade().calibrate(max_loss=300 / 8, cost=0.1).thresholds == (np.inf, np.inf)


@pytest.mark.parametrize("seed", [0, 1, 2, 18, 23])  # the last two: equal doubts matter
def test_no_pair_of_thresholds_is_cheaper(seed):
    random = np.random.default_rng(seed)
    right = [random.random(8) < share for share in (0.5, 0.7, 0.9)]
    models = [Model(good, np.round(random.uniform(0.06, 0.44, 8), 1)) for good in right]  # with ties
    labels = np.ones(8, int)
    task = SimpleNamespace(teacher=models[2], texts={"validation": TEXTS, "test": TEXTS})
    task.labels = {"validation": labels, "test": labels}
    one = Cascade(*models[:2], task)

    def tried(first, second):
        passed = one.validation.doubt[0] >= first
        to_teacher = passed & (one.validation.doubt[1] >= second)
        answers = np.where(to_teacher, right[2], np.where(passed, right[1], right[0]))
        words = np.array(WORDS)
        return answers.sum(), 0.3 * words[passed].sum() + words[to_teacher].sum()

    every = [tried(*pair) for pair in product(*([np.inf, *doubt] for doubt in one.validation.doubt))]
    needed = right[2].sum() - 1  # an eighth may be lost
    cheapest = min(words for count, words in every if count >= needed)
    count, words = tried(*one.calibrate(max_loss=100 / 8, cost=0.3).thresholds)
    assert count >= needed and words == pytest.approx(cheapest)


def test_at_work_each_is_asked_what_it_must_be():
    one = cascade().calibrate(max_loss=0, cost=0.1)
    switch = one.switch()
    for model in (STUDENT, MIDDLE, TEACHER):
        model.asked.clear()
    assert switch.predict(TEXTS).tolist() == [1] * 8
    assert (STUDENT.asked, MIDDLE.asked, TEACHER.asked) == (TEXTS, TEXTS[:3], TEXTS[1:2])
    np.testing.assert_allclose(
        switch.logits(TEXTS)[[0, 1, 7]],
        [MIDDLE.table[TEXTS[0]], *(model.table[TEXTS[row]] for model, row in ((TEACHER, 1), (STUDENT, 7)))],
    )


def test_a_switch_that_was_not_calibrated_gives_no_logits():
    with pytest.raises(ValueError, match="call calibrate"):
        Switch(STUDENT, TEACHER, "confidence").logits(TEXTS)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_loss": 0, "cost": 0}, "cost=0: give a number above 0"),
        ({"max_loss": -0.1, "cost": 0.1}, "max_loss=-0.1: it is points of accuracy below the teacher's, 0 or more"),
        ({"max_loss": np.nan, "cost": 0.1}, "max_loss=nan: it is points of accuracy below the teacher's, 0 or more"),
    ],
)
def test_limits_that_nothing_keeps_to_are_refused(limits, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        cascade().calibrate(**limits)
