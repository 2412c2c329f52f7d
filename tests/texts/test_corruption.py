"""Corrupted twins: one fault each, of the kinds that are promised."""

from collections import Counter

import numpy as np
import pytest

from distill_utils.texts import corruption
from distill_utils.texts.corruption import FUNCTION_WORDS, OTHER_FORM, corrupt, with_twins

SENTENCE = "the gardener was planting roses in this garden"


@pytest.mark.parametrize(
    "operation, difference",
    [
        ("_swap", 0),
        ("_swap_far", 0),
        ("_move", 0),
        ("_drop", -1),
        ("_double", 1),
        ("_other_form", 0),
        ("_other_ending", 0),
    ],
)
def test_each_operation_makes_its_own_fault(operation, difference):
    words, random = SENTENCE.split(), np.random.default_rng(0)
    for _ in range(30):
        broken = getattr(corruption, operation)(list(words), random)
        assert len(broken) - len(words) == difference
        gone, new = Counter(words) - Counter(broken), Counter(broken) - Counter(words)
        if operation in ("_swap", "_swap_far", "_move"):
            assert not gone and not new
        if operation == "_swap":
            places = [i for i, (a, b) in enumerate(zip(words, broken, strict=True)) if a != b]
            assert places[1] - places[0] == 1 and len(places) == 2
        if operation in ("_drop", "_double"):
            assert set(gone + new) <= FUNCTION_WORDS
        if operation == "_other_form":
            assert OTHER_FORM[next(iter(gone))] == next(iter(new))
        if operation == "_other_ending":
            assert sum(gone.values()) == sum(new.values()) == 1 and next(iter(gone)) not in FUNCTION_WORDS


def test_a_corrupted_sentence_differs_and_follows_the_seed():
    twins = [" ".join(corrupt(SENTENCE.split(), np.random.default_rng(seed))) for seed in range(50)]
    assert SENTENCE not in twins and len(set(twins)) > 20
    assert twins[3] == " ".join(corrupt(SENTENCE.split(), np.random.default_rng(3)))


def test_sentences_and_their_twins():
    sentences = ["He likes the film .", "Too short", "It is good, I think!"]
    texts = with_twins(sentences, seed=0)
    assert len(texts) == 6 and texts[0] == sentences[0] and texts[3] == sentences[2]
    assert all(text.endswith(" .") and text != texts[0] for text in texts[1:3])
    assert all(text.endswith("!") and text != texts[3] for text in texts[4:])
    assert texts == with_twins(sentences, seed=0) != with_twins(sentences, seed=1)


def test_twins_are_plain_in_any_script():
    texts = with_twins(["I don’t\xa0like “it” at all.", "我很高兴。"], seed=0)
    assert texts[0] == 'I don\'t like "it" at all.' and "我 很 高 兴。" in texts


def test_what_cannot_be_broken_comes_back():
    assert corrupt(["go", "go", "go"], np.random.default_rng(0)) == ["go", "go", "go"]
    assert with_twins(["go go go"], seed=0) == ["go go go"]
