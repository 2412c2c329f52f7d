"""A switch from validation to test, on ten texts worked out by hand and a clock made for the test."""

from types import SimpleNamespace

import numpy as np
import pytest

from distill_utils.switch import InUse, Target, in_use
from distill_utils.texts.words import Vocabulary

WORDS = (1, 2, 3, 4, 5)
TEXTS = [f"t{row}" + " w" * (count - 1) for row, count in enumerate(WORDS)]  # t0 has 1 word, ..., t4 has 5: 15 in all
LABELS = np.ones(5, int)
STUDENT = dict(zip(TEXTS, (-0.1, 0.2, -0.3, 0.4, 0.5), strict=True))  # wrong on t0 and t2, surer from text to text
TEACHER = dict(zip(TEXTS, (1, 1, 1, 1, -1), strict=True))  # wrong on t4; the texts with their words shuffled: right


class Teacher:
    class_names, name = ("no", "yes"), "stub"

    def logits(self, texts):
        return np.array([(0.0, TEACHER.get(text, 1)) for text in texts], np.float32)

    cached_logits = logits

    def predict(self, texts):
        return self.logits(texts).argmax(axis=1)


def in_use_here():
    student = SimpleNamespace(predict_logits=lambda texts: np.array([(0.0, STUDENT[text]) for text in texts]))
    texts, labels = {"validation": 2 * TEXTS, "test": TEXTS}, {"validation": np.tile(LABELS, 2), "test": LABELS}
    return InUse(student, SimpleNamespace(teacher=Teacher(), texts=texts, labels=labels, vocabulary=Vocabulary(["w"])))


@pytest.fixture
def use(monkeypatch):
    """The student takes as long as half a word of the teacher, a router a tenth."""
    parts_of = lambda parts: {name: 0.5 if name in ("student", "it") else 0.1 for name in parts}  # noqa: E731
    monkeypatch.setattr(in_use, "in_teacher_words", lambda parts, teacher, texts, n: parts_of(parts))
    return in_use_here()


def test_curves_and_costs_by_hand(use):
    assert list(use.routers) == ["confidence", "margin", "learned head"]
    assert list(use.difficulty) == [*use.routers, "shuffle detector", "random", "oracle"]
    # Most doubted first: t0, t1, t2, ...: student alone 3 of 5, then t0 and t2 are won, and t4 is lost.
    np.testing.assert_allclose(use.curves["confidence"][1], [60, 80, 80, 100, 100, 80])
    costs = use.time({"another": len})
    assert costs == {
        "student": 0.5,
        "another": 0.1,
        "confidence": 0.1,
        "margin": 0.1,
        "learned head": 0.1,
        "shuffle detector": 6,
        "the teacher itself": 3,
    }
    speeds, accuracy = use.against_speed()["confidence"]
    np.testing.assert_allclose(speeds, 15 / (5 * 0.6 + np.array([0, 1, 3, 6, 10, 15])))
    np.testing.assert_allclose(accuracy, use.curves["confidence"][1])
    assert use.landmarks() == {"student": (pytest.approx(15 / 3), 60), "teacher": (1, 80)}
    assert use.against_speed()["oracle"][0][0] == pytest.approx(15 / 2.5)  # a bound: its router costs nothing


def test_an_outcome_by_hand(use):
    use.time()
    found = use.outcome(budget=0.6)
    assert found["router"] == "confidence" and found["deferred %"] == 60 and found["their words %"] == 40
    assert found["accuracy"] == 100 and found["minus teacher"] == pytest.approx(20)
    assert found["speed-up"] == pytest.approx(15 / (3 + 6))
    assert use.speed_of(use.switch(budget=0.6).predict, 2) == pytest.approx(1.5 / 0.5)  # two texts of 1.5 words each
    assert use.at_share("confidence", 0.4) == (pytest.approx(15 / (3 + 3)), 80)


def test_a_point_at_a_speed_by_hand(use):
    use.time()
    # 0, 1, 3 words deferred of 15, student and router 3 in all: 5, 3.75 and 2.5 times as fast, then slower.
    assert use.at_speed("confidence", 2.49) == (pytest.approx(2.5), 80)
    assert use.at_speed("confidence", 2.51) == (pytest.approx(15 / 4), 80)
    assert use.at_speed("confidence", 4.9) == (pytest.approx(5), 60)
    assert use.at_speed("confidence", 6) == use.at_share("confidence", 0)


def test_a_point_costs_no_other_router_s_curve(use, monkeypatch):
    use.time()
    drawn, draw = [], use.test.against_speed
    monkeypatch.setattr(use.test, "against_speed", lambda *args: drawn.append(args) or draw(*args))
    assert use.at_share("oracle", 0) == (pytest.approx(15 / 2.5), 60)
    assert len(drawn) == 1 and drawn[0][0] is use.difficulty["oracle"]


def test_the_learned_head_is_set_on_texts_it_was_not_fitted_on(use):
    fitted = {id(trial): trial.texts for trial in (use.unseen, use.whole)}
    assert fitted[id(use.unseen)] == (2 * TEXTS)[1::2] and fitted[id(use.whole)] == 2 * TEXTS
    asked = []
    for trial in (use.unseen, use.whole):
        trial.switch = lambda router, trial=trial, **limits: asked.append((trial, router, limits))
    use.switch("learned head", budget=0.2), use.switch(max_loss=1.0)
    assert asked[0] == (use.unseen, use.routers["learned head"], {"budget": 0.2})
    assert asked[1] == (use.whole, use.routers["confidence"], {"max_loss": 1.0})


def test_a_target_is_both_its_limits():
    target = Target(max_loss=0.3, speed_up=5)
    assert str(target) == "at most 0.3 points lost, at least 5x"
    assert target.reached(-0.3, 5.0) and target.reached(+1.0, 20.0)
    assert not target.reached(-0.31, 5.0) and not target.reached(-0.3, 4.9)
    assert Target(0, 15).reached(94.2 - 94.1 - 0.1, 15)  # a little below nothing, by the arithmetic of floats
