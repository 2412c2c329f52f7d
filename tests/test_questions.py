"""Each question has one right choice and a reason for every one; without widgets it is folded text."""

import importlib.util
import re

import pytest

from distill_utils.questions import QUESTIONS, WIDGET, ask


def test_three_a_part():
    assert sorted(QUESTIONS) == [f"{part}{letter}" for part in "123" for letter in "abc"]
    assert [ask(part).questions[0].text for part in (1, 2, 3)] == [QUESTIONS[f"{part}a"].text for part in (1, 2, 3)]


@pytest.mark.parametrize("number", QUESTIONS)
def test_one_choice_is_right_and_each_has_a_reason(number):
    choices = QUESTIONS[number].choices
    assert sum(choice.right for choice in choices) == 1
    assert len({choice.text for choice in choices}) == len({choice.reason for choice in choices}) >= 3


def test_the_right_choice_does_not_stand_in_one_place():
    assert len({[choice.right for choice in question.choices].index(True) for question in QUESTIONS.values()}) == 3


def test_a_quiet_run_shows_folded_text_only(monkeypatch):
    monkeypatch.setenv("DISTILL_QUIET", "1")
    bundle = ask(2)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/html"].count("<details>") == bundle["text/html"].count("</details>") == 9
    assert "<p>Right. This is why MCC" in bundle["text/html"]
    assert "&#x27;Acceptable&#x27; is said" in bundle["text/html"]
    assert "Right." not in bundle["text/plain"]  # where nothing folds, nothing is given away


def test_a_live_notebook_gets_buttons_beside_the_text(monkeypatch):
    monkeypatch.delenv("DISTILL_QUIET", raising=False)
    bundle = ask(3)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", WIDGET} and "model_id" in bundle[WIDGET]


def test_a_click_on_a_choice_shows_its_reason():
    title, radio, reason = QUESTIONS["3a"].buttons().children
    assert "How many answers" in title.value and radio.value is None and reason.value == ""
    radio.value = 1
    assert reason.value.startswith("<p>No. The teacher sees the order.")
    radio.value = 0
    assert reason.value.startswith("<p>Right. It counts words")


def test_without_ipywidgets_it_is_text(monkeypatch):
    monkeypatch.delenv("DISTILL_QUIET", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert set(ask(1)._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_no_questions_of_that_part():
    with pytest.raises(ValueError, match="there are no questions of part 4: give 1, 2 or 3"):
        ask(4)


def test_no_sentence_is_long():
    """Readers whose first language is another one read this."""
    for question in QUESTIONS.values():
        for text in (question.text, *(choice.reason for choice in question.choices)):
            assert max(len(sentence.split()) for sentence in re.split(r"(?<=[.?])\s", text)) <= 32
