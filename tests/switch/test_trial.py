"""A switch on trial, on the table worked out by hand in test_switch; what parts cost, by a clock made for the test."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_switch import DIFFICULTY, LABELS, STUDENT, TEACHER, TEXTS, Stub

from distill_utils.switch import Trial, compete, costs, in_teacher_words, one_thread, speed_up, summary
from distill_utils.texts.words import Vocabulary

WORDS = dict(zip(TEXTS, (1, 2, 3, 4, 5, 5), strict=True))
LONG = [f"{text} " + "w " * (count - 1) for text, count in WORDS.items()]  # t0 has 1 word, t1 has 2, ...


def trial(student=STUDENT) -> Trial:
    asked = Stub(TEACHER, LONG)
    of_words = {tuple(sorted(text.split())): answer for text, answer in zip(LONG, TEACHER, strict=True)}
    teacher = SimpleNamespace(
        predict=lambda texts: np.array([of_words[tuple(sorted(text.split()))] for text in texts]),  # in any order
        cached_logits=asked.logits,
        logits=asked.logits,
        class_names=("no", "yes"),
        name="stub",
    )
    return Trial(Stub(student, LONG), teacher, LONG, LABELS)


def router(texts, logits):
    return np.array([DIFFICULTY[LONG.index(text)] for text in texts])


def test_a_trial_by_hand():
    one = trial()
    difficulty = one.difficulty(router)
    shares, accuracy = one.curve(difficulty)
    np.testing.assert_allclose(accuracy, 100 * np.array([4, 5, 5, 6, 5, 5, 5]) / 6)
    np.testing.assert_allclose(one.word_shares(difficulty), np.array([0, 1, 3, 6, 10, 15, 20]) / 20)
    # 20 words in all: by itself the student takes 6 texts x 0.5, then each deferred word counts one more.
    np.testing.assert_allclose(one.against_speed(difficulty, 0.5)[0], 20 / (3 + np.array([0, 1, 3, 6, 10, 15, 20])))
    switch = one.switch(router, budget=0.5)
    assert one.deferred(switch).tolist() == [True, True, True, False, False, False]
    found = one.outcome(switch)
    assert found["deferred %"] == 50 and found["their words %"] == 30 and found["accuracy"] == 100
    assert found["minus teacher"] == pytest.approx(100 / 6)
    assert switch.teacher is one.teacher and switch.predict(LONG).tolist() == [1] * 6


def test_the_routers_of_a_trial():
    one = trial()
    rules = one.free_routers(Vocabulary(["w"]))
    assert list(rules) == ["confidence", "margin", "learned head"]
    found = one.difficulties(rules)
    assert list(found) == [*rules, "shuffle detector", "random", "oracle"] and {len(row) for row in found.values()} == {
        6
    }
    assert found["oracle"].tolist() == [1, 0, 1, -1, 0, 0] and not found["shuffle detector"].any()
    assert list(trial(TEACHER).free_routers(Vocabulary(["w"]))) == ["confidence", "margin"]  # nothing to correct


def test_a_curve_in_four_numbers():
    found = summary(np.array([0, 0.5, 1]), np.array([80.0, 96.0, 90.0]))
    assert found["5% deferred"] == pytest.approx(81.6) and found["20% deferred"] == pytest.approx(86.4)
    assert found["area"] == pytest.approx(88 / 2 + 93 / 2) and found["above chance %"] == 100
    assert summary(np.array([0, 1]), np.array([80.0, 90.0]))["above chance %"] == 0


def test_student_and_teacher_are_asked_once():
    one = trial()
    before = len(one.student.asked)
    one.curve(one.difficulty(router)), one.word_shares(one.difficulty(router))
    assert before == 1 and len(one.student.asked) == 1


def test_students_compete_for_the_fewest_words():
    def sure_from_text_to_text(answers):  # t0 is doubted most
        logits = np.outer(np.arange(1, 7) * (2 * np.asarray(answers) - 1), [0, 1])
        return SimpleNamespace(predict_logits=lambda texts: logits[[LONG.index(text) for text in texts]])

    students = {"four": sure_from_text_to_text(STUDENT), "five": sure_from_text_to_text([0, 1, 1, 1, 1, 1])}
    task = SimpleNamespace(teacher=trial().teacher, texts={"validation": LONG}, labels={"validation": LABELS})
    four, five = compete(students, task, max_loss=0.0)
    assert (four.pop("student"), five.pop("student")) == ("four", "five")
    # The teacher is right on 5 of 6. With t0 deferred, 1 word of 20, four become five; five are level by themselves.
    assert four == pytest.approx(
        {"alone": 400 / 6, "as a switch": 500 / 6, "teacher": 500 / 6, "words to the teacher %": 5}
    )
    assert five == pytest.approx(
        {"alone": 500 / 6, "as a switch": 500 / 6, "teacher": 500 / 6, "words to the teacher %": 0}
    )


def test_a_part_is_counted_in_words_that_the_teacher_reads(monkeypatch):
    # The machine is twice as slow in every later round: the ratio stays.
    clock, threads = SimpleNamespace(now=0.0, pace=1.0), []

    def spend(seconds, slower=1.0):
        def part(texts):
            threads.append(torch.get_num_threads())
            clock.now += seconds * len(texts) * clock.pace
            clock.pace *= slower

        return part

    def timed(function, number):
        start = clock.now
        function()
        return clock.now - start

    monkeypatch.setattr(costs.timeit, "timeit", timed)
    texts = ["one two three", "one"] * 10
    found = in_teacher_words(
        {"student": spend(0.01), "router": spend(0.001, slower=2.0)}, spend(0.2), texts, n_teacher=4
    )
    # Four texts, eight words, 0.8 seconds: 0.1 a word.
    assert found == {"student": pytest.approx(0.1), "router": pytest.approx(0.01)}
    assert set(threads) == {1}


def test_reading_the_teachers_weights_is_not_timed():
    read = []

    def teacher(texts):
        if not read:
            read.append(time.sleep(0.2))
        time.sleep(0.01)

    found = in_teacher_words({"as slow": lambda texts: time.sleep(0.01)}, teacher, ["one"], 1, rounds=1)
    assert found["as slow"] > 0.2  # with what it read it would be 0.05


def test_everything_is_counted_in_a_speed_up():
    words = np.array([10, 30, 20, 40])
    assert speed_up(words, np.array([False] * 4), cost=0.5) == pytest.approx(100 / 2)
    assert speed_up(words, np.array([False, True, False, False]), cost=0.5) == pytest.approx(100 / 32)
    # The blog's detector runs the teacher twice a text: slower than the teacher alone.
    assert speed_up(words, np.array([False, True, False, False]), cost=0.5 + 2 * words.mean()) < 0.5
    with pytest.raises(ValueError, match="^cost=0: a student takes some time for each text, give a number above 0$"):
        speed_up(words, words > 20, cost=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(([], 4), "texts=0"), ((["a"], 0), "words=0"), (([" "], 1), "words=0")],
)
def test_what_cannot_be_timed_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        in_teacher_words({}, len, *arguments)
    assert "\n" not in str(error.value)


def test_one_thread_ends_with_its_block():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError), one_thread():
        assert torch.get_num_threads() == 1
        raise RuntimeError
    assert torch.get_num_threads() == before
